"""The formulas (SEMANTICS 7). Days and the collection effectiveness index have 2 decimals, ratios 4."""

from collections.abc import Callable, Sequence
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Final

from jobs.kpi.books import Books, Window
from jobs.kpi.cases import case_times
from jobs.values import Day, date_of, day_of

_DAYS = Decimal("0.01")
_RATIO = Decimal("0.0001")
_HOUR = 3_600_000_000
_JUDGED = frozenset({"kept", "partially_kept", "broken"})

Value = Fraction | None


def figure(name: str, books: Books, window: Window) -> Decimal | None:
    """The named figure, rounded half up; None where there is nothing to divide by. KeyError for an unknown name."""
    formula, unit = FIGURES[name]
    value = formula(books, window)
    if value is None:
        return None
    exact = Decimal(value.numerator) / Decimal(value.denominator)
    return exact.quantize(unit, ROUND_HALF_UP)


def _share(numerator: int, denominator: int) -> Value:
    return Fraction(numerator, denominator) if denominator > 0 else None


def _dso(books: Books, window: Window) -> Value:
    return _share(books.receivables(window.last) * window.days, books.credit_sales(window))


def _best_possible_dso(books: Books, window: Window) -> Value:
    return _share(books.not_due(window.last) * window.days, books.credit_sales(window))


def _average_days_delinquent(books: Books, window: Window) -> Value:
    whole, best = _dso(books, window), _best_possible_dso(books, window)
    return None if whole is None or best is None else whole - best


def _countback_dso(books: Books, window: Window) -> Value:
    """Peel the receivables against monthly sales backwards; a month without sales counts its days."""
    rest = Fraction(books.receivables(window.last))
    days = Fraction(0)
    first_sale = min((entry.effective_date for entry in books.entries), default=None)
    last = window.last
    while rest > 0:
        if first_sale is None or last < first_sale:
            return None
        month = date_of(last).replace(day=1)
        first = day_of(month)
        sales = books.credit_sales(Window(first, last))
        length = last - first + 1
        if sales > 0 and rest < sales:
            return days + rest / sales * length
        rest -= max(0, sales)
        days += length
        last = Day(first - 1)
    return days


def _cei(books: Books, window: Window) -> Value:
    base = books.receivables(Day(window.first - 1)) + books.credit_sales(window)
    share = _share(base - books.receivables(window.last), base - books.not_due(window.last))
    return None if share is None else share * 100


def _ar_turnover(books: Books, window: Window) -> Value:
    twice_average = books.receivables(Day(window.first - 1)) + books.receivables(window.last)
    return _share(2 * books.credit_sales(window), twice_average)


def _bad_debt_ratio(books: Books, window: Window) -> Value:
    lost = -books.posted("write_off", window) - books.posted("recovery", window)
    return _share(lost, books.credit_sales(window))


def _average_days_late(books: Books, window: Window) -> Value:
    applied = books.cash_applied(window)
    late = sum(-entry.delta_minor * max(0, (entry.value_date or entry.due_date) - entry.due_date) for entry in applied)
    return _share(late, sum(-entry.delta_minor for entry in applied))


def _weighted_days_past_due(books: Books, window: Window) -> Value:
    overdue = [(days, amount) for days, amount in books.by_days_past_due(window.last) if days > 0]
    return _share(sum(days * amount for days, amount in overdue), sum(amount for _, amount in overdue))


def _promise_kept_rate(books: Books, window: Window) -> Value:
    judged = _matured(books, window)
    return _share(sum(1 for status, _, _ in judged if status == "kept"), len(judged))


def _promise_kept_rate_amount(books: Books, window: Window) -> Value:
    judged = _matured(books, window)
    return _share(sum(min(amount, paid) for _, amount, paid in judged), sum(amount for _, amount, _ in judged))


def _matured(books: Books, window: Window) -> list[tuple[str, int, int]]:
    """(status, amount, paid in window) of the promises whose deadline lies in the window and has passed."""
    return [
        (promise.status, promise.effective_amount_minor, promise.paid_in_window_minor)
        for promise in books.promises
        if promise.status in _JUDGED and promise.deadline in window and promise.deadline < books.today
    ]


