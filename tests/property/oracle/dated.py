"""Documents, receipts and disputes as lists of dated changes; what is open on a day is a sum over one of them.

Nothing is kept as a balance. An answer as known at a moment comes from reading the log up to it (SEMANTICS 1.1, 1.2).
"""

from dataclasses import dataclass, field
from typing import NamedTuple

from jobs.values import Day, Instant


class Change(NamedTuple):
    """What changed how much is open, from a day on. `kind` is the kind of posting, `cause` an application, write-off
    and so on, `value_date` that of cash, None for everything else."""

    day: Day
    amount: int
    kind: str
    cause: str = ""
    value_date: Day | None = None
    event_id: str = ""
    known: Instant = Instant(0)


class Line(NamedTuple):
    """What an open amount is of."""

    company: str
    account_id: str
    currency: str
    item_type: str
    item_id: str
    instalment: int
    balance_class: str
    due_date: Day


@dataclass
class Part:
    """An instalment, a whole document or a receipt: open from `since` on, due on the date that was set last."""

    number: int
    since: Day
    due: Day
    changes: list[Change] = field(default_factory=list)
    due_dates: list[tuple[Day, Day]] = field(default_factory=list)  # (valid from, due date), as they were heard of

    def change(self, change: Change) -> None:
        """Nothing is open before the first day."""
        self.changes.append(change._replace(day=max(self.since, change.day)))

    def open_on(self, day: Day) -> int:
        return sum(change.amount for change in self.changes if change.day <= day)

    @property
    def open(self) -> int:
        """Everything recorded, whatever its date (SEMANTICS 4.4)."""
        return sum(change.amount for change in self.changes)

    def due_on(self, day: Day) -> Day:
        """The due date valid on a day; of two set for one day, the one heard of last (SEMANTICS 2.4)."""
        valid = [(since, due) for since, due in self.due_dates if since <= day]
        latest = max((since for since, _ in valid), default=None)
        return [due for since, due in valid if since == latest][-1] if valid else self.due

    @property
    def due_at_last(self) -> Day:
        """The due date in the end, whenever that is."""
        latest = max((since for since, _ in self.due_dates), default=Day(0))
        return self.due_on(latest) if self.due_dates else self.due

    def close(self, day: Day, change: Change) -> None:
        """Nothing is open any more from a day on: what was dated later is taken back on its own day (SEMANTICS 1.5)."""
        later = [made for made in self.changes if made.day > day]
        day = max(day, self.since)
        for at, amount in [(day, self.open_on(day)), *((made.day, made.amount) for made in later if made.day > day)]:
            if amount:
                self.changes.append(change._replace(day=at, amount=-amount))


@dataclass
class Paper:
    """An invoice, a debit memo or a credit memo. What is open of a credit memo is negative."""

    company: str
    account: str
    kind: str
    number: str
    currency: str
    posting_date: Day
    parts: list[Part]
    cancelled_on: Day | None = None

    @property
    def cancelled(self) -> bool:
        return self.cancelled_on is not None

    @property
    def open(self) -> int:
        return sum(part.open for part in self.parts)

    @property
    def balance_class(self) -> str:
        return "credit" if self.kind == "credit_memo" else "invoice"

    def fill(self, amount: int, number: int | None = None) -> list[tuple[Part, int]]:
        """Oldest due first, or the instalment that is named (SEMANTICS 2.3)."""
        filled = []
        for part in sorted(self.parts, key=lambda part: (part.due_at_last, part.number)):
            taken = min(amount, part.open) if number in {None, part.number} else 0
            if taken > 0:
                filled.append((part, taken))
                amount -= taken
        return filled


@dataclass
class Cash:
    """A receipt: negative from its value date on, until it is used."""

    company: str
    account: str
    payment_id: str
    currency: str
    amount: int
    value_date: Day
    part: Part
    on_account: bool = False
    parked_on: list[Day] = field(default_factory=list)
    parked_after: int = 0  # how many changes it had then
    reversed: bool = False
    refunds: list[tuple[Day, int]] = field(default_factory=list)
    reversed_on: Day | None = None
    content: tuple[object, ...] = ()  # what was said of it
    references: frozenset[str | None] = frozenset()

    @property
    def left(self) -> int:
        return 0 if self.reversed else -self.part.open

    def class_on(self, day: Day) -> str:
        parked = self.on_account or any(since <= day or since <= self.value_date for since in self.parked_on)
        return "on_account" if parked else "unapplied"


@dataclass
class Settlement:
    """Cash or a credit that settles an invoice."""

    name: str
    source: Cash | Paper
    paper: Paper
    day: Day
    filled: list[tuple[Part, int]]
    small: list[tuple[Part, int]]
    method: str
    event_id: str
    back_on: Day | None = None
    by_hand: bool = False  # somebody took it back

    @property
    def amount(self) -> int:
        return sum(amount for _, amount in self.filled)

    @property
    def value_date(self) -> Day | None:
        return self.source.value_date if isinstance(self.source, Cash) else None


@dataclass
class Case:
    """An exception: what it reached, on which day and at which instant, in the order in which that was heard of."""

    account: str | None
    currency: str | None
    moments: list[tuple[str, Day, int]] = field(default_factory=list)

    @property
    def resolved(self) -> bool:
        return self.moments[-1][0] == "resolved"


@dataclass
class Contest:
    """A dispute: by how much what is contested of a document changed, and when."""

    company: str
    dispute_id: str
    paper: Paper
    amount: int
    opened_on: Day
    changes: list[tuple[Paper, Day, int]] = field(default_factory=list)
    outcome: str | None = None
    credited: int = 0  # credits that came while it was open

    @property
    def outstanding(self) -> int:
        return sum(amount for paper, _, amount in self.changes if paper is self.paper)

    def change(self, day: Day, amount: int) -> None:
        self.changes.append((self.paper, day, amount))
