"""The balances that the sample files must come to: an independent ledger, written from SEMANTICS and nothing else.

Every line (an invoice or one of its instalments, a payment, a credit memo) keeps its dated postings. The balance at a
date is their sum, by definition and not by bookkeeping, so that a mistake in the pipeline's pairs and moves shows.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from examples.generator.company import Company
from examples.generator.facts import Fact

BUCKETS = ("not_due", "1-30", "31-60", "61-90", "91-120", "121+")
_UPPER = (0, 30, 60, 90, 120)


class HistoryError(Exception):
    """The generated history breaks a rule, so that a correct ledger would reject one of its events."""


@dataclass
class Line:
    """Postings (effective date, recorded at, signed amount) and what the line is aged from, since when."""

    kind: str
    currency: str
    postings: list[tuple[date, datetime, int]] = field(default_factory=list)
    due_dates: list[tuple[date, datetime, date]] = field(default_factory=list)
    parked: tuple[date, datetime] | None = None

    @property
    def open(self) -> int:
        """Everything recorded, whatever its effective date."""
        return sum(amount for _, _, amount in self.postings)

    def at(self, as_of: date, known: datetime) -> int:
        """The balance at the end of a day, as far as it was known at an instant (SEMANTICS 1.2)."""
        return sum(amount for effective, recorded, amount in self.postings if effective <= as_of and recorded <= known)

    def due_date(self, as_of: date, known: datetime) -> date:
        """The due date valid on a day (SEMANTICS 2.4)."""
        return [due for since, recorded, due in self.due_dates if since <= as_of and recorded <= known][-1]

    def is_parked(self, as_of: date, known: datetime) -> bool:
        """Whether a receipt is on account on a day."""
        return self.parked is not None and self.parked[0] <= as_of and self.parked[1] <= known


@dataclass
class Settlement:
    """What an application moved, so that it can be taken back on the same lines."""

    source: Line
    parts: list[tuple[Line, int]]
    effective: date


class Books:
    """One company's accounts."""

    def __init__(self, company: Company) -> None:
        self.company = company
        self.invoices: dict[str, list[Line]] = {}
        self.posted: dict[str, date] = {}
        self.payments: dict[str, Line] = {}
        self.value_dates: dict[str, date] = {}
        self.unidentified: set[str] = set()
        self.identified_at: dict[str, datetime] = {}
        self.credits: dict[str, Line] = {}
        self.applications: dict[str, Settlement] = {}
        self.write_offs: dict[str, tuple[Settlement, date]] = {}
        self.waiting: dict[str, list[Fact]] = defaultdict(list)

    def book(self, facts: Iterable[Fact]) -> None:
        """Post facts in the order given. Raises ``HistoryError`` where a rule is broken."""
        for fact in facts:
            handler = getattr(self, f"_{fact.event}", None)
            if handler is not None:
                handler(fact)

    def balances(self, as_of: date, known: datetime) -> dict[str, dict[str, int]]:
        """currency → column → minor units at the end of a day, as known at an instant."""
        totals: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        for lines in self.invoices.values():
            for line in lines:
                amount = line.at(as_of, known)
                if amount:
                    totals[line.currency][_bucket(as_of, line.due_date(as_of, known))] += amount
                    totals[line.currency]["open_items"] += amount
        for number, line in self.payments.items():
            identified_at = self.identified_at.get(number)
            if number in self.unidentified or (identified_at is not None and identified_at > known):
                column = "unidentified"
            else:
                column = "on_account" if line.is_parked(as_of, known) else "unapplied"
            totals[line.currency][column] -= line.at(as_of, known)
        for line in self.credits.values():
            totals[line.currency]["credits"] -= line.at(as_of, known)
        return {currency: dict(columns) for currency, columns in sorted(totals.items())}

    def _day(self, fact: Fact) -> date:
        """`effective_date`, by default the company's local date (SCENARIOS §1)."""
        given: date | None = fact["effective_date"]
        return given or self.company.local(fact.at).date()

    # -- documents --------------------------------------------------------------------------------------------------

    def _InvoiceIssued(self, fact: Fact) -> None:  # noqa: N802  named after the event
        number, posted = fact["invoice_id"], fact["posting_date"]
        parts = fact["instalments"] or ((0, fact["due_date"], fact["amount"]),)
        if sum(amount for _, _, amount in parts) != fact["amount"]:
            raise HistoryError(f"{number}: the instalments do not add up")
        self.invoices[number] = [
            Line("invoice", fact["currency"], [(posted, fact.at, amount)], [(date.min, fact.at, due)])
            for _, due, amount in parts
        ]
        self.posted[number] = posted
        for waiting in self.waiting.pop(number, []):
            self._settle(waiting, recorded_at=fact.at)

    def _InvoiceCancelled(self, fact: Fact) -> None:  # noqa: N802
        number = fact["invoice_id"]
        day = max(self._day(fact), self.posted[number])
        for line in self.invoices[number]:
            line.postings.append((day, fact.at, -line.open))

    def _InvoiceAdjusted(self, fact: Fact) -> None:  # noqa: N802
        lines = self.invoices[fact["invoice_id"]]
        if fact["amount"] > 0:
            lines[-1].postings.append((self._day(fact), fact.at, fact["amount"]))
        else:
            self._reduce(lines, -fact["amount"], self._day(fact), fact)

    def _InvoiceDueDateChanged(self, fact: Fact) -> None:  # noqa: N802
        for line in self.invoices[fact["invoice_id"]]:
            line.due_dates.append((self.company.local(fact.at).date(), fact.at, fact["due_date"]))

    def _InvoiceWrittenOff(self, fact: Fact) -> None:  # noqa: N802
        day = max(self._day(fact), self.posted[fact["invoice_id"]])
        parts = self._reduce(self.invoices[fact["invoice_id"]], fact["amount"], day, fact)
        self.write_offs[fact["write_off_id"]] = (Settlement(parts[0][0], parts, day), day)

    def _WriteOffRecovered(self, fact: Fact) -> None:  # noqa: N802
        settlement, written_off_on = self.write_offs[fact["write_off_id"]]
        line, amount = settlement.parts[0]
        if fact["amount"] > amount:
            raise HistoryError(f"{fact['write_off_id']}: more recovered than written off")
        line.postings.append((max(self._day(fact), written_off_on), fact.at, fact["amount"]))

    def _CreditMemoIssued(self, fact: Fact) -> None:  # noqa: N802
        day = fact["document_date"]
        memo = Line("credit", fact["currency"], [(day, fact.at, -fact["amount"])])
        self.credits[fact["credit_memo_id"]] = memo
        if fact["invoice_id"] is not None:
            effective = max(day, self.posted[fact["invoice_id"]])
            self._reduce(self.invoices[fact["invoice_id"]], fact["amount"], effective, fact)
            memo.postings.append((effective, fact.at, fact["amount"]))

    # -- cash -------------------------------------------------------------------------------------------------------

    def _PaymentReceived(self, fact: Fact) -> None:  # noqa: N802
        number, day = fact["payment_id"], fact["value_date"]
        line = Line("payment", fact["currency"], [(day, fact.at, -fact["amount"])])
        if fact["on_account"]:
            line.parked = (day, fact.at)
        if fact.account is None:
            self.unidentified.add(number)
        self.payments[number] = line
        self.value_dates[number] = day

    def _PaymentIdentified(self, fact: Fact) -> None:  # noqa: N802
        self.unidentified.remove(fact["payment_id"])
        self.identified_at[fact["payment_id"]] = fact.at

    def _PaymentPlacedOnAccount(self, fact: Fact) -> None:  # noqa: N802
        self.payments[fact["payment_id"]].parked = (self.company.local(fact.at).date(), fact.at)

    def _PaymentRefunded(self, fact: Fact) -> None:  # noqa: N802
        line = self.payments[fact["payment_id"]]
        self._draw(line, fact["amount"], self._day(fact), fact.at, fact["payment_id"])

    def _PaymentReversed(self, fact: Fact) -> None:  # noqa: N802
        number = fact["payment_id"]
        day = max(self._day(fact), self.value_dates[number])
        line = self.payments[number]
        for application, settlement in list(self.applications.items()):
            if settlement.source is line:
                self._take_back(application, day, fact.at)
        line.postings.append((day, fact.at, -line.open))

    def _CashApplied(self, fact: Fact) -> None:  # noqa: N802
        if fact["payment_id"] is not None and fact["payment_id"] not in self.payments:
            raise HistoryError(f"{fact['application_id']}: unknown payment {fact['payment_id']}")
        if fact["invoice_id"] in self.invoices:
            self._settle(fact, recorded_at=fact.at)
        else:
            self.waiting[fact["invoice_id"]].append(fact)

    def _RemittanceReceived(self, fact: Fact) -> None:  # noqa: N802
        for number, part in enumerate(fact["lines"], start=1):
            fields = {**part, "payment_id": fact["payment_id"], "application_id": f"{fact['remittance_id']}/{number}"}
            self._settle(Fact(fact.at, fact.event, fact.account, fact.actor, fields), recorded_at=fact.at)

    def _CashUnapplied(self, fact: Fact) -> None:  # noqa: N802
        settlement = self.applications[fact["application_id"]]
        self._take_back(fact["application_id"], max(self._day(fact), settlement.effective), fact.at)

    def _settle(self, fact: Fact, recorded_at: datetime) -> None:
        """SEMANTICS 1.3: the latest of posting date, value date and the application's own date."""
        payment, memo = fact["payment_id"], fact["credit_memo_id"]
        source = self.credits[memo] if payment is None else self.payments[payment]
        available = source.postings[0][0]
        if payment in self.unidentified:
            raise HistoryError(f"{fact['application_id']}: {payment} is not identified yet")
        day = max(self._day(fact), available, self.posted[fact["invoice_id"]])
        lines = self.invoices[fact["invoice_id"]]
        if fact["instalment"] is not None:
            lines = [lines[fact["instalment"] - 1]]
        parts = self._reduce(lines, fact["amount"], day, fact, recorded_at)
        self._draw(source, fact["amount"], day, recorded_at, fact["application_id"])
        self.applications[fact["application_id"]] = Settlement(source, parts, day)

    def _take_back(self, application: str, day: date, recorded_at: datetime) -> None:
        settlement = self.applications.pop(application)
        effective = max(day, settlement.effective)
        for line, amount in settlement.parts:
            line.postings.append((effective, recorded_at, amount))
            settlement.source.postings.append((effective, recorded_at, -amount))

    def _draw(self, source: Line, amount: int, day: date, recorded_at: datetime, what: str) -> None:
        if amount > -source.open:
            raise HistoryError(f"{what}: {amount} is more than the {-source.open} that are left")
        source.postings.append((day, recorded_at, amount))

    def _reduce(
        self, lines: list[Line], amount: int, day: date, fact: Fact, recorded_at: datetime | None = None
    ) -> list[tuple[Line, int]]:
        """Take an amount off lines, oldest due first (SEMANTICS 2.3)."""
        if amount <= 0 or amount > sum(line.open for line in lines):
            raise HistoryError(f"{fact.event} of {fact['invoice_id']} at {fact.at}: {amount} does not fit")
        parts = []
        for line in sorted(lines, key=lambda line: line.due_dates[-1][2]):
            filled = min(amount, line.open)
            if filled:
                line.postings.append((day, recorded_at or fact.at, -filled))
                parts.append((line, filled))
                amount -= filled
        return parts


def month_ends(first: date, last: date) -> list[date]:
    """The last day of every month from one date to another."""
    days = []
    day = first
    while day <= last:
        if (day + timedelta(days=1)).month != day.month:
            days.append(day)
        day += timedelta(days=1)
    return days


def _bucket(as_of: date, due_date: date) -> str:
    late = (as_of - due_date).days
    for bucket, upper in zip(BUCKETS, _UPPER, strict=False):
        if late <= upper:
            return bucket
    return BUCKETS[-1]
