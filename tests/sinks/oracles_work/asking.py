"""Questions to views, the same ones to Python, and how their answers are compared."""

from collections.abc import Iterator
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from random import Random
from typing import Any, NamedTuple

from clickhouse_connect.driver.client import Client

from jobs.values import Instant, moment_of
from tests.sinks.oracles_work.debts import EPOCH, date_at
from tests.sinks.oracles_work.playing import Played

EVER = "2299-12-31 23:59:59"
CENTS, RATIO = 2, 4
Rows = dict[tuple[Any, ...], dict[str, Any]]


class Window(NamedTuple):
    """Days from, to; and what is known: None = everything."""

    first: int
    last: int
    known: Instant | None

    @property
    def instant(self) -> int:
        """The instant up to which records are known."""
        return 2**62 if self.known is None else self.known

    @property
    def parameters(self) -> dict[str, object]:
        """As ClickHouse takes them."""
        known = EVER if self.known is None else moment_of(self.known).strftime("%Y-%m-%d %H:%M:%S.%f")
        return {
            "from_date": date_at(self.first),
            "to_date": date_at(self.last),
            "as_of": date_at(self.last),
            "known_as_of": known,
        }


def windows(played: Played, seed: int, count: int = 5) -> Iterator[Window]:
    """The whole time, as known now and in the middle of it, then any part of it with any knowledge."""
    first, last = (sent.at // 86_400_000_000 for sent in (played.log[0], played.log[-1]))
    yield Window(first - 30, last + 30, None)
    choose = Random(seed)
    yield Window(first - 30, last + 30, played.log[len(played.log) // 3].at)
    for _ in range(count - 2):
        begin, end = sorted(choose.randrange(first, last) for _ in range(2))
        known = choose.choice((None, choose.choice(played.log).at))
        yield Window(begin, end, known)


def ask(client: Client, view: str, key: str, window: Window, *names: str, more: str = "", **values: object) -> Rows:
    """All rows of a view by key, which must be unique."""
    types = {"from_date": "Date32", "to_date": "Date32", "as_of": "Date32", "known_as_of": "String"}
    given = ", ".join(f"{name} = {{{name}:{types[name]}}}" for name in names)
    given = ", ".join(part for part in (given, more) if part)
    parameters = {**window.parameters, **values}
    rows = list(client.query(f"SELECT * FROM {view}({given})", parameters=parameters).named_results())
    found = {tuple(row[name] for name in key.split()): row for row in rows}
    assert len(found) == len(rows), f"{view}: keys are not unique"
    return found


def same(found: Rows, expected: Rows) -> None:
    """Exactly these rows, with exactly these values in the columns that are expected."""
    assert found.keys() == expected.keys(), (
        sorted(map(str, found.keys() - expected.keys()))[:5],
        sorted(map(str, expected.keys() - found.keys()))[:5],
    )
    for key, row in expected.items():
        got = {name: found[key][name] for name in row}
        assert got == row, (key, {name: (got[name], row[name]) for name in row if got[name] != row[name]})


def quotient(numerator: Fraction | int, denominator: Fraction | int, places: int) -> Decimal | None:
    """Rounded half up; None where there is nothing to divide by."""
    if denominator <= 0:
        return None
    exact = Fraction(numerator) / Fraction(denominator)
    whole = Decimal(exact.numerator) / Decimal(exact.denominator)
    return whole.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def days_of(day: date) -> int:
    """The number of a day."""
    return (day - EPOCH).days
