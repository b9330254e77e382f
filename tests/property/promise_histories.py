"""Random histories around promises: a customer and its parent, invoices, cash of any date, promises of every kind.

Like `histories`, a list of numbers, one an entry; each seeds its choice, so that a failing history shrinks by leaving
entries out. Amounts are small, so that they meet thresholds, remainders and each other often.
"""

from dataclasses import dataclass, field
from random import Random

from hypothesis import strategies as st

from jobs import settings_from
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
    PromiseMade,
    PromiseWithdrawn,
    WriteOffRecovered,
)
from jobs.values import Day, Instant
from tests.jobs.written import configured, instant, ticked, written

ACCOUNTS = ("CHILD", "PARENT")
START = instant("2026-03-30T09:00:00Z")
_HOUR = 3_600_000_000
_DAY = 24 * _HOUR
_ZONES = ("UTC", "Europe/Paris", "Asia/Kathmandu", "Pacific/Chatham", "America/New_York")


def company_of(choose: Random, code: str = "FR01") -> CompanySettings:
    """A company with rules of its own, its Easter holidays among them."""
    return settings_from({
        "code": code, "timezone": choose.choice(_ZONES), "holidays": ["2026-04-03", "2026-04-06"],
        "promise_tolerance_days": choose.choice((0, 0, 1, 2)),
        "promise_tolerance_calendar": choose.choice(("calendar", "business")),
        "promise_threshold_percent": choose.choice(("100", "100", "90", "50")),
        "pending_cash_days": choose.choice((5, 5, 2, 0)), "unapplied_after_days": choose.choice((2, 0, 4)),
        "unapplied_escalate_days": choose.choice(([5, 10], [1, 2], [])),
        "unapplied_min_amount": choose.choice(("0", "0.05")),
        "unapplied_calendar": choose.choice(("calendar", "business")),
    })  # fmt: skip


@dataclass
class Desk:
    """The log in the making, and about what it refers to."""

    settings: CompanySettings
    now: Instant = START
    events: list[Event] = field(default_factory=list)
    invoices: list[tuple[str, str]] = field(default_factory=list)  # (account, id)
    payments: list[tuple[str, str]] = field(default_factory=list)
    left: dict[str, int] = field(default_factory=dict)  # about what is open of a document or left of a payment
    applications: list[tuple[str, str]] = field(default_factory=list)
    memos: list[tuple[str, str]] = field(default_factory=list)
    write_offs: list[tuple[str, str]] = field(default_factory=list)
    promises: list[tuple[str, str]] = field(default_factory=list)
    promised: list[str] = field(default_factory=list)
    unidentified: list[str] = field(default_factory=list)

    @property
    def today(self) -> Day:
        return self.settings.calendar.day(self.now)

    def add(self, event_type: type[Event], account: str | None, /, **payload: object) -> None:
        """An event, now."""
        given = {"account_id": account, "recorded_at": self.now, **payload}
        self.events.append(written(event_type, self.now, f"e{len(self.events)}", self.settings.code, **given))

    def id(self, prefix: str) -> str:
        return f"{prefix}{len(self.events)}"

    def tick(self) -> None:
        self.events.append(ticked(self.now))


def _one_of(choose: Random, known: list[tuple[str, str]]) -> tuple[str, str]:
    return choose.choice(known[-5:])


def _amount(choose: Random) -> int:
    return choose.choice((10, 10, 20, 30, 50, 100, 7))


def _issue(desk: Desk, choose: Random, account: str) -> None:
    invoice, amount = desk.id("I"), _amount(choose)
    desk.add(
        InvoiceIssued, account, invoice_id=invoice, amount_minor=amount, document_date=desk.today,
        due_date=Day(desk.today + 10),
    )  # fmt: skip
    desk.invoices.append((account, invoice))
    desk.left[invoice] = amount


def _pay(desk: Desk, choose: Random, account: str) -> None:
    payment, amount = desk.id("R"), _amount(choose)
    day = Day(desk.today + choose.choice((0, 0, 0, 0, -1, -2, -4, -8, 1, 3)))
    unidentified = choose.random() < 0.1
    desk.add(
        PaymentReceived, None if unidentified else account, payment_id=payment, amount_minor=amount, value_date=day,
        on_account=not unidentified and choose.random() < 0.15,
    )  # fmt: skip
    desk.left[payment] = amount
    if unidentified:
        desk.unidentified.append(payment)
        return
    desk.payments.append((account, payment))
    if choose.random() < 0.5:
        _apply(desk, choose, account, payment)


