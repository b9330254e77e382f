"""Records to the written form; the way back is `avro.text.parse_event`."""

import base64
from collections.abc import Callable, Mapping
from typing import Any

from avro import amounts, dates
from avro.amounts import InvalidNumber
from avro.written import SCALE, Kind, WrittenField, written_record

NAME = "event"
"""The key under which a document says what it is."""


def write_event(name: str, record: Mapping[str, Any]) -> dict[str, Any]:
    """The written form of a record, without the fields that are null; `parse_event` reads it back.

    An amount without a currency or a sensible scale to write it by, and a date beyond the calendar, stand as the
    integers they are.
    Output records can be written, too. Raises UnknownSchema for a name that is no record.
    """
    return {NAME: name, **_write(written_record(name).fields, record, record.get("currency"))}


def _write(fields: tuple[WrittenField, ...], record: Mapping[str, Any], currency: str | None) -> dict[str, Any]:
    written: dict[str, Any] = {}
    for field in fields:
        value = record.get(field.name)
        if value is None:
            continue
        if field.kind == "records":
            written[field.written] = [_write(field.items, item, currency) for item in value]
        elif field.kind == "mapping":
            rows = [_write(field.items, item, currency) for item in value]
            written[field.written] = {row.pop(field.items[0].written): row for row in rows}
        elif field.kind == "scaled_amount":
            scale = record[SCALE]
            if 0 <= scale <= amounts.SCALE_MAX:
                written[field.written] = amounts.from_scaled(value, scale)
            else:
                written |= {field.name: value, SCALE: scale}
        elif field.kind in {"amount", "amounts"} and not _has_exponent(currency):
            written[field.name] = value
        elif field.kind in {"amount", "amounts"}:
            written[field.written] = _in_currency(value, str(currency))
        else:
            written[field.written] = _WRITERS[field.kind](value) if field.kind in _WRITERS else value
    return written


def _in_currency(value: int | list[int], currency: str) -> str | list[str]:
    if isinstance(value, int):
        return amounts.from_minor(value, currency)
    return [amounts.from_minor(item, currency) for item in value]


def _has_exponent(currency: str | None) -> bool:
    try:
        return currency is not None and amounts.exponent(currency) >= 0
    except InvalidNumber:
        return False


def _by_currency(value: Mapping[str, int]) -> dict[str, str | int]:
    return {code: amounts.from_minor(item, code) if _has_exponent(code) else item for code, item in value.items()}


def _date(value: int) -> str | int:
    try:
        return dates.from_days(value)
    except OverflowError:
        return value


def _instant(value: int) -> str | int:
    try:
        return dates.from_micros(value)
    except OverflowError:
        return value


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


_WRITERS: dict[Kind, Callable[[Any], object]] = {
    "date": _date,
    "instant": _instant,
    "bytes": _base64,
    "texts": list,
    "amounts_by_currency": _by_currency,
}
