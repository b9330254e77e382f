"""Local days, local midnights and business days of a company (SEMANTICS 2.1, 2.2, 3.1, 4.2)."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.calendar import Calendar
from jobs.values import Day, Instant, instant_of, moment_of
from tests.jobs.books import day, instant, iso
from tests.jobs.examples import examples


def local_date(zone: str, moment: str) -> str:
    """The local date of an instant, by a calendar that has answered nothing before."""
    return iso(Calendar(zone).day(instant(moment)))


@pytest.mark.parametrize(
    ("zone", "moment", "expected"),
    [
        ("Europe/Paris", "2026-03-31T21:59:59Z", "2026-03-31"),
        ("Europe/Paris", "2026-03-31T22:00:00Z", "2026-04-01"),
        ("America/Los_Angeles", "2026-06-01T06:59:59.999999Z", "2026-05-31"),
        ("America/Los_Angeles", "2026-06-01T07:00:00Z", "2026-06-01"),
        ("Asia/Kathmandu", "2026-01-01T18:14:59Z", "2026-01-01"),
        ("Asia/Kathmandu", "2026-01-01T18:15:00Z", "2026-01-02"),
        ("Pacific/Chatham", "2026-01-01T10:14:59Z", "2026-01-01"),
        ("Pacific/Chatham", "2026-01-01T10:15:00Z", "2026-01-02"),
        ("Pacific/Kiritimati", "2026-01-01T10:00:00Z", "2026-01-02"),
        ("UTC", "1969-12-31T23:59:59.999999Z", "1969-12-31"),
    ],
)
def test_the_local_date_changes_at_local_midnight(zone: str, moment: str, expected: str) -> None:
    assert local_date(zone, moment) == expected


@pytest.mark.parametrize(
    ("zone", "of", "begins"),
    [
        ("Europe/Paris", "2026-03-29", "2026-03-28T23:00:00Z"),
        ("Europe/Paris", "2026-03-30", "2026-03-29T22:00:00Z"),
        ("Europe/Paris", "2026-10-26", "2026-10-25T23:00:00Z"),
        # a clock change skips midnight: the day begins with the moment of the change
        ("America/Santiago", "2025-09-07", "2025-09-07T04:00:00Z"),
        ("Africa/Cairo", "2025-04-25", "2025-04-24T22:00:00Z"),
        ("Asia/Beirut", "2025-03-30", "2025-03-29T22:00:00Z"),
        # a clock change repeats the last hour of the day before: midnight comes once, after it
        ("America/Santiago", "2025-04-06", "2025-04-06T04:00:00Z"),
        ("Asia/Beirut", "2025-10-26", "2025-10-25T22:00:00Z"),
        # a clock change repeats the first hour of the day: the first midnight counts
        ("America/Havana", "2025-11-02", "2025-11-02T04:00:00Z"),
        ("Australia/Lord_Howe", "2025-10-05", "2025-10-04T13:30:00Z"),
        ("Australia/Lord_Howe", "2025-10-06", "2025-10-05T13:00:00Z"),
        # 30 December 2011 did not exist in Samoa
        ("Pacific/Apia", "2011-12-29", "2011-12-29T10:00:00Z"),
        ("Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00Z"),
    ],
)
def test_midnight_is_the_first_instant_of_the_day(zone: str, of: str, begins: str) -> None:
    calendar = Calendar(zone)
    midnight = calendar.midnight(day(of))
    assert moment_of(midnight).isoformat() == begins.replace("Z", "+00:00")
    assert iso(calendar.day(midnight)) == of
    assert calendar.day(Instant(midnight - 1)) < day(of)


def test_a_day_that_does_not_exist_begins_and_ends_at_once() -> None:
    calendar = Calendar("Pacific/Apia")
    assert calendar.midnight(day("2011-12-30")) == calendar.midnight(day("2011-12-31"))
    assert iso(calendar.day(instant("2011-12-30T09:59:59Z"))) == "2011-12-29"
    assert iso(calendar.day(instant("2011-12-30T10:00:00Z"))) == "2011-12-31"


def test_clock_changes_do_not_shift_the_number_of_days() -> None:
    calendar = Calendar("Europe/Paris")
    winter, summer = calendar.midnight(day("2026-03-28")), calendar.midnight(day("2026-03-30"))
    assert summer - winter == (24 + 23) * 3_600_000_000
    assert calendar.day(summer) - calendar.day(winter) == 2


def test_the_answer_does_not_depend_on_what_was_asked_before() -> None:
    """Until 2011 the clocks of St. John's went back at 00:01, in the middle of a quarter of an hour."""
    before, after = instant("2010-11-07T02:30:30Z"), instant("2010-11-07T02:31:30Z")
    one, other = Calendar("America/St_Johns"), Calendar("America/St_Johns")
    asked_in_order = [one.day(before), one.day(after)]
    asked_backwards = [other.day(after), other.day(before)]
    assert asked_in_order == list(reversed(asked_backwards))
    assert [iso(local) for local in asked_in_order] == ["2010-11-07", "2010-11-06"]


