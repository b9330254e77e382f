"""What settles what: applications, parked ones, credits (SEMANTICS 1.3, 2.6, 4.4, 4.6, 4.7)."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

from jobs import events
from jobs.company import CompanySettings
from jobs.money import exponent, rescale
from jobs.values import Day, Minor
from tests.property.oracle.contests import Contests
from tests.property.oracle.dated import Cash, Paper, Part, Settlement


@dataclass
class Request:
    """An application as it was asked for; `at_most` is what a credit memo does to the invoice that it names."""

    name: str
    source: Cash | Paper
    account: str
    invoice_id: str
    amount: int
    scale: int
    currency: str | None
    day: Day
    instalment: int | None
    method: str
    at_most: bool = False
    deduction: int = 0  # contested when the invoice arrives

    @property
    def elsewhere(self) -> bool:
        return self.account != self.source.account


class Settlements(Contests, ABC):
    """Documents, receipts and everything between them."""

    settings: Mapping[str, CompanySettings]

    def __init__(self) -> None:
        super().__init__()
        self.cash: dict[tuple[str, str], Cash] = {}
        self.settlements: dict[tuple[str, str], Settlement] = {}
        self.parked: dict[tuple[str, str], Request] = {}
        self.names: set[tuple[str, str]] = set()  # of applications; one that is refused leaves its name free

    @abstractmethod
    def deduct(self, name: str, paper: Paper, amount: int, day: Day) -> None:
        """What a payer kept back of an invoice."""

    # Applications

    def apply(self, event: events.CashApplied, day: Day) -> bool:
        source = self._source(event)
        name = event.company, event.application_id
        if source is None or source.account != event.account_id or name in self.names:
            return False
        account = event.invoice_account_id or source.account
        request = Request(event.application_id, source, account, event.invoice_id, event.amount_minor,
                          event.amount_scale, event.currency, day, event.instalment, event.method)  # fmt: skip
        if request.elsewhere:
            return self._apply_elsewhere(request)
        paper = self.find(event.company, account, event.invoice_id)
        if paper is not None:
            return self.settle(request, paper)
        if event.amount_minor < 0:
            return False
        self.park(request)
        return True

    def _source(self, event: events.CashApplied) -> Cash | Paper | None:
        if event.payment_id is not None:
            return self.cash.get((event.company, event.payment_id))
        return self.papers.get((event.company, "credit_memo", event.credit_memo_id or ""))

    def _apply_elsewhere(self, request: Request) -> bool:
        """Another account's invoice: taken, whatever that account says then (SEMANTICS 4.7)."""
        source = request.source
        amount = rescale(request.amount, request.scale, source.currency)
        if amount is None or (isinstance(source, Paper) and source.cancelled):
            return False
        wrong = request.currency not in {None, source.currency} or amount < 0 or amount > _left(source)
        request.amount, request.scale, request.currency = amount, exponent(source.currency) or 0, source.currency
        paper = self.find(source.company, request.account, request.invoice_id)
        if wrong:
            return True
        if paper is None:
            self.park(request)
        else:
            self.settle(request, paper)
        return True

    def park(self, request: Request) -> None:
        name = request.source.company, request.name
        self.names.add(name)
        self.parked[name] = request

    def reduce(self, memo: Paper, invoice_id: str, named: Paper | None) -> None:
        """A credit memo reduces the invoice that it names, up to what is open (SEMANTICS 2.6)."""
        request = Request(f"{memo.number}/credit", memo, memo.account, invoice_id, -memo.open,
                          exponent(memo.currency) or 0, memo.currency, memo.posting_date, None, "credit_memo",
                          at_most=True)  # fmt: skip
        if named is None:
            self.park(request)
        elif named.kind != "credit_memo":
            self.settle(request, named)

    def arrived(self, paper: Paper) -> None:
        """What waited for the invoice: its own account's first, then that of others, as they came."""
        waiting = [
            (name, request)
            for name, request in self.parked.items()
            if (name[0], request.account, request.invoice_id) == (paper.company, paper.account, paper.number)
        ]
        for name, request in sorted(waiting, key=lambda each: each[1].elsewhere):
            del self.parked[name]
            self.names.discard(name)
            self.deduct(request.name, paper, request.deduction, request.day)
            self.settle(request, self.find(paper.company, paper.account, paper.number) or paper)

    def settle(self, request: Request, paper: Paper) -> bool:
        """Apply it, or refuse it whole (SEMANTICS 4.4)."""
        source = request.source
        currencies = {paper.currency, source.currency, request.currency or paper.currency}
        amount = rescale(request.amount, request.scale, paper.currency)
        if paper.cancelled or (isinstance(source, Paper) and source.cancelled) or len(currencies) > 1:
            return False
        if amount is None or amount <= 0 or paper.kind == "credit_memo":
            return False
        if request.at_most:
            amount = Minor(min(amount, _left(source), paper.open))
            if amount <= 0:
                return True
        parts = [part for part in paper.parts if request.instalment in {None, part.number}]
        if amount > sum(part.open for part in parts) or amount > _left(source):
            return False
        value_date = source.value_date if isinstance(source, Cash) else None
        usable = source.value_date if isinstance(source, Cash) else source.posting_date
        day = max(request.day, paper.posting_date, usable)  # SEMANTICS 1.3
        filled = paper.fill(amount, request.instalment)
        for part, portion in filled:
            part.change(self.changed(day, -portion, "application", request.name, value_date))
        small = self._small_balance(paper) if value_date is not None else []
        for part, portion in small:
            part.change(self.changed(day, -portion, "write_off", request.name))
        _part_of(source).change(self.changed(day, amount, "application", request.name, value_date))
        name = source.company, request.name
        self.names.add(name)
        self.settlements[name] = Settlement(request.name, source, paper, day, filled, small, request.method,
                                            self.event_id)  # fmt: skip
        if value_date is None:
            self.credited(paper, amount, day)
        return True

    def _small_balance(self, paper: Paper) -> list[tuple[Part, int]]:
        """What is so little that it is written off with the payment (SEMANTICS 4.6); not while it is contested."""
        rest = paper.open
        limit = self.settings[paper.company].amount("small_balance", paper.currency)
        return paper.fill(rest) if 0 < rest <= limit and not self.contested(paper) else []

    def unapply(self, event: events.CashUnapplied, day: Day) -> bool:
        name = event.company, event.application_id
        parked = self.parked.get(name)
        if parked is not None and parked.source.account == event.account_id:
            del self.parked[name]
            return True
        settlement = self.settlements.get(name)
        if settlement is None or settlement.source.account != event.account_id or settlement.back_on is not None:
            return False
        settlement.by_hand = True
        self.take_back(settlement, day, "unapplication")
        return True

    def take_back(self, settlement: Settlement, day: Day, kind: str, *, gone: bool = False) -> None:
        """From the later of the two dates on; a small balance that came with it goes back, too (SEMANTICS 1.1, 2.9).

        `gone` is cash that was reversed, or a credit that was cancelled. What it paid elsewhere is not its own again.
        """
        if settlement.back_on is not None:
            return
        day = settlement.back_on = max(day, settlement.day)
        name, value_date = settlement.name, settlement.value_date
        elsewhere = gone and settlement.paper.account != settlement.source.account
        for part, portion in settlement.filled:
            part.change(self.changed(day, portion, kind, name, value_date))
        for part, portion in settlement.small:
            part.change(self.changed(day, portion, "recovery", name))
        back = self.changed(day, -settlement.amount, kind, "" if elsewhere else name, value_date)
        _part_of(settlement.source).change(back)
        if value_date is None:
            self.credit_gone(settlement.paper, settlement.amount, day)

    def drop_parked_elsewhere(self, source: Cash | Paper) -> None:
        """What is gone waits for no invoice of another account."""
        for name, request in [*self.parked.items()]:
            if request.source is source and request.elsewhere:
                del self.parked[name]


def _left(source: Cash | Paper) -> int:
    return source.left if isinstance(source, Cash) else -source.open


def _part_of(source: Cash | Paper) -> Part:
    return source.part if isinstance(source, Cash) else source.parts[0]
