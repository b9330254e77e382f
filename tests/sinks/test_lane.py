"""One partition: what is collected, what belongs to an insert, what is committed."""

from collections.abc import Sequence

import pytest

from sinks.batch import Batch
from sinks.intent import CLEAR, read_intent
from sinks.joining import close_due
from sinks.lane import Lane, Limits
from sinks.log import Commit
from sinks.positions import Member, Partition, Record, Span, position
from sinks.routes import Route
from sinks.wrap import Wrapper
from tests.sinks.twins import MemoryRecord

PLACE = Partition("ledger", 3)
LIMITS = Limits(rows_max=3, bytes_max=100, age_seconds_min=1.0, age_seconds_max=1.0)


def lane(wrapper: Wrapper | None = None) -> Lane:
    route = Route("ledger", "table", wrapper)  # type: ignore[arg-type] # nothing is wrapped here
    return Lane(PLACE, route)


def record(offset: int, size: int = 10) -> MemoryRecord:
    return MemoryRecord(PLACE, offset, b"x" * size)


def offsets(records: Sequence[Record]) -> list[int]:
    return [position(found) for found in records]


def close(collecting: Lane, now: float) -> Batch:
    """Close what has waited long enough."""
    (batch,) = close_due([collecting], now, LIMITS)
    return batch


def test_a_record_that_comes_again_is_dropped() -> None:
    collecting = lane()
    for offset in (5, 6, 5, 6, 7):
        collecting.take(record(offset), now=10.0)
    assert offsets(collecting.records) == [5, 6, 7]
    assert collecting.size_bytes == 30


def test_what_is_taken_back_is_collected_again_before_the_rest() -> None:
    collecting = lane()
    for offset in (5, 8):
        collecting.take(record(offset), now=10.0)
    close(collecting, 11.0)
    collecting.take(record(9), now=12.0)
    collecting.take_back()
    assert (collecting.batch, offsets(collecting.records)) == (None, [5, 8, 9])
    assert (collecting.size_bytes, collecting.since, collecting.done_to) == (30, 10.0, 5)
    assert close(collecting, 12.0).members == (Member(PLACE, Span(5, 9)),)


def test_the_oldest_record_is_the_one_that_waits_longest() -> None:
    assert lane().oldest is None
    collecting = lane()
    collecting.take(record(5), now=10.0)
    close(collecting, 11.0)
    collecting.take(record(6), now=12.0)
    assert collecting.oldest == record(5)
    collecting.settle(13.0)
    assert collecting.oldest == record(6)


class TestReplay:
    """Step 1: a pending insert is read apart, and comes before anything else."""

    def test_what_the_log_delivers_of_it_is_dropped(self) -> None:
        replaying = lane()
        replaying.replay(Batch(replaying.route, (Member(PLACE, Span(5, 9)),), None, 0, 10.0, is_written=True))
        for offset in (5, 6, 9, 12, 13):
            replaying.take(record(offset), now=10.0)
        assert offsets(replaying.records) == [12, 13]
        assert (replaying.done_to, replaying.is_waiting, replaying.clearing()) == (5, False, None)

    def test_its_end_is_committed_when_it_is_inserted(self) -> None:
        replaying = lane()
        replaying.replay(Batch(replaying.route, (Member(PLACE, Span(5, 9)),), None, 0, 10.0, is_written=True))
        replaying.settle(11.0)
        assert replaying.clearing() == Commit(PLACE, 10, CLEAR)


class TestCommits:
    """Steps 3 and 5."""

    def test_the_intent_names_the_first_offset_and_the_span(self) -> None:
        collecting = lane()
        collecting.take(record(5), now=10.0)
        collecting.take(record(8), now=10.0)
        (intent,) = close(collecting, 11.0).intents([PLACE])
        assert (intent.partition, intent.offset) == (PLACE, 5)
        found = read_intent(PLACE, intent.offset, intent.metadata)
        assert found is not None
        assert found.members == (Member(PLACE, Span(5, 8)),)

    def test_only_owned_members_are_committed_with_the_whole_intent(self) -> None:
        members = (Member(PLACE, Span(5, 8)), Member(Partition("ledger", 4), Span(0, 1)))
        batch = Batch(lane().route, members, [[], []], 0, 10.0)
        assert batch.intents([members[1].partition]) == [Commit(members[1].partition, 0, batch.metadata)]
        assert len(batch.intents([PLACE, members[1].partition])) == 2

    def test_a_settled_span_is_cleared_behind_its_last_offset(self) -> None:
        collecting = lane()
        collecting.take(record(5), now=10.0)
        close(collecting, 11.0)
        collecting.is_clear = False
        assert collecting.clearing() is None, "not while it is on its way"
        collecting.settle(12.0)
        assert collecting.clearing() == Commit(PLACE, 6, CLEAR)
        collecting.is_clear = True
        assert collecting.clearing() is None, "once is enough"

    @pytest.mark.parametrize("end", [lambda idle: idle.settle(1.0), Lane.take_back], ids=["settle", "take_back"])
    def test_a_lane_without_a_batch_has_nothing_to_end(self, end: "object") -> None:
        with pytest.raises(AssertionError):
            end(lane())  # type: ignore[operator]
