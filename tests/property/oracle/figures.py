"""Exact key figures of a company, currency and window of business dates, from the oracle's books (SEMANTICS 7)."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction

from jobs.values import Day, date_of, day_of
from tests.property.oracle.dated import Cash, Paper, Part
from tests.property.oracle.journal import Journal

Value = Fraction | None
Promised = tuple[str, Day, int, int]
"""(status, deadline, amount that had to be paid, what was paid in time)"""

_OWN = frozenset({"invoice", "debit_memo", "credit_memo", "adjustment", "write_off", "recovery"})


def share(numerator: int | Fraction, denominator: int | Fraction) -> Value:
    """Nothing where there is nothing to divide by."""
    return Fraction(numerator) / Fraction(denominator) if denominator > 0 else None


@dataclass
class Figures:
    """What the figures of one company and currency are made of."""

    journal: Journal
    company: str
    currency: str
    first: Day
    last: Day
    promises: Sequence[Promised] = ()
    activities: frozenset[tuple[str, str]] = frozenset()

    @property
    def days(self) -> int:
        return self.last - self.first + 1

    def of_window(self, day: Day) -> bool:
        return self.first <= day <= self.last

    # What is open

    def papers(self) -> Iterator[Paper]:
        for paper in self.journal.papers.values():
            if (paper.company, paper.currency) == (self.company, self.currency):
                yield paper

    def parts(self) -> Iterator[Part]:
        """Instalments that are owed."""
        for paper in self.papers():
            if paper.kind != "credit_memo":
                yield from paper.parts

    def receipts(self) -> Iterator[Cash]:
        """Receipts of accounts, and those that nobody owns yet."""
        free = [cash for at, cash in self.journal.unidentified.items() if at not in self.journal.moved]
        for cash in [*self.journal.cash.values(), *free]:
            if (cash.company, cash.currency) == (self.company, self.currency):
                yield cash

    def balance(self, day: Day) -> int:
        """What is owed, less cash and credits of accounts."""
        papers = sum(part.open_on(day) for paper in self.papers() for part in paper.parts)
        return papers + sum(cash.part.open_on(day) for cash in self.receipts() if cash.account)

    def not_due(self) -> int:
        return sum(part.open_on(self.last) for part in self.parts() if part.due_on(self.last) >= self.last)

    def unapplied(self) -> int:
        return -sum(
            cash.part.open_on(self.last)
            for cash in self.receipts()
            if cash.account and cash.class_on(self.last) == "unapplied"
        )

    # What was sold

    def sales(self, first: Day, last: Day) -> int:
        """Invoices net of credit memos; a cancelled document takes back what it still asked for before it was paid."""
        total = 0
        for paper in self.papers():
            for part in paper.parts:
                own = [change for change in part.changes if change.kind in _OWN]
                total += sum(
                    change.amount for change in own if change.kind == paper.kind and first <= change.day <= last
                )
                if paper.cancelled_on is not None:
                    gone = [(max(paper.cancelled_on, change.day), change.amount) for change in own]
                    total -= sum(amount for day, amount in gone if first <= day <= last)
        return total

    def posted(self, kind: str) -> int:
        return sum(
            change.amount
            for paper in self.papers()
            for part in paper.parts
            for change in part.changes
            if change.kind == kind and self.of_window(change.day)
        )

    # Figures

    def dso(self) -> Value:
        return share(self.balance(self.last) * self.days, self.sales(self.first, self.last))

    def best_possible_dso(self) -> Value:
        return share(self.not_due() * self.days, self.sales(self.first, self.last))

    def average_days_delinquent(self) -> Value:
        return share((self.balance(self.last) - self.not_due()) * self.days, self.sales(self.first, self.last))

    def countback_dso(self) -> Value:
        """Month by month backwards; a month without sales counts its days, and beyond the first posting is nothing."""
        rest, days = Fraction(self.balance(self.last)), Fraction(0)
        posted = [part.since for paper in self.papers() for part in paper.parts]
        posted += [cash.value_date for cash in self.receipts() if cash.account]
        end = date_of(self.last)
        while rest > 0:
            if not posted or day_of(end) < min(posted):
                return None
            sold = self.sales(day_of(end.replace(day=1)), day_of(end))
            if sold > 0 and rest < sold:
                return days + rest * end.day / sold
            rest -= max(0, sold)
            days += end.day
            end = end.replace(day=1) - timedelta(days=1)
        return days

    def cei(self) -> Value:
        base = self.balance(Day(self.first - 1)) + self.sales(self.first, self.last)
        ratio = share(base - self.balance(self.last), base - self.not_due())
        return None if ratio is None else ratio * 100

    def ar_turnover(self) -> Value:
        average = Fraction(self.balance(Day(self.first - 1)) + self.balance(self.last), 2)
        return share(self.sales(self.first, self.last), average)

    def bad_debt_ratio(self) -> Value:
        return share(-self.posted("write_off") - self.posted("recovery"), self.sales(self.first, self.last))

    def _applied(self) -> Iterator[tuple[Day, Cash, Part, int, str]]:
        """Cash applied in the window and not taken back since."""
        for paid in self.journal.settlements.values():
            source = paid.source
            if not isinstance(source, Cash) or (source.company, source.currency) != (self.company, self.currency):
                continue
            if paid.back_on is None and self.of_window(paid.day):
                for part, portion in paid.filled:
                    yield paid.day, source, part, portion, paid.name

    def average_days_late(self) -> Value:
        applied = [
            (portion, max(0, cash.value_date - part.due_on(day))) for day, cash, part, portion, _ in self._applied()
        ]
        return share(sum(portion * late for portion, late in applied), sum(portion for portion, _ in applied))

    def weighted_days_past_due(self) -> Value:
        overdue = [(part.open_on(self.last), self.last - part.due_on(self.last)) for part in self.parts()]
        overdue = [(amount, late) for amount, late in overdue if late > 0]
        return share(sum(amount * late for amount, late in overdue), sum(amount for amount, _ in overdue))

    def _judged(self) -> list[Promised]:
        judged = {"kept", "partially_kept", "broken"}
        return [made for made in self.promises if made[0] in judged and self.of_window(made[1])]

    def promise_kept_rate(self) -> Value:
        judged = self._judged()
        return share(sum(status == "kept" for status, *_ in judged), len(judged))

    def promise_kept_rate_amount(self) -> Value:
        judged = self._judged()
        return share(sum(min(owed, paid) for *_, owed, paid in judged), sum(owed for *_, owed, _ in judged))

    def _received(self) -> list[Cash]:
        return [cash for cash in self.receipts() if self.of_window(cash.value_date)]

    def straight_through_rate(self) -> Value:
        """Applied in full, and nobody had a hand in it."""
        payments = [cash for cash in self._received() if not (cash.account and _lay_on_account(cash))]
        of = self.journal.settlements.values()
        through = [
            cash
            for cash in payments
            if cash.account and cash.left == 0 and not cash.reversed and not cash.refunds
            and all(paid.method != "manual" and not paid.by_hand for paid in of if paid.source is cash)
        ]  # fmt: skip
        return share(len(through), len(payments))

    def unapplied_amount(self) -> Value:
        return Fraction(self.unapplied())

    def unapplied_share(self) -> Value:
        return share(self.unapplied(), sum(cash.amount for cash in self._received()))

    def application_lag(self, percent: int) -> Value:
        """Linear between the ranks, an application counted once."""
        lags = sorted({name: day - cash.value_date for day, cash, _, _, name in self._applied()}.values())
        if not lags:
            return None
        below, part = divmod(percent * (len(lags) - 1), 100)
        above = min(below + 1, len(lags) - 1)
        return lags[below] + Fraction(part, 100) * (lags[above] - lags[below])

    def _cases(self) -> Iterator["_Times"]:
        for (company, _), case in self.journal.cases.items():
            if company == self.company and case.currency in {None, self.currency}:
                times = _times(moment for moment in case.moments if moment[1] <= self.last)
                if times is not None:
                    yield times

    def exceptions_unresolved(self) -> Value:
        return Fraction(sum(times.resolved_on is None for times in self._cases()))

    def exception_hours(self, what: str) -> Value:
        if what == "review":
            times = [case.to_review for case in self._cases() if case.reviewed_on and self.of_window(case.reviewed_on)]
        else:
            times = [case.to_resolve for case in self._cases() if case.resolved_on and self.of_window(case.resolved_on)]
        return share(Fraction(sum(times), 3_600_000_000), len(times))

    def logging_coverage(self) -> Value:
        documents = {(paper.kind, paper.number) for paper in self.papers() if self.of_window(paper.posting_date)} | {
            ("payment", cash.payment_id) for cash in self._received()
        }
        kinds = {"invoice", "debit_memo", "credit_memo", "payment"}
        logged = [
            any(about == number and (of == kind or of not in kinds) for of, about in self.activities)
            for kind, number in documents
        ]
        return share(sum(logged), len(documents))

    def all(self) -> dict[str, Value]:
        """Every figure by its name."""
        asked = {
            "application_lag_p50": lambda: self.application_lag(50),
            "application_lag_p95": lambda: self.application_lag(95),
            "exception_hours_to_review": lambda: self.exception_hours("review"),
            "exception_hours_to_resolve": lambda: self.exception_hours("resolve"),
        }
        return {name: asked[name]() if name in asked else getattr(self, name)() for name in NAMES}


DAYS = ("dso", "best_possible_dso", "average_days_delinquent", "countback_dso", "cei", "average_days_late",
        "weighted_days_past_due", "application_lag_p50", "application_lag_p95", "exception_hours_to_review",
        "exception_hours_to_resolve")  # fmt: skip
RATIOS = ("ar_turnover", "bad_debt_ratio", "promise_kept_rate", "promise_kept_rate_amount", "straight_through_rate",
          "unapplied_share", "logging_coverage")  # fmt: skip
NAMES = (*DAYS, *RATIOS, "unapplied_amount", "exceptions_unresolved")
"""Names by their decimals: 2, 4, an amount and a number."""


def _lay_on_account(cash: Cash) -> bool:
    """Whether it came on account, or anybody ever saw some of it there: when it was parked, or by what came later."""
    if cash.on_account or not cash.parked_on:
        return cash.on_account
    since = max(cash.parked_on[0], cash.value_date)
    for count in range(cash.parked_after, len(cash.part.changes) + 1):
        changes = cash.part.changes[:count]
        days = {since, *(change.day for change in changes if change.day > since)}
        if any(sum(change.amount for change in changes if change.day <= day) for day in days):
            return True
    return False


@dataclass
class _Times:
    to_review: int = 0
    reviewed_on: Day | None = None
    to_resolve: int = 0
    resolved_on: Day | None = None


def _times(moments: Iterable[tuple[str, Day, int]]) -> _Times | None:
    """A case as it stood after its moments, in the order in which they were heard of; closed time does not count."""
    times: _Times | None = None
    since = worked = 0
    for status, day, at in moments:
        if status == "flagged":
            if times is None or times.resolved_on is not None:
                worked = 0 if times is None else times.to_resolve
                since = at
                times = times or _Times()
                times.resolved_on = None
        elif times is not None and status == "reviewed" and times.reviewed_on is None:
            times.to_review, times.reviewed_on = worked + max(0, at - since), day
        elif times is not None and status == "resolved" and times.resolved_on is None:
            times.to_resolve, times.resolved_on = worked + max(0, at - since), day
    return times
