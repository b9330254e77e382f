"""`arrears query`: look into ClickHouse."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, BinaryIO

import typer
from rich.console import Console
from rich.table import Table

from pipeline.cli import load_settings, xes
from pipeline.cli.answers import json_lines, print_answer
from pipeline.cli.chart import PICTURES, picture, series, terminal
from pipeline.cli.clickhouse import clickhouse_client
from pipeline.errors import Problem
from sinks.queries import ask, export, questions
from sinks.questions import Question

_ROWS_SHOWN = 100
_EVERY_ROW = 10_000_000  # all of them go through memory; CSV and Parquet are streamed

app = typer.Typer()


class Form(StrEnum):
    """How an answer is written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    PARQUET = "parquet"
    XES = "xes"
    CHART = "chart"


# A person or a terminal takes so much and no more; a picture is of all rows.
_SHOWN = (Form.TABLE, Form.JSON)
# As ClickHouse calls what it writes by itself.
_WRITTEN_BY_CLICKHOUSE = {Form.CSV: "CSVWithNames", Form.PARQUET: "Parquet"}


# What is no option of the command is a parameter or a column of the view.
@app.command(context_settings={"ignore_unknown_options": True})
def query(
    context: typer.Context,
    question: Annotated[
        str,
        typer.Argument(metavar="[NAME or SQL]", help="Name of a view, or SQL in quotes. Without it: the names."),
    ] = "",
    values: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME=VALUE]...",
            help="Parameters of the view, such as as_of=2026-03-31, and columns, such as company=FR01; or as options, "
            "--as-of 2026-03-31 --company FR01.",
        ),
    ] = None,
    form: Annotated[
        Form | None,
        typer.Option(
            "--format", help="How to write the answer; by default a table, or what the name of --output says."
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", metavar="FILE", help="Write into a file: .csv, .json, .parquet, .xes, .png or .svg."),
    ] = None,
    across: Annotated[
        str | None, typer.Option("--across", metavar="COLUMN", help="Of a chart: the column that names the bars.")
    ] = None,
    up: Annotated[
        list[str] | None,
        typer.Option("--up", metavar="COLUMN", help="Of a chart: a column of numbers; may be given several times."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json: one JSON object a line.")] = False,
    rows_max: Annotated[
        int | None,
        typer.Option("--rows", metavar="N", min=1, help="Most rows to show; 100 for a table, all for a file."),
    ] = None,
) -> None:
    """Answer a question by the name of a view, or by SQL, read-only.

    aging_as_of as_of=2026-03-31 is the aging as known today; with known_as_of="2026-04-01 06:00:00" it is the aging
    as it was reported then. A column with a value, such as currency=EUR, leaves the rows that have it. All of them may
    be written as options, too: --as-of 2026-03-31 --currency EUR.
    docs/clickhouse.md lists all views.
    """
    chosen = Form.JSON if as_json else form or _form_of(output)
    with clickhouse_client(load_settings(context)) as client:
        if not question:
            _print_names(questions(client), chosen is Form.JSON)
            return
        given = _parameters(question, values or [])
        if chosen in _WRITTEN_BY_CLICKHOUSE:
            with _opened(output) as file:
                for piece in export(client, question, given, _WRITTEN_BY_CLICKHOUSE[chosen], rows_max):
                    file.write(piece)
            return
        limit = rows_max or (_ROWS_SHOWN if output is None and chosen in _SHOWN else _EVERY_ROW)
        answer = ask(client, question, given, limit)
    if chosen is Form.XES:
        with _opened(output) as file:
            for line in xes.lines(answer):
                file.write(line.encode())
    elif chosen is Form.CHART:
        drawn = series(answer, _title(question, given), across, up or [])
        if output is None:
            terminal(drawn, Console(highlight=False))
        else:
            picture(drawn, output)
    elif output is not None:
        with _opened(output) as file:
            for line in json_lines(answer):
                file.write(line.encode() + b"\n")
    else:
        print_answer(answer, as_json=chosen is Form.JSON)
        if answer.is_cut:
            typer.echo(f"only the first {limit} rows are shown; --rows shows more", err=True)


def _title(question: str, given: dict[str, str]) -> str:
    """Of a picture; SQL says nothing that could stand above one."""
    if len(question.split()) > 1:
        return ""
    return " ".join((question, *(f"{name}={text}" for name, text in given.items())))


def _form_of(output: Path | None) -> Form:
    """The format by the name of the file."""
    if output is None:
        return Form.TABLE
    suffix = output.suffix.lower()
    if suffix in PICTURES:
        return Form.CHART
    known = {".csv": Form.CSV, ".json": Form.JSON, ".jsonl": Form.JSON, ".parquet": Form.PARQUET, ".xes": Form.XES}
    if suffix not in known:
        raise Problem(
            f"the name {output} does not say how to write it", "End it in .csv, .json, .parquet, .xes, .png or .svg"
        )
    return known[suffix]


@contextmanager
def _opened(output: Path | None) -> Iterator[BinaryIO]:
    """The file, which is there whole or not at all, or standard output."""
    if output is None:
        yield sys.stdout.buffer
        return
    unfinished = output.with_name(output.name + ".part")
    try:
        with unfinished.open("wb") as file:
            yield file
        unfinished.replace(output)
    except OSError as error:
        raise Problem(f"cannot write {output}: {error.strerror}", "Check its folder and permissions") from error
    finally:
        unfinished.unlink(missing_ok=True)


def _parameters(question: str, values: list[str]) -> dict[str, str]:
    """Names and values, written `as_of=2026-03-31`, `--as-of=2026-03-31` or `--as-of 2026-03-31`."""
    if question.startswith("-"):
        raise Problem(f"{question} stands where the name of a view is expected", "Write the name first")
    found = {}
    words = iter(values)
    for word in words:
        name, separator, text = word.partition("=")
        if name.startswith("--"):
            name = name.removeprefix("--").replace("-", "_")
            if not separator:
                text = next(words, "--")
                if text.startswith("--"):
                    raise Problem(f"{word} has no value", f"Write {word} VALUE; `arrears query --help` has the options")
        elif not separator:
            raise Problem(f"{word!r} is not PARAMETER=VALUE", "Write, for example, as_of=2026-03-31; SQL needs quotes")
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
