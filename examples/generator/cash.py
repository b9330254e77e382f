"""Money in: payment runs, lockboxes, and everything that goes wrong between the bank and the invoice."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from examples.generator.company import Company
from examples.generator.customers import Customer
from examples.generator.dice import Dice
from examples.generator.facts import Fact
from examples.generator.invoicing import Numbers
from examples.generator.stories import Portion

_TROUBLES = (
    ("", 858), ("slow", 60), ("unidentified", 25), ("overpaid", 24), ("reversed", 12), ("misapplied", 7),
    ("never_applied", 7), ("remittance", 7),
)  # fmt: skip
_REVERSALS = {"cheque": "nsf", "direct_debit": "chargeback", "transfer": "recall"}
_BANK = "bank-import"
_MATCHER = "auto-match"


@dataclass(frozen=True)
class Run:
    """One payment: who pays, when, in which currency, and what for."""

    payer: Customer
    currency: str
    value_date: date
    portions: list[Portion]

    @property
    def total(self) -> int:
        """The sum of what it is meant for."""
        return sum(portion.amount for portion in self.portions)


class Cash:
    """Receives the money of a company and applies it."""

    def __init__(self, company: Company, numbers: Numbers, customers: dict[str, Customer]) -> None:
        self.company = company
        self.numbers = numbers
        self.facts: list[Fact] = []
        self._customers = customers
        self._dice = Dice(company.code, "cash")

    def take(self, portions: list[Portion]) -> None:
        """Group portions into payment runs, receive every run and apply it."""
        runs: dict[tuple[date, str, str, str], list[Portion]] = defaultdict(list)
        for portion in portions:
            alone = portion.invoice.number if portion.prepaid else ""
            runs[portion.value_date, portion.payer, portion.invoice.currency, alone].append(portion)
        for (day, payer, currency, _), group in sorted(runs.items()):
            self._run(Run(self._customers[payer], currency, day, sorted(group, key=lambda part: part.invoice.number)))

    def _run(self, run: Run) -> None:
        if run.portions[0].prepaid:
            self._prepaid(run)
            return
        if self._is_lockbox(run):
            self._lockbox(run)
            return
        trouble = self._dice.weighted(_TROUBLES)
        if trouble == "unidentified":
            self._unidentified(run)
        elif trouble == "overpaid":
            self._overpaid(run)
        elif trouble == "remittance" and all(part.payer == part.invoice.customer.account for part in run.portions):
            self._with_remittance(run)
        else:
            payment, entered_on = self._receive(run, run.total)
            if trouble == "never_applied":
                return
            applied_on = self._applied_on(entered_on, slow=trouble == "slow")
            applications = [self._apply(run, payment, part, applied_on) for part in run.portions]
            if trouble == "reversed":
                self._reversed(run, payment, applied_on)
            elif trouble == "misapplied":
                self._misapplied(run, payment, applications[0], applied_on)

    # -- receiving --------------------------------------------------------------------------------------------------

    def _receive(self, run: Run, amount: int, *, known: bool = True) -> tuple[str, date]:
        """The bank statement is read in on the morning of the next business day."""
        payment = self.numbers.next("payment")
        entered_on = self.company.business_days_after(run.value_date, 1)
        at = self.company.at(entered_on, self._dice, 7, 8)
        self._enter(at, "PaymentReceived", run.payer.account if known else None, _BANK,
                    **self._receipt(run, payment, amount))  # fmt: skip
        return payment, entered_on

    def _receipt(self, run: Run, payment: str, amount: int) -> dict[str, Any]:
        return {
            "payment_id": payment,
            "amount": amount,
            "currency": run.currency,
            "value_date": run.value_date,
            "method": run.payer.method,
            "payer_reference": run.payer.name,
            "bank_reference": f"B{self._dice.between(10**8, 10**9 - 1)}",
        }

    def _enter(self, at: datetime, event: str, account: str | None, actor: str, **fields: object) -> None:
        self.facts.append(Fact(at, event, account, actor, fields))

    def _clerk(self) -> str:
        return self._dice.pick(self.company.clerks)

    # -- applying ---------------------------------------------------------------------------------------------------

    def _applied_on(self, entered_on: date, *, slow: bool = False) -> date:
        days = self._dice.between(4, 9) if slow else self._dice.weighted(((0, 6), (1, 3), (2, 1)))
        return self.company.business_days_after(entered_on, days)

    def _apply(self, run: Run, payment: str, part: Portion, day: date, hours: tuple[int, int] = (14, 16)) -> Fact:
        automatic = run.payer.habit == "prompt" and self._dice.chance(80)
        fields = self._application(run.payer.account, payment, part, automatic=automatic)
        at = self.company.at(day, self._dice, *hours)
        self._enter(at, "CashApplied", run.payer.account, _MATCHER if automatic else self._clerk(), **fields)
        return self.facts[-1]

    def _application(self, payer: str, payment: str, part: Portion, *, automatic: bool) -> dict[str, Any]:
        owner = part.invoice.customer.account
        return {
            "application_id": self.numbers.next("other"),
            "payment_id": payment,
            "invoice_id": part.invoice.number,
            "invoice_account_id": None if owner == payer else owner,
            "instalment": part.instalment,
            "amount": part.amount,
            "currency": part.invoice.currency,
            "method": "auto" if automatic else "manual",
            "confidence": f"0.{self._dice.between(86, 99)}" if automatic else None,
        }

    # -- the usual and the unusual ----------------------------------------------------------------------------------

    def _is_lockbox(self, run: Run) -> bool:
        one = len(run.portions) == 1 and run.portions[0].payer == run.portions[0].invoice.customer.account
        return self.company.code == "US01" and one and run.payer.habit == "prompt" and self._dice.chance(70)

    def _lockbox(self, run: Run) -> None:
        """The bank's lockbox says which invoice a cheque is for: received and applied in one row."""
        payment = self.numbers.next("payment")
        at = self.company.at(self.company.business_days_after(run.value_date, 1), self._dice, 7, 8)
        application = self._application(run.payer.account, payment, run.portions[0], automatic=True)
        self._enter(at, "PaymentReceived", run.payer.account, "lockbox", **self._receipt(run, payment, run.total))
        self._enter(at, "CashApplied", run.payer.account, "lockbox", **application)

    def _prepaid(self, run: Run) -> None:
        part = run.portions[0]
        payment, entered_on = self._receive(run, run.total)
        posted_on = self.company.local(part.invoice.entered_at).date()
        self._apply(run, payment, part, entered_on if part.parked else self.company.business_days_after(posted_on, 1))

    def _unidentified(self, run: Run) -> None:
        """Nobody knows whose money it is; most of it is found out within days."""
        payment, entered_on = self._receive(run, run.total, known=False)
        if self._dice.chance(12):
            return
        found_on = self.company.business_days_after(entered_on, self._dice.between(1, 7))
        at = self.company.at(found_on, self._dice, 9, 10)
        self._enter(at, "PaymentIdentified", run.payer.account, self._clerk(), payment_id=payment)
        for part in run.portions:
            self._apply(run, payment, part, found_on)

    def _overpaid(self, run: Run) -> None:
        excess = max(1, run.total * self._dice.between(1, 8) // 100)
        payment, entered_on = self._receive(run, run.total + excess)
        applied_on = self._applied_on(entered_on)
        for part in run.portions:
            self._apply(run, payment, part, applied_on)
        ending = self._dice.weighted((("refunded", 4), ("on_account", 3), ("", 3)))
        day = self.company.business_days_after(applied_on, self._dice.between(3, 15))
        at = self.company.at(day, self._dice, 9, 10)
        if ending == "refunded":
            amount = excess if self._dice.chance(70) else max(1, excess // 2)
            self._enter(at, "PaymentRefunded", run.payer.account, self._clerk(), payment_id=payment, amount=amount,
                        currency=run.currency)  # fmt: skip
        elif ending == "on_account":
            self._enter(at, "PaymentPlacedOnAccount", run.payer.account, self._clerk(), payment_id=payment)

    def _with_remittance(self, run: Run) -> None:
        """The payer's advice names the invoices; the pipeline applies its lines by itself."""
        payment, entered_on = self._receive(run, run.total)
        at = self.company.at(self._applied_on(entered_on), self._dice, 14, 16)
        lines = [{"invoice_id": part.invoice.number, "amount": part.amount} for part in run.portions]
        self._enter(at, "RemittanceReceived", run.payer.account, "edi", remittance_id=f"RA-{payment}",
                    payment_id=payment, currency=run.currency, lines=lines)  # fmt: skip

    def _reversed(self, run: Run, payment: str, applied_on: date) -> None:
        """The money does not stay; some customers send it again."""
        day = self.company.business_days_after(applied_on, self._dice.between(3, 14))
        at = self.company.at(day, self._dice, 9, 10)
        self._enter(at, "PaymentReversed", run.payer.account, _BANK, payment_id=payment,
                    reason=_REVERSALS[run.payer.method])  # fmt: skip
        if self._dice.chance(60):
            again = self.company.business_day(day + timedelta(days=self._dice.between(6, 18)))
            second = Run(run.payer, run.currency, again, run.portions)
            replacement, entered_on = self._receive(second, second.total)
            for part in second.portions:
                self._apply(second, replacement, part, self._applied_on(entered_on))

    def _misapplied(self, run: Run, payment: str, application: Fact, applied_on: date) -> None:
        """An application is taken back on the next business day and made again a day later."""
        day = self.company.business_days_after(applied_on, 1)
        self._enter(self.company.at(day, self._dice, 9, 10), "CashUnapplied", run.payer.account, self._clerk(),
                    application_id=application["application_id"], reason="wrong_reference")  # fmt: skip
        part = next(part for part in run.portions if part.invoice.number == application["invoice_id"])
        self._apply(run, payment, part, self.company.business_days_after(day, 1))
