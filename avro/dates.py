"""Dates and instants as people write them (ISO 8601), to days and microseconds since 1970 and back."""

import re
from datetime import UTC, date, datetime, timedelta

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})?"
)
_EPOCH = date(1970, 1, 1)
_EPOCH_INSTANT = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FIRST_YEAR, _LAST_YEAR = 1900, 2199


class InvalidDate(Exception):  # noqa: N818  a verdict on what somebody wrote
    """No date, or no instant, of the calendar between 1900 and 2199; the message says why."""


def to_days(written: object) -> int:
    """Days since 1970-01-01 of an ISO date or a date object. Raises InvalidDate."""
    if isinstance(written, datetime) or not isinstance(written, str | date):
        raise InvalidDate(f"{written} is not a date; write a date without a time, like 2026-03-31")
    if isinstance(written, str):
        if not _DATE.fullmatch(written):
            raise InvalidDate(f"{written!r} is not a date like 2026-03-31")
        try:
            written = date.fromisoformat(written)
        except ValueError:
            raise InvalidDate(f"{written} is not a day of the calendar") from None
    _check_year(written.year, written)
    return (written - _EPOCH).days


def to_micros(written: object) -> int:
    """Microseconds since 1970-01-01T00:00Z of an ISO instant or an aware datetime object. Raises InvalidDate."""
    if isinstance(written, str):
        if not _INSTANT.fullmatch(written):
            raise InvalidDate(
                f"{written!r} is not an instant like 2026-03-31T09:00:00Z, with at most 6 digits of a second"
            )
        try:
            written = datetime.fromisoformat(written)
        except ValueError:
            raise InvalidDate(f"{written} is not an instant of the calendar") from None
    if not isinstance(written, datetime):
        raise InvalidDate(f"{written} is not an instant; write a date and a time, like 2026-03-31T09:00:00Z")
    if written.tzinfo is None:
        raise InvalidDate(f"{written.isoformat()} names no time zone; add Z for UTC, or an offset like +02:00")
    try:
        moment = written.astimezone(UTC)
    except OverflowError:
        raise InvalidDate(f"{written.isoformat()} is not an instant of the calendar") from None
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        _check_year(moment.year, written.isoformat())
    return (moment - _EPOCH_INSTANT) // _MICROSECOND


def from_days(days: int) -> str:
    """The ISO date of days since 1970-01-01. Raises OverflowError beyond the calendar."""
    return (_EPOCH + timedelta(days=days)).isoformat()


def from_micros(micros: int) -> str:
    """The ISO instant in UTC of microseconds since 1970. Raises OverflowError beyond the calendar."""
    moment = (_EPOCH_INSTANT + timedelta(microseconds=micros)).replace(tzinfo=None)
    text = moment.isoformat(timespec="seconds")
    fraction = f".{moment.microsecond:06}".rstrip("0") if moment.microsecond else ""
    return f"{text}{fraction}Z"


def _check_year(year: int, written: object) -> None:
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        raise InvalidDate(f"{written} lies outside the years {_FIRST_YEAR} to {_LAST_YEAR}")
