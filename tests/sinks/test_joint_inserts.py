"""One insert over spans of several partitions of a topic (DESIGN §4), step by step, over the memory twins."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from avro import contracts
from sinks.errors import Unavailable
from sinks.intent import write_intent
from sinks.lane import Limits
from sinks.log import Commit, Committed
from sinks.positions import Member, Partition, Span
from sinks.store import token_of
from sinks.wrap import record_wrapper
from sinks.writer import COMMIT_BYTES, REQUEST_BYTES_MAX, Writer
from tests.sinks.samples import entry_value
from tests.sinks.twins import MemoryBroker, MemoryLog
from tests.sinks.writer_bench import LIMITS, TABLE, Bench


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def places(bench: Bench) -> list[Partition]:
    places = [Partition("ledger", number) for number in range(3)]
    bench.broker = MemoryBroker(places)
    return places


def fill(bench: Bench, places: list[Partition], count: int = 2) -> None:
    for place in places:
        for _ in range(count):
            bench.broker.append(place, entry_value(bench.broker.ends[place]))


def rows(bench: Bench) -> list[tuple[object, object]]:
    return [(row["_partition"], row["_offset"]) for row in bench.store.tables[TABLE]]


def test_every_member_has_the_whole_intent_before_anything_is_inserted(bench: Bench, places: list[Partition]) -> None:
    writer = bench.join()
    fill(bench, places)
    writer.turn(0.0)
    bench.pass_time(writer, 1.0)
    members = tuple(Member(place, Span(0, 1)) for place in places)
    assert bench.broker.committed == {place: Committed(0, write_intent(members)) for place in places}
    assert bench.store.tokens[TABLE] == []
    bench.inserts.run()
    assert bench.store.tokens[TABLE] == [f"{TABLE}:ledger:0:0-1,1:0-1,2:0-1"]
    assert rows(bench) == [(number, offset) for number in range(3) for offset in range(2)]
    bench.pass_time(writer, 0.0)
    bench.pass_time(writer, 2.0)
    assert bench.broker.committed == {place: Committed(2, "") for place in places}


def test_a_broker_that_accepts_some_members_only_has_refused(bench: Bench, places: list[Partition]) -> None:
    writer = bench.join()
    fill(bench, places)
    writer.turn(0.0)
    commit = bench.log.commit
    bench.log.commit = lambda commits: commit(commits) - {places[1]}  # type: ignore[method-assign]
    bench.pass_time(writer, 1.0)
    assert bench.inserts.pending == []
    bench.log.commit = commit  # type: ignore[method-assign]
    bench.pass_time(writer, 4.0)
    assert [len(batch.members) for batch in bench.inserts.pending] == [3], "it is asked again, for all of them"


def test_who_owns_one_member_inserts_the_spans_of_all(bench: Bench, places: list[Partition]) -> None:
    """A second owner does the same; the token lets one of them through."""
    fill(bench, places)
    members = tuple(Member(place, Span(0, 1)) for place in places)
    bench.broker.committed = {place: Committed(0, write_intent(members)) for place in places}
    other = bench.join()
    other_log, other_inserts = bench.log, bench.inserts
    writer = bench.join()
    bench.broker.assignment = {places[0]: other_log, places[1]: bench.log, places[2]: other_log}
    other.turn(0.0)
    writer.turn(0.0)
    for inserts in (bench.inserts, other_inserts):
        assert [batch.members for batch in inserts.pending] == [members]
        inserts.run()
    assert sorted(rows(bench)) == [(number, offset) for number in range(3) for offset in range(2)]
    assert bench.store.disagreements == []


def test_a_member_that_has_gone_on_is_read_again_for_the_one_that_has_not(
    bench: Bench, places: list[Partition]
) -> None:
    """The other member's owner has inserted it all and more; the token of the pending insert is known."""
    fill(bench, places)
    members = tuple(Member(place, Span(0, 0)) for place in places)
    bench.broker.committed = {
        places[0]: Committed(0, write_intent(members)),
        places[1]: Committed(1, ""),
        places[2]: Committed(1, write_intent([Member(places[2], Span(1, 1))])),
    }
    first = [Member(place, Span(0, 0)) for place in places]
    wrapped = record_wrapper(contracts(), "LedgerEntry").wrap(
        [(place, bench.broker.records[place][:1]) for place in places], careful=False
    )
    bench.store.insert(TABLE, token_of(TABLE, first), wrapped.container)
    writer = bench.join()
    writer.turn(0.0)
    for _ in range(4):
        bench.pass_time(writer, 1.0)
        while bench.inserts.pending:
            bench.inserts.run()
    assert sorted(rows(bench)) == [(number, offset) for number in range(3) for offset in range(2)]
    assert bench.store.disagreements == []


def test_what_is_read_again_is_not_kept_while_the_store_is_away(bench: Bench, places: list[Partition]) -> None:
    fill(bench, places)
    members = tuple(Member(place, Span(0, 1)) for place in places)
    bench.broker.committed = {place: Committed(0, write_intent(members)) for place in places}
    writer = bench.join()
    writer.turn(0.0)
    (batch,) = bench.inserts.pending
    bench.store.fail_before = lambda: True
    bench.inserts.run()
    assert (batch.records, batch.size_bytes) == (None, 0)
    bench.store.fail_before = lambda: False
    bench.pass_time(writer, 0.0)
    bench.pass_time(writer, 4.0)
    bench.inserts.run()
    assert len(rows(bench)) == 6


