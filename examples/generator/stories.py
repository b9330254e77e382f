"""What happens to an invoice between its posting and its payment."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta

from examples.generator.company import DECIMALS, Company
from examples.generator.dice import Dice
from examples.generator.facts import START, Fact
from examples.generator.invoicing import Invoice, Numbers, issued, make_invoice

_STORIES = (
    ("plain", 815), ("partial", 60), ("credit_memo", 45), ("dispute", 38), ("rebate", 14), ("rebate_unused", 6),
    ("deposit", 8), ("cancelled", 12), ("adjusted", 10), ("due_date_changed", 18), ("bank_charges", 12),
    ("prepaid", 10),
)  # fmt: skip
_DELAYS = {"prompt": (-6, 3), "slow": (1, 18), "late": (10, 55), "troubled": (35, 140)}
_NEVER_PAID_PERCENT = 25
_REASONS = ("price_difference", "quantity", "quality", "missing_delivery")


@dataclass(frozen=True)
class Portion:
    """A part of an invoice that one payment settles. `deposit` and `parked` are the two ways to pay ahead."""

    invoice: Invoice
    amount: int
    value_date: date
    payer: str
    instalment: int | None = None
    prepaid: bool = False
    parked: bool = False


@dataclass(frozen=True)
class Late:
    """An invoice that stays unpaid past its due date, for collectors to work on. `paid_on` None = not in the period."""

    invoice: Invoice
    amount: int
    due_date: date
    paid_on: date | None


class Stories:
    """Tells the story of every invoice of a company; collects facts, the portions to pay, and what becomes late."""

    def __init__(self, company: Company, numbers: Numbers) -> None:
        self.company = company
        self.numbers = numbers
        self.facts: list[Fact] = []
        self.portions: list[Portion] = []
        self.late: list[Late] = []
        self._dice = Dice(company.code, "stories")

    def tell(self, invoice: Invoice) -> None:
        """Post the invoice and let its story happen."""
        self.facts.append(issued(self.company, self._dice, invoice))
        if self._is_written_off(invoice):
            self._write_off(invoice)
            return
        stories: dict[str, Callable[[Invoice], None]] = {
            "plain": self._plain,
            "partial": self._partial,
            "credit_memo": self._credit_memo,
            "dispute": self._dispute,
            "rebate": self._rebate,
            "rebate_unused": self._rebate_unused,
            "deposit": self._deposit,
            "cancelled": self._cancelled,
            "adjusted": self._adjusted,
            "due_date_changed": self._due_date_changed,
            "bank_charges": self._bank_charges,
            "prepaid": self._prepaid,
        }
        name = self._dice.weighted(_STORIES)
        if invoice.parts:
            self._instalments(invoice)
        else:
            stories[name](invoice)

    # -- how it is paid ---------------------------------------------------------------------------------------------

    def _payer(self, invoice: Invoice) -> str:
        customer = invoice.customer
        return customer.parent if customer.parent and self._dice.chance(60) else customer.account

    def _pay_day(self, invoice: Invoice, due_date: date, not_before: date | None = None) -> date | None:
        """The day of the customer's payment run; None when it does not pay at all."""
        habit = invoice.customer.habit
        if habit == "troubled" and self._dice.chance(_NEVER_PAID_PERCENT):
            return None
        earliest = max(invoice.posting_date, not_before or invoice.posting_date) + timedelta(days=2)
        day = max(due_date + timedelta(days=self._dice.between(*_DELAYS[habit])), earliest)
        day += timedelta(days=(invoice.customer.payday - day.weekday()) % 7)
        return self.company.business_day(day)

    def _pay(self, invoice: Invoice, amount: int, due_date: date, *, not_before: date | None = None,
             instalment: int | None = None) -> date | None:  # fmt: skip
        day = self._pay_day(invoice, due_date, not_before)
        if day is not None:
            self.portions.append(Portion(invoice, amount, day, self._payer(invoice), instalment))
        if day is None or (day - due_date).days > 8:
            self.late.append(Late(invoice, amount, due_date, day))
        return day

    def _share(self, amount: int, low_percent: int, high_percent: int) -> int:
        return max(1, amount * self._dice.between(low_percent, high_percent) // 100)

    def _enter(self, event: str, invoice: Invoice, day: date, actor: str | None = None, **fields: object) -> None:
        """Enter something about an invoice on a business day, in the hour before noon."""
        at = self.company.at(self.company.business_day(day), self._dice, 11, 12)
        self.facts.append(
            Fact(at, event, invoice.customer.account, actor or self._dice.pick(self.company.clerks), fields)
        )

    def _after(self, invoice: Invoice, low: int, high: int) -> date:
        """A business day some business days after the entry of the invoice."""
        entered_on = self.company.local(invoice.entered_at).date()
        return self.company.business_days_after(entered_on, self._dice.between(low, high))

    # -- the stories ------------------------------------------------------------------------------------------------

    def _plain(self, invoice: Invoice) -> None:
        self._pay(invoice, invoice.amount, invoice.due_date)

    def _partial(self, invoice: Invoice) -> None:
        first = self._share(invoice.amount, 30, 70)
        day = self._pay(invoice, first, invoice.due_date)
        if day is not None:
            later = day + timedelta(days=self._dice.between(10, 35))
            self._pay(invoice, invoice.amount - first, invoice.due_date, not_before=later)

    def _instalments(self, invoice: Invoice) -> None:
        named = self._dice.chance(50)
        for number, due_date, amount in invoice.parts:
            self._pay(invoice, amount, due_date, instalment=number if named else None)

    def _credit_memo(self, invoice: Invoice) -> None:
        credited = invoice.amount if self._dice.chance(8) else self._share(invoice.amount, 5, 30)
        day = self._after(invoice, 2, 9)
        self._credit(invoice, credited, day, invoice.number, self._dice.pick(_REASONS))
        if credited < invoice.amount:
            self._pay(invoice, invoice.amount - credited, invoice.due_date, not_before=day)

    def _credit(self, invoice: Invoice, amount: int, day: date, named: str | None, reason: str) -> str:
        number = self.numbers.next("credit")
        self._enter("CreditMemoIssued", invoice, day, credit_memo_id=number, amount=amount,
                    currency=invoice.currency, document_date=day, invoice_id=named, reason=reason)  # fmt: skip
        return number

    def _rebate(self, invoice: Invoice) -> None:
        """A credit of its own, applied to this invoice some days later; the rest is paid."""
        credited = self._share(invoice.amount, 4, 15)
        day = self._after(invoice, 3, 10)
        memo = self._credit(invoice, credited, day, None, "volume_rebate")
        applied_on = self.company.business_days_after(day, self._dice.between(1, 5))
        at = self.company.at(applied_on, self._dice, 14, 16)
        fields = {"application_id": self.numbers.next("other"), "credit_memo_id": memo, "invoice_id": invoice.number,
                  "amount": credited, "currency": invoice.currency, "method": "manual"}  # fmt: skip
        self.facts.append(
            Fact(at, "CashApplied", invoice.customer.account, self._dice.pick(self.company.clerks), fields)
        )
        self._pay(invoice, invoice.amount - credited, invoice.due_date, not_before=applied_on)

    def _rebate_unused(self, invoice: Invoice) -> None:
        self._credit(invoice, self._share(invoice.amount, 2, 8), self._after(invoice, 3, 10), None, "goodwill")
        self._plain(invoice)

    def _deposit(self, invoice: Invoice) -> None:
        """Cash that is meant for later: it stays on account until a clerk uses it for this invoice, or for good."""
        day = self._after(invoice, 2, 5)
        amount = self._share(invoice.amount, 20, 50)
        payment = self.numbers.next("payment")
        customer = invoice.customer
        entered = self.company.at(self.company.business_days_after(day, 1), self._dice, 7, 8)
        fields = {"payment_id": payment, "amount": amount, "currency": invoice.currency, "value_date": day,
                  "method": customer.method, "payer_reference": customer.name, "on_account": True,
                  "bank_reference": f"B{self._dice.between(10**8, 10**9 - 1)}"}  # fmt: skip
        self.facts.append(Fact(entered, "PaymentReceived", customer.account, "bank-import", fields))
        if self._dice.chance(50):
            self._plain(invoice)
            return
        used_on = self.company.business_days_after(day, self._dice.between(4, 12))
        at = self.company.at(used_on, self._dice, 14, 16)
        fields = {"application_id": self.numbers.next("other"), "payment_id": payment, "invoice_id": invoice.number,
                  "amount": amount, "currency": invoice.currency, "method": "manual"}  # fmt: skip
        self.facts.append(Fact(at, "CashApplied", customer.account, self._dice.pick(self.company.clerks), fields))
        self._pay(invoice, invoice.amount - amount, invoice.due_date, not_before=used_on)

    def _cancelled(self, invoice: Invoice) -> None:
        """Posted with a mistake, cancelled, and issued anew on the next business day."""
        day = self._after(invoice, 1, 5)
        self._enter("InvoiceCancelled", invoice, day, invoice_id=invoice.number, reason="wrong_recipient")
        corrected = make_invoice(
            self.company, self.numbers, self._dice, invoice.customer, self.company.business_days_after(day, 1)
        )
        corrected = replace(corrected, amount=invoice.amount, parts=(), reference=invoice.reference)
        self.facts.append(issued(self.company, self._dice, corrected))
        self._plain(corrected)

    def _adjusted(self, invoice: Invoice) -> None:
        size = self._share(invoice.amount, 1, 9)
        change = size if self._dice.chance(40) else -size
        day = self._after(invoice, 2, 8)
        reason = "freight" if change > 0 else "price_list"
        self._enter("InvoiceAdjusted", invoice, day, adjustment_id=self.numbers.next("other"),
                    invoice_id=invoice.number, amount=change, currency=invoice.currency, reason=reason)  # fmt: skip
        self._pay(invoice, invoice.amount + change, invoice.due_date, not_before=day)

    def _due_date_changed(self, invoice: Invoice) -> None:
        day = self.company.business_day(invoice.due_date - timedelta(days=self._dice.between(2, 9)))
        later = invoice.due_date + timedelta(days=self._dice.between(15, 30))
        self._enter("InvoiceDueDateChanged", invoice, day, invoice_id=invoice.number, due_date=later)
        self._pay(invoice, invoice.amount, later)

    def _bank_charges(self, invoice: Invoice) -> None:
        """Paid short by what a bank kept; the rest is written off some days later."""
        fee = self._dice.between(125, 990) if DECIMALS[invoice.currency] else self._dice.between(11, 88) * 10
        day = self._pay(invoice, invoice.amount - fee, invoice.due_date)
        if day is not None:
            written_off_on = self.company.business_days_after(day, self._dice.between(11, 18))
            self._enter("InvoiceWrittenOff", invoice, written_off_on, write_off_id=self.numbers.next("other"),
                        invoice_id=invoice.number, amount=fee, currency=invoice.currency,
                        reason="bank_charges")  # fmt: skip

    def _prepaid(self, invoice: Invoice) -> None:
        """Paid before it was posted. Some clerks apply the cash at once, to an invoice that is not there yet."""
        day = self.company.business_day(invoice.posting_date - timedelta(days=self._dice.between(6, 10)))
        received_on = self.company.business_days_after(day, 1)
        if day < START or received_on >= invoice.posting_date:
            self._plain(invoice)
            return
        parked = received_on.month == invoice.posting_date.month and self._dice.chance(40)
        self.portions.append(
            Portion(invoice, invoice.amount, day, invoice.customer.account, prepaid=True, parked=parked)
        )

    def _dispute(self, invoice: Invoice) -> None:
        """A part is contested and paid short; then credited, paid after all, or still open."""
        disputed = self._share(invoice.amount, 10, 60)
        dispute = f"D-{self.numbers.next('other')}"
        collector = invoice.customer.collector
        not_before = self.company.local(invoice.entered_at).date() + timedelta(days=1)
        opened_on = self.company.business_day(
            max(invoice.due_date + timedelta(days=self._dice.between(-8, 6)), not_before)
        )
        self._enter("DisputeOpened", invoice, opened_on, collector, dispute_id=dispute, invoice_id=invoice.number,
                    amount=disputed, currency=invoice.currency,
                    reason_code=self._dice.pick(_REASONS).upper())  # fmt: skip
        self._pay(invoice, invoice.amount - disputed, invoice.due_date)
        assigned_on = self.company.business_days_after(opened_on, self._dice.between(1, 3))
        self._enter("DisputeAssigned", invoice, assigned_on, collector, dispute_id=dispute,
                    assigned_to=self._dice.pick(self.company.clerks))  # fmt: skip
        outcome = self._dice.weighted((("upheld", 45), ("rejected", 30), ("withdrawn", 12), ("", 13)))
        if not outcome:
            return
        resolved_on = self.company.business_days_after(assigned_on, self._dice.between(1, 14))
        self._enter("DisputeResolved", invoice, resolved_on, collector, dispute_id=dispute, outcome=outcome)
        if outcome == "upheld":
            credited_on = self.company.business_days_after(resolved_on, self._dice.between(1, 5))
            self._credit(invoice, disputed, credited_on, invoice.number, "dispute_upheld")
        else:
            self._pay(invoice, disputed, invoice.due_date, not_before=resolved_on + timedelta(days=4))

    def _is_written_off(self, invoice: Invoice) -> bool:
        return invoice.customer.habit == "troubled" and not invoice.parts and self._dice.chance(35)

    def _write_off(self, invoice: Invoice) -> None:
        """Never paid and written off after a long while; a few customers pay in the end."""
        self.late.append(Late(invoice, invoice.amount, invoice.due_date, None))
        day = self.company.business_day(invoice.due_date + timedelta(days=self._dice.between(95, 125)))
        number = self.numbers.next("other")
        self._enter("ApprovalDecided", invoice, self.company.business_days_after(day, 1), "controller",
                    subject_type="write_off", subject_id=number, decision="approved", reason="insolvency")  # fmt: skip
        written_off_on = self.company.business_days_after(day, 2)
        self._enter("InvoiceWrittenOff", invoice, written_off_on, write_off_id=number, invoice_id=invoice.number,
                    amount=invoice.amount, currency=invoice.currency, reason="uncollectible")  # fmt: skip
        if self._dice.chance(35):
            recovered = invoice.amount // 2 if self._dice.chance(50) else invoice.amount
            recovered_on = self.company.business_days_after(written_off_on, self._dice.between(8, 20))
            self._enter("WriteOffRecovered", invoice, recovered_on, write_off_id=number, amount=recovered,
                        currency=invoice.currency)  # fmt: skip
            paid_on = self.company.business_days_after(recovered_on, self._dice.between(2, 6))
            self.portions.append(Portion(invoice, recovered, paid_on, invoice.customer.account))
