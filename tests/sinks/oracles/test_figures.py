"""All key figures of windows of every kind (SEMANTICS 7)."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from random import Random

import pytest
from clickhouse_connect.driver.client import Client

from jobs.values import Day
from tests.property.oracle.figures import DAYS, NAMES, RATIOS, Figures
from tests.sinks.oracles.asking import Row, ask, keyed, money
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


@pytest.mark.parametrize(
    ("begins", "length", "is_past"),
    [*((*window, False) for window in WINDOWS), *((*window, True) for window in WINDOWS[1::2])],
)
def test_every_figure(client: Client, told: Told, begins: int, length: int, *, is_past: bool) -> None:
    start = min(paper.posting_date for paper in told.journal().papers.values())
    first, last = Day(start + begins), Day(start + begins + length - 1)
    known = told.any_moment(Random(f"{begins} {length}")) if is_past else None
    journal = told.journal(known)
    rows = ask(client, "key_figures", from_date=first, to_date=last, known_as_of=known)
    posted = {(paper.company, paper.currency) for paper in journal.papers.values()}
    found = keyed(rows, "company", "currency")
    assert found.keys() == posted | {(cash.company, cash.currency) for cash in journal.cash.values()}
    wrong: dict[tuple[str, str, str], tuple[object, object]] = {}
    met: Counter[str] = Counter()
    for (company, currency), row in found.items():
        figures = told.figures((company, currency), first, last, known)
        assert row["receivables"] == money(figures.balance(last), currency)
        assert row["credit_sales"] == money(figures.sales(first, last), currency), (company, currency)
        for name, expected, value in compared(row, figures):
            if value != expected:
                wrong[company, currency, name] = value, expected
            met[name] += expected is not None
    assert not wrong
    assert is_past or length < 2_000 or set(met) == set(NAMES)


def compared(row: Row, figures: Figures) -> Iterator[tuple[str, Decimal | None, Decimal | None]]:
    """(name, expected, found) of every figure."""
    for name, value in figures.all().items():
        found = row[name]
        yield name, shown(name, value, figures.currency), None if found is None else Decimal(found)


def test_knowing_more_changes_every_figure(client: Client, told: Told) -> None:
    """Not one of them is the same whatever is known."""
    journal = told.journal()
    start = min(paper.posting_date for paper in journal.papers.values())
    first, last = Day(start - 400), Day(start + 1_600)
    seen: dict[tuple[str, str, str], set[object]] = defaultdict(set)
    for known in (*told.moments[:4], None):
        for row in ask(client, "key_figures", from_date=first, to_date=last, known_as_of=known):
            for name in NAMES:
                seen[row["company"], row["currency"], name].add(row[name])
    assert {name for (*_, name), values in seen.items() if len(values) > 1} == set(NAMES)
