"""The exact types of the domain: a date is never an instant, money is never a float.

`Day` counts days since 1970-01-01, `Instant` microseconds since 1970-01-01T00:00:00Z and `Minor` minor units of a
currency (cents of EUR, whole yen of JPY; ISO 4217). They are integers because the fold adds and compares them
millions of times; they are distinct types because mixing them up is the classic error of receivables software.
"""

from datetime import UTC, date, datetime, timedelta
from typing import NewType

Day = NewType("Day", int)
Instant = NewType("Instant", int)
Minor = NewType("Minor", int)

_EPOCH = date(1970, 1, 1)
_EPOCH_INSTANT = datetime(1970, 1, 1, tzinfo=UTC)


def day_of(calendar_date: date) -> Day:
    """The day number of a calendar date."""
    return Day((calendar_date - _EPOCH).days)


def date_of(day: Day) -> date:
    """The calendar date of a day number."""
    return _EPOCH + timedelta(days=day)


def instant_of(moment: datetime) -> Instant:
    """The instant of an aware datetime, in microseconds."""
    return Instant((moment - _EPOCH_INSTANT) // timedelta(microseconds=1))


def moment_of(instant: Instant) -> datetime:
    """The aware datetime (UTC) of an instant."""
    return _EPOCH_INSTANT + timedelta(microseconds=instant)
