"""Rates and memory: what is let in, and how long the others wait."""

import pytest

from sources.http.limits import Memory, Rates, TokenBucket
from sources.http.problems import HttpProblem


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_a_burst_is_let_in_and_then_the_mean_rate_holds() -> None:
    clock = Clock()
    bucket = TokenBucket(10, 20, clock)
    taken = 0
    for step in range(100):
        clock.seconds = step / 10
        while not bucket.wait_seconds():
            bucket.take(1)
            taken += 1
    assert 20 + 99 - 1 <= taken <= 20 + 99 + 1


def test_a_batch_above_the_burst_is_taken_once_and_paid_for() -> None:
    clock = Clock()
    bucket = TokenBucket(10, 20, clock)
    bucket.take(100)
    wait = bucket.wait_seconds()
    assert wait == pytest.approx(8.1)
    clock.seconds = wait - 0.2
    assert bucket.wait_seconds() > 0
    clock.seconds = wait
    assert bucket.wait_seconds() == 0


def test_processes_share_a_rate_and_a_key_may_have_its_own() -> None:
    clock = Clock()
    rates = Rates(100, 1, 4, clock)
    common = rates.of("a", None)
    assert common is not None
    assert rates.of("a", None) is common
    common.take(25)
    assert common.wait_seconds() > 0
    assert rates.of("b", 0) is None
    own = rates.of("c", 4)
    assert own is not None
    own.take(1)
    assert own.wait_seconds() > 0
    assert Rates(0, 1, 1, clock).of("d", None) is None


def test_memory_is_bounded_and_given_back() -> None:
    memory = Memory(100)
    memory.hold(90)
    with pytest.raises(HttpProblem) as refused:
        memory.hold(11)
    assert (refused.value.status, refused.value.headers["retry-after"]) == (503, "1")
    memory.hold(10)
    memory.release(100)
    assert memory.held == 0
