"""Scores against their definitions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.forecast import area_under_curve, average_delays, mean_absolute_error
from jobs.forecast.baselines import days_late_by_average
from jobs.forecast.model import History
from tests.jobs.examples import examples


@examples(60)
@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=40))
def test_the_area_is_the_share_of_pairs_in_the_right_order(cases: list[tuple[int, bool]]) -> None:
    scores, happened = [float(score) for score, _ in cases], [outcome for _, outcome in cases]
    if len(set(happened)) == 1:
        with pytest.raises(ValueError, match="same"):
            area_under_curve(scores, happened)
        return
    pairs = [
        (a > b) + (a == b) / 2
        for a, first in zip(scores, happened, strict=True)
        if first
        for b, second in zip(scores, happened, strict=True)
        if not second
    ]
    assert area_under_curve(scores, happened) == pytest.approx(sum(pairs) / len(pairs))


def test_the_error_is_a_mean() -> None:
    assert mean_absolute_error([1.0, 5.0], [2.0, 2.0]) == 2.0
    with pytest.raises(ValueError, match="1 predictions of 2 outcomes"):
        mean_absolute_error([1.0], [1.0, 2.0])


def test_the_average_is_weighted_by_what_was_paid() -> None:
    delays = average_delays(
        [
            History("A", "", -30, 60, ((10, 0.75), (30, 0.25))),
            History("B", "", -30, 60, ()),
            History("C", "", -9, 9, ((0, 1.0),)),
        ]
    )
    assert delays == {"A": 15.0, "C": 0.0, "": 7.5}
    assert days_late_by_average(delays, "B") == 7.5