def _identify(desk: Desk, choose: Random, account: str) -> None:
    if not desk.unidentified:
        return
    payment = choose.choice(desk.unidentified)
    if choose.random() < 0.2:
        desk.add(PaymentReversed, None, payment_id=payment)
        return
    desk.add(PaymentIdentified, account, payment_id=payment)
    desk.unidentified.remove(payment)
    desk.payments.append((account, payment))


def _apply(desk: Desk, choose: Random, account: str, payment: str | None = None) -> None:
    """That payment, or another; to an invoice that was promised, mostly."""
    having = [each for each in desk.payments if each[0] == account and desk.left[each[1]] > 0]
    having = [each for each in having if payment in {None, each[1]}]
    owing = [each for each in desk.invoices if desk.left[each[1]] > 0 and (each[0] == account or choose.random() < 0.4)]
    if choose.random() < 0.8:
        owing = [each for each in owing if each[1] in desk.promised] or owing
    if not having or not owing:
        return
    (_, payment), (owner, invoice) = _one_of(choose, having), _one_of(choose, owing)
    most = min(desk.left[payment], desk.left[invoice])
    amount = most if choose.random() < 0.6 else choose.randint(1, most)
    application = desk.id("A")
    desk.add(
        CashApplied, account, application_id=application, payment_id=payment, invoice_id=invoice, amount_minor=amount,
        amount_scale=2, invoice_account_id=None if owner == account else owner,
    )  # fmt: skip
    desk.left[payment] -= amount
    desk.left[invoice] -= amount
    desk.applications.append((account, application))


def _unapply(desk: Desk, choose: Random, account: str) -> None:
    known = [each for each in desk.applications if each[0] == account]
    if known:
        desk.add(CashUnapplied, account, application_id=_one_of(choose, known)[1])
        for name in desk.left:  # somewhere there is room again
            desk.left[name] = max(desk.left[name], 5)


def _reverse(desk: Desk, choose: Random, account: str) -> None:
    known = [each for each in desk.payments if each[0] == account]
    if known:
        _, payment = _one_of(choose, known)
        desk.add(PaymentReversed, account, payment_id=payment)
        desk.payments.remove((account, payment))
        for _, invoice in desk.invoices:
            desk.left[invoice] = max(desk.left[invoice], 10)


def _refund_or_park(desk: Desk, choose: Random, account: str) -> None:
    known = [each for each in desk.payments if each[0] == account and desk.left[each[1]] > 0]
    if known:
        _, payment = _one_of(choose, known)
        if choose.random() < 0.5:
            desk.add(PaymentPlacedOnAccount, account, payment_id=payment)
            return
        amount = choose.choice((desk.left[payment], 1))
        desk.add(PaymentRefunded, account, payment_id=payment, amount_minor=amount, amount_scale=2)
        desk.left[payment] -= amount


