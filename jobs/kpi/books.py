"""The books of one company in one currency, as the key figures read them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from jobs.aging import INVOICE, UNAPPLIED
from jobs.as_of import open_lines
from jobs.effects import ExceptionCase, LedgerEntry, Promise, Receipt
from jobs.values import Day, Instant

_SALES = frozenset({"invoice", "debit_memo", "credit_memo", "cancellation"})
_DOCUMENTS = frozenset({"invoice", "debit_memo", "credit_memo"})
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
class CaseTimes:
    """When an exception was flagged, first reviewed and resolved, as the pipeline recorded it."""

    flagged: Instant
    reviewed: Instant | None
    resolved: Instant | None


@dataclass(frozen=True)
class Books:
    """Entries, receipts and promises of one company and currency; `today` is the company's local date."""

    today: Day
    entries: list[LedgerEntry]
    receipts: list[Receipt]
    promises: list[Promise]
    cases: list[CaseTimes] = field(default_factory=list)
    active_ids: frozenset[str] = frozenset()

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

        Cash that a cancellation takes off its document carries a value date and is no sale.
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
        """Applications of cash to documents by effective date, without those taken back since."""
        gone = {entry.cause_id for entry in self.entries if entry.entry_type in _TAKEN_BACK}
        return [
            entry
            for entry in self.entries
            if entry.entry_type == "application"
            and entry.item_type in _DOCUMENTS
            and entry.value_date is not None
            and entry.effective_date in window
            and entry.cause_id not in gone
        ]

    def touched_by_hand(self) -> frozenset[str]:
        """Payments with a manual application or one taken back."""
        return frozenset(
            entry.item_id
            for entry in self.entries
            if entry.item_type == "payment" and (entry.method == "manual" or entry.entry_type == "unapplication")
        )

    def parked_on_account(self) -> frozenset[str]:
        """Payments that were ever on account."""
        return frozenset(
            entry.item_id
            for entry in self.entries
            if entry.item_type == "payment" and entry.balance_class == "on_account"
        )


def case_times(history: Iterable[ExceptionCase]) -> list[CaseTimes]:
    """Times of every exception from its states, in order; the closed part of a reopened case is left out."""
    cases: dict[str, CaseTimes] = {}
    for state in history:
        known = cases.get(state.exception_id)
        if known is None or (known.resolved is not None and state.status == "flagged"):
            cases[state.exception_id] = _begun(known, state.recorded_at)
        elif state.status == "resolved" and known.resolved is None:
            cases[state.exception_id] = CaseTimes(known.flagged, known.reviewed or state.recorded_at, state.recorded_at)
        elif state.status == "reviewed" and known.reviewed is None:
            cases[state.exception_id] = CaseTimes(known.flagged, state.recorded_at, None)
    return list(cases.values())


def _begun(known: CaseTimes | None, at: Instant) -> CaseTimes:
    """A case begins, or begins again as if it had never been closed."""
    if known is None or known.resolved is None:
        return CaseTimes(at, None, None)
    return CaseTimes(Instant(at - (known.resolved - known.flagged)), None, None)
