"""Aging buckets (SEMANTICS 2.1)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.buckets import Buckets
from jobs.values import Day
from tests.jobs.examples import examples

DEFAULT = Buckets((30, 60, 90, 120))


def test_the_default_buckets() -> None:
    assert DEFAULT.names == ("not_due", "1-30", "31-60", "61-90", "91-120", "121+")


@pytest.mark.parametrize(
    ("days_past_due", "name"),
    [(-400, "not_due"), (0, "not_due"), (1, "1-30"), (30, "1-30"), (31, "31-60"), (60, "31-60"), (61, "61-90"),
     (90, "61-90"), (91, "91-120"), (120, "91-120"), (121, "121+"), (9999, "121+")],
)  # fmt: skip
def test_due_today_is_not_due_and_the_edges_belong_to_the_younger_bucket(days_past_due: int, name: str) -> None:
    assert DEFAULT.name(days_past_due) == name


def test_without_limits_there_is_not_due_and_overdue() -> None:
    assert Buckets(()).names == ("not_due", "1+")
    assert [Buckets(()).name(days) for days in (0, 1, 500)] == ["not_due", "1+", "1+"]


def test_a_bucket_of_one_day() -> None:
    assert Buckets((1, 2)).names == ("not_due", "1-1", "2-2", "3+")


limits = st.lists(st.integers(1, 150), max_size=6, unique=True).map(lambda values: tuple(sorted(values)))


@examples(200)
@given(limits, st.integers(-200, 200))
def test_every_number_of_days_lies_in_exactly_one_bucket(of: tuple[int, ...], days_past_due: int) -> None:
    buckets = Buckets(of)
    holding = []
    for name in buckets.names:
        low, _, high = name.removesuffix("+").partition("-")
        if name == "not_due":
            holds = days_past_due <= 0
        else:
            holds = int(low) <= days_past_due <= (int(high) if high else days_past_due)
        if holds:
            holding.append(name)
    assert holding == [buckets.name(days_past_due)]


@examples(200)
@given(limits, st.integers(-200, 200))
def test_the_next_change_is_the_first_day_in_another_bucket(of: tuple[int, ...], days_past_due: int) -> None:
    buckets = Buckets(of)
    today = Day(20_000)
    due_date = Day(today - days_past_due)
    now = buckets.name(days_past_due)
    later = (Day(today + ahead) for ahead in range(1, 600))
    first = next((later_day for later_day in later if buckets.name(later_day - due_date) != now), None)
    assert buckets.next_change(due_date, today) == first
