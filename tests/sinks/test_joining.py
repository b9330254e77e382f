"""When spans are closed, and which of them go into one insert."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from sinks.batch import Stage
from sinks.intent import MEMBERS_MAX
from sinks.joining import close_due
from sinks.lane import Lane, Limits
from sinks.positions import Partition, Span
from sinks.routes import Route
from tests.sinks.twins import MemoryRecord

LIMITS = Limits(rows_max=10, bytes_max=1000, age_seconds_min=1.0, age_seconds_max=1.0, inserts_max=3)


def lane(number: int, records: int, since: float = 10.0, topic: str = "ledger", size: int = 10) -> Lane:
    route = Route(topic, topic, None)  # type: ignore[arg-type] # nothing is wrapped here
    made = Lane(Partition(topic, number), route)
    for offset in range(records):
        made.take(MemoryRecord(made.partition, offset, b"x" * size), since)
    return made


def closed(lanes: Sequence[Lane], now: float, limits: Limits = LIMITS) -> list[list[tuple[str, int]]]:
    """The partitions of each batch."""
    batches = close_due(lanes, now, limits)
    return [[(topic, number) for (topic, number), _ in batch.members] for batch in batches]


def test_nothing_is_closed_where_nothing_was_collected() -> None:
    assert closed([lane(0, 0)], 1000.0) == []


def test_the_oldest_record_of_a_topic_closes_the_spans_of_all_its_partitions() -> None:
    lanes = [lane(2, 1, since=10.0), lane(0, 3, since=10.9), lane(1, 0)]
    assert closed(lanes, 10.9) == []
    assert closed(lanes, 11.0) == [[("ledger", 0), ("ledger", 2)]]


def test_the_longer_inserts_of_a_topic_take_the_longer_its_rows_wait_for_others() -> None:
    limits = Limits(age_seconds_min=0.2, age_seconds_max=1.0)
    lanes = [lane(0, 1, topic="fast"), lane(0, 1, topic="slow"), lane(0, 1, topic="stuck")]
    seconds = {"fast": 0.01, "slow": 0.1, "stuck": 5.0}
    due = [
        batch.route.topic
        for now in (10.1, 10.25, 10.45, 10.9, 11.0)
        for batch in close_due(lanes, now, limits, seconds)
    ]
    assert due == ["fast", "slow", "stuck"]
    assert [limits.age_seconds(seconds[topic]) for topic in due] == [0.2, 0.4, 1.0]


def test_enough_rows_or_bytes_in_all_partitions_together_close_them() -> None:
    assert closed([lane(0, 4), lane(1, 5)], 10.0) == []
    assert closed([lane(0, 5), lane(1, 5)], 10.0) == [[("ledger", 0), ("ledger", 1)]]
    assert closed([lane(0, 1, size=500), lane(1, 1, size=500)], 10.0) == [[("ledger", 0), ("ledger", 1)]]


def test_what_is_enough_by_itself_goes_alone_and_at_once() -> None:
    lanes = [lane(0, 12), lane(1, 1), lane(2, 1, size=1000)]
    assert closed(lanes, 10.0) == [[("ledger", 0)], [("ledger", 2)]]
    assert lanes[0].batch is not None
    assert lanes[0].batch.members[0].span == Span(0, 11)


def test_topics_are_never_mixed() -> None:
    lanes = [lane(0, 1), lane(0, 1, topic="items"), lane(1, 1)]
    assert closed(lanes, 11.0) == [[("ledger", 0), ("ledger", 1)], [("items", 0)]]


def test_the_small_spans_of_a_topic_wait_while_others_of_it_are_being_inserted() -> None:
    first, second, other = lane(0, 1), lane(1, 0), lane(0, 0, topic="items")
    lanes = [first, second, other]
    (batch,) = close_due(lanes, 11.0, LIMITS)
    batch.stage = Stage.INSERT
    second.take(MemoryRecord(second.partition, 0, b"x"), 11.0)
    other.take(MemoryRecord(other.partition, 0, b"x"), 11.0)
    assert closed(lanes, 20.0) == [[("items", 0)]]
    batch.stage = Stage.INTENT
    assert closed(lanes, 20.0) == [[("ledger", 1)]], "one that waits for another attempt holds nobody up"


def test_a_large_span_holds_nobody_up() -> None:
    large, small = lane(0, 10), lane(1, 0)
    (batch,) = close_due([large, small], 10.0, LIMITS)
    batch.stage = Stage.INSERT
    small.take(MemoryRecord(small.partition, 0, b"x"), 10.0)
    assert closed([large, small], 11.0) == [[("ledger", 1)]]


def test_who_has_waited_longest_goes_first_when_not_all_can() -> None:
    lanes = [lane(0, 1, since=10.0 - number, topic=f"t{number}") for number in range(5)]
    assert closed(lanes, 20.0) == [[("t4", 0)], [("t3", 0)], [("t2", 0)]]
    assert [one.is_waiting for one in lanes] == [True, True, False, False, False]


@given(
    st.lists(st.tuples(st.integers(0, 15), st.floats(0.0, 10.0), st.integers(1, 300)), max_size=80),
    st.integers(1, 12),
)
def test_whatever_is_collected_goes_into_one_insert_each_and_none_is_too_large(
    given_lanes: list[tuple[int, float, int]], inserts_max: int
) -> None:
    limits = Limits(rows_max=10, bytes_max=1000, age_seconds_min=1.0, age_seconds_max=1.0, inserts_max=inserts_max)
    lanes = [lane(number, count, since, size=size) for number, (count, since, size) in enumerate(given_lanes)]
    collected = {one.partition: list(one.records) for one in lanes}
    batches = close_due(lanes, 20.0, limits)
    assert len(batches) <= inserts_max
    members = [member for batch in batches for member in batch.members]
    assert len({partition for partition, _ in members}) == len(members)
    for batch in batches:
        found = batch.records or []
        rows, size = sum(map(len, found)), sum(len(record) for records in found for record in records)
        assert len(batch.members) == 1 or (rows <= limits.rows_max and size <= limits.bytes_max)
        assert len(batch.members) <= MEMBERS_MAX
        assert batch.size_bytes == size
        assert [partition for partition, _ in batch.members] == sorted(partition for partition, _ in batch.members)
        for (partition, span), records in zip(batch.members, found, strict=True):
            assert records == collected.pop(partition)
            assert (span.first, span.last) == (records[0].offset(), records[-1].offset())
    assert {partition: records for partition, records in collected.items() if records} == {
        one.partition: one.records for one in lanes if one.records
    }
