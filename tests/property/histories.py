"""Random histories of a receivables ledger: plausible ones, with everything in between that should not happen.

A history is drawn as a list of numbers, one for each entry, so that a failing one shrinks by leaving entries out
(0 is nothing). Each number seeds the choice of an event that refers, mostly, to what came before it: accounts with
invoices, payments and credits in three currencies, dates before and after today, clock jumps, duplicates and conflicts.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

import msgspec
from hypothesis import strategies as st

from jobs import settings_from
from jobs.company import CompanySettings
from jobs.events import (
    AccountChanged,
    CashApplied,
    CashUnapplied,
    ClockTicked,
    CompanyConfigured,
    CreditMemoIssued,
    DisputeOpened,
    DisputeResolved,
    Event,
    ExceptionFlagged,
    ExceptionResolved,
    ExceptionReviewed,
    InvoiceAdjusted,
    InvoiceCancelled,
    InvoiceDueDateChanged,
    InvoiceIssued,
    InvoiceWrittenOff,
    NoticeSent,
    PaymentIdentified,
    PaymentPlacedOnAccount,
    PaymentReceived,
    PaymentRefunded,
    PaymentReversed,
    PromiseMade,
    PromiseWithdrawn,
    RemittanceReceived,
    WriteOffRecovered,
)
from jobs.money import exponent
from jobs.values import Day, Instant
from tests.jobs.books import configured, day, instant, ticked, written

COMPANIES: tuple[CompanySettings, ...] = (
    settings_from(
        {"code": "FR01", "timezone": "Europe/Paris", "buckets": [5, 20], "small_balance": {"EUR": "1.00", "JPY": "5"},
         "reminder_days_before": [2], "hold_max_days": 30}
    ),
    settings_from({"code": "NZ01", "timezone": "Pacific/Chatham", "credit_mode": "own_date", "default_terms_days": 3}),
)  # fmt: skip
ACCOUNTS = (("FR01", "C1"), ("FR01", "C2"), ("NZ01", "C3"))

_START = instant("2026-01-05T09:00:00Z")
_MINUTE = 60_000_000
_DAY = 1_440 * _MINUTE
_AMOUNTS = (1, 5, 10, 10, 20, 25, 40, 50, 60, 75, 100, 100)
_OFFSETS = (0, 0, 0, 0, 0, 0, -1, -2, -5, -20, -45, 1, 2, 7, 30)
_JUMPS = (1, 1, 30, 600, 1_440, 1_440, 3 * 1_440, 10 * 1_440, 45 * 1_440)


@dataclass(frozen=True)
class History:
    """A log, in order: settings, ticks, and events of several accounts."""

    events: tuple[Event, ...]

    @property
    def log(self) -> list[Event]:
        """The whole of it."""
        return list(self.events)


@dataclass
class _Account:
    company: str
    account_id: str
    invoices: list[tuple[str, str]] = field(default_factory=list)  # (id, currency)
    payments: list[tuple[str, str]] = field(default_factory=list)
    credit_memos: list[tuple[str, str]] = field(default_factory=list)
    applications: list[str] = field(default_factory=list)
    write_offs: list[str] = field(default_factory=list)
    disputes: list[str] = field(default_factory=list)
    promises: list[str] = field(default_factory=list)
    exceptions: list[str] = field(default_factory=list)
    ids: dict[str, int] = field(default_factory=dict)  # how many of a kind were given
    left: dict[str, int] = field(default_factory=dict)  # about what is open of a document or left of a payment

    @property
    def empty(self) -> bool:
        """Nothing yet to refer to."""
        return not (self.invoices and self.payments)


class _Writer:
    def __init__(self, *, crossing: bool) -> None:
        self.now = _START
        self.crossing = crossing
        self.unidentified: list[str] = []
        self.events: list[Event] = [*map(configured, COMPANIES), ticked(self.now)]
        self.accounts = [_Account(company, account) for company, account in ACCOUNTS]
        self.count = 0

    def write(self, seed: int) -> None:
        choose = Random(seed)
        if choose.random() < 0.35:
            self.now = Instant(self.now + choose.choice(_JUMPS) * _MINUTE + choose.randrange(_MINUTE))
            if choose.random() < 0.01:
                self.now = Instant(self.now + 430 * _DAY)
            self.events.append(ticked(self.now))
        if self.count and choose.random() < 0.06:
            self._again(choose)
            return
        account = choose.choice(self.accounts)
        kinds, weights = zip(*(_FIRST if account.empty and choose.random() < 0.9 else _KINDS), strict=True)
        choose.choices(kinds, weights)[0](self, choose, account)

    def _again(self, choose: Random) -> None:
        """An event a second time: as it was, under a new id, or with other content."""
        former = choose.choice(
            [event for event in self.events if not isinstance(event, ClockTicked | CompanyConfigured)]
        )
        if choose.random() < 0.6:
            former = msgspec.structs.replace(former, event_id=self._event_id(), recorded_at=self.now)
        if hasattr(former, "amount_minor") and former.amount_minor and choose.random() < 0.4:
            former = msgspec.structs.replace(former, event_id=self._event_id(), amount_minor=former.amount_minor + 1)
        self.events.append(former)

    def add(self, event_type: type[Event], choose: Random, account: _Account, /, **payload: object) -> None:
        """An event of an account, now; sometimes it occurred earlier, a little later, or was recorded late."""
        occurred = self.now + choose.choice((0, 0, 0, 0, -_DAY, -9 * _DAY, _DAY // 2, 3 * _DAY))
        recorded = self.now + choose.choice((0, 5, 5, -_DAY))
        given: dict[str, object] = {
            "account_id": account.account_id,
            "occurred_at": occurred,
            "recorded_at": recorded,
            **payload,
        }
        self.events.append(written(event_type, self.now, self._event_id(), account.company, **given))

    def _event_id(self) -> str:
        self.count += 1
        return f"e{self.count}"

    def day(self, choose: Random) -> Day:
        return Day(self.now // _DAY + choose.choice(_OFFSETS))

    def effective(self, choose: Random) -> Day | None:
        return self.day(choose) if choose.random() < 0.5 else None


def _minor(choose: Random, currency: str) -> int:
    amount = choose.choice(_AMOUNTS) * 10 ** (exponent(currency) or 0)
    odd = choose.random()
    return 0 if odd < 0.02 else -amount if odd < 0.04 else amount + choose.randrange(1, 100) if odd < 0.1 else amount


def _scaled(choose: Random, currency: str) -> dict[str, object]:
    """An amount without its currency, as written with or without trailing zeros."""
    decimals = exponent(currency) or 0
    amount = _minor(choose, currency)
    if amount and amount % 10**decimals == 0 and choose.random() < 0.3:
        return {"amount_minor": amount // 10**decimals, "amount_scale": 0}
    if choose.random() < 0.01:
        return {"amount_minor": amount * 10 + 1, "amount_scale": decimals + 1}
    return {"amount_minor": amount, "amount_scale": decimals}


def _fitting(choose: Random, currency: str, *limits: int | None) -> dict[str, object]:
    """Mostly an amount that is open, or left, by the writer's own reckoning."""
    limit = min((limit for limit in limits if limit is not None), default=0)
    if limit <= 0 or choose.random() < 0.1:
        return _scaled(choose, currency)
    amount = limit if choose.random() < 0.5 else max(1, limit * choose.choice((1, 2, 3, 9, 10)) // 10)
    return {"amount_minor": amount, "amount_scale": exponent(currency) or 0}


def _currency(choose: Random, account: _Account) -> str:
    """Mostly that of the account."""
    return {"C1": "EUR", "C2": "KWD", "C3": "JPY"}[account.account_id] if choose.random() < 0.85 else "EUR"


def _new(choose: Random, prefix: str, account: _Account) -> str:
    """Mostly a new id, sometimes one that is taken."""
    taken = account.ids.get(prefix, 0)
    if taken and choose.random() < 0.05:
        return f"{account.account_id}-{prefix}{choose.randrange(taken)}"
    account.ids[prefix] = taken + 1
    return f"{account.account_id}-{prefix}{taken}"


def _next(prefix: str, account: _Account) -> str:
    """The id that will be given next: of something that has not arrived."""
    return f"{account.account_id}-{prefix}{account.ids.get(prefix, 0)}"


def _one(choose: Random, known: list[tuple[str, str]], missing: str) -> tuple[str, str]:
    """Mostly one of the latest, sometimes one that does not exist (yet)."""
    if not known or choose.random() < 0.05:
        return missing, "EUR"
    return choose.choice(known[-4:]) if choose.random() < 0.8 else choose.choice(known)


def _id(choose: Random, known: list[str]) -> str:
    return choose.choice(known[-4:]) if known and choose.random() > 0.05 else "none"


def _no_longer(choose: Random, known: list[tuple[str, str]], gone: str) -> None:
    """Mostly nobody refers to it any more."""
    if choose.random() < 0.8:
        known[:] = [each for each in known if each[0] != gone]


def _issue(writer: _Writer, choose: Random, account: _Account) -> None:
    currency = _currency(choose, account)
    invoice_id = _new(choose, "I", account)
    account.left.setdefault(invoice_id, 0)
    document_date = writer.day(choose)
    amount = _minor(choose, currency)
    payload: dict[str, object] = {"due_date": Day(document_date + choose.choice((0, 3, 10, 30)))}
    if choose.random() < 0.2:
        payload = {"payment_terms": choose.choice(("NET5", "whenever"))}
    if choose.random() < 0.3 and amount > 3:
        first, second = amount // 2, amount // 3
        payload["instalments"] = [
            {"number": number, "due_date": Day(document_date + choose.choice((0, 4, 15, 40))), "amount_minor": part}
            for number, part in ((1, first), (2, second), (3, amount - first - second))
        ]
    writer.add(
        InvoiceIssued, choose, account, invoice_id=invoice_id, document_date=document_date, amount_minor=amount,
        currency=currency, document_type="debit_memo" if choose.random() < 0.1 else "invoice",
        posting_date=Day(document_date + choose.choice((0, 1, 6))) if choose.random() < 0.3 else None, **payload,
    )  # fmt: skip
    account.left[invoice_id] = account.left[invoice_id] or amount
    account.invoices.append((invoice_id, currency))


def _cancel(writer: _Writer, choose: Random, account: _Account) -> None:
    known = account.credit_memos if choose.random() < 0.2 else account.invoices
    invoice_id, _ = _one(choose, known, "none")
    writer.add(InvoiceCancelled, choose, account, invoice_id=invoice_id, effective_date=writer.effective(choose))
    _no_longer(choose, known, invoice_id)


def _adjust(writer: _Writer, choose: Random, account: _Account) -> None:
    known = account.credit_memos if choose.random() < 0.1 else account.invoices
    invoice_id, currency = _one(choose, known, "none")
    amount = _scaled(choose, currency)
    if choose.random() < 0.5:
        amount["amount_minor"] = -int(str(amount["amount_minor"]))
    adjustment_id = f"{account.account_id}-J{choose.randrange(40)}"
    writer.add(
        InvoiceAdjusted, choose, account, adjustment_id=adjustment_id, invoice_id=invoice_id,
        effective_date=writer.effective(choose), **amount,
    )  # fmt: skip


def _move_due_date(writer: _Writer, choose: Random, account: _Account) -> None:
    invoice_id, _ = _one(choose, account.invoices, "none")
    writer.add(
        InvoiceDueDateChanged, choose, account, invoice_id=invoice_id, due_date=writer.day(choose),
        instalment=choose.choice((None, None, None, None, 1, 2)),
    )  # fmt: skip


def _write_off(writer: _Writer, choose: Random, account: _Account) -> None:
    invoice_id, currency = _one(choose, account.invoices, "none")
    write_off_id = _new(choose, "W", account)
    writer.add(
        InvoiceWrittenOff, choose, account, write_off_id=write_off_id, invoice_id=invoice_id,
        effective_date=writer.effective(choose), **_fitting(choose, currency, account.left.get(invoice_id)),
    )  # fmt: skip
    account.left[invoice_id] = account.left.get(invoice_id, 0) // 2
    account.write_offs.append(write_off_id)


def _recover(writer: _Writer, choose: Random, account: _Account) -> None:
    if not account.write_offs:
        _write_off(writer, choose, account)
        return
    writer.add(
        WriteOffRecovered, choose, account, write_off_id=_id(choose, account.write_offs),
        effective_date=writer.effective(choose), **_fitting(choose, _currency(choose, account), 500),
    )  # fmt: skip


def _credit(writer: _Writer, choose: Random, account: _Account) -> None:
    invoice_id, currency = _one(choose, account.invoices, _next("I", account))
    credit_memo_id = _new(choose, "M", account)
    writer.add(
        CreditMemoIssued, choose, account, credit_memo_id=credit_memo_id, amount_minor=_minor(choose, currency),
        currency=currency, document_date=writer.day(choose), invoice_id=invoice_id if choose.random() < 0.6 else None,
    )  # fmt: skip
    account.left.setdefault(credit_memo_id, 5 * 10 ** (exponent(currency) or 0))
    account.credit_memos.append((credit_memo_id, currency))


def _pay(writer: _Writer, choose: Random, account: _Account) -> None:
    currency = _currency(choose, account)
    payment_id = _new(choose, "R", account)
    unidentified = writer.crossing and choose.random() < 0.1
    given: dict[str, object] = {"account_id": None} if unidentified else {}
    amount = _minor(choose, currency)
    account.left.setdefault(payment_id, amount)
    if unidentified:
        writer.unidentified.append(payment_id)
    writer.add(
        PaymentReceived, choose, account, payment_id=payment_id, amount_minor=amount,
        currency=currency, value_date=writer.day(choose), on_account=choose.random() < 0.15, **given,
    )  # fmt: skip
    if not unidentified:
        account.payments.append((payment_id, currency))


def _identify(writer: _Writer, choose: Random, account: _Account) -> None:
    if writer.crossing:
        payment_id = _id(choose, writer.unidentified)
        writer.add(PaymentIdentified, choose, account, payment_id=payment_id)
        account.payments.append((payment_id, "EUR"))


def _park(writer: _Writer, choose: Random, account: _Account) -> None:
    payment_id, _ = _one(choose, account.payments, "none")
    writer.add(PaymentPlacedOnAccount, choose, account, payment_id=payment_id)


def _apply(writer: _Writer, choose: Random, account: _Account) -> None:
    owner = account
    if writer.crossing and choose.random() < 0.25:
        owner = choose.choice([other for other in writer.accounts if other.company == account.company])
    by_credit = choose.random() < 0.2
    waiting = [each for each in owner.invoices if owner.left[each[0]] > 0]
    if not waiting and choose.random() < 0.8:
        _issue(writer, choose, owner)
        return
    invoice_id, currency = _one(choose, waiting, _next("I", owner))
    having = account.credit_memos if by_credit else account.payments
    known = [each for each in having if each[1] == currency and account.left.get(each[0], 0) > 0]
    if not known and choose.random() < 0.9:
        _pay(writer, choose, account)
        return
    source, _ = _one(choose, known, "none")
    application_id = _new(choose, "A", account)
    amount = _fitting(choose, currency, account.left.get(source), owner.left.get(invoice_id))
    for of, used in ((account, source), (owner, invoice_id)):
        of.left[used] = of.left.get(used, 0) - int(str(amount["amount_minor"]))
    writer.add(
        CashApplied, choose, account, application_id=application_id,
        payment_id=None if by_credit else source, credit_memo_id=source if by_credit else None,
        invoice_id=invoice_id, instalment=choose.choice((None,) * 30 + (1, 2)),
        invoice_account_id=None if owner is account else owner.account_id,
        effective_date=writer.effective(choose), **amount,
    )  # fmt: skip
    account.applications.append(application_id)


def _unapply(writer: _Writer, choose: Random, account: _Account) -> None:
    if not account.applications:
        _apply(writer, choose, account)
        return
    writer.add(
        CashUnapplied, choose, account, application_id=_id(choose, account.applications),
        effective_date=writer.effective(choose),
    )  # fmt: skip


def _reverse(writer: _Writer, choose: Random, account: _Account) -> None:
    payment_id, _ = _one(choose, account.payments, "none")
    writer.add(PaymentReversed, choose, account, payment_id=payment_id, effective_date=writer.effective(choose))
    _no_longer(choose, account.payments, payment_id)


def _refund(writer: _Writer, choose: Random, account: _Account) -> None:
    payment_id, currency = _one(choose, account.payments, "none")
    writer.add(
        PaymentRefunded, choose, account, payment_id=payment_id, effective_date=writer.effective(choose),
        **_fitting(choose, currency, account.left.get(payment_id)),
    )  # fmt: skip


def _remit(writer: _Writer, choose: Random, account: _Account) -> None:
    invoice_id, currency = _one(choose, account.invoices, _next("I", account))
    payment_id, _ = _one(choose, account.payments, _next("R", account))
    amount = _scaled(choose, currency)
    deduction = choose.choice((None, None, 1))
    line = {"invoice_id": invoice_id, **amount, "deduction_minor": deduction, "deduction_reason": None}
    writer.add(
        RemittanceReceived, choose, account, remittance_id=f"{account.account_id}-T{choose.randrange(40)}",
        payment_id=payment_id if choose.random() < 0.5 else None, lines=[line] * choose.choice((1, 1, 2)),
    )  # fmt: skip


def _dispute(writer: _Writer, choose: Random, account: _Account) -> None:
    invoice_id, currency = _one(choose, account.invoices, "none")
    dispute_id = _new(choose, "D", account)
    writer.add(
        DisputeOpened, choose, account, dispute_id=dispute_id, invoice_id=invoice_id, **_scaled(choose, currency)
    )
    account.disputes.append(dispute_id)


def _resolve(writer: _Writer, choose: Random, account: _Account) -> None:
    if not account.disputes:
        _dispute(writer, choose, account)
        return
    outcome = choose.choice(("upheld", "upheld", "rejected", "withdrawn"))
    writer.add(DisputeResolved, choose, account, dispute_id=_id(choose, account.disputes), outcome=outcome)


def _promise(writer: _Writer, choose: Random, account: _Account) -> None:
    if account.promises and choose.random() < 0.2:
        writer.add(PromiseWithdrawn, choose, account, promise_id=_id(choose, account.promises))
        return
    invoice_id, currency = _one(choose, account.invoices, "none")
    promise_id = _new(choose, "P", account)
    writer.add(
        PromiseMade, choose, account, promise_id=promise_id, amount_minor=abs(_minor(choose, currency)),
        invoice_ids=[invoice_id] if choose.random() < 0.7 else [], currency=currency,
        promised_date=Day(writer.now // _DAY + choose.choice((0, 1, 5, 14))),
    )  # fmt: skip
    account.promises.append(promise_id)


def _except(writer: _Writer, choose: Random, account: _Account) -> None:
    what = choose.random()
    if account.exceptions and what < 0.3:
        writer.add(ExceptionReviewed, choose, account, exception_id=_id(choose, account.exceptions))
    elif account.exceptions and what < 0.6:
        writer.add(ExceptionResolved, choose, account, exception_id=_id(choose, account.exceptions), resolution="done")
    else:
        exception_id = _new(choose, "X", account)
        writer.add(
            ExceptionFlagged, choose, account, exception_id=exception_id, exception_type="other",
            subject_type="account", subject_id=account.account_id,
        )  # fmt: skip
        account.exceptions.append(exception_id)


def _collect(writer: _Writer, choose: Random, account: _Account) -> None:
    if choose.random() < 0.5:
        limit = choose.choice((0, 1_000, 20_000))
        writer.add(AccountChanged, choose, account, credit_limit_minor=limit, currency="EUR")
        return
    invoice_id, _ = _one(choose, account.invoices, "none")
    writer.add(
        NoticeSent, choose, account, notice_id=f"{account.account_id}-N{choose.randrange(40)}", kind="dunning",
        level=choose.choice((1, 1, 2)), invoice_ids=[invoice_id], channel="email",
    )  # fmt: skip


_KINDS: tuple[tuple[Callable[[_Writer, Random, _Account], None], int], ...] = (
    (_issue, 18), (_pay, 14), (_apply, 30), (_credit, 7), (_adjust, 4), (_write_off, 4), (_recover, 3), (_cancel, 4),
    (_move_due_date, 5), (_unapply, 4), (_reverse, 5), (_refund, 3), (_park, 3), (_identify, 2), (_remit, 3),
    (_dispute, 4), (_resolve, 3), (_promise, 3), (_except, 2), (_collect, 2),
)  # fmt: skip


_FIRST: tuple[tuple[Callable[[_Writer, Random, _Account], None], int], ...] = ((_issue, 5), (_pay, 4), (_credit, 1))


def history_of(seeds: list[int], *, crossing: bool = True) -> History:
    """The history that a list of numbers stands for; 0 stands for nothing."""
    writer = _Writer(crossing=crossing)
    for seed in seeds:
        if seed:
            writer.write(seed)
    writer.events.append(ticked(Instant(writer.now + 40 * _DAY)))
    return History(tuple(writer.events))


def histories(entries_max: int = 90, *, crossing: bool = True) -> st.SearchStrategy[History]:
    """Histories of up to so many entries; without `crossing` no event of one account touches another."""
    numbers = st.lists(st.integers(0, 2**30), min_size=entries_max // 2, max_size=entries_max)
    return numbers.map(lambda seeds: history_of(seeds, crossing=crossing))


def first_day() -> Day:
    """A day before anything in a history."""
    return day("2025-10-01")
