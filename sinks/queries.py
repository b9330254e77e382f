"""Questions to ClickHouse by name: every view is one, with its parameters, and plain SQL is answered as well."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, BinaryIO, cast

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from avro.amounts import InvalidNumber, exponent
from sinks.clickhouse import words_of
from sinks.errors import SinkProblem

# "As known now": an instant that no posting is recorded after. SEMANTICS 1.2.
EVERYTHING_KNOWN = "2299-12-31 23:59:59"
DEFAULTS = {"known_as_of": EVERYTHING_KNOWN, "credit_mode": ""}
_PARAMETER = re.compile(r"\{(\w+):")
_VIEWS = """
SELECT name, comment, create_table_query
FROM system.tables
WHERE database = currentDatabase() AND (engine = 'View' OR name IN ('events', 'rejected_events'))
ORDER BY name
"""
# Reading is all that a question may do.
_READ_ONLY = {"readonly": "2"}
_PIECE_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Question:
    """A view or table that can be asked by its name."""

    name: str
    comment: str
    parameters: tuple[str, ...]


@dataclass(frozen=True)
class Answer:
    """Columns and rows; `is_cut` when there were more rows than were asked for."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    is_cut: bool


def questions(client: Client) -> list[Question]:
    """All that can be asked by name."""
    found = []
    for name, comment, text in _query(client, _VIEWS, {}).rows:
        parameters = tuple(dict.fromkeys(_PARAMETER.findall(text)))
        found.append(Question(name, comment, parameters))
    return found


def ask(client: Client, text: str, values: Mapping[str, str], rows_max: int) -> Answer:
    """The answer to a name with its parameters, or to SQL: what has more than one word is SQL.

    Raises SinkProblem for an unknown name, for a parameter that is missing or not known, and for what ClickHouse
    refuses.
    """
    sql, given = statement(client, text, values)
    return _query(client, sql, given, rows_max)


def export(client: Client, text: str, values: Mapping[str, str], form: str, rows_max: int | None) -> Iterator[bytes]:
    """The same answer as ClickHouse writes it in one of its formats (`CSVWithNames`, `Parquet`, …), piece by piece.

    Raises SinkProblem as `ask` does; what goes wrong once pieces have come is told by the last of them.
    """
    sql, given = statement(client, text, values)
    if rows_max is not None:
        sql = f"SELECT * FROM ({sql}) LIMIT {rows_max}"
    try:
        with cast("BinaryIO", client.raw_stream(sql, parameters=given, settings=_READ_ONLY, fmt=form)) as stream:
            while piece := stream.read(_PIECE_BYTES):
                yield piece
    except ClickHouseError as error:
        raise SinkProblem(f"ClickHouse refuses: {words_of(error)[:400]}") from error


def statement(client: Client, text: str, values: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """The SQL of a question and its parameters; defaults filled in. Raises SinkProblem as `ask` does."""
    if len(text.split()) > 1:
        return text.strip().rstrip(";"), dict(values)
    known = {question.name: question for question in questions(client)}
    if text not in known:
        raise SinkProblem(
            f"there is no view {text}", f"Names are {', '.join(known) or 'none yet: run `arrears migrate`'}"
        )
    question = known[text]
    given = {name: value for name, value in DEFAULTS.items() if name in question.parameters} | dict(values)
    if unknown := sorted(given.keys() - set(question.parameters)):
        raise SinkProblem(
            f"{text} has no parameter {', '.join(unknown)}", f"Its parameters are {_names(question.parameters)}"
        )
    if missing := sorted(set(question.parameters) - given.keys()):
        raise SinkProblem(
            f"{text} needs {', '.join(missing)}", f"Write arrears query {text} {missing[0]}=…, as_of as 2026-03-31"
        )
    arguments = ", ".join(f"{name} = {{{name}:String}}" for name in question.parameters)
    call = f"{text}({arguments})" if arguments else text
    return f"SELECT * FROM {call}", given


def _names(parameters: Sequence[str]) -> str:
    return ", ".join(parameters) or "none"


def _query(client: Client, sql: str, values: Mapping[str, str], rows_max: int | None = None) -> Answer:
    try:
        result = client.query(sql, parameters=dict(values), settings=_READ_ONLY)
    except ClickHouseError as error:
        raise SinkProblem(f"ClickHouse refuses: {words_of(error)[:400]}") from error
    rows = result.result_rows
    cut = rows_max is not None and len(rows) > rows_max
    return Answer(result.column_names, rows[:rows_max] if cut else rows, cut)


def plain(value: Any, currency: str | None) -> Any:  # noqa: ANN401  whatever a column holds
    """A value as JSON has it: amounts as decimal texts with the decimals of their currency, dates as ISO texts."""
    if isinstance(value, Decimal):
        return amount_text(value, currency)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, Mapping):
        return {str(key): plain(member, currency) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [plain(member, currency) for member in value]
    return value


def amount_text(value: Decimal, currency: str | None) -> str:
    """12.5000 EUR as 12.50, JPY as 12; without a currency only the zeros at the end are cut."""
    try:
        places = exponent(currency) if currency else None
    except InvalidNumber:
        places = None
    if places is not None and value == round(value, places):
        return f"{value:.{places}f}"
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
