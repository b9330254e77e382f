"""Dates and times as sources write them → dates and instants. Naive times get the zone that the mapping names."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

# Formats that strptime cannot express, by name.
NAMED_DATES = ("iso", "excel_serial", "jde_julian")
NAMED_TIMESTAMPS = ("iso", "unix_seconds", "unix_milliseconds", "jde_julian")
_EXCEL_EPOCH = date(1899, 12, 30)  # serial 60 is the 29 February 1900 that never was; all later days count from here
_DIRECTIVE = re.compile("(%.)")
_NUMERIC = {"%Y": "[0-9]{4}", **dict.fromkeys(("%m", "%d", "%H", "%M", "%S"), "[0-9]{1,2}")}
_UNITS = {"%Y": "year", "%m": "month", "%d": "day", "%H": "hour", "%M": "minute", "%S": "second"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DISTINCT_DATES_MAX = 8192
_RECENT_TIMES_MAX = 64


@cache
def date_reader(style: str) -> Callable[[str], date]:
    """A function from text to a date. `style` is a strptime format or one of ``NAMED_DATES``.

    It raises ``ValueError`` with a sentence. A column of dates repeats its values, so they are remembered.
    """
    named: dict[str, Callable[[str], date]] = {
        "iso": date.fromisoformat,
        "excel_serial": _from_excel,
        "jde_julian": _from_jde,
    }
    convert = named[style] if style in named else _date_parser(style)

    @lru_cache(_DISTINCT_DATES_MAX)
    def read(text: str) -> date:
        text = text.strip()
        try:
            return convert(text)
        except (ValueError, OverflowError) as error:
            raise ValueError(f"{text!r} is not a date of the form {style}") from error

    return read


@cache
def timestamp_reader(style: str, zone: str) -> Callable[[str], datetime]:
    """A function from text to an instant in UTC. `style` is a strptime format or one of ``NAMED_TIMESTAMPS``.

    A time without an offset is local time of `zone`. Of an hour that the clocks repeat the first is meant; an hour
    that they skip is read with the offset before the change. It raises ``ValueError`` with a sentence.
    """
    local = ZoneInfo(zone)
    parse = _parser(style)

    # One event often reads the same time twice, as occurred_at and as recorded_at.
    @lru_cache(_RECENT_TIMES_MAX)
    def read(text: str) -> datetime:
        text = text.strip()
        try:
            moment = parse(text)
            moment = moment.replace(tzinfo=local) if moment.tzinfo is None else moment
            return moment.astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise ValueError(f"{text!r} is not a time of the form {style}") from error

    return read


def names_offset(style: str) -> bool:
    """Whether every text of this form says its own offset from UTC."""
    return style.startswith("unix_") or "%z" in style


def check_format(style: str, named: tuple[str, ...]) -> str:
    """The format itself. Raises ``ValueError`` when it is neither a name nor a strptime format that works."""
    if style in named:
        return style
    if "%" not in style:
        raise ValueError(f"{style!r} is neither a strptime format such as %d.%m.%Y nor one of {', '.join(named)}")
    moment = datetime(2026, 9, 30, 13, 45, 59, tzinfo=UTC)
    try:
        read = datetime.strptime(moment.strftime(style), style)  # noqa: DTZ007  only the day is looked at
    except ValueError as error:
        raise ValueError(f"{style!r} is not a strptime format: {error}") from error
    if read.date() != moment.date():
        raise ValueError(f"{style!r} does not hold a whole date: year, month and day are needed")
    return style


def _date_parser(style: str) -> Callable[[str], date]:
    parse = _parser(style)
    return lambda text: parse(text).date()


def _parser(style: str) -> Callable[[str], datetime]:
    """A function from text to a datetime, naive where the text names no offset. It raises ``ValueError``.

    ``strptime`` costs ten times a regular expression; forms made of numbers alone, which is most, do without.
    """
    if style == "iso":
        return datetime.fromisoformat
    if style == "jde_julian":
        return _jde_time
    if style.startswith("unix_"):
        unit = timedelta(seconds=1) if style == "unix_seconds" else timedelta(milliseconds=1)
        return lambda text: _EPOCH + int(text) * unit
    directives = _DIRECTIVE.findall(style)
    if len(set(directives)) < len(directives) or not set(directives) <= set(_NUMERIC):
        return lambda text: datetime.strptime(text, style)  # noqa: DTZ007  the caller gives it its zone
    literals = [re.escape(literal) for literal in _DIRECTIVE.split(style)[0::2]]
    groups = [f"({_NUMERIC[directive]})" for directive in directives]
    pattern = re.compile("".join(part for pair in zip(literals, [*groups, ""], strict=True) for part in pair))
    order = [_UNITS[directive] for directive in directives]

    def read(text: str) -> datetime:
        found = pattern.fullmatch(text)
        if found is None:
            raise ValueError(text)
        parts = dict(zip(order, map(int, found.groups()), strict=True))
        return datetime(**parts)  # type: ignore[arg-type]  # noqa: DTZ001  the caller gives it its zone

    return read


def _from_excel(text: str) -> date:
    return _EXCEL_EPOCH + timedelta(days=int(text))


def _jde_time(text: str) -> datetime:
    """CYYDDD, and HHMMSS after a space if the text has it: JD Edwards drops zeros from the left of both."""
    day, _, clock = text.partition(" ")
    hours, seconds = divmod(int(clock or 0), 10_000)
    return datetime.combine(_from_jde(day), time(hours, seconds // 100, seconds % 100))


def _from_jde(text: str) -> date:
    """CYYDDD: centuries after 1900, year, day of the year."""
    number = int(text)
    year, day = divmod(number, 1000)
    if number < 1 or day < 1:
        raise ValueError(text)
    found = date(1900 + year, 1, 1) + timedelta(days=day - 1)
    if found.year != 1900 + year:
        raise ValueError(text)
    return found
