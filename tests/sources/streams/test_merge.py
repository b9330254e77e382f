"""Law: records of all partitions come in the order of their time, each once, and none before an older one could."""

from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from sources.streams import StreamRecord
from sources.streams.merge import Merge

PLACES = [("payments", 0), ("payments", 1), ("applications", 0)]


def record(place: tuple[str, int], offset: int, timestamp_ms: int) -> StreamRecord:
    return StreamRecord(*place, offset, None, None, {}, timestamp_ms)


def test_a_parent_goes_before_its_child_however_they_are_read() -> None:
    merge = Merge({"payments": 0, "applications": 1})
    merge.assign(PLACES)
    merge.add(record(PLACES[2], 0, 10))
    assert merge.take(9) == []  # the payments have not been looked at
    merge.add(record(PLACES[0], 0, 10))
    merge.end(PLACES[1])
    merge.end(PLACES[2])
    assert [one.topic for one in merge.take(1)] == ["payments"]
    assert merge.take(9) == []  # there may be another payment of that millisecond
    merge.end(PLACES[0])
    assert [one.topic for one in merge.take(9)] == ["applications"]
    assert merge.is_at_end


def test_a_new_assignment_begins_anew() -> None:
    merge = Merge()
    merge.assign(PLACES[:1])
    merge.add(record(PLACES[0], 0, 1))
    merge.add(record(PLACES[1], 0, 1))  # of a partition that is not ours
    assert (merge.held(PLACES[0]), merge.held(PLACES[1])) == (1, 0)
    merge.assign(PLACES[1:2])
    assert merge.is_empty
    assert not merge.is_at_end
    merge.assign(())
    assert merge.is_at_end


@given(
    st.lists(st.tuples(st.sampled_from(PLACES), st.integers(0, 20)), max_size=40),
    st.data(),
)
def test_the_order_is_that_of_time_whatever_is_read_when(
    written: list[tuple[tuple[str, int], int]], data: st.DataObject
) -> None:
    written = sorted(written, key=lambda one: one[1])  # one connector writes in the order of commits
    queues: dict[tuple[str, int], list[StreamRecord]] = defaultdict(list)
    for place, timestamp_ms in written:
        queues[place].append(record(place, len(queues[place]), timestamp_ms))
    merge = Merge({"payments": 0, "applications": 1})
    merge.assign(PLACES)
    unread = {place: list(queues[place]) for place in PLACES}
    came: list[StreamRecord] = []
    ended: set[tuple[str, int]] = set()
    while len(ended) < len(PLACES):
        place = data.draw(st.sampled_from([place for place in PLACES if place not in ended]))
        if unread[place]:
            merge.add(unread[place].pop(0))
        else:
            merge.end(place)
            ended.add(place)
        came += merge.take(data.draw(st.integers(1, 3)))
    while taken := merge.take(5):
        came += taken
    times = [one.timestamp_ms for one in came]
    assert times == sorted(times)
    assert len(came) == len(written)
    for place in PLACES:
        assert [one for one in came if (one.topic, one.partition) == place] == queues[place]
    assert merge.is_at_end


def test_a_batch_is_bounded_in_bytes_and_what_waits_is_counted() -> None:
    merge = Merge()
    merge.assign(PLACES[:1])
    merge.end(PLACES[0])
    for offset in range(4):
        merge.add(StreamRecord(*PLACES[0], offset, b"k", b"v" * 9, {}, offset))
    merge.end(PLACES[0])
    assert merge.held_bytes(PLACES[0]) == 40
    assert [one.offset for one in merge.take(9, 15)] == [0, 1]
    assert (merge.held(PLACES[0]), merge.held_bytes(PLACES[0])) == (2, 20)
    assert [one.offset for one in merge.take(1, 15)] == [2]
