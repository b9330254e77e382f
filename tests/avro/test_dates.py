"""Dates and instants as people write them: of the calendar, with a time zone, between 1900 and 2199."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avro.dates import InvalidDate, from_days, from_micros, to_days, to_micros
from tests.avro.examples import many


@pytest.mark.parametrize(
    ("written", "days"),
    [
        ("1970-01-01", 0),
        ("2026-03-31", 20543),
        ("1969-12-31", -1),
        (date(2026, 3, 31), 20543),
        ("2024-02-29", 19782),
        ("1900-01-01", -25567),
        ("2199-12-31", 84005),
    ],
)
def test_a_date_is_days_since_1970(written: object, days: int) -> None:
    assert to_days(written) == days
    assert from_days(days) == str(written)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("2026-02-30", "2026-02-30 is not a day of the calendar"),
        ("2023-02-29", "not a day of the calendar"),
        ("2026-13-01", "not a day of the calendar"),
        ("0000-01-01", "not a day of the calendar"),
        ("1899-12-31", "outside the years 1900 to 2199"),
        ("2200-01-01", "outside the years 1900 to 2199"),
        (date(1, 1, 1), "outside the years"),
        ("2026-03-31T00:00:00Z", "is not a date like 2026-03-31"),
        (datetime(2026, 3, 31, tzinfo=UTC), "write a date without a time"),
        ("31.03.2026", "is not a date like 2026-03-31"),
        ("20260331", "is not a date like 2026-03-31"),
        ("2026-W14-2", "is not a date like 2026-03-31"),
        ("2026-3-31", "is not a date like 2026-03-31"),
        ("٢٠٢٦-٠٣-٣١", "is not a date like 2026-03-31"),
        ("", "is not a date like 2026-03-31"),
        (20543, "20543 is not a date"),
        (True, "True is not a date"),
    ],
)
def test_what_is_no_date_is_refused(written: object, message: str) -> None:
    with pytest.raises(InvalidDate, match=message):
        to_days(written)


@pytest.mark.parametrize(
    ("written", "micros"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2026-03-01T09:00:00Z", 1_772_355_600_000_000),
        ("2026-03-01T10:00:00+01:00", 1_772_355_600_000_000),
        ("2026-03-01T09:00Z", 1_772_355_600_000_000),
        ("2026-03-01T09:00:00.000001Z", 1_772_355_600_000_001),
        ("2026-03-01T09:00:00.5Z", 1_772_355_600_500_000),
        (datetime(2026, 3, 1, 9, tzinfo=UTC), 1_772_355_600_000_000),
        (datetime(2026, 3, 1, 10, tzinfo=timezone(timedelta(hours=1))), 1_772_355_600_000_000),
    ],
)
def test_an_instant_is_microseconds_since_1970(written: object, micros: int) -> None:
    assert to_micros(written) == micros


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("2026-03-01T09:00:00", "names no time zone; add Z for UTC"),
        (datetime(2026, 3, 1, 9), "names no time zone"),  # noqa: DTZ001  that is what is refused
        ("2026-03-01", "is not an instant like"),
        (date(2026, 3, 1), "write a date and a time"),
        ("2026-02-30T09:00:00Z", "not an instant of the calendar"),
        ("2026-03-01T24:01:00Z", "not an instant of the calendar"),
        ("2026-03-01T09:00:60Z", "not an instant of the calendar"),
        ("2026-03-01T09:00:00+25:00", "not an instant of the calendar"),
        ("2026-03-01T09:00:00.1234567Z", "at most 6 digits of a second"),
        ("2026-03-01 09:00:00Z", "is not an instant like"),
        ("1900-01-01T00:00:00+01:00", "outside the years"),
        ("2199-12-31T23:59:59-01:00", "outside the years"),
        ("0001-01-01T00:00:00+01:00", "not an instant of the calendar"),
        (1_772_355_600, "1772355600 is not an instant"),
        (None, "None is not an instant"),
    ],
)
def test_what_is_no_instant_is_refused(written: object, message: str) -> None:
    with pytest.raises(InvalidDate, match=message):
        to_micros(written)


@many
@given(st.dates(date(1900, 1, 1), date(2199, 12, 31)))
def test_dates_survive_the_way_through_text(day: date) -> None:
    assert from_days(to_days(day)) == day.isoformat()
    assert to_days(day.isoformat()) == to_days(day)


@many
@given(st.datetimes(datetime(1900, 1, 2), datetime(2199, 12, 30), timezones=st.timezones()))  # noqa: DTZ001  bounds
def test_instants_survive_the_way_through_text(moment: datetime) -> None:
    micros = to_micros(moment)
    assert to_micros(from_micros(micros)) == micros
    assert timedelta(microseconds=micros) == moment - datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("number", [2**31, -(2**31), 2**62])
def test_numbers_beyond_the_calendar_are_no_dates(number: int) -> None:
    with pytest.raises(OverflowError):
        from_days(number)
    with pytest.raises(OverflowError):
        from_micros(number * 2**31)
