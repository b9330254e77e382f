"""A ledger of plain records: who owes what and where cash lies, added up anew whenever it is asked (SEMANTICS 1)."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from jobs.company import CompanySettings
from jobs.events import (
    CashApplied,
    CashUnapplied,
    CreditMemoIssued,
    Event,
    InvoiceAdjusted,
    InvoiceCancelled,
    InvoiceIssued,
    InvoiceWrittenOff,
    PaymentIdentified,
    PaymentPlacedOnAccount,
    PaymentReceived,
    PaymentRefunded,
    PaymentReversed,
    WriteOffRecovered,
)
from jobs.values import date_of


@dataclass
class Paper:
    """An invoice, or a credit memo."""

    account: str
    amount: int
    adjusted: int = 0
    written_off: int = 0
    cancelled: bool = False


@dataclass
class Receipt:
    """Money in the bank."""

    account: str
    amount: int
    value_date: date
    refunded: int = 0
    reversed: bool = False
    on_account: bool = False


@dataclass
class Applied:
    """A payment or credit that settles an invoice; `counts_for` are promises."""

    source: str
    invoice: str
    amount: int
    standing: bool = True
    counts_for: set[str] = field(default_factory=set)


Row = tuple[datetime, str, str, str, int, bool]
"""(instant, subject, kind, status, amount, supersedes) of an alert."""


class Ledger:
    """One company, one currency. Events that were rejected are not shown to it."""

    def __init__(self, settings: CompanySettings) -> None:
        self.settings = settings
        self.zone = ZoneInfo(settings.timezone)
        self.now: datetime | None = None
        self.today: date | None = None
        self.papers: dict[str, Paper] = {}
        self.receipts: dict[str, Receipt] = {}
        self.applied: dict[str, Applied] = {}
        self.write_offs: dict[str, str] = {}
        self.rows: list[Row] = []

    # Time

    def tick(self, moment: datetime) -> None:
        """Every local midnight on the way, then the moment itself."""
        until = moment.astimezone(self.zone).date()
        day = self.today
        while day is not None and day < until:
            day += timedelta(days=1)
            self.today = day
            self.now = datetime(day.year, day.month, day.day, tzinfo=self.zone).astimezone(UTC)
            self.look()
        self.today, self.now = until, moment

    def business_days_after(self, day: date, count: int) -> date:
        while count:
            day += timedelta(days=1)
            if day.isoweekday() < 6 and day not in self.settings.holidays:
                count -= 1
        return day

    # Events

    def take(self, event: Event) -> None:
        """An event that was applied."""
        if isinstance(event, PaymentReceived | PaymentIdentified | PaymentPlacedOnAccount | PaymentRefunded):
            self._receipt(event)
        elif isinstance(event, CashApplied | CashUnapplied | PaymentReversed):
            self._application(event)
        elif isinstance(event, InvoiceIssued | CreditMemoIssued | InvoiceCancelled):
            self._paper(event)
        elif isinstance(event, InvoiceAdjusted | InvoiceWrittenOff | WriteOffRecovered):
            self._correction(event)
        else:
            self.other(event)
        self.look()

    def _receipt(self, event: PaymentReceived | PaymentIdentified | PaymentPlacedOnAccount | PaymentRefunded) -> None:
        match event:
            case PaymentReceived():
                account, value_date = event.account_id or "", date_of(event.value_date)
                receipt = Receipt(account, event.amount_minor, value_date, on_account=event.on_account)
                self.receipts.setdefault(event.payment_id, receipt)
            case PaymentIdentified():
                self.receipts[event.payment_id].account = event.account_id or ""
            case PaymentPlacedOnAccount():
                self.receipts[event.payment_id].on_account = True
            case PaymentRefunded():
                self.receipts[event.payment_id].refunded += event.amount_minor

    def _application(self, event: CashApplied | CashUnapplied | PaymentReversed) -> None:
        match event:
            case CashApplied():
                source = event.payment_id or event.credit_memo_id or ""
                self._apply(event.application_id, source, event.invoice_id, event.amount_minor)
            case CashUnapplied():
                self.applied[event.application_id].standing = False
            case PaymentReversed():
                self.receipts[event.payment_id].reversed = True
                self._take_back({name for name, each in self.applied.items() if each.source == event.payment_id})

    def _paper(self, event: InvoiceIssued | CreditMemoIssued | InvoiceCancelled) -> None:
        match event:
            case InvoiceIssued():
                self.papers.setdefault(event.invoice_id, Paper(event.account_id or "", event.amount_minor))
            case CreditMemoIssued():
                self._credit(event)
            case InvoiceCancelled():
                gone = {name for name, each in self.applied.items() if event.invoice_id in {each.invoice, each.source}}
                self._take_back(gone)
                self.papers[event.invoice_id].cancelled = True

    def _correction(self, event: InvoiceAdjusted | InvoiceWrittenOff | WriteOffRecovered) -> None:
        match event:
            case InvoiceAdjusted():
                self.papers[event.invoice_id].adjusted += event.amount_minor
            case InvoiceWrittenOff():
                self.papers[event.invoice_id].written_off += event.amount_minor
                self.write_offs[event.write_off_id] = event.invoice_id
            case WriteOffRecovered():
                self.papers[self.write_offs[event.write_off_id]].written_off -= event.amount_minor

    def other(self, event: Event) -> None:
        """An event that is not the ledger's."""

    def _credit(self, event: CreditMemoIssued) -> None:
        self.papers[event.credit_memo_id] = Paper(event.account_id or "", event.amount_minor)
        named = self.papers.get(event.invoice_id or "")
        if named is not None and not named.cancelled:
            amount = min(event.amount_minor, self.open_of(event.invoice_id or ""))
            if amount > 0:
                self._apply(event.credit_memo_id + "/credit", event.credit_memo_id, event.invoice_id or "", amount)

    def _take_back(self, names: set[str]) -> None:
        for name in names:
            self.applied[name].standing = False

    def _apply(self, name: str, source: str, invoice: str, amount: int) -> None:
        applied = self.applied[name] = Applied(source, invoice, amount)
        self.settled(applied)

    def settled(self, applied: Applied) -> None:
        """Something was applied just now."""

    def look(self) -> None:
        """An event is recorded, or a local day begins."""

    # Figures, added up anew

    def open_of(self, document: str) -> int:
        paper = self.papers[document]
        if paper.cancelled:
            return 0
        settled = sum(each.amount for each in self.applied.values() if each.standing and each.invoice == document)
        return paper.amount + paper.adjusted - paper.written_off - settled

    def left_of(self, payment: str) -> int:
        receipt = self.receipts[payment]
        if receipt.reversed:
            return 0
        used = sum(each.amount for each in self.applied.values() if each.standing and each.source == payment)
        return receipt.amount - receipt.refunded - used

    def row(self, subject: str, kind: str, status: str, amount: int, *, supersedes: bool = False) -> None:
        """An alert, now."""
        assert self.now is not None
        self.rows.append((self.now, subject, kind, status, amount, supersedes))