def _straight_through_rate(books: Books, window: Window) -> Value:
    parked, touched = books.parked_on_account(), books.touched_by_hand()
    received = [receipt for receipt in books.received(window) if receipt.payment_id not in parked]
    through = [
        receipt
        for receipt in received
        if receipt.status == "applied" and receipt.refunded_minor == 0 and receipt.payment_id not in touched
    ]
    return _share(len(through), len(received))


def _unapplied_amount(books: Books, window: Window) -> Value:
    return Fraction(books.unapplied(window.last))


def _unapplied_share(books: Books, window: Window) -> Value:
    received = sum(receipt.amount_minor for receipt in books.received(window))
    return _share(books.unapplied(window.last), received)


def _application_lag(percent: int) -> Callable[[Books, Window], Value]:
    def lag(books: Books, window: Window) -> Value:
        days = {
            entry.cause_id: entry.effective_date - (entry.value_date or Day(0)) for entry in books.cash_applied(window)
        }
        return _percentile(sorted(days.values()), percent)

    return lag


def _percentile(values: Sequence[int], percent: int) -> Value:
    """Linear interpolation between the closest ranks."""
    if not values:
        return None
    position = Fraction(percent * (len(values) - 1), 100)
    below = int(position)
    above = min(below + 1, len(values) - 1)
    return values[below] + (position - below) * (values[above] - values[below])


def _exceptions_unresolved(books: Books, window: Window) -> Value:
    return Fraction(sum(1 for case in case_times(books.moments, window.last) if case.resolved_on is None))


def _exception_hours_to_review(books: Books, window: Window) -> Value:
    cases = case_times(books.moments, window.last)
    times = [case.to_review for case in cases if case.to_review is not None and case.reviewed_on in window]
    return _share(sum(times), len(times) * _HOUR)


def _exception_hours_to_resolve(books: Books, window: Window) -> Value:
    cases = case_times(books.moments, window.last)
    times = [case.to_resolve for case in cases if case.to_resolve is not None and case.resolved_on in window]
    return _share(sum(times), len(times) * _HOUR)


def _logging_coverage(books: Books, window: Window) -> Value:
    transactions = books.transactions(window)
    return _share(sum(1 for transaction in transactions if books.logged(transaction)), len(transactions))


FIGURES: Final[dict[str, tuple[Callable[[Books, Window], Value], Decimal]]] = {
    "dso": (_dso, _DAYS),
    "best_possible_dso": (_best_possible_dso, _DAYS),
    "average_days_delinquent": (_average_days_delinquent, _DAYS),
    "countback_dso": (_countback_dso, _DAYS),
    "cei": (_cei, _DAYS),
    "ar_turnover": (_ar_turnover, _RATIO),
    "bad_debt_ratio": (_bad_debt_ratio, _RATIO),
    "average_days_late": (_average_days_late, _DAYS),
    "weighted_days_past_due": (_weighted_days_past_due, _DAYS),
    "promise_kept_rate": (_promise_kept_rate, _RATIO),
    "promise_kept_rate_amount": (_promise_kept_rate_amount, _RATIO),
    "straight_through_rate": (_straight_through_rate, _RATIO),
    "unapplied_amount": (_unapplied_amount, Decimal(1)),
    "unapplied_share": (_unapplied_share, _RATIO),
    "application_lag_p50": (_application_lag(50), _DAYS),
    "application_lag_p95": (_application_lag(95), _DAYS),
    "exceptions_unresolved": (_exceptions_unresolved, Decimal(1)),
    "exception_hours_to_review": (_exception_hours_to_review, _DAYS),
    "exception_hours_to_resolve": (_exception_hours_to_resolve, _DAYS),
    "logging_coverage": (_logging_coverage, _RATIO),
}
"""Name → formula and unit. `unapplied_amount` is in minor units."""
