"""The logs of several companies, merged by time, through the worker's own code into one database."""

from dataclasses import dataclass, field
from functools import cached_property
from random import Random
from typing import Any

import msgspec

from jobs.events import CompanyConfigured, Event
from jobs.values import Instant
from tests.docs.books import Books
from tests.jobs.written import configured
from tests.property.promise_histories import MOVES, START, company_of
from tests.sinks.oracles_work.desks import Sent, WorkDesk
from tests.sinks.oracles_work.moves import WORK
from topics import EVENTS, partition_key, partition_of

CURRENCIES = ("EUR", "JPY", "KWD")
ACCOUNTS = ("CHILD", "PARENT")


def desk_of(seeds: list[int], code: str) -> WorkDesk:
    """The log of a company that a list of numbers stands for; the first is for the company, the others one an entry."""
    choose = Random(seeds[0])
    settings = msgspec.structs.replace(company_of(choose, code), buckets=(5, 20))
    desk = WorkDesk(settings, currency=choose.choice(CURRENCIES), chance=Random(seeds[0] + 1))
    moves = [*(move for move, _ in MOVES), *(move for move, _ in WORK)]
    weights = [*(weight for _, weight in MOVES), *(weight for _, weight in WORK)]
    for seed in seeds[1:]:
        own = Random(seed)
        own.choices(moves, weights)[0](desk, own, own.choices(ACCOUNTS, (3, 1))[0])
    desk.now = Instant(desk.now + 30 * 86_400_000_000)
    desk.tick()
    return desk


@dataclass
class Played:
    """What was sent, in the order of the log, and where it went. Ticks are for all companies."""

    desks: dict[str, WorkDesk]
    since: Instant = START  # what the clock says before anything
    books: Books = field(default_factory=Books)
    log: list[Sent] = field(default_factory=list)
    places: dict[int, tuple[int, int]] = field(default_factory=dict)  # by id of what was sent: partition and offset

    def of(self, company: str) -> list[Sent]:
        """What a company sent, and all ticks."""
        return [sent for sent in self.log if sent.record.get("company", company) == company]

    @property
    def last(self) -> Instant:
        """The end of the log."""
        return self.log[-1].at

    @cached_property
    def refused(self) -> tuple[set[tuple[str, str]], set[tuple[int, int]]]:
        """Events that were refused after they had been taken, (company, id), and places of refused records."""
        events: set[tuple[str, str]] = set()
        places: set[tuple[int, int]] = set()
        for partition in range(self.books.topics["ar.rejected"].partitions):
            for stored in self.books.broker.records("ar.rejected", partition):
                _, record = self.books.contracts.decode(stored.value() or b"")
                if not record["late"]:
                    places.add((int(str(record["partition"])), int(str(record["offset"]))))
                elif record["event_type"] not in {"RemittanceReceived", "CreditMemoIssued"}:
                    events.add((str(record["company"]), str(record["event_id"]).partition("/")[0]))
        return events, places

    def happened(self, company: str) -> list[Sent]:
        """What a company sent and was taken in the end, each event once, as it was said then; without ticks."""
        found: dict[str, Sent] = {}
        events, places = self.refused
        for sent in self.of(company):
            name = sent.record.get("event_id")
            if name is not None and (company, name) not in events and self.places[id(sent)] not in places:
                found.setdefault(name, sent)
        return list(found.values())


def play(desks: list[WorkDesk], since: Instant = START, until: Instant | None = None) -> Played:
    """All logs merged by time and folded, one record after the other, from one instant to another."""
    played = Played({desk.settings.code: desk for desk in desks}, since)
    sent = [(each.at, number, each) for number, desk in enumerate(desks) for each in desk.log]
    for desk in desks:
        _append(played.books, "CompanyConfigured", _configured(configured(desk.settings)))
    played.books._tick(since)
    played.books._fold()
    for at, _, each in sorted(sent, key=lambda one: one[:2]):
        if until is not None and at > until:
            played.books._tick(until)
            played.books._fold()
            break
        played.log.append(each)
        if each.name == "ClockTicked":
            played.books._tick(at)
        else:
            played.books.broker.now_milliseconds = at // 1000
            played.places[id(each)] = _append(played.books, each.name, each.record)
        played.books._fold()
    return played


def _configured(event: Event) -> dict[str, Any]:
    assert isinstance(event, CompanyConfigured)
    return {**msgspec.to_builtins(event), "source": "test", "actor_id": "", "actor_role": ""}


def _append(books: Books, name: str, record: dict[str, Any]) -> tuple[int, int]:
    """Gives the partition and the offset; of settings, which go to all, the last."""
    value = books.contracts.encode(name, record)
    key = partition_key(record["company"], record["account_id"])
    if name == "CompanyConfigured":
        for partition in range(books.partitions):
            place = partition, books.broker.append(EVENTS, partition, record["company"].encode(), value)
        return place
    partition = partition_of(key, books.partitions)
    return partition, books.broker.append(EVENTS, partition, key, value)
