"""Single values as people write them, by the kind of their field; amounts in a currency are in `avro.amounts`."""

import math
import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from avro import amounts, dates
from avro.written import Kind, WrittenField

_INT_LIMIT = 2**31
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class InvalidValue(Exception):  # noqa: N818  a verdict on what somebody wrote
    """A value of another type or vocabulary than the field's; the message says what is allowed."""


def parse_value(field: WrittenField, value: object) -> object:
    """The Avro value. Raises InvalidValue, InvalidNumber (currencies, decimals) or InvalidDate."""
    parsed = _PARSERS[field.kind](value)
    if field.name == "company" and "|" in str(parsed):
        raise InvalidValue("a company code must not hold |, which stands between company and account in a key")
    if field.values and parsed not in field.values:
        raise InvalidValue(f"{parsed!r} is not one of {', '.join(field.values)}")
    return parsed


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise InvalidValue(f'{value!r} is not a text; write it in quotes, like "{value}"')
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidValue("the text holds half of a character pair; repair its encoding at the source") from None
    return value


def _identifier(value: object) -> str:
    text = _text(value)
    if not text.strip():
        raise InvalidValue("an id must not be empty; leave the field out when there is none")
    if _CONTROL.search(text):
        raise InvalidValue(f"{text!r} holds a control character; an id is plain text")
    return text


def _currency(value: object) -> str:
    return amounts.check_currency(_text(value))


def _scalar(value: object) -> str:
    """The value of any plain field, as text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int | float | Decimal):
        return str(value)
    return _text(value)


def _integer(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidValue(f"{value!r} is not a whole number")
    if not -_INT_LIMIT <= value < _INT_LIMIT:
        raise InvalidValue("the number is too large: it must fit in 32 bits")
    return value


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise InvalidValue(f"{value!r} is not a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise InvalidValue(f"{value!r} is not a finite number")
    return number


def _boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise InvalidValue(f"{value!r} is neither true nor false")
    return value


def _texts(value: object) -> list[str]:
    if not isinstance(value, list | tuple):
        raise InvalidValue(f"{value!r} is not a list; write it in brackets, like [I1, I2]")
    return [_identifier(item) for item in value]


_PARSERS: dict[Kind, Callable[[Any], object]] = {
    "text": _text,
    "identifier": _identifier,
    "currency": _currency,
    "decimal": amounts.positive_decimal,
    "scalar": _scalar,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "date": dates.to_days,
    "instant": dates.to_micros,
    "texts": _texts,
}
