"""Documents and what settles or corrects them."""

import msgspec

from jobs.entities.lines import Line
from jobs.values import Day, Minor


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
    carried: Minor = Minor(0)
    notice_level: int = 0
    noticed_on: Day | None = None
    reminded_on: Day | None = None
    withheld_shown: Minor = Minor(0)

    @property
    def open(self) -> Minor:
        """Everything recorded, whatever its effective date."""
        total = 0
        for line in self.lines:
            for _, delta in line.postings:
                total += delta
        return Minor(total)

    @property
    def status(self) -> str:
        """open, paid, written_off or cancelled (SEMANTICS 1.7)."""
        if self.cancelled:
            return "cancelled"
        if self.open != 0:
            return "open"
        return "written_off" if self.written_off_last else "paid"


class Application(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A settlement of an invoice by a receipt or an open credit: applied, parked (invoice unknown) or taken back.

    `amount` has `scale` decimals while parked and is in minor units once applied. `up_to` means at most that amount.
    `counted_by` are the promises for which it counts (SEMANTICS 3.2).
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
    carried_class: str = ""
    deduction: Minor | None = None
    deduction_reason: str | None = None
    counted_by: tuple[str, ...] = ()


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
    requested: Day | None = None


class Adjustment(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An adjustment that was made, or a notice that was sent, kept for the duplicate check."""

    wake: Day | None
    listed_under: str
    content: bytes
    requested: Day | None = None
