"""`arrears query`: look into ClickHouse."""

import json
from decimal import Decimal
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from pipeline.cli import load_settings
from pipeline.cli.clickhouse import clickhouse_client
from pipeline.errors import Problem
from sinks.queries import Answer, Question, ask, plain, questions

app = typer.Typer()


@app.command()
def query(
    context: typer.Context,
    question: Annotated[
        str,
        typer.Argument(metavar="[NAME or SQL]", help="Name of a view, or SQL in quotes. Without it: the names."),
    ] = "",
    values: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PARAMETER=VALUE]...", help="Parameters of the view, such as as_of=2026-03-31."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line, for programs.")] = False,
    rows_max: Annotated[int, typer.Option("--rows", metavar="N", min=1, help="Most rows to show.")] = 100,
) -> None:
    """Answer a question by the name of a view, or by SQL, read-only.

    aging_as_of as_of=2026-03-31 is the aging as known today; with known_as_of="2026-04-01 06:00:00" it is the aging
    as it was reported then. docs/clickhouse.md lists all views.
    """
    with clickhouse_client(load_settings(context)) as client:
        if not question:
            _print_names(questions(client), as_json)
            return
        answer = ask(client, question, _parameters(values or []), rows_max)
    _print(answer, as_json, rows_max)


def _parameters(values: list[str]) -> dict[str, str]:
    found = {}
    for value in values:
        name, separator, text = value.partition("=")
        if not separator:
            raise Problem(f"{value!r} is not PARAMETER=VALUE", "Write, for example, as_of=2026-03-31; SQL needs quotes")
        found[name] = text
    return found


def _print_names(found: list[Question], as_json: bool) -> None:
    if as_json:
        for question in found:
            told = {"name": question.name, "parameters": question.parameters, "comment": question.comment}
            typer.echo(json.dumps(told))
        return
    table = Table(box=None, header_style="bold")
    for heading in ("name", "parameters", "answers"):
        table.add_column(heading)
    for question in found:
        table.add_row(question.name, ", ".join(question.parameters), question.comment)
    Console(highlight=False).print(table)


def _print(answer: Answer, as_json: bool, rows_max: int) -> None:
    currency = list(answer.columns).index("currency") if "currency" in answer.columns else None
    rows = [[plain(value, row[currency] if currency is not None else None) for value in row] for row in answer.rows]
    if as_json:
        for row in rows:
            typer.echo(json.dumps(dict(zip(answer.columns, row, strict=True)), ensure_ascii=False))
    else:
        table = Table(box=None, header_style="bold")
        for number, name in enumerate(answer.columns):
            is_number = any(isinstance(row[number], int | float | Decimal) for row in answer.rows[:1])
            table.add_column(name, justify="right" if is_number else "left", overflow="fold")
        for row in rows:
            table.add_row(*(_cell(value) for value in row))
        # A file or a pipe has no width; a terminal has its own.
        console = Console(highlight=False)
        Console(highlight=False, width=None if console.is_terminal else 240).print(table)
    if answer.is_cut:
        typer.echo(f"only the first {rows_max} rows are shown; --rows shows more", err=True)


def _cell(value: object) -> str:
    """A value for people: parts of a list below one another, members of a part beside one another."""
    if value is None:
        return ""
    if isinstance(value, dict):
        return " ".join(str(member) for member in value.values())
    if isinstance(value, list):
        return "\n".join(_cell(member) for member in value)
    return str(value)
