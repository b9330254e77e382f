"""Amounts and dates of X12 elements. What cannot be read is said with the segment it stands in."""

import re
from datetime import UTC, date, datetime, time
from decimal import Decimal

from sources.errors import FileRefusedError
from sources.x12.segments import Segment

_DECIMAL = re.compile(r"[+-]?(?:[0-9]{1,15}(?:\.[0-9]{0,6})?|\.[0-9]{1,6})")
_IMPLIED = re.compile(r"[+-]?[0-9]{1,17}")
_CENTURY_TURNS = 70  # years of two digits (before release 004010) below it are of this century
# A date without a time: noon UTC is the same date from UTC-12 to UTC+11. X12 times have no zone, so none is used.
_NOON = time(12, tzinfo=UTC)


class UnreadableError(Exception):
    """A set in which something cannot be read, in a file whose counts agree. It costs the set, not the file."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(reason, message)
        self.reason = reason
        self.message = message


def decimal(segment: Segment, position: int) -> Decimal | None:
    """An element of type R: a number with an explicit point. None where it is left out.

    Raises ``FileRefusedError``: a file with an amount that is none cannot be added up.
    """
    written = segment[position]
    if not written:
        return None
    if not _DECIMAL.fullmatch(written):
        raise _no_number(segment, position)
    return Decimal(written)


def hundredths(segment: Segment, position: int) -> Decimal | None:
    """An element of type N2: two decimals without a point, 12345 = 123.45. A point that is written all the same is
    believed. Raises ``FileRefusedError`` as `decimal` does."""
    written = segment[position]
    if not written:
        return None
    if _IMPLIED.fullmatch(written):
        return Decimal(written).scaleb(-2)
    return decimal(segment, position)


def day(written: str, what: str) -> date | None:
    """A date CCYYMMDD, or YYMMDD as before release 004010; None where it is left out.

    Raises ``UnreadableError`` for what is no date.
    """
    if not written:
        return None
    digits = written
    if len(digits) == 6 and digits.isascii() and digits.isdecimal():
        digits = ("20" if int(digits[:2]) < _CENTURY_TURNS else "19") + digits
    try:
        if len(digits) == 8 and digits.isascii() and digits.isdecimal():
            return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        pass
    raise UnreadableError("invalid_date", f"{what} is {written!r}, which is no date of the form CCYYMMDD")


def instant(of: date) -> str:
    """The instant that stands for a day in `occurred_at`."""
    return datetime.combine(of, _NOON).isoformat()


def _no_number(segment: Segment, position: int) -> FileRefusedError:
    name = f"{segment.name}{position:02}"
    message = f"{name} is {segment[position][:40]!r}, which is no amount; the file cannot be added up"
    return FileRefusedError("malformed_file", message, segment.line)
