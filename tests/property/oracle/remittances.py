"""What payers say their payments are for, before or after the payment (SEMANTICS 4.3)."""

from abc import abstractmethod
from dataclasses import dataclass

from jobs import events
from jobs.money import exponent, rescale
from jobs.values import Day, Instant
from tests.property.oracle.dated import Case, Cash, Contest, Paper
from tests.property.oracle.settlements import Request, Settlements


@dataclass
class Advice:
    """A remittance advice of an account, the local day on which it was received, and when it was heard of."""

    company: str
    account: str
    name: str
    payment_id: str | None
    reference: str | None
    currency: str | None
    lines: tuple[events.RemittanceLine, ...]
    day: Day
    known: Instant

    def total(self, currency: str) -> int | None:
        """What the lines come to; nothing where one has more decimals than the currency."""
        amounts = [rescale(line.amount_minor, line.amount_scale, currency) for line in self.lines]
        return None if None in amounts else sum(amount for amount in amounts if amount is not None)

    def is_for_less_or_more(self, cash: Cash) -> bool:
        return self.total(cash.currency) != cash.amount

    def names_another(self, cash: Cash) -> bool:
        """Whether no reference says that they belong together; where all else is equal, one that does comes first."""
        return self.reference is None or self.reference not in cash.references


class Remittances(Settlements):
    """Settlements, and advice that makes some."""

    def __init__(self) -> None:
        super().__init__()
        self.advice: set[tuple[str, str]] = set()
        self.waiting: list[Advice] = []
        self.cases: dict[tuple[str, str], Case] = {}

    @abstractmethod
    def today(self, company: str) -> Day:
        """The company's local date by the clock."""

    def advise(self, event: events.RemittanceReceived, day: Day) -> bool:
        """Advice of an account, once; it meets its payment now or waits for it."""
        at = event.company, event.remittance_id
        if at in self.advice or any(line.amount_minor < 0 or (line.deduction_minor or 0) < 0 for line in event.lines):
            return False
        self.advice.add(at)
        advice = Advice(event.company, event.account_id or "", event.remittance_id, event.payment_id,
                        event.payer_reference, event.currency, event.lines, day, self.known)  # fmt: skip
        cash = self._payment_of(advice)
        if cash is None:
            self.waiting.append(advice)
        else:
            self._meet(advice, cash)
        return True

    def _payment_of(self, advice: Advice) -> Cash | None:
        """The one it names; else the account's oldest unapplied one of equal total, else the oldest.

        Of cash that somebody has begun to use it takes some only where there is no other.
        """
        if advice.payment_id is not None:
            named = self.cash.get((advice.company, advice.payment_id))
            return named if named is not None and named.account == advice.account else None
        free = [
            cash
            for cash in self.cash.values()
            if (cash.company, cash.account) == (advice.company, advice.account)
            and cash.left > 0
            and not (cash.on_account or cash.parked_on)
            and advice.currency in {None, cash.currency}
        ]
        return min(
            free,
            key=lambda cash: (
                cash.left < cash.amount - sum(amount for _, amount in cash.refunds),
                advice.is_for_less_or_more(cash),
                cash.value_date,
                advice.names_another(cash),
                cash.payment_id,
            ),
            default=None,
        )

    def came(self, cash: Cash) -> None:
        """A payment has come to its account: what names it meets it, else the one advice that fits it best."""
        of_account = [each for each in self.waiting if (each.company, each.account) == (cash.company, cash.account)]
        of_account.sort(key=lambda each: (each.known, each.name))
        meeting = [each for each in of_account if each.payment_id == cash.payment_id]
        if not meeting and not (cash.on_account or cash.parked_on):
            free = [each for each in of_account if each.payment_id is None and each.currency in {None, cash.currency}]
            free.sort(key=lambda each: (each.is_for_less_or_more(cash), each.names_another(cash)))
            meeting = free[:1]
        for advice in meeting:
            self.waiting.remove(advice)
            self._meet(advice, cash)

    def _meet(self, advice: Advice, cash: Cash) -> None:
        """Line by line, up to the payment. Lines that do not add up to it are an exception for somebody to look at."""
        day = max(self.today(advice.company), advice.day)
        left = cash.left
        for number, line in enumerate(advice.lines, start=1):
            left -= self._follow(f"{advice.name}/{number}", advice, line, cash, left, day)
        if advice.is_for_less_or_more(cash):
            case = Case(advice.account, cash.currency)
            case.moments.append(("flagged", day, self.known))
            self.cases[advice.company, f"{advice.name}/mismatch"] = case

    def _follow(self, name: str, advice: Advice, line: events.RemittanceLine, cash: Cash, left: int, day: Day) -> int:
        """Apply a line, or park it; returns what it takes of the payment. Refused whole, it takes nothing."""
        amount = rescale(line.amount_minor, line.amount_scale, cash.currency)
        deduction = rescale(line.deduction_minor or 0, line.amount_scale, cash.currency)
        if amount is None or deduction is None:
            return 0
        taken = min(amount, left)
        paper = self.find(advice.company, advice.account, line.invoice_id)
        request = Request(name, cash, advice.account, line.invoice_id, taken, exponent(cash.currency) or 0,
                          cash.currency, day, None, "auto", deduction=0 if paper else deduction)  # fmt: skip
        if paper is None:
            if taken or deduction:
                self.park(request)
            return taken
        self.deduct(name, paper, deduction, day)
        return taken if taken and self.settle(request, paper) else 0

    def deduct(self, name: str, paper: Paper, amount: int, day: Day) -> None:
        """What the payer kept back is contested from then on (SEMANTICS 4.3)."""
        at = paper.company, name
        if amount and not paper.cancelled and at not in self.contests:
            self.contests[at] = Contest(paper.company, name, paper, amount, day)
            self.contests[at].change(day, amount)
