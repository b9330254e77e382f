"""Answers of ClickHouse as people and programs read them: a table, one record below another, or JSON lines."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import typer
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from sinks.queries import Answer, plain

# Rows that stand side by side, a line for each column, where a table would be too wide.
_SIDE_BY_SIDE_MAX = 8
_PIPE_WIDTH = 240


def json_lines(answer: Answer) -> Iterator[str]:
    """One JSON object a row."""
    for row in plain_rows(answer):
        yield json.dumps(dict(zip(answer.columns, row, strict=True)), ensure_ascii=False)


def print_answer(answer: Answer, *, as_json: bool) -> None:
    """Write it to standard output; that there are no rows is told beside it."""
    if as_json:
        for line in json_lines(answer):
            typer.echo(line)
        return
    if not answer.rows:
        typer.echo("no rows", err=True)
        return
    # A file or a pipe has no width; a terminal has its own.
    console = Console(highlight=False)
    console = Console(highlight=False, width=None if console.is_terminal else _PIPE_WIDTH)
    table = _rows_below_one_another(answer)
    if len(answer.rows) <= _SIDE_BY_SIDE_MAX and not _fits(table, console):
        table = _rows_side_by_side(answer)
    console.print(table)


def plain_rows(answer: Answer) -> list[list[Any]]:
    """The rows as JSON has them, amounts with the decimals of the row's currency."""
    at = list(answer.columns).index("currency") if "currency" in answer.columns else None
    return [
        [
            plain(value, None if at is None else row[at], places)
            for value, places in zip(row, answer.places, strict=True)
        ]
        for row in answer.rows
    ]


def _fits(table: Table, console: Console) -> bool:
    options = console.options.update(max_width=100_000)
    return Measurement.get(console, options, table).maximum <= console.width


def _rows_below_one_another(answer: Answer) -> Table:
    table = Table(box=None, header_style="bold")
    for number, name in enumerate(answer.columns):
        is_number = any(_is_number(row[number]) for row in answer.rows)
        table.add_column(name, justify="right" if is_number else "left", overflow="fold")
    for row in plain_rows(answer):
        table.add_row(*map(_cell, row))
    return table


def _rows_side_by_side(answer: Answer) -> Table:
    table = Table(box=None, show_header=False)
    table.add_column(style="bold", no_wrap=True)
    values = [value for row in answer.rows for value in row if value is not None]
    mostly_numbers = sum(map(_is_number, values)) * 2 > len(values)
    for _ in answer.rows:
        table.add_column(overflow="fold", justify="right" if mostly_numbers else "left")
    for name, *values in zip(answer.columns, *plain_rows(answer), strict=True):
        table.add_row(name, *map(_cell, values))
    return table


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | Decimal)


def _cell(value: object) -> str:
    """A value for people: parts of a list below one another, members of a part beside one another."""
    if value is None:
        return ""
    if isinstance(value, dict):
        return " ".join(str(member) for member in value.values())
    if isinstance(value, list):
        return "\n".join(_cell(member) for member in value)
    return str(value)