def _credit(desk: Desk, choose: Random, account: str) -> None:
    known = [each for each in desk.invoices if each[0] == account]
    if choose.random() < 0.8:
        known = [each for each in known if each[1] in desk.promised] or known
    if not known:
        return
    _, invoice = _one_of(choose, known)
    amount = {"amount_minor": choose.choice((desk.left[invoice], _amount(choose), 3)) or 1}
    kind = choose.choice(
        (
            "memo",
            "memo",
            "write-off",
            "write-off",
            "adjust",
            "cancel",
            "cancel memo",
            "cancel memo",
            "recover",
            "recover",
        )
    )
    if kind == "memo":
        memo = desk.id("M")
        desk.add(
            CreditMemoIssued, account, credit_memo_id=memo, document_date=desk.today, **amount,
            invoice_id=invoice,
        )  # fmt: skip
        desk.memos.append((account, memo))
    elif kind == "write-off":
        name = desk.id("W")
        desk.add(InvoiceWrittenOff, account, write_off_id=name, invoice_id=invoice, **amount, amount_scale=2)
        desk.write_offs.append((account, name))
        desk.left[name] = amount["amount_minor"]
    elif kind == "adjust":
        amount["amount_minor"] *= choose.choice((1, -1))
        desk.add(InvoiceAdjusted, account, adjustment_id=desk.id("J"), invoice_id=invoice, **amount, amount_scale=2)
    elif kind == "cancel":
        desk.add(InvoiceCancelled, account, invoice_id=invoice)
    elif kind == "cancel memo" and desk.memos:
        owner, memo = _one_of(choose, desk.memos)
        desk.add(InvoiceCancelled, owner, invoice_id=memo)
    elif kind == "recover" and desk.write_offs:
        owner, name = _one_of(choose, desk.write_offs[-2:])
        desk.add(WriteOffRecovered, owner, write_off_id=name, amount_minor=desk.left[name], amount_scale=2)
    desk.left[invoice] = choose.choice((desk.left[invoice], 10))


def _promise(desk: Desk, choose: Random, account: str) -> None:
    known = [invoice for owner, invoice in desk.invoices if owner == account][-4:]
    if not known:
        _issue(desk, choose, account)
        return
    named = [] if choose.random() < 0.25 else choose.sample(known, min(len(known), choose.choice((1, 1, 2))))
    occurred = Instant(desk.now - choose.choice((0, 0, 0, 0, 1, 2)) * _DAY)
    first = desk.settings.calendar.day(occurred)
    promise = desk.id("P") if choose.random() < 0.5 else f"{choose.choice('KZ')}{len(desk.events)}"
    given: dict[str, object] = {"amount_minor": choose.choice((10, 20, 50, 100, 1_000, 9))}
    if choose.random() < 0.35:
        parts = [
            {"number": number, "promised_date": Day(first + days), "amount_minor": _amount(choose)}
            for number, days in enumerate(sorted(choose.sample(range(10), choose.choice((2, 3)))), start=1)
        ]
        given = {"instalments": parts, "amount_minor": sum(int(str(part["amount_minor"])) for part in parts)}
    desk.add(
        PromiseMade, account, promise_id=promise, invoice_ids=named, occurred_at=occurred,
        promised_date=Day(first + choose.choice((0, 1, 2, 4, 7))), **given,
    )  # fmt: skip
    desk.promises.append((account, promise))
    desk.promised += named or known


def _withdraw(desk: Desk, choose: Random, account: str) -> None:
    known = [each for each in desk.promises if each[0] == account]
    if known:
        desk.add(PromiseWithdrawn, account, promise_id=_one_of(choose, known)[1])


def _advance(desk: Desk, choose: Random, account: str) -> None:
    desk.now = Instant(desk.now + choose.choice((1, 5, 12, 24, 24, 48, 96, 240)) * _HOUR + choose.randrange(_HOUR))
    desk.tick()


MOVES = (
    (_issue, 6), (_pay, 24), (_apply, 16), (_unapply, 4), (_reverse, 4), (_refund_or_park, 3), (_credit, 11),
    (_promise, 16), (_withdraw, 2), (_advance, 20), (_identify, 3),
)  # fmt: skip


def promise_history_of(seeds: list[int]) -> tuple[CompanySettings, list[Event]]:
    """The company and the log that a list of numbers stands for; 0 stands for nothing, the first for the company."""
    settings = company_of(Random(seeds[0]))
    desk = Desk(settings, events=[configured(settings), ticked(START)])
    for seed in seeds[1:]:
        if seed:
            choose = Random(seed)
            account = choose.choices(ACCOUNTS, (3, 1))[0]
            move = choose.choices([move for move, _ in MOVES], [weight for _, weight in MOVES])[0]
            move(desk, choose, account)
    desk.now = Instant(desk.now + 30 * _DAY)
    desk.tick()
    return settings, desk.events


def promise_histories(entries_max: int = 70) -> st.SearchStrategy[tuple[CompanySettings, list[Event]]]:
    """Histories of up to so many entries."""
    return st.lists(st.integers(0, 2**30), min_size=entries_max // 2, max_size=entries_max).map(promise_history_of)
