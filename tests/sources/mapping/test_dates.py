"""Dates and times as sources write them."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.mapping.dates import (
    NAMED_DATES,
    NAMED_TIMESTAMPS,
    check_format,
    date_reader,
    names_offset,
    timestamp_reader,
)


@pytest.mark.parametrize(
    ("style", "text", "expected"),
    [
        ("iso", "2026-09-30", date(2026, 9, 30)),
        ("%d.%m.%Y", "30.09.2026", date(2026, 9, 30)),
        ("%d.%m.%Y", " 3.9.2026 ", date(2026, 9, 3)),
        ("%Y%m%d", "20260930", date(2026, 9, 30)),
        ("%d-%b-%Y", "30-SEP-2026", date(2026, 9, 30)),
        ("%m/%d/%y", "09/30/26", date(2026, 9, 30)),
        ("excel_serial", "46295", date(2026, 9, 30)),
        ("jde_julian", "126273", date(2026, 9, 30)),
    ],
)
def test_dates(style: str, text: str, expected: date) -> None:
    assert date_reader(style)(text) == expected


@pytest.mark.parametrize(
    ("style", "text"),
    [
        ("iso", "30.09.2026"),
        ("%d.%m.%Y", "31.09.2026"),
        ("%d.%m.%Y", "30.09.2026 12:00"),
        ("%Y%m%d", "00000000"),
        ("jde_julian", "126366"),
        ("jde_julian", "126000"),
        ("excel_serial", "99999999999"),
        ("excel_serial", "soon"),
    ],
)
def test_what_is_no_such_date_is_refused(style: str, text: str) -> None:
    with pytest.raises(ValueError, match="is not a date of the form"):
        date_reader(style)(text)


@pytest.mark.parametrize(
    ("style", "zone", "text", "expected"),
    [
        ("%d.%m.%Y %H:%M:%S", "Europe/Paris", "14.01.2026 09:00:00", "2026-01-14T08:00:00"),
        ("%d.%m.%Y %H:%M:%S", "Europe/Paris", "14.07.2026 09:00:00", "2026-07-14T07:00:00"),
        ("%Y%m%d", "Asia/Tokyo", "20260114", "2026-01-13T15:00:00"),
        ("iso", "Asia/Tokyo", "2026-01-14T09:00:00", "2026-01-14T00:00:00"),
        ("iso", "Asia/Tokyo", "2026-01-14T09:00:00+01:00", "2026-01-14T08:00:00"),
        ("%Y-%m-%d %H:%M:%S%z", "UTC", "2026-01-14 09:00:00-0500", "2026-01-14T14:00:00"),
        ("unix_seconds", "UTC", "1768377600", "2026-01-14T08:00:00"),
        ("unix_milliseconds", "UTC", "1768377600500", "2026-01-14T08:00:00.500000"),
        # The night in which the clocks go back: half past two happens twice, the first is meant.
        ("iso", "Europe/Paris", "2026-10-25T02:30:00", "2026-10-25T00:30:00"),
        # The night in which they go forward: half past two does not happen.
        ("iso", "Europe/Paris", "2026-03-29T02:30:00", "2026-03-29T01:30:00"),
    ],
)
def test_times_become_instants(style: str, zone: str, text: str, expected: str) -> None:
    assert timestamp_reader(style, zone)(text) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


def test_what_is_no_such_time_is_refused() -> None:
    with pytest.raises(ValueError, match="is not a time of the form"):
        timestamp_reader("%d.%m.%Y %H:%M:%S", "UTC")("14.01.2026 25:00:00")


@given(st.dates(date(1900, 1, 1), date(2199, 12, 31)), st.sampled_from(["%d.%m.%Y", "%Y%m%d", "%m/%d/%Y", "%Y.%d-%m"]))
def test_numeric_forms_read_what_strftime_writes(day: date, style: str) -> None:
    assert date_reader(style)(day.strftime(style)) == day


@given(st.text(max_size=12), st.sampled_from(["iso", "%d.%m.%Y", "%d-%b-%y", *NAMED_DATES]))
def test_any_text_is_a_date_or_refused(text: str, style: str) -> None:
    try:
        read = date_reader(style)(text)
    except ValueError:
        return
    assert isinstance(read, date)


@given(st.text(max_size=20), st.sampled_from(["%d.%m.%Y %H:%M:%S", *NAMED_TIMESTAMPS]))
def test_any_text_is_a_time_or_refused(text: str, style: str) -> None:
    try:
        read = timestamp_reader(style, "Europe/Paris")(text)
    except ValueError:
        return
    assert read.tzinfo is UTC


@pytest.mark.parametrize("style", ["%d.%m", "%H:%M", "DD.MM.YYYY", "%Q", ""])
def test_a_format_that_holds_no_whole_date_is_refused(style: str) -> None:
    with pytest.raises(ValueError, match=r"is neither|is not a strptime format|does not hold a whole date"):
        check_format(style, NAMED_DATES)


def test_forms_that_say_their_offset_need_no_zone() -> None:
    assert names_offset("unix_seconds")
    assert names_offset("%Y-%m-%dT%H:%M:%S%z")
    assert not names_offset("iso")
