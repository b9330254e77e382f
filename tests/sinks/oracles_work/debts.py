"""What is owed, line by line, out of the list of events alone: dated moves that are added up for every question.

Events that a rule refused are not shown to it. Knowledge is the instant at which a record came into the log.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from jobs.company import CompanySettings
from tests.sinks.oracles_work.desks import Sent

EPOCH = date(1970, 1, 1)
LineKey = tuple[str, int]
"""(invoice, number of the instalment; 0 = the whole of it)"""


@dataclass
class Bill:
    """An invoice or debit memo, or a credit memo."""

    account: str
    kind: str
    posted: int
    lines: dict[int, int]  # number → amount
    dues: dict[int, list[tuple[int, int, int]]]  # number → (valid since, known since, due date)
    known: int
    cancelled: bool = False


@dataclass(frozen=True)
class Move:
    """A dated change of what is open of a line. `cause` names the application or write-off."""

    line: LineKey
    day: int
    known: int
    minor: int
    what: str
    cause: str = ""


@dataclass
class Applied:
    """Cash, or a credit, on an invoice."""

    source: str
    invoice: str
    moves: list[Move]
    value_date: int | None  # of cash
    taken_back: tuple[int, int] | None = None  # (day, known since)


@dataclass(frozen=True)
class Paid:
    """One application of cash to one line that stood on the day of the question."""

    account: str
    days_late: int
    minor: int
    value_date: int


@dataclass
class Debts:
    """One company."""

    settings: CompanySettings
    bills: dict[str, Bill] = field(default_factory=dict)
    receipts: dict[str, int] = field(default_factory=dict)  # value dates
    moves: list[Move] = field(default_factory=list)
    applied: dict[str, Applied] = field(default_factory=dict)
    written_off: dict[str, Move] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.zone = ZoneInfo(self.settings.timezone)

    def all(self, sents: Iterable[Sent]) -> "Debts":
        """Every record of a log."""
        for sent in sents:
            self.take(sent)
        return self

    # Figures, added up anew

    def open_lines(self, as_of: int, known: int) -> dict[LineKey, tuple[int, int]]:
        """(open amount, due date) of every line of an invoice that is not zero."""
        sums: dict[LineKey, int] = defaultdict(int)
        for move in self.moves:
            if move.day <= as_of and move.known <= known:
                sums[move.line] += move.minor
        return {line: (minor, self.due(line, as_of, known)) for line, minor in sums.items() if minor}

    def due(self, line: LineKey, as_of: int, known: int) -> int:
        """The due date that was valid on a day, as it was known."""
        valid = [each for each in self.bills[line[0]].dues[line[1]] if each[0] <= as_of and each[1] <= known]
        return valid[-1][2] if valid else self.bills[line[0]].dues[line[1]][0][2]

    def paid(self, as_of: int, known: int) -> list[Paid]:
        """Cash on invoices that had been applied and was not taken back."""
        found = []
        for applied in self.applied.values():
            gone = applied.taken_back
            if applied.value_date is None or (gone is not None and gone[0] <= as_of and gone[1] <= known):
                continue
            for move in applied.moves:
                if move.day <= as_of and move.known <= known:
                    due = self.due(move.line, move.day, move.known)
                    account = self.bills[applied.invoice].account
                    found.append(Paid(account, applied.value_date - due, -move.minor, applied.value_date))
        return found

    def open_of(self, invoice: str) -> int:
        """Everything recorded, whatever its date."""
        return sum(move.minor for move in self.moves if move.line[0] == invoice)

    # Events

    def day(self, micros: int) -> int:
        """The company's local date."""
        return (datetime.fromtimestamp(micros / 1e6, UTC).astimezone(self.zone).date() - EPOCH).days

    def take(self, sent: Sent) -> None:
        """One record."""
        record = sent.record
        day = record.get("effective_date")
        day = self.day(record["occurred_at"]) if day is None else day
        match sent.name:
            case "InvoiceIssued" | "CreditMemoIssued":
                self._bill(sent.name, record, sent.at)
            case "PaymentReceived":
                self.receipts.setdefault(record["payment_id"], record["value_date"])
            case "CashApplied":
                source, invoice = record["payment_id"], record["invoice_id"]
                self._apply(record["application_id"], source, invoice, record["amount_minor"], day, sent.at)
            case "CashUnapplied":
                self._take_back([record["application_id"]], day, sent.at)
            case "PaymentReversed":
                self._take_back(
                    [name for name, each in self.applied.items() if each.source == record["payment_id"]], day, sent.at
                )
            case "InvoiceCancelled":
                self._cancel(record["invoice_id"], day, sent.at)
            case "InvoiceDueDateChanged":
                bill = self.bills[record["invoice_id"]]
                for number in bill.dues:
                    if record["instalment"] in {None, number}:
                        bill.dues[number].append((day, sent.at, record["due_date"]))
                        bill.dues[number].sort()
            case "InvoiceWrittenOff" | "InvoiceAdjusted" | "WriteOffRecovered":
                self._correct(sent.name, record, day, sent.at)
            case _:
                pass

    def _bill(self, name: str, record: dict[str, Any], known: int) -> None:
        memo = name == "CreditMemoIssued"
        number = record["credit_memo_id" if memo else "invoice_id"]
        posted = record["document_date"] if memo else record["posting_date"]
        posted = record["document_date"] if posted is None else posted
        if memo:
            self.bills[number] = Bill(record["account_id"], "credit_memo", posted, {}, {}, known)
            named = self.bills.get(record["invoice_id"] or "")
            if named is not None and not named.cancelled and self.open_of(record["invoice_id"]) > 0:
                amount = min(record["amount_minor"], self.open_of(record["invoice_id"]))
                self._apply(f"{number}/credit", number, record["invoice_id"], amount, posted, known)
            return
        parts = record["instalments"] or [
            {"number": 0, "amount_minor": record["amount_minor"], "due_date": record["due_date"]}
        ]
        self.bills[number] = Bill(
            record["account_id"],
            record["document_type"],
            posted,
            {part["number"]: part["amount_minor"] for part in parts},
            {part["number"]: [(-(10**6), known, part["due_date"])] for part in parts},
            known,
        )
        for part in parts:
            self.moves.append(Move((number, part["number"]), posted, known, part["amount_minor"], "issued"))

    def _apply(self, name: str, source: str, invoice: str, amount: int, day: int, known: int) -> None:
        if name in self.applied:
            return
        value_date = self.receipts.get(source)
        counts_from = self.bills[source].posted if value_date is None else value_date
        day = max(day, counts_from, self.bills[invoice].posted)
        moves = []
        for line in sorted(self._lines(invoice), key=lambda line: (self.due(line, 10**6, known), line[1])):
            part = min(amount, sum(move.minor for move in self.moves if move.line == line))
            if part > 0:
                moves.append(Move(line, day, known, -part, "applied", name))
                amount -= part
        self.moves += moves
        self.applied[name] = Applied(source, invoice, moves, value_date)

    def _lines(self, invoice: str) -> list[LineKey]:
        return [(invoice, number) for number in self.bills[invoice].lines]

    def _take_back(self, names: list[str], day: int, known: int, what: str = "taken back") -> None:
        for name in names:
            applied = self.applied.get(name)
            if applied is None or applied.taken_back is not None:
                continue
            for move in applied.moves:
                self.moves.append(Move(move.line, max(day, move.day), known, -move.minor, what, name))
            applied.taken_back = max([day, *(move.day for move in applied.moves)]), known

    def _cancel(self, number: str, day: int, known: int) -> None:
        bill = self.bills[number]
        if bill.cancelled:
            return
        bill.cancelled = True
        names = [name for name, each in self.applied.items() if number in {each.invoice, each.source}]
        self._take_back(names, day, known, "cancelled")
        for line in self._lines(number):
            rest = sum(move.minor for move in self.moves if move.line == line)
            self.moves.append(Move(line, max(day, bill.posted), known, -rest, "cancelled"))

    def _correct(self, name: str, record: dict[str, Any], day: int, known: int) -> None:
        amount = record["amount_minor"]
        if name == "WriteOffRecovered":
            former = self.written_off[record["write_off_id"]]
            self.moves.append(Move(former.line, max(day, former.day), known, amount, "recovered"))
            return
        invoice = record["invoice_id"]
        if not self.bills[invoice].lines:
            return  # a credit memo
        (line,) = self._lines(invoice)
        what, minor = ("written off", -amount) if name == "InvoiceWrittenOff" else ("adjusted", amount)
        move = Move(line, max(day, self.bills[invoice].posted), known, minor, what)
        self.moves.append(move)
        if name == "InvoiceWrittenOff":
            self.written_off[record["write_off_id"]] = move


def date_at(day: int) -> date:
    """The date of a day number."""
    return EPOCH + timedelta(days=day)
