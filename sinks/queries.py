"""Questions to ClickHouse, by the name of a view or as plain SQL, and their answers."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from typing import Any, BinaryIO, cast

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from avro.amounts import InvalidNumber, exponent
from sinks.clickhouse import words_of
from sinks.errors import SinkProblem
from sinks.questions import Question, in_order, unknown_name

# "As known now": an instant that no posting is recorded after. SEMANTICS 1.2.
EVERYTHING_KNOWN = "2299-12-31 23:59:59"
DEFAULTS = {"known_as_of": EVERYTHING_KNOWN, "credit_mode": ""}
_VIEWS = """
SELECT name, comment, create_table_query
FROM system.tables
WHERE database = currentDatabase() AND (engine = 'View' OR name IN ('events', 'rejected_events'))
ORDER BY name
"""
# Reading is all that a question may do.
_READ_ONLY = {"readonly": "2"}
_PIECE_BYTES = 1024 * 1024
# Amounts have four decimals in ClickHouse, and so have these, which are none.
_RATIO = re.compile(r"(?:^|_)(?:rate|share|ratio|turnover|coverage|probability)(?:_|$)")
_AMOUNT_SCALE = 4
_DECIMAL = re.compile(r"(?:Nullable\()?Decimal\(\d+, (\d+)\)")


@dataclass(frozen=True)
class Answer:
    """Columns and rows; `is_cut` when there were more rows than were asked for.

    `places` are the decimals of columns that are numbers but no amounts; None says: those of the row's currency.
    """

    columns: Sequence[str]
    places: Sequence[int | None]
    rows: Sequence[Sequence[Any]]
    is_cut: bool


def questions(client: Client) -> list[Question]:
    """All that can be asked by name."""
    return [Question.read(*row) for row in _query(client, _VIEWS, {}).rows]


def ask(client: Client, text: str, values: Mapping[str, str], rows_max: int) -> Answer:
    """The answer to a name with its parameters, or to SQL: what has more than one word is SQL.

    A value that names no parameter of the view but a column is a condition on its rows. The rows of a view come in the
    order of their columns, buckets by age, unless it has an order of its own or is longer than what is asked for.
    Raises SinkProblem for an unknown name, for a parameter that is missing, not known or of another type, and for
    what ClickHouse refuses.
    """
    if _is_sql(text):
        return _query(client, _bare(text), values, rows_max)
    question, given = _question(client, text, values)
    answer = _query(client, f"{question.sql(given)} LIMIT {rows_max + 1}", given, rows_max)
    if question.is_ordered or answer.is_cut:
        return answer
    return replace(answer, rows=in_order(answer.columns, answer.rows))


def export(client: Client, text: str, values: Mapping[str, str], form: str, rows_max: int | None) -> Iterator[bytes]:
    """The same answer as ClickHouse writes it in one of its formats (`CSVWithNames`, `Parquet`, …), piece by piece.

    Raises SinkProblem as `ask` does; what goes wrong once pieces have come is told by the last of them.
    """
    if _is_sql(text):
        sql, given = (_bare(text) if rows_max is None else f"SELECT * FROM ({_bare(text)})"), dict(values)
    else:
        question, given = _question(client, text, values)
        sql = question.sql(given)
    if rows_max is not None:
        sql = f"{sql} LIMIT {rows_max}"
    try:
        with cast("BinaryIO", client.raw_stream(sql, parameters=given, settings=_READ_ONLY, fmt=form)) as stream:
            while piece := stream.read(_PIECE_BYTES):
                yield piece
    except ClickHouseError as error:
        raise SinkProblem(f"ClickHouse refuses: {words_of(error)[:400]}") from error


def _question(client: Client, name: str, values: Mapping[str, str]) -> tuple[Question, dict[str, str]]:
    """A view with all its values, defaults filled in."""
    known = {question.name: question for question in questions(client)}
    if name not in known:
        raise unknown_name(name, known)
    question = known[name]
    given = {parameter: value for parameter, value in DEFAULTS.items() if parameter in question.types} | dict(values)
    question.check(given)
    return question, given


def _bare(text: str) -> str:
    return text.strip().rstrip(";")


def _is_sql(text: str) -> bool:
    return len(text.split()) > 1


def _query(client: Client, sql: str, values: Mapping[str, str], rows_max: int | None = None) -> Answer:
    """No more rows are read than are wanted, whatever the statement would give."""
    try:
        with client.query_rows_stream(sql, parameters=dict(values), settings=_READ_ONLY) as stream:
            source = cast("Any", stream.source)
            rows = list(islice(stream, None if rows_max is None else rows_max + 1))
    except ClickHouseError as error:
        raise SinkProblem(f"ClickHouse refuses: {words_of(error)[:400]}") from error
    cut = rows_max is not None and len(rows) > rows_max
    types = [type_.name for type_ in source.column_types]
    places = [_places(name, type_) for name, type_ in zip(source.column_names, types, strict=True)]
    return Answer(source.column_names, places, rows[:rows_max] if cut else rows, cut)


def _places(name: str, type_: str) -> int | None:
    found = _DECIMAL.match(type_)
    if found is None:
        return None
    places = int(found.group(1))
    return places if places < _AMOUNT_SCALE or (places == _AMOUNT_SCALE and _RATIO.search(name)) else None


def plain(value: Any, currency: str | None, places: int | None = None) -> Any:  # noqa: ANN401  whatever a column holds
    """A value as JSON has it: amounts as decimal texts with the decimals of their currency, dates as ISO texts.

    `places` are the decimals of a number that is no amount.
    """
    if isinstance(value, Decimal):
        return amount_text(value, currency) if places is None else f"{value:.{places}f}"
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
