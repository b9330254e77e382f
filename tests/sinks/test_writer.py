"""The writer, step by step (DESIGN §4), over the memory twins. What can go wrong together is in test_simulation.py."""

import pytest

from sinks.errors import RowsRefused, SinkProblem
from sinks.intent import write_intent
from sinks.lane import Limits
from sinks.log import Committed
from sinks.positions import Member, Partition, Span
from tests.sinks.samples import entry_value
from tests.sinks.twins import MemoryBroker
from tests.sinks.writer_bench import PLACE, TABLE, Bench


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_the_intent_is_committed_before_anything_is_inserted(bench: Bench) -> None:
    writer = bench.join()
    bench.append(3)
    writer.turn(0.0)
    assert bench.committed == Committed(None, ""), "nothing is due yet"
    bench.pass_time(writer, 1.0)
    assert bench.pending == Span(0, 2)
    assert bench.committed.offset == 0
    assert bench.offsets == []
    bench.inserts.run()
    assert bench.offsets == [0, 1, 2]


def test_without_the_intent_there_is_no_insert(bench: Bench) -> None:
    writer = bench.join()
    bench.append(3)
    writer.turn(0.0)
    bench.log.happens = lambda moment: bench.broker.expel(bench.log) if moment == "before commit" else None
    bench.pass_time(writer, 1.0)
    assert bench.inserts.pending == []


def test_the_next_intent_commits_the_former_span(bench: Bench) -> None:
    writer = bench.join()
    bench.append(3)
    writer.turn(0.0)
    bench.pass_time(writer, 1.0)
    bench.inserts.run()
    bench.append(2)
    writer.turn(0.0)
    bench.pass_time(writer, 1.0)
    assert bench.committed.offset == 3
    assert bench.pending == Span(3, 4)


def test_an_idle_partition_is_committed_without_metadata(bench: Bench) -> None:
    writer = bench.join()
    bench.append(3)
    writer.turn(0.0)
    bench.pass_time(writer, 1.0)
    bench.inserts.run()
    writer.turn(0.0)
    assert bench.pending == Span(0, 2), "not at once: the next intent usually comes first"
    bench.pass_time(writer, 2.0)
    assert bench.committed == Committed(3, "")


def test_a_pending_span_is_inserted_again_with_its_token_and_only_then_the_rest(bench: Bench) -> None:
    bench.append(5)
    bench.broker.committed[PLACE] = Committed(1, write_intent([Member(PLACE, Span(1, 2))]))
    writer = bench.join()
    writer.turn(0.0)
    assert [batch.members for batch in bench.inserts.pending] == [(Member(PLACE, Span(1, 2)),)]
    bench.inserts.run()
    assert bench.store.tokens[TABLE] == [f"{TABLE}:ledger:0:1-2"]
    writer.turn(0.0)
    bench.pass_time(writer, 1.0)
    bench.inserts.run()
    assert bench.offsets == [1, 2, 3, 4]


def test_a_lost_answer_leads_to_the_same_insert_again(bench: Bench) -> None:
    writer = bench.join()
    bench.append(3)
    writer.turn(0.0)
    bench.store.fail_after = lambda: True
    bench.pass_time(writer, 1.0)
    bench.inserts.run()
    writer.turn(0.0)
    assert bench.inserts.pending == [], "it waits before the next attempt"
    bench.store.fail_after = lambda: False
    bench.pass_time(writer, 4.0)
    bench.inserts.run()
    bench.pass_time(writer, 2.0)
    bench.pass_time(writer, 2.0)
    assert bench.offsets == [0, 1, 2]
    assert bench.committed == Committed(3, "")


def test_it_tries_for_ever_and_skips_nothing(bench: Bench) -> None:
    writer = bench.join()
    bench.append(3)
    writer.turn(0.0)
    bench.store.fail_before = lambda: True
    for _ in range(200):
        bench.pass_time(writer, 5.0)
        while bench.inserts.pending:
            bench.inserts.run()
    assert bench.pending == Span(0, 2)
    bench.store.fail_before = lambda: False
    bench.pass_time(writer, 5.0)
    bench.inserts.run()
    assert bench.offsets == [0, 1, 2]


def test_an_insert_that_comes_too_late_after_its_intent_asks_kafka_again(bench: Bench) -> None:
    """A process that was stopped in between may not be the owner any more, and the token may be forgotten."""
    writer = bench.join()
    bench.append(3)
    writer.turn(0.0)
    bench.pass_time(writer, 1.0)
    bench.now += 60.0
    bench.inserts.run()
    assert bench.offsets == []
    commits: list[str] = []
    bench.log.happens = commits.append
    writer.turn(0.0)
    assert "after commit" in commits
    bench.inserts.run()
    assert bench.offsets == [0, 1, 2]


def test_a_partition_whose_next_span_is_full_is_paused_until_the_insert_is_done(bench: Bench) -> None:
    bench.limits = Limits(rows_max=2, bytes_max=100_000, age_seconds_min=1.0, age_seconds_max=1.0)
    writer = bench.join()
    bench.log.delivers_at_most = lambda: 2
    bench.append(10)
    for _ in range(5):
        writer.turn(0.0)
    lane = writer.lanes[PLACE]
    assert (len(lane.records), lane.is_paused) == (2, True), "one span on its way, one full, no more"
    bench.inserts.run()
    writer.turn(0.0)
    writer.turn(0.0)
    assert bench.inserts.pending[0].members == (Member(PLACE, Span(2, 3)),)


