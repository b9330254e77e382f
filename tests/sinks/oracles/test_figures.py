"""All key figures of windows of every kind (SEMANTICS 7)."""

from collections import Counter
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from clickhouse_connect.driver.client import Client

from jobs.values import Day
from tests.property.oracle.figures import DAYS, NAMES, RATIOS, Figures
from tests.sinks.oracles.asking import ask, keyed, money
from tests.sinks.oracles.told import Told

pytestmark = pytest.mark.clickhouse

# (days after the first posting, length): months, a quarter, a year, single days, one from before there was anything.
WINDOWS = [(-10, 31), (30, 28), (45, 90), (0, 365), (20, 1), (200, 60), (-60, 20), (-400, 2_000)]
_UNITS = {**dict.fromkeys(DAYS, "0.01"), **dict.fromkeys(RATIOS, "0.0001"), "exceptions_unresolved": "1"}


def shown(name: str, value: Fraction | None, currency: str) -> Decimal | None:
    """As the view has it: rounded once, half up."""
    if value is None:
        return None
    if name == "unapplied_amount":
        return money(int(value), currency)
    return (Decimal(value.numerator) / Decimal(value.denominator)).quantize(Decimal(_UNITS[name]), ROUND_HALF_UP)


@pytest.mark.parametrize(("begins", "length"), WINDOWS)
def test_every_figure(client: Client, told: Told, begins: int, length: int) -> None:
    journal = told.journal()
    start = min(paper.posting_date for paper in journal.papers.values())
    first, last = Day(start + begins), Day(start + begins + length - 1)
    rows = keyed(ask(client, "key_figures", from_date=first, to_date=last), "company", "currency")
    posted = {(paper.company, paper.currency) for paper in journal.papers.values()}
    assert rows.keys() == posted | {(cash.company, cash.currency) for cash in journal.cash.values()}
    wrong: dict[tuple[str, str, str], tuple[object, object]] = {}
    met: Counter[str] = Counter()
    for (company, currency), row in rows.items():
        promises, activities = told.promises.get((company, currency), []), told.activities.get(company, frozenset())
        figures = Figures(journal, company, currency, first, last, promises, activities)
        assert row["receivables"] == money(figures.balance(last), currency)
        assert row["credit_sales"] == money(figures.sales(first, last), currency), (company, currency)
        for name, value in figures.all().items():
            found, expected = row[name], shown(name, value, currency)
            if (None if found is None else Decimal(found)) != expected:
                wrong[company, currency, name] = found, expected
            met[name] += expected is not None
    assert not wrong
    assert length < 2_000 or set(met) == set(NAMES)
