"""How a view is asked, and rows that are compared as wholes."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from clickhouse_connect.driver.client import Client

from jobs.money import decimal_of
from jobs.values import Day, Instant, date_of
from tests.sinks.oracles.told import text_of

Row = dict[str, Any]


def ask(client: Client, view: str, *, where: str = "", **parameters: object) -> list[Row]:
    """All rows of a parameterized view. A Day is told by the name of its parameter, `…_date` or `as_of`."""
    given = {name: _value(name, value) for name, value in parameters.items()}
    words = ", ".join(f"{name} = {{{name}:String}}" for name in given)
    result = client.query(f"SELECT * FROM {view}{f'({words})' if words else ''} {where}", parameters=given)
    return list(result.named_results())


def _value(name: str, value: object) -> str:
    if name == "known_as_of":
        return text_of(None if value is None else Instant(int(str(value))))
    if name == "as_of" or name.endswith("_date"):
        return date_of(Day(int(str(value)))).isoformat()
    return str(value)


def money(minor: int, currency: str) -> Decimal:
    """Minor units as the views show them."""
    return decimal_of(minor, currency)


def keyed(rows: Iterable[Row], *names: str) -> dict[tuple[Any, ...], Row]:
    """Rows by some of their columns; no two of them are alike."""
    found: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        key = tuple(row[name] for name in names)
        assert key not in found, key
        found[key] = row
    return found
