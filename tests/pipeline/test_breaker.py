"""The circuit breaker: bad data passes, a defect stops the worker."""

import pytest

from pipeline.breaker import Breaker, BreakerOptions
from pipeline.errors import Problem

OPTIONS = BreakerOptions(share_max=0.5, window_events=1000, events_min=100, restores_max=2)


def test_single_failures_pass() -> None:
    breaker = Breaker(OPTIONS)
    for _ in range(100):
        breaker.count(100, 1)
        breaker.check("ValueError")


def test_most_of_a_batch_failing_stops_the_worker() -> None:
    breaker = Breaker(OPTIONS)
    breaker.count(200, 101)
    with pytest.raises(Problem, match="101 of the last 200 events") as problem:
        breaker.check("KeyError: 'x'")
    assert "KeyError: 'x'" in problem.value.message


def test_a_few_events_prove_nothing() -> None:
    breaker = Breaker(OPTIONS)
    breaker.count(99, 99)
    breaker.check("ValueError")


def test_small_batches_add_up() -> None:
    breaker = Breaker(OPTIONS)
    for _ in range(33):
        breaker.count(3, 3)
    breaker.check("ValueError")
    breaker.count(3, 3)
    with pytest.raises(Problem):
        breaker.check("ValueError")


def test_what_was_long_ago_does_not_count() -> None:
    breaker = Breaker(OPTIONS)
    breaker.count(90, 90)
    for _ in range(20):
        breaker.count(100, 0)
    breaker.count(100, 60)
    breaker.check("ValueError")


def test_a_long_good_past_does_not_hide_a_defect() -> None:
    breaker = Breaker(OPTIONS)
    for _ in range(1000):
        breaker.count(100, 0)
    breaker.count(900, 900)
    breaker.count(101, 101)
    with pytest.raises(Problem):
        breaker.check("ValueError")


def test_effects_that_cannot_be_written_stop_the_worker_soon() -> None:
    breaker = Breaker(OPTIONS)
    for _ in range(2):
        breaker.count(1, 1, restores=1)
        breaker.check("LedgerEntry")
    breaker.count(1, 1, restores=1)
    with pytest.raises(Problem, match="3 of the last 3 events had effects that cannot be written"):
        breaker.check("LedgerEntry")
