"""One partition: when a span is closed, and what belongs to it."""

import pytest

from sinks.intent import CLEAR, read_intent
from sinks.lane import Lane, Limits
from sinks.log import Commit
from sinks.positions import Partition, Span, position
from sinks.routes import Route
from sinks.wrap import Wrapper
from tests.sinks.twins import MemoryRecord

PLACE = Partition("ledger", 3)
LIMITS = Limits(rows_max=3, bytes_max=100, age_seconds_max=1.0)


def lane(wrapper: Wrapper | None = None, replay: Span | None = None) -> Lane:
    route = Route("ledger", "table", wrapper)  # type: ignore[arg-type] # nothing is wrapped here
    return Lane(PLACE, route, replay=replay, read_to=replay.first if replay else 0)


def record(offset: int, size: int = 10) -> MemoryRecord:
    return MemoryRecord(PLACE, offset, b"x" * size)


def offsets(records: list[MemoryRecord]) -> list[int]:
    return [position(found) for found in records]


def test_a_span_is_closed_by_age() -> None:
    collecting = lane()
    collecting.take(record(5), now=10.0)
    assert not collecting.is_due(10.9, LIMITS)
    assert collecting.is_due(11.0, LIMITS)


def test_a_span_is_closed_by_rows() -> None:
    collecting = lane()
    for offset in (5, 6, 9):
        assert not collecting.is_due(10.0, LIMITS)
        collecting.take(record(offset), now=10.0)
    assert collecting.is_due(10.0, LIMITS)
    assert collecting.close_span(10.0).span == Span(5, 9)


def test_a_span_is_closed_by_bytes() -> None:
    collecting = lane()
    collecting.take(record(5, 100), now=10.0)
    assert collecting.is_due(10.0, LIMITS)


def test_nothing_is_closed_where_nothing_was_collected() -> None:
    assert not lane().is_due(1000.0, LIMITS)


def test_one_span_at_a_time_is_on_its_way() -> None:
    collecting = lane()
    for offset in range(6):
        collecting.take(record(offset), now=10.0)
        if collecting.is_due(10.0, LIMITS):
            collecting.close_span(10.0)
    assert not collecting.is_due(99.0, LIMITS)
    collecting.settle(99.0)
    assert collecting.is_due(99.0, LIMITS)
    assert collecting.close_span(99.0).span == Span(3, 5)


def test_a_record_that_comes_again_is_dropped() -> None:
    collecting = lane()
    for offset in (5, 6, 5, 6, 7):
        collecting.take(record(offset), now=10.0)
    assert offsets(collecting.records) == [5, 6, 7]  # type: ignore[arg-type]
    assert collecting.size_bytes == 30


class TestReplay:
    """Step 1: exactly a..b, by position."""

    def test_it_waits_until_the_end_of_the_span_is_read(self) -> None:
        replaying = lane(replay=Span(5, 9))
        for offset in (5, 6, 8):
            replaying.take(record(offset), now=10.0)
        assert not replaying.is_due(1000.0, LIMITS), "neither rows nor age close a replayed span"
        replaying.take(record(9), now=10.0)
        assert replaying.is_due(10.0, LIMITS)

    def test_it_ends_at_its_last_position_whatever_came_behind(self) -> None:
        replaying = lane(replay=Span(5, 9))
        for offset in (5, 6, 12, 13):
            replaying.take(record(offset), now=10.0)
        batch = replaying.close_span(10.0)
        assert batch.span == Span(5, 9)
        assert offsets(batch.records) == [5, 6]  # type: ignore[arg-type]
        assert offsets(replaying.records) == [12, 13]  # type: ignore[arg-type]
        assert (batch.size_bytes, replaying.size_bytes) == (20, 20)

    def test_gaps_at_its_end_are_seen_by_the_end_of_the_partition(self) -> None:
        replaying = lane(replay=Span(5, 9))
        replaying.take(record(5), now=10.0)
        replaying.end(9)
        assert not replaying.is_due(10.0, LIMITS)
        replaying.end(10)
        assert replaying.is_due(10.0, LIMITS)

    def test_a_span_of_which_nothing_is_left_is_closed_empty(self) -> None:
        replaying = lane(replay=Span(5, 9))
        replaying.take(record(20), now=10.0)
        batch = replaying.close_span(10.0)
        assert (batch.span, batch.records) == (Span(5, 9), [])


class TestCommits:
    """Steps 3 and 5."""

    def test_the_intent_names_the_first_offset_and_the_span(self) -> None:
        collecting = lane()
        collecting.take(record(5), now=10.0)
        collecting.take(record(8), now=10.0)
        intent = collecting.close_span(11.0).intent()
        assert (intent.partition, intent.offset) == (PLACE, 5)
        found = read_intent(intent.offset, intent.metadata)
        assert found is not None
        assert found.span == Span(5, 8)

    def test_a_settled_span_is_cleared_behind_its_last_offset(self) -> None:
        collecting = lane()
        collecting.take(record(5), now=10.0)
        collecting.close_span(11.0)
        collecting.is_clear = False
        assert collecting.clearing() is None, "not while it is on its way"
        collecting.settle(12.0)
        assert collecting.clearing() == Commit(PLACE, 6, CLEAR)
        collecting.is_clear = True
        assert collecting.clearing() is None, "once is enough"

    def test_a_lane_without_a_batch_cannot_be_settled(self) -> None:
        with pytest.raises(AssertionError):
            lane().settle(1.0)
