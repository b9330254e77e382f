"""Random histories of several companies as one log: through the worker's own code into ClickHouse, and for Python."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import Any, NamedTuple

import msgspec

from avro.text import parse_event
from jobs.company import CompanySettings
from jobs.effects import Promise
from jobs.events import (
    CashApplied,
    ClockTicked,
    Event,
    ExceptionFlagged,
    ExceptionResolved,
    ExceptionReviewed,
    PaymentReceived,
    PaymentRefunded,
    PaymentReversed,
)
from jobs.money import exponent
from jobs.values import Day, Instant, date_of, moment_of
from tests.docs.books import REFERENCE, Books
from tests.jobs.written import ticked
from tests.property.histories import history_of
from tests.property.logs import KEPT, log_of
from tests.property.oracle import Journal
from tests.property.oracle.figures import Figures, Promised
from tests.property.writer import DAY
from tests.sinks.oracles.special import SETTINGS as SPECIAL
from tests.sinks.oracles.special import special
from topics import EVENTS, partition_key, partition_of

Promises = dict[tuple[str, str], list[Promised]]
Steps = tuple[tuple[type[Event], dict[str, Any]], ...]
HISTORIES = 10
_ENTRIES = 90
_ENVELOPE = {"source": "test", "actor_id": "", "actor_role": ""}


class Rate(NamedTuple):
    """One unit of the base is so many of the quote from a day on."""

    company: str
    base_currency: str
    quote_currency: str
    rate: Decimal
    rate_date: Day
    recorded_at: Instant


@dataclass
class Told:
    """A log of events in order, ticks among them, and the books of the worker that has folded it."""

    settings: dict[str, CompanySettings]
    log: list[Event]
    books: Books = field(default_factory=Books)
    activities: dict[str, dict[tuple[str, str], Instant]] = field(default_factory=dict)
    rates: list[Rate] = field(default_factory=list)
    _journals: dict[Instant | None, Journal] = field(default_factory=dict)
    _promised: dict[Instant | None, Promises] = field(default_factory=dict)

    def play(self, *, at_ticks: bool = False) -> None:
        """Every event folded before the next one is read, with what it carries to other accounts.

        Where no event of one account touches another it is enough to fold what has gathered at every tick.
        """
        for company in self.settings.values():
            self.books._configure(company, Instant(0))
        for event in self.log:
            if isinstance(event, ClockTicked):
                self.books._tick(event.at)
            else:
                self._append(event)
            if isinstance(event, ClockTicked) or not at_ticks:
                self.books._fold()

    def log_activities(self) -> None:
        """Users have looked at a third of the documents and payments, as what they are or something else, any time."""
        choose = Random(1)
        journal = self.journal()
        moments = [event.at for event in self.log if isinstance(event, ClockTicked)]
        seen = [(paper.company, paper.kind, paper.number) for paper in journal.papers.values()]
        seen += [(company, "payment", payment_id) for company, payment_id in journal.cash]
        about: dict[str, dict[tuple[str, str], Instant]] = {company: {} for company in self.settings}
        for company, kind, identifier in seen:
            if choose.random() < 0.3:
                looked = choose.choice((kind, kind, "workbench", "payment")), identifier
                about[company][looked] = choose.choice(moments)
        for company, found in about.items():
            self.looked_at(company, found)

    def looked_at(self, company: str, about: dict[tuple[str, str], Instant]) -> None:
        """Users' logged activities, each about (kind of entity, id), and when it was recorded."""
        for number, ((kind, identifier), at) in enumerate(sorted(about.items())):
            document = {"event": "UserActivityLogged", "action": "view", "succeeded": True, "company": company}
            document |= {"entity_type": kind.capitalize(), "entity_id": identifier}
            given = {
                "event_id": f"{company}-{number}",
                "recorded_at": moment_of(at).isoformat(),
                "region": "",
                **_ENVELOPE,
            }
            name, record = parse_event(document, given)
            value = self.books.contracts.encode(name, record)
            key = partition_key(company, None)
            self.books.broker.append(EVENTS, partition_of(key, self.books.partitions), key, value)
        self.books._fold()
        self.activities[company] = about

    def set_rates(self) -> None:
        """Some rates of some companies, in both directions, some for days before and some for days to come."""
        choose = Random(2)
        moments = [event.at for event in self.log if isinstance(event, ClockTicked)]
        companies = [company for company in self.settings.values() if choose.random() < 0.7]
        for number in range(80):
            company, at = choose.choice(companies), choose.choice(moments)
            pair = [choose.choice(("EUR", "KWD", "JPY", "GBP")), company.base_currency]
            choose.shuffle(pair)
            rate = choose.choice(("1.0834", "0.0061", "163.97", "3", "0.8", "0.000000000000000007", "7"))
            on = Day(at // DAY + choose.choice((0, 0, -1, -30, 2)))
            if pair[0] != pair[1]:
                self.rates.append(Rate(company.code, pair[0], pair[1], Decimal(rate), on, at))
                self._append_rate(number, self.rates[-1])

    def _append_rate(self, number: int, rate: Rate) -> None:
        document = {"event": "ExchangeRateSet", "company": rate.company, "rate": f"{rate.rate:f}",
                    "base_currency": rate.base_currency, "quote_currency": rate.quote_currency,
                    "rate_date": date_of(rate.rate_date).isoformat()}  # fmt: skip
        given = {"event_id": f"rate-{number}", "recorded_at": moment_of(rate.recorded_at).isoformat(), "region": ""}
        name, record = parse_event(document, {**given, **_ENVELOPE})
        self.books.broker.append(REFERENCE, 0, b"rate", self.books.contracts.encode(name, record))

    def promises(self, known: Instant | None = None) -> Promises:
        """Promises by company and currency as they stood when no more was known; `tests/property` judges them.

        The worker folds the log up to there once more: a state of that time, none that was cut out of later ones.
        """
        if known not in self._promised:
            told = self
            if known is not None:
                told = Told(self.settings, [*self.known(known), ticked(known)])
                told.play()
            self._promised[known] = told._stand()
        return self._promised[known]

    def _stand(self) -> Promises:
        latest: dict[tuple[str, str], Promise] = {}
        for partition in range(self.books.topics["ar.promises"].partitions):
            for stored in self.books.broker.records("ar.promises", partition):
                _, record = self.books.contracts.decode(stored.stored_value or b"")
                promise = msgspec.convert(record, Promise, strict=False)
                latest[promise.company, promise.promise_id] = promise
        found: Promises = defaultdict(list)
        for promise in latest.values():
            owed, paid = promise.effective_amount_minor, promise.paid_in_window_minor
            found[promise.company, promise.currency].append((promise.status, promise.deadline, owed, paid))
        return found

    def logged(self, company: str, known: Instant | None = None) -> frozenset[tuple[str, str]]:
        """What users' activities were about that were known at an instant."""
        about = self.activities.get(company, {})
        return frozenset(each for each, at in about.items() if known is None or at <= known)

    def figures(self, key: tuple[str, str], first: Day, last: Day, known: Instant | None = None) -> Figures:
        """Of a company and currency, for a window, as known at an instant."""
        promises = self.promises(known).get(key, [])
        return Figures(self.journal(known), *key, first, last, promises, self.logged(key[0], known))

    def _append(self, event: Event) -> None:
        books = self.books
        value = books.contracts.encode(type(event).__name__, {**msgspec.to_builtins(event), **_ENVELOPE})
        key = partition_key(event.company, event.account_id)
        books.broker.append(EVENTS, partition_of(key, books.partitions), key, value)

    def known(self, instant: Instant | None) -> Iterator[Event]:
        """What had been heard of at an instant: the log up to the first tick after it."""
        for event in self.log:
            if instant is not None and isinstance(event, ClockTicked) and event.at > instant:
                return
            yield event

    def journal(self, instant: Instant | None = None) -> Journal:
        """The books as they were kept up to an instant; None = everything."""
        if instant not in self._journals:
            journal = self._journals[instant] = Journal(self.settings)
            for event in self.known(instant):
                journal.take(event)
        return self._journals[instant]

    @property
    def moments(self) -> list[Instant]:
        """Instants just before a tick, spread over the log: everything before it had been heard of by then."""
        ticks = [event.at for event in self.log if isinstance(event, ClockTicked)]
        return [Instant(at - 1) for at in ticks[len(ticks) // 8 :: len(ticks) // 6]]

    def any_moment(self, choose: Random) -> Instant:
        """An instant just before any tick."""
        return Instant(choose.choice([event.at for event in self.log if isinstance(event, ClockTicked)]) - 1)


def text_of(instant: Instant | None) -> str:
    """An instant as ClickHouse reads it; None = as known now."""
    return "2299-12-31 23:59:59" if instant is None else moment_of(instant).strftime("%Y-%m-%d %H:%M:%S.%f")


def random_histories() -> Told:
    """Always the same: two companies and three accounts each, that know nothing of each other; then the special."""
    settings: dict[str, CompanySettings] = {}
    entries: list[tuple[int, int, int, Event]] = []
    for number in range(HISTORIES):
        choose = Random(number)
        names = {company.code: f"{company.code[:2]}{number:02}" for company in KEPT}
        for company in KEPT:
            code = names[company.code]
            base = choose.choice(("USD", "EUR", "JPY", "KWD"))
            settings[code] = msgspec.structs.replace(company, code=code, base_currency=base)
        clock = 0
        history = history_of([choose.getrandbits(30) for _ in range(_ENTRIES)])
        for position, event in enumerate(log_of(history)):
            if isinstance(event, ClockTicked):
                clock = event.at
                entries.append((clock, number, position, event))
                continue
            for further in _with_more(event, choose):
                given: dict[str, Any] = {"company": names[event.company], "event_id": f"{number}-{further.event_id}"}
                entries.append((clock, number, position, msgspec.structs.replace(further, **given)))
            for at, handled in _worked_on(event, choose):
                given = {"company": names[event.company], "event_id": f"{number}-{handled.event_id}"}
                entries.append((at, number, position, msgspec.structs.replace(handled, **given)))
    log = [event for *_, event in sorted(entries, key=lambda entry: entry[:3])]
    end = max(clock for clock, *_ in entries)
    settings[SPECIAL.code] = SPECIAL
    told = Told(settings, [*log, *special(Instant(end)), ticked(Instant(end + DAY))])
    told.play()
    told.log_activities()
    told.set_rates()
    return told


def _with_more(event: Event, choose: Random) -> Iterator[Event]:
    """The event, and what random histories have too little of: machines that apply, cash of nobody that goes back."""
    if isinstance(event, CashApplied) and choose.random() < 0.6:
        event = msgspec.structs.replace(event, method="auto")
    unidentified = isinstance(event, PaymentReceived) and event.account_id is None and event.amount_minor > 0
    if unidentified and choose.random() < 0.2:
        yield msgspec.structs.replace(event, event_id=f"{event.event_id}-nothing", amount_minor=0)
    yield event
    if isinstance(event, PaymentReceived) and unidentified:
        envelope = {name: getattr(event, name) for name in Event.__struct_fields__}
        envelope |= {"event_id": f"{event.event_id}-back", "payment_id": event.payment_id}
        envelope["effective_date"] = Day(event.value_date + choose.choice((1, 9)))
        kind = choose.choice((PaymentRefunded, PaymentRefunded, PaymentReversed, None, None))
        if kind is PaymentRefunded:
            scale = exponent(event.currency) or 0
            yield PaymentRefunded(
                **envelope, amount_minor=max(1, event.amount_minor // 3), amount_scale=scale, currency=event.currency
            )
        elif kind is PaymentReversed:
            yield PaymentReversed(**envelope, reason="recall")


def _worked_on(event: Event, choose: Random) -> Iterator[tuple[int, Event]]:
    """Most exceptions are looked at after hours or days, and settled after some more, by this clock."""
    if isinstance(event, ExceptionFlagged):
        envelope = {name: getattr(event, name) for name in Event.__struct_fields__}
        at = int(event.recorded_at)
        kinds: Steps = ((ExceptionReviewed, {}), (ExceptionResolved, {"resolution": "paid"}))
        for kind, more in kinds:
            at += choose.randrange(3 * DAY)
            more |= {"event_id": f"{event.event_id}-{kind.__name__}", "recorded_at": at, "occurred_at": at}
            if choose.random() < 0.8:
                yield at, kind(**{"exception_id": event.exception_id, **envelope, **more})


def days_of(journal: Journal, count: int) -> list[Day]:
    """So many of the days on which anything changed, the last of all among them, and one day before the first."""
    papers = [change.day for paper in journal.papers.values() for part in paper.parts for change in part.changes]
    cash = [change.day for receipt in journal.cash.values() for change in receipt.part.changes]
    days = sorted({*papers, *cash})
    return [Day(days[0] - 1), *days[:: max(1, len(days) // count)], days[-1]]
