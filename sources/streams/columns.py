"""Values of a change event → the text of a cell, as an extract of the same table would have it. Exact or refused.

Debezium writes dates as days, times as numbers and decimals as bytes in base64; what they are stands in the schema, or
in the configuration where the converter writes none. A time without a zone stays without one: the mapping names it.
"""

import base64
import binascii
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from sources.errors import UnreadableError
from sources.numbers import exact_text
from sources.streams.connect import ColumnType

# What Debezium puts in the place of a large value that an update did not touch (TOAST in PostgreSQL).
UNAVAILABLE = "__debezium_unavailable_value"
_UNAVAILABLE_BYTES = base64.b64encode(UNAVAILABLE.encode()).decode()
DECIMAL = "org.apache.kafka.connect.data.Decimal"
_VARIABLE_DECIMAL = "io.debezium.data.VariableScaleDecimal"
# What makes a database log all columns of a row that is changed or deleted.
WHOLE_ROWS = "REPLICA IDENTITY FULL in PostgreSQL, binlog_row_image=FULL in MySQL, supplemental logging in Oracle"
_EPOCH_DAY = date(1970, 1, 1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BITS_MAX = 90  # 27 digits, which decimals keep exactly here
_SCALE_MAX = 40
_FLOATS = frozenset({"float", "double", "float32", "float64"})
_SINGLE = frozenset({"float", "float32"})
# What a configuration may call a type, and what the schema calls it.
DECLARED: Mapping[str, ColumnType] = {
    "text": ColumnType("string"),
    "date_days": ColumnType("io.debezium.time.Date"),
    "timestamp_millis": ColumnType("io.debezium.time.Timestamp"),
    "timestamp_micros": ColumnType("io.debezium.time.MicroTimestamp"),
    "timestamp_nanos": ColumnType("io.debezium.time.NanoTimestamp"),
}


def text_of(value: object, kind: ColumnType, column: str) -> str:
    """The text of a value, empty for null. Raises ``UnreadableError`` for what cannot be told exactly."""
    if value is None:
        return ""
    if isinstance(value, str) and value in {UNAVAILABLE, _UNAVAILABLE_BYTES}:
        message = f"the database did not log {column}, as the change left it alone; let it log whole rows: {WHOLE_ROWS}"
        raise UnreadableError("unavailable_value", message, column)
    try:
        return _read(value, kind)
    except UnreadableError as error:
        error.column = column
        raise
    except (ValueError, OverflowError, ArithmeticError, binascii.Error) as error:
        message = f"{value!r} is not a value of the type {kind.name or 'that the record seems to have'}: {error}"
        raise UnreadableError("invalid_value", message, column) from error


def _read(value: object, kind: ColumnType) -> str:
    read = _READERS.get(kind.name)
    if read is not None:
        return read(value)
    if kind.name == DECIMAL:
        return _decimal(value, kind.scale)
    if kind.name == _VARIABLE_DECIMAL or (not kind.name and isinstance(value, dict)):
        return _variable_decimal(value)
    if kind.name == "bytes" or not isinstance(value, str | int | Decimal):
        raise UnreadableError("invalid_value", f"a value of the type {kind.name or type(value).__name__} is no text")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        if kind.name in _FLOATS:
            raise ValueError("it should be a number")
        return value.strip()
    if isinstance(value, int) and kind.name not in _FLOATS:
        return str(value)
    return _double(value, single=kind.name in _SINGLE)


def _double(value: int | Decimal, *, single: bool) -> str:
    try:
        return exact_text(Decimal(value), single=single)
    except ValueError as error:
        message = f"{error}; set decimal.handling.mode=precise or string in the connector"
        raise UnreadableError("inexact_value", message) from error


def _decimal(value: object, scale: int) -> str:
    """Connect's Decimal: the unscaled number as big-endian bytes in two's complement, in base64."""
    if abs(scale) > _SCALE_MAX:
        raise ValueError(f"a scale of {scale} is that of no amount")
    if isinstance(value, Decimal | int) and not isinstance(value, bool):
        if abs(Decimal(value).adjusted()) > _SCALE_MAX:
            raise ValueError("it is out of all proportion")
        return format(Decimal(value), "f")  # decimal.format=NUMERIC of the JSON converter
    text = _text(value)
    if len(text) % 4:
        raise ValueError("it should be base64")
    unscaled = int.from_bytes(base64.b64decode(text, validate=True), "big", signed=True)
    if unscaled.bit_length() > _BITS_MAX:
        raise ValueError("it has more digits than any amount")
    return format(Decimal(unscaled).scaleb(-scale), "f")


def _variable_decimal(value: object) -> str:
    if not isinstance(value, dict) or value.keys() != {"scale", "value"} or not isinstance(value["scale"], int):
        raise ValueError("it should be a scale and a value")
    return _decimal(value["value"], value["scale"])


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError("it should be a whole number")  # noqa: TRY004  a verdict on data
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("it should be a text")  # noqa: TRY004  a verdict on data
    return value.strip()


def _day(value: object) -> str:
    return (_EPOCH_DAY + timedelta(days=_whole(value))).isoformat()


def _wall_time(units_a_second: int) -> Callable[[object], str]:
    """A local time counted as if it were UTC: it is written without an offset."""

    def read(value: object) -> str:
        micros = _whole(value) * 1_000_000 // units_a_second
        return (_EPOCH + timedelta(microseconds=micros)).replace(tzinfo=None).isoformat()

    return read


def _clock(units_a_second: int) -> Callable[[object], str]:
    def read(value: object) -> str:
        micros = _whole(value) * 1_000_000 // units_a_second
        if not 0 <= micros < 86_400_000_000:
            raise ValueError("it is not within a day")
        return (datetime.combine(_EPOCH_DAY, time()) + timedelta(microseconds=micros)).time().isoformat()

    return read


_MILLIS, _MICROS, _NANOS = 1_000, 1_000_000, 1_000_000_000
_READERS: dict[str, Callable[[Any], str]] = {
    "io.debezium.time.Date": _day,
    "org.apache.kafka.connect.data.Date": _day,
    "io.debezium.time.Timestamp": _wall_time(_MILLIS),
    "org.apache.kafka.connect.data.Timestamp": _wall_time(_MILLIS),
    "io.debezium.time.MicroTimestamp": _wall_time(_MICROS),
    "io.debezium.time.NanoTimestamp": _wall_time(_NANOS),
    "io.debezium.time.ZonedTimestamp": _text,
    "io.debezium.time.IsoDate": lambda value: _text(value).removesuffix("Z"),
    "io.debezium.time.IsoTimestamp": lambda value: _text(value).removesuffix("Z"),
    "io.debezium.time.Time": _clock(_MILLIS),
    "org.apache.kafka.connect.data.Time": _clock(_MILLIS),
    "io.debezium.time.MicroTime": _clock(_MICROS),
    "io.debezium.time.NanoTime": _clock(_NANOS),
}


def declared_type(name: str) -> ColumnType:
    """The type that a configuration names: one of ``DECLARED``, or `decimal(2)`. Raises ``ValueError``."""
    if name.startswith("decimal(") and name.endswith(")") and name[8:-1].isdecimal():
        return ColumnType(DECIMAL, int(name[8:-1]))
    if name not in DECLARED:
        raise ValueError(f"{name!r} is not a type; there are {', '.join(DECLARED)} and decimal(2)")
    return DECLARED[name]