ZONES = ["America/Santiago", "Africa/Cairo", "Asia/Beirut", "Pacific/Apia", "Australia/Lord_Howe", "America/St_Johns",
         "Asia/Kathmandu", "Pacific/Chatham", "Europe/Paris", "America/Havana", "Africa/Casablanca", "UTC"]  # fmt: skip


@examples(200)
@given(st.sampled_from(ZONES), st.integers(instant("2008-01-01T00:00:00Z"), instant("2037-01-01T00:00:00Z")))
def test_the_cached_day_is_the_date_of_the_time_zone(zone: str, at: int) -> None:
    local = moment_of(Instant(at)).astimezone(ZoneInfo(zone))
    calendar = Calendar(zone)
    for offset in (0, -300, 300, 0):
        calendar.day(Instant(at + offset * 1_000_000))
    assert calendar.day(Instant(at)) == day(local.date().isoformat())


@examples(200)
@given(st.sampled_from(ZONES), st.integers(day("2012-06-01"), day("2037-01-01")))
def test_every_day_begins_where_the_day_before_ends(zone: str, of: int) -> None:
    calendar = Calendar(zone)
    midnight = calendar.midnight(Day(of))
    assert calendar.day(midnight) == of
    assert calendar.day(Instant(midnight - 1)) == of - 1


def test_business_days_skip_weekends_and_holidays() -> None:
    easter = frozenset({day("2026-04-03"), day("2026-04-06")})
    calendar = Calendar("Europe/Paris", easter)
    assert [calendar.is_business_day(day(f"2026-04-{of:02}")) for of in range(2, 9)] == [
        True,  # Thursday
        False,  # Good Friday
        False,
        False,
        False,  # Easter Monday
        True,
        True,
    ]


@pytest.mark.parametrize(
    ("after", "count", "expected"),
    [
        ("2026-04-01", 0, "2026-04-01"),
        ("2026-04-04", 0, "2026-04-04"),  # a Saturday stays where it is
        ("2026-04-01", 1, "2026-04-02"),
        ("2026-04-01", 2, "2026-04-07"),
        ("2026-04-04", 1, "2026-04-07"),
        ("2026-04-02", 5, "2026-04-13"),
    ],
)
def test_business_days_are_counted_strictly_after_the_day(after: str, count: int, expected: str) -> None:
    calendar = Calendar("Europe/Paris", frozenset({day("2026-04-03"), day("2026-04-06")}))
    assert iso(calendar.business_days_after(day(after), count)) == expected


@examples(100)
@given(st.integers(0, 40_000), st.integers(0, 30), st.sets(st.integers(0, 60), max_size=10))
def test_between_a_day_and_n_business_days_later_lie_n_business_days(
    start: int, count: int, holidays: set[int]
) -> None:
    calendar = Calendar("UTC", frozenset(Day(start + holiday) for holiday in holidays))
    end = calendar.business_days_after(Day(start), count)
    assert sum(calendar.is_business_day(Day(each)) for each in range(start + 1, end + 1)) == count
    assert end == start or calendar.is_business_day(end)


def test_an_instant_and_its_moment_are_the_same() -> None:
    moment = moment_of(Instant(1_234_567_890_123_456))
    assert instant_of(moment) == 1_234_567_890_123_456
    assert moment.utcoffset() == timedelta(0)
