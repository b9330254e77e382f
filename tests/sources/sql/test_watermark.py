"""Where a poll begins: before everything that may still commit, in every kind of watermark."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources import SourceError
from sources.sql.watermark import Value, decode, encode, is_after, look_back, not_after_now, watermark_of

PARIS, UTC_ZONE = ZoneInfo("Europe/Paris"), ZoneInfo("UTC")
NOON = datetime(2026, 3, 10, 12)  # noqa: DTZ001  local time, as databases keep it
EAST = timezone(timedelta(hours=5, minutes=30))


@pytest.mark.parametrize(
    ("value", "begin"),
    [
        (100, 99 - 299),
        (NOON, NOON - timedelta(minutes=5)),
        (NOON.replace(tzinfo=EAST), NOON.replace(tzinfo=EAST) - timedelta(minutes=5)),
        (date(2026, 3, 10), date(2026, 3, 9)),
        ("2026-03-10", "2026-03-09"),
        ("2026-03-10 12:00:00", "2026-03-10 11:55:00"),
        ("2026-03-10T12:00:00.123Z", "2026-03-10T11:55:00"),
        ("2026-03-10 12:00", "2026-03-10 11:55"),
    ],
)
def test_a_poll_looks_back_by_five_minutes(value: Value, begin: Value) -> None:
    assert look_back(value, 300, PARIS, "changed") == begin


@pytest.mark.parametrize("value", [1, NOON, date(2026, 3, 10), "2026-03-10 12:00:00", "01HX", NOON.replace(tzinfo=UTC)])
def test_watermarks_are_kept_as_text(value: Value) -> None:
    assert decode(*encode(value)) == value
    assert look_back(value, 0, UTC_ZONE, "changed") == value


@given(
    begin=st.datetimes(datetime(2026, 10, 24), datetime(2026, 10, 26)),  # noqa: DTZ001  an instant in UTC follows
    later=st.integers(0, 7200),
    overlap=st.integers(0, 3600),
)
def test_no_local_time_that_is_written_later_stands_before_the_beginning(
    begin: datetime, later: int, overlap: int
) -> None:
    """Law: what commits within the overlap of an instant, or after it, is read, clock change or not."""
    instant = begin.replace(tzinfo=UTC)
    watermark = instant.astimezone(PARIS).replace(tzinfo=None)
    written = (instant - timedelta(seconds=overlap) + timedelta(seconds=later)).astimezone(PARIS).replace(tzinfo=None)
    assert not is_after(look_back(watermark, overlap, PARIS, "changed"), written, "changed")


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)),  # noqa: DTZ001  a local time
    st.sampled_from([" ", "T"]),
    st.sampled_from(["seconds", "milliseconds", "microseconds"]),
    st.integers(0, 100_000),
)
def test_a_timestamp_as_text_looks_back_in_its_own_order(
    moment: datetime, separator: str, precision: str, overlap: int
) -> None:
    text = moment.isoformat(separator, precision)
    begin = look_back(text, overlap, UTC_ZONE, "changed")
    oldest = (datetime.fromisoformat(text) - timedelta(seconds=overlap)).isoformat(separator, precision)
    assert isinstance(begin, str)
    assert begin <= oldest


@pytest.mark.parametrize(
    ("value", "capped"),
    [
        (NOON, NOON),
        (datetime(2099, 1, 1), datetime(2026, 3, 10, 13)),  # noqa: DTZ001
        (datetime(2099, 1, 1, tzinfo=EAST), datetime(2026, 3, 10, 12, tzinfo=UTC)),
        (date(2099, 1, 1), date(2026, 3, 10)),
        ("2099-01-01", "2026-03-10"),
        ("2099-01-01 00:00:00.5", "2026-03-10 13:00:00"),
        ("99", "99"),
        (2**40, 2**40),
    ],
)
def test_a_position_is_never_in_the_future(value: Value, capped: Value) -> None:
    assert not_after_now(value, datetime(2026, 3, 10, 12, tzinfo=UTC), PARIS) == capped


def test_what_says_no_order_is_refused() -> None:
    assert watermark_of(Decimal("17.00"), "changed") == 17
    for value in (1.5, True, b"\0", Decimal("1.5")):
        with pytest.raises(SourceError, match="must be a timestamp, a date or a whole number"):
            watermark_of(value, "changed")
    with pytest.raises(SourceError, match="of different kinds in different rows"):
        is_after(NOON, NOON.replace(tzinfo=UTC), "changed")
    with pytest.raises(SourceError, match="which is a text and no timestamp"):
        look_back("01HX", 5, UTC_ZONE, "changed")
