"""The state of a partition: frozen records under string keys, small enough to be written one by one.

Every entity begins with the local day on which it wants to be woken (None = never) and the index it is listed under
('' = none), so that timers and indexes can be rebuilt without decoding the rest.
"""

from typing import Self

import msgspec

from jobs.values import Day, Instant, Minor

SEPARATOR = "\x1f"


def key(kind: str, company: str, *ids: str) -> str:
    """The key of an entity: kind, company, ids."""
    return SEPARATOR.join((kind, company, *ids))


class Head(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The part of an entity that timers and indexes need."""

    wake: Day | None
    listed_under: str


class Placement(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Where a balance stands from a day on: its class, and the date it is aged from."""

    since: Day
    balance_class: str
    age_date: Day


class Shown(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a line last contributed to the account's live totals."""

    column: str
    amount: Minor


class Line(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One aging line: an instalment, a whole document, or a receipt.

    `postings` are its dated deltas, merged by day and ascending; their sum is what is open, whatever the effective
    dates. `placements` are ascending by day.
    """

    number: int
    amount: Minor
    placements: tuple[Placement, ...]
    postings: tuple[tuple[Day, Minor], ...]
    shown: Shown | None = None

    @property
    def open(self) -> Minor:
        """Everything recorded, whatever its effective date."""
        total = 0
        for _, delta in self.postings:
            total += delta
        return Minor(total)

    def open_at(self, day: Day) -> Minor:
        """What is open at the end of a day."""
        total = 0
        for effective, delta in self.postings:
            if effective > day:
                break
            total += delta
        return Minor(total)

    def placement_at(self, day: Day) -> Placement:
        """The placement valid on a day; before the first one, the first."""
        placements = self.placements
        found = placements[0]
        for placement in placements[1:]:
            if placement.since > day:
                break
            found = placement
        return found

    @property
    def due_date(self) -> Day:
        """The due date last set."""
        return self.placements[-1].age_date


class Document(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An invoice, a debit memo or a credit memo."""

    wake: Day | None
    listed_under: str
    account: str
    document_type: str
    document_id: str
    currency: str
    amount: Minor
    document_date: Day
    posting_date: Day
    region: str
    reference: str | None
    content: bytes
    lines: tuple[Line, ...]
    applications: tuple[str, ...] = ()
    disputed: Minor = Minor(0)
    disputed_shown: Minor = Minor(0)
    cancelled: bool = False
    written_off_last: bool = False
    closed_on: Day | None = None

    @property
    def open(self) -> Minor:
        """Everything recorded, whatever its effective date."""
        return Minor(sum(line.open for line in self.lines))

    @property
    def status(self) -> str:
        """open, paid, written_off or cancelled (SEMANTICS 1.7)."""
        if self.cancelled:
            return "cancelled"
        if self.open != 0:
            return "open"
        return "written_off" if self.written_off_last else "paid"


class ReceiptState(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A payment received. `lines` is one line: its postings are negative while the cash is unapplied."""

    wake: Day | None
    listed_under: str
    account: str
    payment_id: str
    currency: str
    amount: Minor
    value_date: Day
    method: str | None
    payer_reference: str | None
    bank_reference: str | None
    region: str
    content: bytes
    lines: tuple[Line, ...]
    on_account: bool = False
    applied: Minor = Minor(0)
    refunded: Minor = Minor(0)
    reversed_on: Day | None = None

    @property
    def remainder(self) -> Minor:
        """What can still be applied or refunded."""
        return Minor(0 if self.reversed_on is not None else self.amount - self.applied - self.refunded)

    @property
    def status(self) -> str:
        """SEMANTICS 4.1."""
        if self.reversed_on is not None:
            return "reversed"
        if not self.account:
            return "unidentified"
        if self.remainder == 0:
            return "applied" if self.applied else "refunded"
        if self.on_account:
            return "on_account"
        return "partially_applied" if self.applied else "unapplied"


class Application(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A settlement of an invoice by a receipt or an open credit: applied, parked (invoice unknown) or taken back.

    `amount` has `scale` decimals while parked and is in minor units once applied. `up_to` means at most that amount.
    """

    wake: Day | None
    listed_under: str
    account: str
    source: str
    invoice_id: str
    target: str
    instalment: int | None
    amount: Minor
    scale: int
    currency: str | None
    requested: Day
    effective: Day
    method: str
    content: bytes
    state: str
    allocation: tuple[tuple[int, Minor], ...] = ()
    small_balance: tuple[tuple[int, Minor], ...] = ()
    event_id: str = ""
    up_to: bool = False
    arrival: int = 0


class WriteOff(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A write-off and how much of it has been recovered."""

    wake: Day | None
    listed_under: str
    target: str
    amount: Minor
    recovered: Minor
    effective: Day
    allocation: tuple[tuple[int, Minor], ...]
    content: bytes


class Adjustment(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An adjustment that was made, kept for the duplicate check."""

    wake: Day | None
    listed_under: str
    content: bytes


class Dispute(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A contested amount of a document. `outstanding` is the part of it that is still disputed."""

    wake: Day | None
    listed_under: str
    account: str
    dispute_id: str
    target: str
    amount: Minor
    outstanding: Minor
    state: str
    opened_on: Day
    reason_code: str
    content: bytes


class AccountState(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Master data of an account, and how many applications it has parked so far."""

    wake: Day | None
    listed_under: str
    name: str | None = None
    parent_account_id: str | None = None
    credit_limit: Minor | None = None
    currency: str | None = None
    risk_class: str | None = None
    segment: str | None = None
    collector_id: str | None = None
    dunning_block: bool = False
    on_hold: bool = False
    hold_reason: str | None = None
    arrivals: int = 0


class Balance(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Live totals of an account in one currency: column (bucket, unapplied, on_account, credit) → signed amount."""

    wake: Day | None
    listed_under: str
    totals: dict[str, int]
    disputed: Minor = Minor(0)


class Configuration(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The settings of a company as JSON, and their version."""

    wake: Day | None
    listed_under: str
    version: str
    settings: str


class Seen(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Digests of applied event ids, sixteen bytes each, in order; `day` (UTC) is when the last came in."""

    wake: Day | None
    listed_under: str
    day: Day
    digests: bytes


class Time(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The clock of the partition: the latest tick."""

    wake: Day | None
    listed_under: str
    at: Instant

    @classmethod
    def of(cls, at: Instant) -> Self:
        """The clock at an instant."""
        return cls(None, "", at)


KINDS: dict[str, type[msgspec.Struct]] = {
    "account": AccountState,
    "adjustment": Adjustment,
    "application": Application,
    "balance": Balance,
    "clock": Time,
    "company": Configuration,
    "dispute": Dispute,
    "document": Document,
    "receipt": ReceiptState,
    "seen": Seen,
    "writeoff": WriteOff,
}