def test_too_much_in_memory_pauses_all_until_it_is_inserted(bench: Bench) -> None:
    places = [Partition("ledger", number) for number in range(3)]
    bench.broker = MemoryBroker(places)
    bench.limits = Limits(
        rows_max=1000, bytes_max=1_000_000, age_seconds_min=1.0, age_seconds_max=1.0, buffered_bytes_max=3000
    )
    for place in places:
        for number in range(40):
            bench.broker.append(place, entry_value(number))
    writer = bench.join()
    bench.log.delivers_at_most = lambda: 15
    writer.turn(0.0)
    assert [writer.lanes[place].is_paused for place in places] == [True, True, True]
    for _ in range(30):
        bench.now += 1.0
        while bench.inserts.pending:
            bench.inserts.run()
        writer.turn(0.0)
    assert len(bench.offsets) == 120


class TestLeaving:
    """Step 5: close and revoke."""

    def test_an_insert_under_way_is_awaited_and_committed(self, bench: Bench) -> None:
        writer = bench.join()
        bench.append(3)
        writer.turn(0.0)
        bench.pass_time(writer, 1.0)
        bench.append(1)
        writer.turn(0.0)
        writer.close()
        assert bench.offsets == [0, 1, 2]
        assert bench.committed == Committed(3, ""), "what was only collected is left to the next owner"

    def test_an_insert_that_does_not_end_leaves_its_intent_to_the_next_owner(self, bench: Bench) -> None:
        writer = bench.join()
        bench.append(3)
        writer.turn(0.0)
        bench.pass_time(writer, 1.0)
        bench.store.fail_before = lambda: True
        writer.close()
        assert bench.pending == Span(0, 2)

    def test_who_has_lost_a_partition_commits_nothing(self, bench: Bench) -> None:
        writer = bench.join()
        bench.append(3)
        writer.turn(0.0)
        bench.pass_time(writer, 1.0)
        bench.inserts.run()
        before = bench.committed
        bench.broker.expel(bench.log)
        writer.close()
        assert bench.committed == before


class TestPoison:
    """A record that cannot become a row is in `ar.failed` before its span is committed; the others are rows."""

    def test_it_fails_and_the_rows_around_it_are_inserted(self, bench: Bench) -> None:
        writer = bench.join()
        bench.append(2)
        bench.broker.append(PLACE, entry_value(2)[:-3])
        bench.append(1)
        writer.turn(0.0)
        bench.pass_time(writer, 1.0)
        bench.inserts.run()
        assert bench.offsets == [0, 1, 3]
        assert bench.failures.positions == {("ledger", 0, 2)}

    def test_a_span_of_nothing_but_poison_is_committed_without_an_insert(self, bench: Bench) -> None:
        writer = bench.join()
        bench.broker.append(PLACE, b"poison")
        writer.turn(0.0)
        bench.pass_time(writer, 1.0)
        bench.inserts.run()
        writer.turn(0.0)
        bench.pass_time(writer, 2.0)
        assert bench.store.tokens[TABLE] == []
        assert bench.committed == Committed(1, "")

    def test_rows_that_are_refused_although_all_can_be_read_are_never_skipped(self, bench: Bench) -> None:
        def refuse() -> bool:
            raise RowsRefused("a defect of the store")

        writer = bench.join()
        bench.append(2)
        bench.store.fail_before = refuse
        writer.turn(0.0)
        for _ in range(20):
            bench.pass_time(writer, 5.0)
            while bench.inserts.pending:
                bench.inserts.run()
        assert (bench.pending, bench.failures.written) == (Span(0, 1), [])


def test_topics_whose_records_wait_longest_are_inserted_first_and_the_others_go_on_collecting(bench: Bench) -> None:
    places = [Partition(topic, 0) for topic in ("a", "b", "c")]
    bench.broker = MemoryBroker(places)
    bench.limits = Limits(rows_max=100, bytes_max=100_000, age_seconds_min=1.0, age_seconds_max=1.0, inserts_max=1)
    bench.topics = ("a", "b", "c")
    writer = bench.join()
    for place in reversed(places):
        bench.broker.append(place, entry_value(0))
        bench.pass_time(writer, 0.1)
    bench.pass_time(writer, 2.0)
    assert [lane.partition for lane in writer.lanes.values() if lane.batch] == [places[2]]
    for place in places[:2]:
        bench.broker.append(place, entry_value(1))
    bench.inserts.run()
    for expected in (places[1], places[0]):
        bench.pass_time(writer, 0.1)
        (batch,) = [lane.batch for lane in writer.lanes.values() if lane.batch]
        assert batch.members == (Member(expected, Span(0, 1)),), "with what came while it waited"
        bench.inserts.run()
    bench.pass_time(writer, 0.1)
    assert len(bench.store.tables[TABLE]) == 5


def test_an_insert_that_fails_takes_nobodys_turn(bench: Bench) -> None:
    places = [Partition("ledger", number) for number in range(2)]
    bench.broker = MemoryBroker(places)
    bench.limits = Limits(rows_max=100, bytes_max=100_000, age_seconds_min=1.0, age_seconds_max=1.0, inserts_max=1)
    writer = bench.join()
    bench.broker.append(places[0], entry_value(0))
    writer.turn(0.0)
    bench.pass_time(writer, 1.0)
    bench.broker.append(places[1], entry_value(0))
    bench.store.fail_before = lambda: True
    bench.inserts.run()
    bench.pass_time(writer, 0.01)
    bench.store.fail_before = lambda: False
    bench.pass_time(writer, 1.0)
    assert {lane.partition for lane in writer.lanes.values() if lane.batch} == set(places)


def test_metadata_of_another_program_stop_the_sink(bench: Bench) -> None:
    bench.append(1)
    bench.broker.committed[PLACE] = Committed(0, "mine")
    writer = bench.join()
    with pytest.raises(SinkProblem, match="group of its own"):
        writer.turn(0.0)
