"""Invoices as they are posted: numbers, dates, amounts, instalments."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from examples.generator.company import Company
from examples.generator.customers import Customer, customers_of
from examples.generator.dice import Dice
from examples.generator.facts import END, START, Fact

_WEIGHTS = {"key": 6, "mid": 3, "small": 1}
# Smallest and largest invoice of a segment, in whole units of a currency like the euro.
_AMOUNTS = {"key": (1_800, 64_000), "mid": (350, 14_000), "small": (60, 2_400)}
_YEN_PER_UNIT = 160


_STYLES = {
    "FR01": {"invoice": "90{:06}", "payment": "14{:06}", "credit": "91{:06}", "other": "95{:06}"},
    "US01": {"invoice": "INV-{:06}", "payment": "RCT-{:06}", "credit": "CM-{:06}", "other": "TX-{:06}"},
    "JP01": {"invoice": "S26{:05}", "payment": "N26{:05}", "credit": "W26{:05}", "other": "Z26{:05}"},
}


@dataclass(frozen=True)
class Invoice:
    """A posted invoice or debit memo. Amounts are minor units; `parts` are (number, due date, amount)."""

    number: str
    customer: Customer
    document_type: str
    document_date: date
    posting_date: date
    entered_at: datetime
    due_date: date
    amount: int
    parts: tuple[tuple[int, date, int], ...]
    reference: str

    @property
    def currency(self) -> str:
        """The currency of its customer."""
        return self.customer.currency


class Numbers:
    """Document numbers in the style of each company's system."""

    def __init__(self, company: Company) -> None:
        self._styles = _STYLES[company.code]
        self._last: dict[str, int] = {}

    def next(self, kind: str) -> str:
        """The next number of invoice, payment, credit or other documents."""
        self._last[kind] = self._last.get(kind, 1000) + 1
        return self._styles[kind].format(self._last[kind])


def invoices_of(company: Company, numbers: Numbers) -> list[Invoice]:
    """The invoices of the nine months, in the order of their posting."""
    dice = Dice(company.code, "invoices")
    customers = customers_of(company)
    shares = [(customer, _WEIGHTS[customer.segment]) for customer in customers]
    span = (END - START).days
    days = sorted(
        company.business_day(START + timedelta(days=dice.between(3, span - 1))) for _ in range(company.invoices)
    )
    return [make_invoice(company, numbers, dice, dice.weighted(shares), day) for day in days if day < END]


def make_invoice(company: Company, numbers: Numbers, dice: Dice, customer: Customer, day: date) -> Invoice:
    """An invoice posted on a business day. A few are entered a day late, a few are dated in the days before."""
    amount = _amount(dice, customer)
    document_date = day - timedelta(days=dice.between(1, 4)) if dice.chance(4) else day
    entered_on = company.business_days_after(day, 1) if dice.chance(3) else day
    due_date = document_date + timedelta(days=customer.terms_days)
    parts: tuple[tuple[int, date, int], ...] = ()
    if company.code == "FR01" and customer.segment != "small" and dice.chance(3):
        third = amount // 3
        parts = tuple(
            (number, due_date + timedelta(days=30 * (number - 1)), third if number < 3 else amount - 2 * third)
            for number in (1, 2, 3)
        )
    return Invoice(
        number=numbers.next("invoice"),
        customer=customer,
        document_type="debit_memo" if dice.chance(1.5) and not parts else "invoice",
        document_date=document_date,
        posting_date=day,
        entered_at=company.at(entered_on, dice, 13, 17),
        due_date=due_date,
        amount=amount,
        parts=parts,
        reference=f"PO{dice.between(10000, 99999)}",
    )


def issued(company: Company, dice: Dice, invoice: Invoice) -> Fact:
    """The posting of an invoice."""
    fields = {
        "invoice_id": invoice.number,
        "document_type": invoice.document_type,
        "document_date": invoice.document_date,
        "posting_date": invoice.posting_date,
        "due_date": invoice.due_date,
        "amount": invoice.amount,
        "currency": invoice.currency,
        "instalments": invoice.parts,
        "payment_terms": f"NET{invoice.customer.terms_days}",
        "reference": invoice.reference,
    }
    return Fact(invoice.entered_at, "InvoiceIssued", invoice.customer.account, dice.pick(company.clerks), fields)


def _amount(dice: Dice, customer: Customer) -> int:
    low, high = _AMOUNTS[customer.segment]
    # Two draws, the smaller counts: many small invoices and few large ones.
    units = min(dice.between(low, high), dice.between(low, high))
    if customer.currency == "JPY":
        return units * _YEN_PER_UNIT // 10 * 10
    return units * 100 + dice.weighted(((0, 3), (50, 1), (dice.between(1, 99), 6)))
