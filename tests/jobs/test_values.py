"""Days and instants."""

from datetime import UTC, date, datetime

from jobs.values import Day, Instant, date_of, day_of, instant_of, moment_of


def test_days_count_from_the_epoch() -> None:
    assert day_of(date(1970, 1, 1)) == 0
    assert day_of(date(2026, 3, 1)) == 20_513
    assert date_of(Day(-1)) == date(1969, 12, 31)


def test_instants_are_whole_microseconds() -> None:
    assert instant_of(datetime(1970, 1, 1, 0, 0, 1, 5, tzinfo=UTC)) == 1_000_005
    assert moment_of(Instant(-1)) == datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
