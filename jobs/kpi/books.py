"""The books of one company in one currency, as the key figures read them."""

from dataclasses import dataclass, field
from typing import NamedTuple

from jobs.aging import INVOICE
from jobs.as_of import open_lines
from jobs.collectible import UNAPPLIED
from jobs.effects import LedgerEntry, Promise, Receipt
from jobs.kpi.cases import CaseMoment
from jobs.values import Day

_SALES = frozenset({"invoice", "debit_memo", "credit_memo", "cancellation", "reversal"})
_DOCUMENTS = frozenset({"invoice", "debit_memo", "credit_memo"})
_TRANSACTIONS = _DOCUMENTS | {"payment"}
_TAKEN_BACK = frozenset({"unapplication", "reversal", "cancellation"})


class Window(NamedTuple):
    """Business dates, both inclusive."""

    first: Day
    last: Day

    @property
    def days(self) -> int:
        """Calendar days of the window."""
        return self.last - self.first + 1

    def __contains__(self, day: object) -> bool:
        return isinstance(day, int) and self.first <= day <= self.last


@dataclass(frozen=True)
class Books:
    """Entries, receipts and promises of one company and currency; `today` is the company's local date.

    `moments` are those of its exceptions, in order; `activities` what users' logged activities were about, as (kind
    of entity, id).
    """

    today: Day
    entries: list[LedgerEntry]
    receipts: list[Receipt]
    promises: list[Promise]
    moments: list[CaseMoment] = field(default_factory=list)
    activities: frozenset[tuple[str, str]] = frozenset()

    def receivables(self, day: Day) -> int:
        """The balance at the end of a day, net of credits."""
        return sum(entry.delta_minor for entry in self.entries if entry.effective_date <= day)

    def by_days_past_due(self, day: Day) -> list[tuple[int, int]]:
        """(days past due, open amount) of invoices at the end of a day."""
        lines = open_lines(self.entries, day)
        return [(day - line.due_date, amount) for line, amount in lines.items() if line.balance_class == INVOICE]

    def not_due(self, day: Day) -> int:
        """What is open and not due at the end of a day."""
        return sum(amount for days, amount in self.by_days_past_due(day) if days <= 0)

    def unapplied(self, day: Day) -> int:
        """Unapplied cash at the end of a day."""
        lines = open_lines(self.entries, day)
        return -sum(amount for line, amount in lines.items() if line.balance_class == UNAPPLIED)

    def credit_sales(self, window: Window) -> int:
        """Invoices net of credit memos and of cancelled documents, by posting date.

        Cash that a cancellation takes off its document carries a value date and is no sale. What a cancelled credit
        memo had paid of another account's invoice comes back as a reversal without one.
        """
        return sum(
            entry.delta_minor
            for entry in self.entries
            if entry.entry_type in _SALES
            and entry.item_type in _DOCUMENTS
            and entry.value_date is None
            and entry.effective_date in window
        )

    def posted(self, entry_type: str, window: Window) -> int:
        """Σ of one kind of entry on documents."""
        return sum(
            entry.delta_minor
            for entry in self.entries
            if entry.entry_type == entry_type and entry.item_type in _DOCUMENTS and entry.effective_date in window
        )

    def cash_applied(self, window: Window) -> list[LedgerEntry]:
        """Applications of cash to documents by effective date, without those taken back since.

        An instalment has an entry each. Where its due date was changed later, an application dated before the change
        moves along with the balance; those moves are no applications.
        """
        gone = {entry.cause_id for entry in self.entries if entry.entry_type in _TAKEN_BACK}
        first: dict[tuple[str, str, str | None, int], LedgerEntry] = {}
        for entry in self.entries:
            if entry.entry_type == "application" and entry.item_type in _DOCUMENTS and entry.value_date is not None:
                first.setdefault((entry.item_type, entry.item_id, entry.cause_id, entry.instalment), entry)
        return [entry for entry in first.values() if entry.effective_date in window and entry.cause_id not in gone]

    def touched_by_hand(self) -> frozenset[str]:
        """Payments with a manual application or one taken back."""
        return frozenset(
            entry.item_id
            for entry in self.entries
            if entry.item_type == "payment"
            and (
                entry.entry_type == "unapplication" or (entry.entry_type == "application" and entry.method == "manual")
            )
        )

    def parked_on_account(self) -> frozenset[str]:
        """Payments that were ever on account."""
        return frozenset(
            entry.item_id
            for entry in self.entries
            if entry.item_type == "payment" and entry.balance_class == "on_account"
        )

    def received(self, window: Window) -> list[Receipt]:
        """Receipts by value date; identified cash counts with the account that it went to."""
        return [receipt for receipt in self.receipts if receipt.value_date in window and receipt.status != "identified"]

    def transactions(self, window: Window) -> set[tuple[str, str]]:
        """(kind, id) of the documents posted and the payments received in a window."""
        documents = {
            (entry.item_type, entry.item_id)
            for entry in self.entries
            if entry.entry_type == entry.item_type and entry.item_type in _DOCUMENTS and entry.effective_date in window
        }
        return documents | {("payment", receipt.payment_id) for receipt in self.received(window)}

    def logged(self, transaction: tuple[str, str]) -> bool:
        """Whether a logged activity was about it: of its kind, or of no kind that a transaction has."""
        kind, identifier = transaction
        return any(about == identifier and (of == kind or of not in _TRANSACTIONS) for of, about in self.activities)