def test_no_more_pending_inserts_begin_at_a_time_than_others(bench: Bench) -> None:
    """What waits in a queue for longer than its intent is good for would be asked for again and again."""
    places = [Partition("ledger", number) for number in range(5)]
    bench.broker = MemoryBroker(places)
    bench.limits = replace(LIMITS, inserts_max=2)
    fill(bench, places)
    bench.broker.committed = {place: Committed(0, write_intent([Member(place, Span(0, 1))])) for place in places}
    writer = bench.join()
    begun: list[int] = []
    while len(rows(bench)) < 10:
        writer.turn(0.0)
        begun.append(len(bench.inserts.pending))
        bench.inserts.run()
    assert max(begun) == 2


def leave_in_doubt(
    bench: Bench, places: list[Partition], moment: str, then: Callable[[str], None] = lambda _: None
) -> Writer:
    """The answer to an intent is lost, and then a member goes to another owner."""
    writer = bench.join()
    fill(bench, places)
    writer.turn(0.0)

    def lose(when: str) -> None:
        if when == moment == "after commit":
            raise Unavailable("the answer was lost")
        if when == moment == "before commit":
            bench.broker.generation += 1

    bench.log.happens = lose
    bench.pass_time(writer, 1.0)
    bench.log.happens = then
    assert bench.inserts.pending == []
    other = MemoryLog(bench.broker)
    bench.broker.members.append(other)
    bench.broker.generation += 1
    bench.broker.assignment = {places[0]: other, places[1]: bench.log, places[2]: bench.log}
    bench.pass_time(writer, 10.0)
    assert set(writer.lanes) == set(places[1:])
    return writer


def test_an_intent_that_was_written_is_gone_on_with_by_who_stays(bench: Bench, places: list[Partition]) -> None:
    writer = leave_in_doubt(bench, places, "after commit")
    (batch,) = bench.inserts.pending
    assert batch.members == tuple(Member(place, Span(0, 1)) for place in places)
    bench.inserts.run()
    for seconds in (0.0, 3.0):
        bench.pass_time(writer, seconds)
    assert len(rows(bench)) == 6
    assert bench.broker.committed[places[0]] == Committed(0, batch.metadata), "left to its new owner"
    assert bench.broker.committed[places[1]] == Committed(2, "")


def test_an_intent_that_was_refused_is_forgotten_when_a_member_leaves(bench: Bench, places: list[Partition]) -> None:
    leave_in_doubt(bench, places, "before commit")
    (batch,) = bench.inserts.pending
    assert batch.members == tuple(Member(place, Span(0, 1)) for place in places[1:])
    assert places[0] not in bench.broker.committed


def test_nothing_is_inserted_while_it_cannot_be_known(bench: Bench, places: list[Partition]) -> None:
    moments: list[str] = []

    def refuse(moment: str) -> None:
        moments.append(moment)
        if moment == "committed":
            raise Unavailable("no answer")

    writer = leave_in_doubt(bench, places, "after commit", refuse)
    for _ in range(5):
        bench.pass_time(writer, 5.0)
    assert (moments.count("committed"), moments.count("before commit"), bench.inserts.pending) == (6, 0, [])
    bench.log.happens = lambda _: None
    bench.pass_time(writer, 0.0)
    assert len(bench.inserts.pending) == 1


def test_a_member_that_leaves_during_the_insert_takes_the_intent_along(bench: Bench, places: list[Partition]) -> None:
    writer = bench.join()
    fill(bench, places)
    writer.turn(0.0)
    bench.pass_time(writer, 1.0)
    bench.store.fail_before = lambda: True
    bench.broker.members.append(MemoryLog(bench.broker))
    bench.broker.generation += 1
    bench.broker.assignment = {places[0]: bench.broker.members[-1], places[1]: bench.log, places[2]: bench.log}
    bench.pass_time(writer, 0.0)
    bench.store.fail_before = lambda: False
    bench.pass_time(writer, 10.0)
    (batch,) = bench.inserts.pending
    assert len(batch.members) == 3, "its rows are part of the insert, whoever owns it"
    bench.inserts.run()
    bench.pass_time(writer, 0.0)
    bench.pass_time(writer, 3.0)
    assert bench.broker.committed == {
        places[0]: Committed(0, batch.metadata),
        places[1]: Committed(2, ""),
        places[2]: Committed(2, ""),
    }


def test_poison_of_one_member_costs_no_other(bench: Bench, places: list[Partition]) -> None:
    writer = bench.join()
    fill(bench, places)
    bench.broker.append(places[1], entry_value(2)[:-3])
    writer.turn(0.0)
    bench.pass_time(writer, 1.0)
    bench.inserts.run()
    assert len(rows(bench)) == 6
    assert bench.failures.positions == {("ledger", 1, 2)}


def test_many_intents_are_committed_in_requests_that_a_broker_takes(bench: Bench) -> None:
    bench.broker = MemoryBroker([Partition("ledger", number) for number in range(600)])
    bench.limits = Limits(
        rows_max=100_000, bytes_max=10_000_000, age_seconds_min=1.0, age_seconds_max=1.0, inserts_max=100
    )
    writer = bench.join()
    fill(bench, list(bench.broker.records), 1)
    writer.turn(0.0)
    sizes: list[int] = []
    commit = bench.log.commit

    def measured(commits: Sequence[Commit]) -> frozenset[Partition]:
        sizes.append(sum(COMMIT_BYTES + len(one.metadata) for one in commits))
        return commit(commits)

    bench.log.commit = measured  # type: ignore[method-assign]
    bench.pass_time(writer, 1.0)
    assert len(sizes) == -(-sum(sizes) // REQUEST_BYTES_MAX)
    assert max(sizes) <= REQUEST_BYTES_MAX
    assert sum(len(batch.members) for batch in bench.inserts.pending) == 600
