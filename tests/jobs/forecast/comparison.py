"""The model beside its baselines on the public data set, walking forward month by month.

Each invoice is predicted on the first of the 30-day steps before its issue, with what was known on that day: model and
averages are made of invoices settled by then, and of those still open as open. The table of docs/forecasts.md is what
`python -m tests.jobs.forecast.comparison` prints.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from jobs.forecast import (
    Forecast,
    History,
    area_under_curve,
    average_delays,
    days_late_by_average,
    fit,
    mean_absolute_error,
)
from tests.public_data import Row, read_rows

STEP_DAYS = 30
WEEKS = 4
METHODS = ("model", "model, disputes not told", "due date", "average delay")


class Scores(NamedTuple):
    """Of one method: days, chance of the right order, share of the cash that was put into the wrong week."""

    days_late_error: float
    late_area: float
    weekly_cash_error: float


def histories(rows: Sequence[Row], day: int, *, disputes: bool) -> list[History]:
    """What was known on a day."""
    return [
        History(
            account=row.customer,
            segment=segment(row, disputes=disputes),
            issued=row.issued - row.due,
            known_until=day - row.due,
            paid=((row.settled - row.due, 1.0),) if row.settled <= day else (),
        )
        for row in rows
        if row.issued <= day
    ]


def segment(row: Row, *, disputes: bool) -> str:
    return "disputed" if disputes and row.disputed else ""


def steps(rows: Sequence[Row]) -> Iterator[int]:
    """The second half of the time: the first is for learning, its second quarter chose the strengths."""
    first, last = min(row.issued for row in rows), max(row.issued for row in rows)
    yield from range(first + (last - first) // 2, last, STEP_DAYS)


def compare(rows: Sequence[Row]) -> tuple[dict[str, Scores], int]:
    """Scores by method, and of how many invoices."""
    late: list[bool] = []
    days: list[float] = []
    predicted: dict[str, list[float]] = defaultdict(list)
    order: dict[str, list[float]] = defaultdict(list)
    missed: dict[str, float] = defaultdict(float)
    came = 0.0
    for day in steps(rows):
        delays = average_delays(histories(rows, day, disputes=False))
        models = {disputes: fit(histories(rows, day, disputes=disputes)) for disputes in (True, False)}
        for row in rows:
            if not day < row.issued <= day + STEP_DAYS:
                continue
            begin = row.issued - row.due
            late.append(row.settled > row.due)
            days.append(float(max(0, row.settled - row.due)))
            for name, disputes in (("model", True), ("model, disputes not told", False)):
                hazard = models[disputes].of(row.customer, segment(row, disputes=disputes))
                predicted[name].append(float(max(0, hazard.quantile(begin, 0.5))))
                order[name].append(1.0 - hazard.paid_by(begin, -begin))
            average = days_late_by_average(delays, row.customer)
            predicted["due date"].append(0.0)
            order["due date"].append(0.0)
            predicted["average delay"].append(max(0.0, average))
            order["average delay"].append(average)
        still_open = [row for row in rows if row.issued <= day < row.settled]
        actual = _weekly((row.settled - day, row.amount) for row in still_open)
        came += sum(actual)
        for name, weekly in _expected(still_open, day, models, delays).items():
            missed[name] += sum(abs(one - other) for one, other in zip(weekly, actual, strict=True))
    scores = {
        name: Scores(
            mean_absolute_error(predicted[name], days), area_under_curve(order[name], late), missed[name] / came
        )
        for name in METHODS
    }
    return scores, len(days)


def _expected(
    still_open: Sequence[Row], day: int, models: Mapping[bool, Forecast], delays: Mapping[str, float]
) -> dict[str, list[float]]:
    found = {
        "due date": _weekly((max(1, row.due - day), row.amount) for row in still_open),
        "average delay": _weekly(
            (max(1, row.due + round(days_late_by_average(delays, row.customer)) - day), row.amount)
            for row in still_open
        ),
    }
    for name, disputes in (("model", True), ("model, disputes not told", False)):
        weekly = [0.0] * WEEKS
        for row in still_open:
            hazard = models[disputes].of(row.customer, segment(row, disputes=disputes))
            chances = [hazard.paid_by(day - row.due, 7 * week) for week in range(WEEKS + 1)]
            for week in range(WEEKS):
                weekly[week] += row.amount * (chances[week + 1] - chances[week])
        found[name] = weekly
    return found


def _weekly(paid: Iterable[tuple[int, int]]) -> list[float]:
    """Amounts by week; `paid` are (days ahead, amount)."""
    weekly = [0.0] * WEEKS
    for days, amount in paid:
        week = (days - 1) // 7
        if week < WEEKS:
            weekly[week] += amount
    return weekly


if __name__ == "__main__":
    found, invoices = compare(read_rows())
    print(f"{invoices} invoices")  # noqa: T201
    for method, scored in found.items():
        print(f"| {method} | {scored[0]:.2f} | {scored[1]:.3f} | {scored[2]:.1%} |")  # noqa: T201
