"""Watermarks: how far a table has been read, and from where to read again.

A watermark is a timestamp with or without offset, a date, a whole number, or a text that holds a timestamp (as SQLite
keeps them). Rows that commit late have an older one than rows that were read already, so every poll looks back.
"""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from sources.errors import SourceError

Value = int | datetime | date | str
# Local time jumps back by at most this much when summer ends, and a little later all is as before.
_CLOCK_CHANGE = timedelta(hours=3)
_DAY_TEXT = re.compile(r"\d{4}-\d{2}-\d{2}")
_TIME_TEXT = re.compile(r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?Z?")


def watermark_of(value: object, column: str) -> Value:
    """The watermark in a column of a row. Raises ``SourceError`` for what does not say an order exactly."""
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return int(value)
    if isinstance(value, int | str | date) and not isinstance(value, bool):
        return value
    raise SourceError(
        f"the watermark {column} is of the type {type(value).__name__}",
        "It must be a timestamp, a date or a whole number; cast it in a query",
    )


def is_after(one: Value, other: Value, column: str) -> bool:
    """Whether the first is greater. Raises ``SourceError`` when they are of different kinds."""
    try:
        return one > other  # type: ignore[operator]
    except TypeError as error:
        kinds = f"{type(other).__name__} and {type(one).__name__}"
        raise SourceError(
            f"the watermark {column} is of different kinds in different rows ({kinds})",
            "Cast it in a query, so that all rows have one kind, with an offset or without",
        ) from error


def look_back(value: Value, overlap: int, zone: ZoneInfo, column: str) -> Value:
    """Where a poll begins: `overlap` seconds, or that number, before the watermark.

    Where local clocks are set back, an hour comes twice, and rows of the second pass have older watermarks than those
    of the first: the poll then looks back by that hour as well.
    """
    if isinstance(value, int):
        return value - overlap
    if isinstance(value, datetime):
        return _moment_before(value, overlap, zone)
    if isinstance(value, date):
        return value - timedelta(days=-(-overlap // 86_400))
    if overlap == 0:
        return value
    if _DAY_TEXT.fullmatch(value):
        return (date.fromisoformat(value) - timedelta(days=-(-overlap // 86_400))).isoformat()
    if _TIME_TEXT.fullmatch(value):
        begin = _moment_before(datetime.fromisoformat(value.removesuffix("Z")), overlap, zone)
        return _text_like(value, begin)
    raise SourceError(
        f"the watermark {column} holds {value!r}, which is a text and no timestamp",
        "Set overlap = 0 if such texts grow with every change, or cast it in a query",
    )


def not_after_now(value: Value, now: datetime, zone: ZoneInfo) -> Value:
    """The watermark, but no later than now: one of the year 2099 would hide every row that comes after it."""
    if isinstance(value, int):
        return value
    local = now.astimezone(zone).replace(tzinfo=None)
    if isinstance(value, datetime):
        return min(value, now) if value.tzinfo else min(value, local)
    if isinstance(value, date):
        return min(value, local.date())
    if _DAY_TEXT.fullmatch(value):
        return min(value, local.date().isoformat())
    return min(value, _text_like(value, local)) if _TIME_TEXT.fullmatch(value) else value


def _moment_before(value: datetime, overlap: int, zone: ZoneInfo) -> datetime:
    if value.tzinfo is not None:
        return value - timedelta(seconds=overlap)
    begin = value.replace(tzinfo=zone, fold=0).astimezone(UTC) - timedelta(seconds=overlap)
    local = begin.astimezone(zone)
    later = (begin + _CLOCK_CHANGE).astimezone(zone)
    set_back = (local.utcoffset() or timedelta()) - (later.utcoffset() or timedelta())
    return local.replace(tzinfo=None) - max(set_back, timedelta())


def _text_like(example: str, moment: datetime) -> str:
    """A timestamp written so that it stands before all texts of its second."""
    return moment.strftime(f"%Y-%m-%d{example[10]}%H:%M" + (":%S" if len(example) > len("2026-03-01 09:12Z") else ""))


def encode(value: Value) -> tuple[str, str]:
    """The kind of a watermark and its text, to be kept."""
    if isinstance(value, int):
        return "integer", str(value)
    if isinstance(value, datetime):
        return "timestamp", value.isoformat()
    return ("date", value.isoformat()) if isinstance(value, date) else ("text", value)


def decode(kind: str, text: str) -> Value:
    """The watermark that was kept. Raises ``ValueError``."""
    match kind:
        case "integer":
            return int(text)
        case "timestamp":
            return datetime.fromisoformat(text)
        case "date":
            return date.fromisoformat(text)
        case "text":
            return text
        case _:
            raise ValueError(f"{kind!r} is no kind of watermark")
