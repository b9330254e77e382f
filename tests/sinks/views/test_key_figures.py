"""The view `key_figures` against `jobs.kpi`, for windows of every kind (SEMANTICS 7)."""

from datetime import timedelta
from decimal import Decimal

import pytest
from clickhouse_connect.driver.client import Client

from jobs.kpi import FIGURES, Window, figure
from jobs.money import decimal_of
from jobs.values import Day, date_of
from sinks.queries import EVERYTHING_KNOWN
from tests.sinks.views.sample import DAYS, Sample

pytestmark = pytest.mark.clickhouse

WINDOW = "from_date = {first:Date32}, to_date = {last:Date32}, known_as_of = {known:String}"
# (days after the first day, length): months, a quarter, single days, one from before there was anything.
WINDOWS = [(0, 31), (31, 28), (31, 90), (59, 31), (10, 1), (100, 20), (-40, 30), (-10, 60), (90, 30)]


@pytest.mark.parametrize(("begins", "length"), WINDOWS)
def test_every_figure_is_what_the_formulas_give(client: Client, sample: Sample, begins: int, length: int) -> None:
    first_day = sample.companies["FR01"].calendar.day(sample.first)
    window = Window(Day(first_day + begins), Day(first_day + begins + length - 1))
    assert begins + length < DAYS
    result = client.query(
        f"SELECT * FROM key_figures({WINDOW}) ORDER BY company, currency",
        parameters={"first": date_of(window.first), "last": date_of(window.last), "known": EVERYTHING_KNOWN},
    )
    rows = {(row["company"], row["currency"]): row for row in result.named_results()}
    assert len(rows) > 3
    compared = 0
    for (company, currency), row in rows.items():
        books = sample.world.books(company, currency)
        for name in FIGURES:
            expected = figure(name, books, window)
            if name == "unapplied_amount" and expected is not None:
                expected = decimal_of(int(expected), currency)
            found = row[name]
            assert (None if found is None else Decimal(found)) == expected, (company, currency, name)
            compared += expected is not None
    assert compared > 0 or length == 30


def test_the_windows_meet_every_figure(client: Client, sample: Sample) -> None:
    """None of the comparisons is one of nothing with nothing."""
    first = date_of(sample.companies["FR01"].calendar.day(sample.first))
    result = client.query(
        f"SELECT * FROM key_figures({WINDOW})",
        parameters={"first": first, "last": first + timedelta(days=DAYS - 2), "known": EVERYTHING_KNOWN},
    )
    answered = {name for row in result.named_results() for name in FIGURES if row[name] not in {None, 0}}
    assert answered == set(FIGURES)
