"""Random days of work: what customers, collectors and clerks of a company do, as records with actors.

Built on the histories around promises (`tests.property.promise_histories`), whose entries choose a move by a number
each. Every company gives its accounts, documents, cases and people the same names, so that whatever looks at a name
without the company that it belongs to is found out. Ids of events are those of one log.
"""

from dataclasses import dataclass, field
from random import Random
from typing import Any

import msgspec

from jobs.events import Event
from jobs.money import exponent
from jobs.values import Instant
from tests.jobs.written import ticked, written
from tests.property.promise_histories import START, Desk

HOUR = 3_600_000_000
AGAIN = ("InvoiceIssued", "PaymentReceived", "ContactAttempted", "UserActivityLogged")
PEOPLE = (
    ("camille", "collector"), ("zoe", "collector"), ("hugo", "clerk"), ("hugo", "approver"), ("robot", "system"),
    ("", ""),
)  # fmt: skip


@dataclass(frozen=True)
class Sent:
    """One record of the log. `event` is what the fold takes of it, None where no job reads it."""

    at: Instant
    name: str
    record: dict[str, Any]
    event: Event | None


@dataclass
class WorkDesk(Desk):
    """The log of one company, with people in it."""

    currency: str = "EUR"
    chance: Random = field(default_factory=Random)
    log: list[Sent] = field(default_factory=list)
    cases: list[tuple[str | None, str]] = field(default_factory=list)  # (account, exception)
    disputes: list[tuple[str, str]] = field(default_factory=list)
    plans: list[tuple[str, str]] = field(default_factory=list)  # invoices with instalments, which get cash only
    latest: dict[str, Instant] = field(default_factory=dict)  # by case, when it was worked on last

    def add(self, event_type: type[Event], account: str | None, /, **payload: object) -> None:
        """An event a little later than the one before, often by somebody, sometimes told of later than it happened."""
        self.now = Instant(self.now + self.chance.randrange(1, HOUR // 4))
        names = event_type.__struct_fields__
        if "currency" in names and event_type.__name__ != "AccountChanged":
            payload = {"currency": self.currency, **payload}
        if "amount_scale" in names:
            payload["amount_scale"] = exponent(self.currency) or 0
        if "effective_date" in names and self.chance.random() < 0.25:
            payload = {"effective_date": self.today + self.chance.choice((0, 0, -2, -6, 3)), **payload}
        given = {"account_id": account, "recorded_at": self.now, "occurred_at": self._occurred(), **payload}
        event = written(event_type, self.now, f"{self.settings.code}-e{len(self.events)}", self.settings.code, **given)
        self.events.append(event)
        self._send(event_type.__name__, msgspec.to_builtins(event), event)

    def say(self, name: str, account: str | None, /, **payload: object) -> None:
        """A record that no job reads."""
        self.now = Instant(self.now + self.chance.randrange(1, HOUR // 4))
        envelope = {
            "event_id": f"{self.settings.code}-a{len(self.log)}", "company": self.settings.code, "account_id": account,
            "occurred_at": self._occurred(), "recorded_at": self.now, "region": "",
        }  # fmt: skip
        self._send(name, {**envelope, **payload}, None)

    def again(self, sent: Sent | None = None, **changes: object) -> None:
        """A record again, as it was or said otherwise, perhaps after it was refused; without one, any record of the log
        of a kind that no rule refuses."""
        sents = [each for each in self.log if each.name in AGAIN]
        if sent is None and not sents:
            return
        sent = sent or self.chance.choice(sents)
        given = {"recorded_at": self.now, **changes}
        event = None if sent.event is None else msgspec.structs.replace(sent.event, **given)
        self.log.append(Sent(self.now, sent.name, {**sent.record, **given}, event))

    def _send(self, name: str, record: dict[str, Any], event: Event | None) -> None:
        actor, role = self.chance.choice(PEOPLE)
        record |= {"source": self.chance.choice(("sap", "portal")), "actor_id": actor, "actor_role": role}
        self.log.append(Sent(self.now, name, record, event))

    def tick(self) -> None:
        self.log.append(Sent(self.now, "ClockTicked", {}, ticked(self.now)))

    def _occurred(self) -> Instant:
        return Instant(self.now - (self.chance.randrange(30) * HOUR if self.chance.random() < 0.15 else 0))

    def worked_on(self, case: str) -> Instant:
        """When something happened with a case: its events happen in the order in which they are told."""
        self.latest[case] = max(self._occurred(), Instant(self.latest.get(case, START) + 1))
        return self.latest[case]
