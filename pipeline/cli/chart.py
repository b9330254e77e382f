"""An answer as a picture: bars in the terminal, or a PNG or SVG file.

The first text or date column that differs from row to row names the bars, the number columns are their heights, a bar
each where there are several. Amounts of rows with one name are added up; nothing else is, and amounts of several
currencies never share a picture.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from math import isnan
from pathlib import Path
from typing import Any

from rich.bar import Bar
from rich.console import Console
from rich.table import Table

from pipeline.errors import Problem
from sinks.queries import Answer

BARS_MAX = 60
PICTURES = (".png", ".svg")
_NUMBERS = (int, float, Decimal)


@dataclass(frozen=True)
class Series:
    """Names of the bars, and for each number column its heights; nothing that is NULL has a height of 0."""

    title: str
    names: list[str]
    heights: dict[str, list[float]]


def series(answer: Answer, title: str, across: str | None, up: Sequence[str]) -> Series:
    """What to draw of an answer. Raises Problem where that is nothing, or would add up currencies."""
    columns = list(answer.columns)
    for name in (*([across] if across else ()), *up):
        if name not in columns:
            raise Problem(f"the answer has no column {name}", f"Its columns are {', '.join(columns)}")
    if "currency" in columns and len({row[columns.index("currency")] for row in answer.rows}) > 1:
        raise Problem(
            "the answer has several currencies", "Ask for one of them: currency=EUR, or WHERE currency = 'EUR' in SQL"
        )
    if not answer.rows:
        raise Problem("the answer has no rows", "There is nothing to draw")
    named = across or _naming(answer)
    names = [] if named is None else [str(row[columns.index(named)]) for row in answer.rows]
    is_added_up = len({*names}) < len(names)
    drawn = list(up) or [
        name for name in columns if name != named and (_is_amount if is_added_up else _is_number)(answer, name)
    ]
    if named is None or not drawn:
        raise Problem("a picture needs a column of names and one of numbers", "Say which: --across NAME --up NUMBER")
    if is_added_up and (others := [name for name in drawn if not _is_amount(answer, name)]):
        raise Problem(
            f"several rows have the same {named}, and {others[0]} is no amount that can be added up",
            "Ask for fewer rows, name the bars by another column with --across, or add up in SQL",
        )
    heights = {name: _heights(answer, names, name) for name in drawn}
    title = title or f"{', '.join(drawn)} by {named}"
    bars = list(dict.fromkeys(names))
    if len(bars) > BARS_MAX:
        title += f" (the first {BARS_MAX} of {len(bars)})"
    return Series(title, bars[:BARS_MAX], {name: found[:BARS_MAX] for name, found in heights.items()})


def _naming(answer: Answer) -> str | None:
    """The first column of names that tells rows from one another, else the first of all."""
    found = [name for name, value in zip(answer.columns, answer.rows[0], strict=True) if _is_name(name, value)]
    telling = (name for name in found if len({row[answer.columns.index(name)] for row in answer.rows}) > 1)
    return next(telling, found[0] if found else None)


def _is_number(answer: Answer, name: str) -> bool:
    return isinstance(answer.rows[0][answer.columns.index(name)], _NUMBERS)


def _is_amount(answer: Answer, name: str) -> bool:
    place = answer.columns.index(name)
    return isinstance(answer.rows[0][place], Decimal) and answer.places[place] is None


def _heights(answer: Answer, names: Sequence[str], column: str) -> list[float]:
    """The sum of a column for each name, in the order in which names come; of one that has only NULL, not a number."""
    sums: dict[str, Any] = {}
    for name, row in zip(names, answer.rows, strict=True):
        value = row[answer.columns.index(column)]
        if value is not None and not isinstance(value, _NUMBERS):
            raise Problem(f"the column {column} is not of numbers", "Name a number column after --up")
        before = sums.get(name)
        sums[name] = value if before is None else before if value is None else before + value
    # A picture has pixels, not cents.
    return [float("nan") if value is None else float(value) for value in sums.values()]


def _is_name(name: str, value: Any) -> bool:  # noqa: ANN401  whatever a column holds
    return isinstance(value, str | date | datetime) and name != "currency"


def terminal(drawn: Series, console: Console) -> None:
    """A bar a line, a group of them where there are several columns; amounts below zero as bars of their size."""
    table = Table(box=None, header_style="bold", title=drawn.title, title_justify="left")
    table.add_column("")
    if len(drawn.heights) > 1:
        table.add_column("")
    table.add_column("", justify="right")
    table.add_column("", ratio=1)
    known = [abs(height) for bars in drawn.heights.values() for height in bars if not isnan(height)]
    largest = max(known, default=0.0) or 1.0
    for number, name in enumerate(drawn.names):
        for position, (column, heights) in enumerate(drawn.heights.items()):
            height = heights[number]
            several = [column] if len(drawn.heights) > 1 else []
            label = "" if isnan(height) else f"{height:,.2f}".removesuffix(".00")
            bar = Bar(largest, 0, 0 if isnan(height) else abs(height), color="red" if height < 0 else "default")
            table.add_row(name if position == 0 else "", *several, label, bar)
    console.print(table)


def picture(drawn: Series, file: Path) -> None:
    """A PNG or SVG file. Raises Problem where the library for it is not installed."""
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415  optional: only who wants pictures needs it
    except ImportError as error:
        raise Problem("pictures need matplotlib", "Install it: pip install 'arrears[charts]'") from error
    figure = Figure(figsize=(10, 5), layout="constrained")
    axes = figure.subplots()
    count = len(drawn.heights)
    for number, (name, heights) in enumerate(drawn.heights.items()):
        places = [place + (number - (count - 1) / 2) * 0.8 / count for place in range(len(drawn.names))]
        axes.bar(places, heights, width=0.8 / count, label=name)
    crowded = len(drawn.names) > 8
    axes.set_xticks(
        range(len(drawn.names)), drawn.names, rotation=45 if crowded else 0, ha="right" if crowded else "center"
    )
    axes.set_title(drawn.title)
    axes.yaxis.set_major_formatter(lambda height, _: f"{height:,.0f}" if abs(height) >= 10 else f"{height:g}")
    axes.spines[["top", "right"]].set_visible(False)
    if count > 1:
        axes.legend(frameon=False)
    figure.savefig(file)
