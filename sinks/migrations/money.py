"""Money in ClickHouse: minor units as they come in storage, Decimal(38, 4) in everything an analyst sees.

The number of decimals of a currency is written into the expressions. A dictionary would say it once, but a dictionary
over a table logs in as user `default` without a password, which a real server does not have (docs/adr/0014).
"""

import re
from collections.abc import Iterable

from sinks.migrations.currency_list import CURRENCIES
from sinks.migrations.ddl import POSITION, Column, Table, View

DECIMAL = "Decimal(38, 4)"
_MINOR = "_minor"
_IN_MINOR_UNITS = " In minor units."
_TUPLE = re.compile(r"Array\(Tuple\((.*)\)\)")


def units(currency: str) -> str:
    """An expression for the minor units in one unit of a currency: 100 for EUR, 1 for JPY, 1000 for KWD."""
    others = {code: 10**places for code, places, _ in CURRENCIES if places != 2}
    return f"transform({currency}, {list(others)}, {list(others.values())}, 100)"


def decimal(minor: str, currency: str = "currency") -> str:
    """An expression for minor units as a Decimal with 4 decimals; exact for every currency."""
    return f"toDecimal128({minor}, 4) / {units(currency)}"


def money_view(
    table: Table, name: str, comment: str, *, final: bool = False, where: str = "", hidden: Iterable[str] = ()
) -> View:
    """A view of a table with Decimals for its minor units; `final` shows the latest version of each row only."""
    unseen = set(hidden)
    shown = [column for column in table.columns if column not in POSITION and column.name not in unseen]
    pairs = [(Column(column.name, column.type, column.comment), f"`{column.name}`") for column in POSITION]
    pairs = [_money_column(column) for column in shown] + pairs
    lines = ",\n".join(f"    {expression} AS `{column.name}`" for column, expression in pairs)
    source = f"{table.name} FINAL" if final else table.name
    select = f"SELECT\n{lines}\nFROM {source}" + (f"\n{where}" if where else "")
    return View(name, comment, [column for column, _ in pairs], select)


def _money_column(column: Column) -> tuple[Column, str]:
    """The column as the view has it, and the expression for it."""
    name, comment = column.name.removesuffix(_MINOR), column.comment.replace(_IN_MINOR_UNITS, "")
    value = f"{column.name}"
    if column.name.endswith(_MINOR) and column.type == "Int64":
        return Column(name, DECIMAL, comment), decimal(value)
    if column.name.endswith(_MINOR) and column.type == "Nullable(Int64)":
        return Column(name, f"Nullable({DECIMAL})", comment), decimal(value)
    if column.type == "Map(LowCardinality(String), Int64)":
        return (
            Column(name, f"Map(LowCardinality(String), {DECIMAL})", comment),
            f"mapApply((code, minor) -> (code, {decimal('minor', 'code')}), {value})",
        )
    if (members := _TUPLE.fullmatch(column.type)) and _MINOR in column.type:
        return _money_tuples(name, comment, value, members[1])
    return Column(name, column.type, comment), f"`{column.name}`"


def _money_tuples(name: str, comment: str, value: str, members: str) -> tuple[Column, str]:
    types: list[str] = []
    values: list[str] = []
    for number, member in enumerate(members.split(", "), start=1):
        member_name, type_ = member.split(" ", 1)
        is_money = member_name.endswith(_MINOR)
        types.append(f"{member_name.removesuffix(_MINOR)} {DECIMAL if is_money else type_}")
        values.append(decimal(f"part.{number}") if is_money else f"part.{number}")
    return (
        Column(name, f"Array(Tuple({', '.join(types)}))", comment),
        f"arrayMap(part -> tuple({', '.join(values)}), {value})",
    )
