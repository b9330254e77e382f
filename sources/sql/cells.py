"""Values of a database → the text of a cell, as an extract of the same table would have it. Exact or refused."""

from datetime import date, datetime, time
from decimal import Decimal
from uuid import UUID

from sources.errors import UnreadableError
from sources.numbers import exact_text


def text_of(value: object, column: str) -> str:
    """The text of a value, empty for NULL. Raises ``UnreadableError`` for one that is not exact, or no text.

    Dates and times become ISO texts; a time without an offset stays without one, and the mapping names its zone.
    """
    match value:
        case None:
            return ""
        case str():
            return value.strip()  # columns of fixed width are padded
        case bool():
            return "true" if value else "false"
        case int() | UUID():
            return str(value)
        case Decimal():
            if not value.is_finite():
                raise UnreadableError("invalid_value", f"{value} is not a number that can be told", column)
            return format(value, "f")
        case float():
            return _float_text(value, column)
        case datetime() | date() | time():
            return value.isoformat()
        case _:
            message = f"a value of the type {type(value).__name__} is no text; cast the column in a query"
            raise UnreadableError("invalid_value", message, column)


def _float_text(value: float, column: str) -> str:
    try:
        return exact_text(Decimal(repr(value)))
    except ValueError as error:
        message = f"{error}; cast the column to a decimal type in a query"
        raise UnreadableError("inexact_value", message, column) from error
