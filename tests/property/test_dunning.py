"""Notices, the worklist's accounts and the alerts of an account against a slow reading of SEMANTICS 6.

The oracle reads the ledger's entries, the dispute entries, the promises and the events that were applied, and asks for
every day anew; the jobs keep totals and look at an account where something may have changed.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from jobs import settings_from
from jobs.aging import INVOICE
from jobs.as_of import OpenLine, open_lines
from jobs.collectible import UNAPPLIED
from jobs.company import CompanySettings
from jobs.effects import Alert, Promise
from jobs.events import (
    AccountChanged,
    CashApplied,
    CashUnapplied,
    CreditMemoIssued,
    DisputeOpened,
    DisputeResolved,
    Event,
    InvoiceDueDateChanged,
    InvoiceIssued,
    NoticeSent,
    PaymentReceived,
    PaymentReversed,
    PromiseMade,
)
from jobs.values import Day, Instant
from tests.jobs.examples import examples
from tests.jobs.written import configured, instant, ticked, written
from tests.property.playing import Play

_HOUR = 3_600_000_000
_DAY = 24 * _HOUR
_START = instant("2026-03-02T09:00:00Z")
_ACCOUNTS = ("C1", "C2")

Move = tuple[str, str, int, int]
"""What happens, to which account, a number that chooses, and the hours that pass before it."""

moves = st.lists(
    st.tuples(
        st.sampled_from(
            ("invoice",) * 3 + ("pay",) * 4 + ("send",) * 4 + ("cash",) * 2 + ("reverse", "unapply") * 2
            + ("credit", "dispute", "decide", "promise", "block", "move", "wait", "limit")
        ),
        st.sampled_from(_ACCOUNTS),
        st.integers(0, 23),
        st.sampled_from((0, 1, 16, 24, 24, 72, 200)),
    ),
    min_size=10,
    max_size=45,
)  # fmt: skip
companies = st.builds(
    lambda zone, reminders, levels, gap: settings_from(
        {"code": "X01", "timezone": zone, "base_currency": "EUR", "reminder_days_before": reminders,
         "dunning_levels": levels, "dunning_min_gap_days": gap}
    ),
    st.sampled_from(("UTC", "America/Santiago", "Pacific/Chatham")),
    st.sampled_from(((), (5,), (7, 2))),
    st.sampled_from(((1, 15, 30), (3, 6), (1, 2, 3))),
    st.sampled_from((0, 3, 7)),
)  # fmt: skip


@dataclass
class Cycle:
    """What was sent for an invoice since it was last closed."""

    level: int = 0
    noticed_on: Day | None = None
    reminded_on: Day | None = None


class Part(NamedTuple):
    """An open invoice on a day."""

    invoice_id: str
    days_past_due: int
    overdue: int
    collectible: int
    promised: bool

    @property
    def askable(self) -> int:
        return 0 if self.promised else min(self.overdue, self.collectible)


@dataclass
class SlowClerk:
    """Reads the books of one company from end to end, whenever asked."""

    settings: CompanySettings
    play: Play
    cycles: dict[str, Cycle] = field(default_factory=lambda: defaultdict(Cycle))
    blocked: set[str] = field(default_factory=set)
    limits: dict[str, int] = field(default_factory=dict)
    cash_first: dict[tuple[str, str], bool] = field(default_factory=dict)
    rows: list[tuple[str, str, str, Instant]] = field(default_factory=list)
    today: Day | None = None

    def lines(self, account: str, day: Day) -> dict[OpenLine, int]:
        return {line: amount for line, amount in open_lines(self.play.out.entries, day).items()
                if line.account_id == account}  # fmt: skip

    def posted(self, invoice_id: str) -> int:
        return sum(entry.delta_minor for entry in self.play.out.entries
                   if (entry.item_type, entry.item_id) == ("invoice", invoice_id))  # fmt: skip

    def promised(self, invoice_id: str, at: Instant) -> bool:
        latest: dict[str, str] = {}
        for _, _, effects in self.play.steps:
            for effect in effects:
                if isinstance(effect, Promise) and effect.recorded_at <= at and invoice_id in effect.invoice_ids:
                    latest[effect.promise_id] = effect.status
        return any(status in {"open", "pending_cash"} for status in latest.values())

    def parts(self, account: str, currency: str, day: Day, at: Instant) -> list[Part]:
        by_invoice: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for line, amount in self.lines(account, day).items():
            if line.balance_class == INVOICE and line.currency == currency and amount > 0:
                by_invoice[line.item_id].append((day - line.due_date, amount))
        found = []
        for invoice_id, aged in by_invoice.items():
            if self.posted(invoice_id) <= 0:
                continue
            contested = sum(entry.delta_minor for entry in self.play.out.disputes
                            if entry.document_id == invoice_id and entry.effective_date <= day)  # fmt: skip
            whole = sum(amount for _, amount in aged)
            found.append(
                Part(
                    invoice_id,
                    max(days for days, _ in aged),
                    sum(amount for days, amount in aged if days > 0),
                    whole - min(contested, whole),
                    self.promised(invoice_id, at),
                )
            )
        return found

    def currencies(self, account: str) -> list[str]:
        return sorted({entry.currency for entry in self.play.out.entries if entry.account_id == account})

    def standing(self, account: str, currency: str, day: Day, at: Instant) -> tuple[list[Part], int, int]:
        """Open invoices, the net balance and the unapplied cash of a day."""
        lines = {line: amount for line, amount in self.lines(account, day).items() if line.currency == currency}
        unapplied = -sum(amount for line, amount in lines.items() if line.balance_class == UNAPPLIED)
        return self.parts(account, currency, day, at), sum(lines.values()), unapplied

    def notices(self, day: Day, at: Instant) -> list[tuple[str, int, tuple[str, ...]]]:
        found: dict[tuple[str, int], list[str]] = defaultdict(list)
        for account in _ACCOUNTS:
            for currency in self.currencies(account):
                parts, net, unapplied = self.standing(account, currency, day, at)
                askable = sum(part.askable for part in parts)
                if account in self.blocked or net < 0 or 0 < askable <= unapplied:
                    continue
                for part in parts:
                    level = self.next_level(part, day)
                    if level is not None:
                        found[account, level].append(part.invoice_id)
        return [(account, level, tuple(sorted(ids))) for (account, level), ids in sorted(found.items())]

    def next_level(self, part: Part, day: Day) -> int | None:
        cycle = self.cycles[part.invoice_id]
        levels, gap = self.settings.dunning_levels, self.settings.dunning_min_gap_days
        if part.promised or part.collectible <= 0:
            return None
        if part.overdue == 0:
            due_date = day - part.days_past_due
            begun = [due_date - before for before in self.settings.reminder_days_before if due_date - before <= day]
            sent = cycle.reminded_on is not None and bool(begun) and cycle.reminded_on >= max(begun)
            return 0 if part.days_past_due < 0 and begun and not sent else None
        if cycle.level >= len(levels) or part.days_past_due < levels[cycle.level]:
            return None
        if cycle.noticed_on is not None and day - cycle.noticed_on < gap:
            return None
        return cycle.level + 1

    def worklist(self, day: Day, at: Instant) -> set[str]:
        found = set()
        for account in _ACCOUNTS:
            for currency in self.currencies(account):
                parts, net, _ = self.standing(account, currency, day, at)
                if net >= 0 and sum(part.askable for part in parts) > 0:
                    found.add(account)
        return found

    def covered(self, account: str, currency: str, day: Day, at: Instant) -> bool:
        parts, _, unapplied = self.standing(account, currency, day, at)
        return account not in self.blocked and 0 < sum(part.askable for part in parts) <= unapplied

    def look(self, day: Day, at: Instant, *, midnight: bool) -> None:
        """Cash is told at midnight and forgotten at once."""
        for account in _ACCOUNTS:
            for currency in self.currencies(account):
                was = self.cash_first.get((account, currency), False)
                now = self.covered(account, currency, day, at)
                if was != now and (midnight or not now):
                    self.cash_first[account, currency] = now
                    self.rows.append((account, currency, "raised" if now else "resolved", at))

    def tick(self, at: Instant) -> None:
        day = self.settings.calendar.day(at)
        for passed in range(day if self.today is None else self.today + 1, day + 1):
            self.look(Day(passed), self.settings.calendar.midnight(Day(passed)), midnight=True)
        self.today = day

    def close(self) -> None:
        for invoice_id, cycle in self.cycles.items():
            if self.posted(invoice_id) == 0:
                cycle.level, cycle.noticed_on = 0, None

    def sent(self, event: NoticeSent, day: Day) -> None:
        for invoice_id in event.invoice_ids:
            cycle = self.cycles[invoice_id]
            if self.posted(invoice_id) <= 0:
                continue
            if event.level == 0:
                cycle.reminded_on = day
            elif event.level is not None and event.level > cycle.level:
                cycle.level, cycle.noticed_on = event.level, day


class Desk:
    """Turns moves into events that mostly make sense."""

    def __init__(self, settings: CompanySettings) -> None:
        self.play = Play()
        self.clerk = SlowClerk(settings, self.play)
        self.settings = settings
        self.now = _START
        self.count = 0
        self.invoices: dict[str, list[tuple[str, str]]] = defaultdict(list)
        self.payments: dict[str, list[str]] = defaultdict(list)
        self.applications: dict[str, list[str]] = defaultdict(list)
        self.disputes: dict[str, list[str]] = defaultdict(list)
        self.play.all([configured(settings), ticked(self.now)])
        self.clerk.tick(self.now)

    def take(self, kind: type[Event], account: str, /, **payload: object) -> bool:
        """One event; whether it was applied."""
        self.count += 1
        event: Event = written(kind, self.now, f"e{self.count}", "X01", account_id=account, **payload)
        before = len(self.play.steps)
        self.play.take(event)
        applied = self.play.steps[before][1] == "applied"
        if applied and isinstance(event, NoticeSent):
            self.clerk.sent(event, self.settings.calendar.day(self.now))
        self.clerk.close()
        self.clerk.look(self.today, self.now, midnight=False)
        return applied

    @property
    def today(self) -> Day:
        return self.settings.calendar.day(self.now)

    def move(self, what: str, account: str, number: int, hours: int) -> None:
        self.now = Instant(self.now + hours * _HOUR)
        self.play.take(ticked(self.now))
        self.clerk.tick(self.now)
        getattr(self, f"_{what}")(account, number)

    def _chosen(self, account: str, number: int) -> tuple[str, str]:
        known = self.invoices[account]
        return known[number % len(known)] if known else ("none", "EUR")

    def _invoice(self, account: str, number: int) -> None:
        invoice_id, currency = f"I{self.count}", "USD" if number % 6 == 5 else "EUR"
        due_date = Day(self.today + (-20, -3, 0, 1, 6, 40)[number % 6])
        self.take(InvoiceIssued, account, invoice_id=invoice_id, amount="100.00", currency=currency,
                  document_date=Day(self.today - (number % 2)), due_date=due_date)  # fmt: skip
        self.invoices[account].append((invoice_id, currency))

    def _cash(self, account: str, number: int) -> None:
        payment_id, currency = f"R{self.count}", "USD" if number % 6 == 5 else "EUR"
        self.take(PaymentReceived, account, payment_id=payment_id, amount=("50.00", "100.00", "250.00")[number % 3],
                  currency=currency, value_date=self.today)  # fmt: skip
        self.payments[account].append(payment_id)

    def _pay(self, account: str, number: int) -> None:
        invoice_id, currency = self._chosen(account, number)
        payment_id, amount = f"R{self.count}", ("100.00", "100.00", "40.00")[number % 3]
        self.take(PaymentReceived, account, payment_id=payment_id, amount=amount, currency=currency,
                  value_date=self.today)  # fmt: skip
        self.payments[account].append(payment_id)
        application_id = f"A{self.count}"
        if self.take(CashApplied, account, application_id=application_id, payment_id=payment_id,
                     invoice_id=invoice_id, amount=amount):  # fmt: skip
            self.applications[account].append(application_id)

    def _unapply(self, account: str, number: int) -> None:
        if self.applications[account]:
            self.take(CashUnapplied, account, application_id=self.applications[account].pop())

    def _reverse(self, account: str, number: int) -> None:
        if self.payments[account]:
            self.take(PaymentReversed, account, payment_id=self.payments[account].pop())

    def _credit(self, account: str, number: int) -> None:
        self.take(CreditMemoIssued, account, credit_memo_id=f"M{self.count}", currency="EUR",
                  amount=("30.00", "300.00")[number % 2], document_date=self.today)  # fmt: skip

    def _dispute(self, account: str, number: int) -> None:
        dispute_id = f"D{self.count}"
        if self.take(DisputeOpened, account, dispute_id=dispute_id, invoice_id=self._chosen(account, number)[0],
                     amount=("100.00", "30.00")[number % 2]):  # fmt: skip
            self.disputes[account].append(dispute_id)

    def _decide(self, account: str, number: int) -> None:
        if self.disputes[account]:
            outcome = ("rejected", "upheld", "withdrawn")[number % 3]
            self.take(DisputeResolved, account, dispute_id=self.disputes[account].pop(), outcome=outcome)

    def _promise(self, account: str, number: int) -> None:
        invoice_id, currency = self._chosen(account, number)
        self.take(PromiseMade, account, promise_id=f"P{self.count}", invoice_ids=(invoice_id,), amount="100.00",
                  currency=currency, promised_date=Day(self.today + number % 6))  # fmt: skip

    def _block(self, account: str, number: int) -> None:
        (self.clerk.blocked.add if number % 2 else self.clerk.blocked.discard)(account)
        self.take(AccountChanged, account, dunning_block=bool(number % 2))

    def _move(self, account: str, number: int) -> None:
        self.take(InvoiceDueDateChanged, account, invoice_id=self._chosen(account, number)[0],
                  due_date=Day(self.today + (-10, -1, 0, 3, 20)[number % 5]))  # fmt: skip

    def _send(self, account: str, number: int) -> None:
        for of, level, invoice_ids in self.clerk.notices(self.today, self.now):
            if of == account:
                self.take(NoticeSent, account, notice_id=f"N{self.count}", kind="dunning" if level else "reminder",
                          level=level, invoice_ids=invoice_ids, channel="email")  # fmt: skip

    def _limit(self, account: str, number: int) -> None:
        self.clerk.limits[account] = (0, 10_000, 25_000)[number % 3]
        self.take(AccountChanged, account, credit_limit_minor=self.clerk.limits[account], currency="EUR")

    def _wait(self, account: str, number: int) -> None:
        pass

    def alerts(self, kind: str) -> list[Alert]:
        return [effect for _, _, effects in self.play.steps for effect in effects
                if isinstance(effect, Alert) and effect.kind == kind]  # fmt: skip


@examples(150)
@given(settings=companies, history=moves)
def test_notices_and_alerts_are_those_of_the_slow_reading(settings: CompanySettings, history: list[Move]) -> None:
    desk = Desk(settings)
    clerk = desk.clerk
    for what, account, number, hours in history:
        desk.move(what, account, number, hours)
        notices = [(notice.account, notice.level, notice.invoice_ids) for notice in desk.play.fold.notices_due("X01")]
        assert sorted(notices) == clerk.notices(desk.today, desk.now)
        assert {row.account for row in desk.play.fold.worklist("X01")} == clerk.worklist(desk.today, desk.now)
        for of in _ACCOUNTS:
            _check_the_limit(desk, of)
            own = [row for row in desk.alerts("apply_cash_first") if row.subject == of]
            told = [(row.subject, row.currency, row.status, row.raised_at) for row in own]
            assert told == [row for row in clerk.rows if row[0] == of]


def _check_the_limit(desk: Desk, account: str) -> None:
    """SEMANTICS 6.2: the alert stands exactly while the exposure is above the limit."""
    statuses = [row.status for row in desk.alerts("credit_limit_exceeded") if row.subject == account]
    exposure = sum(amount for line, amount in desk.clerk.lines(account, desk.today).items() if line.currency == "EUR")
    assert desk.play.fold.credit("X01", account, "EUR").exposure == exposure
    limit = desk.clerk.limits.get(account)
    assert (statuses[-1:] == ["raised"]) == (limit is not None and exposure > limit)
    assert all(one != other for one, other in pairwise(statuses))
