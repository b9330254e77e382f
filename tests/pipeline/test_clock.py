"""The live clock of a partition, and ticks from outside."""

from typing import Any

import pytest

from pipeline.clock import TickSchedule, publish_tick, tick_record
from pipeline.errors import Problem

SECOND = 1_000_000


def test_the_first_tick_is_due_at_once() -> None:
    assert TickSchedule(60).due_micros(None, None) == 0


def test_ticks_follow_the_interval() -> None:
    schedule = TickSchedule(60)
    assert schedule.tick(100 * SECOND, None) == 100 * SECOND
    assert schedule.due_micros(None, None) == 160 * SECOND


def test_a_restored_partition_goes_on_from_its_clock() -> None:
    assert TickSchedule(60).due_micros(100 * SECOND, None) == 160 * SECOND


def test_a_timer_before_the_next_tick_gets_a_tick_of_its_own() -> None:
    schedule = TickSchedule(60)
    schedule.tick(100 * SECOND, None)
    assert schedule.due_micros(100 * SECOND, 130 * SECOND) == 130 * SECOND


def test_a_timer_that_a_tick_in_the_log_will_fire_asks_for_no_further_tick() -> None:
    schedule = TickSchedule(60)
    schedule.tick(100 * SECOND, None)
    assert schedule.due_micros(40 * SECOND, 100 * SECOND) == 160 * SECOND
    assert schedule.due_micros(40 * SECOND, 90 * SECOND) == 160 * SECOND


def test_a_machine_whose_clock_is_behind_does_not_turn_time_back() -> None:
    schedule = TickSchedule(60)
    assert schedule.tick(50 * SECOND, 100 * SECOND) == 100 * SECOND
    assert schedule.tick(40 * SECOND, None) == 100 * SECOND


def test_the_same_instant_has_the_same_event_id() -> None:
    assert tick_record(5) == tick_record(5)
    assert tick_record(5).event_id != tick_record(6).event_id


class _SilentProducer:
    """A producer whose broker never answers."""

    def produce(self, *_: Any, **__: Any) -> None:
        """Take it."""

    def flush(self, _: float) -> int:
        """Nothing was delivered."""
        return 3


def test_a_tick_that_is_not_delivered_is_a_problem() -> None:
    with pytest.raises(Problem, match="no answer"):
        publish_tick(_SilentProducer(), "ar.events", 3, 5, lambda _: b"")  # type: ignore[arg-type]
