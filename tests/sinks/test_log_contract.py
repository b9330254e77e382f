"""The contract of a log, over the memory twin and over Kafka: order, gaps, metadata, and the fence."""

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from sinks.kafka_log import KafkaLog
from sinks.log import Commit, Committed, Log
from sinks.positions import Partition, Record, position
from tests.sinks.stack import TransactionalWriter
from tests.sinks.twins import MemoryBroker, MemoryLog

SECONDS_MAX = 40.0


@dataclass
class Keeper:
    """An owner that remembers what it is told."""

    committed: dict[Partition, Committed] = field(default_factory=dict)
    gone: set[Partition] = field(default_factory=set)

    def assigned(self, committed: Mapping[Partition, Committed]) -> None:
        self.committed.update(committed)
        self.gone -= committed.keys()

    def revoked(self, partitions: Collection[Partition]) -> None:
        self.gone |= set(partitions)

    def lost(self, partitions: Collection[Partition]) -> None:
        self.gone |= set(partitions)


@dataclass
class Bench:
    """A topic of two partitions, a way to join its group, and ways to write to it."""

    topic: str
    join: Callable[[], Log]
    write: Callable[[list[bytes], bool], None]

    def place(self, number: int) -> Partition:
        return Partition(self.topic, number)


@pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.kafka)])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """The same tests for both. `write` writes one transaction into partition 0, committed or aborted."""
    if request.param == "memory":
        places = [Partition("t", 0), Partition("t", 1)]
        broker = MemoryBroker(places)

        def append(values: list[bytes], commit: bool) -> None:
            for value in values:
                if commit:
                    broker.append(places[0], value)
                else:
                    broker.append_gap(places[0])
            broker.append_gap(places[0])

        yield Bench("t", lambda: MemoryLog(broker), append)
        return
    servers = request.getfixturevalue("kafka").bootstrap_servers
    topic = request.getfixturevalue("topic_prefix") + "t"
    config = {"bootstrap.servers": servers, "log_level": 2}
    admin = AdminClient(config)
    admin.create_topics([NewTopic(topic, 2, 1)])[topic].result(30)
    logs: list[KafkaLog] = []
    writer = TransactionalWriter(config, topic)

    def join() -> Log:
        logs.append(KafkaLog(config, f"{topic}-group", [topic], session_timeout_seconds=6.0))
        return logs[-1]

    def transact(values: list[bytes], commit: bool) -> None:
        writer.write(topic, [(0, value) for value in values], commit=commit)

    yield Bench(topic, join, transact)
    for log in logs:
        log.close()


def read(log: Log, until: Callable[[list[Record], dict[Partition, int]], bool]) -> list[Record]:
    """Poll until the condition on all records and ends so far holds."""
    records: list[Record] = []
    ends: dict[Partition, int] = {}
    deadline = time.monotonic() + SECONDS_MAX
    while not until(records, ends):
        assert time.monotonic() < deadline, f"{len(records)} records, {ends}"
        polled = log.poll(100, 0.1)
        records += polled.records
        ends.update(polled.ends)
    return records


def test_a_new_group_reads_from_the_beginning_in_order_and_without_aborted_records(bench: Bench) -> None:
    bench.write([b"a", b"b"], True)
    bench.write([b"never"], False)
    bench.write([b"c"], True)
    log, owner = bench.join(), Keeper()
    log.subscribe(owner)
    records = read(log, lambda found, _: len(found) == 3)
    assert [record.value() for record in records] == [b"a", b"b", b"c"]
    assert [position(record) for record in records] == [0, 1, 5], "markers and aborted records are gaps"
    assert owner.committed[bench.place(0)] == Committed(None, "")
    log.close()


def test_the_end_is_told_behind_the_last_gap(bench: Bench) -> None:
    bench.write([b"a"], True)
    log = bench.join()
    log.subscribe(Keeper())
    read(log, lambda _, ends: ends.get(bench.place(0)) == 2)
    assert log.lag(bench.place(0), 0) == 2
    log.close()


def test_what_is_committed_is_found_by_the_next_owner(bench: Bench) -> None:
    bench.write([b"a", b"b", b"c"], True)
    first = bench.join()
    first.subscribe(Keeper())
    read(first, lambda found, _: len(found) == 3)
    place = bench.place(0)
    assert first.commit([Commit(place, 1, "pending")]) == {place}
    assert first.committed([place, bench.place(1)]) == {
        place: Committed(1, "pending"),
        bench.place(1): Committed(None, ""),
    }
    first.close()
    second, owner = bench.join(), Keeper()
    second.subscribe(owner)
    records = read(second, lambda found, _: len(found) == 2)
    assert owner.committed[place] == Committed(1, "pending")
    assert [record.value() for record in records] == [b"b", b"c"], "reading begins at the committed offset"
    second.close()


def test_a_paused_partition_gives_nothing_and_goes_on_without_a_gap(bench: Bench) -> None:
    bench.write([b"a"], True)
    log = bench.join()
    log.subscribe(Keeper())
    read(log, lambda found, _: len(found) == 1)
    log.pause([bench.place(0)])
    bench.write([b"b", b"c"], True)
    assert not [record for _ in range(10) for record in log.poll(100, 0.05).records]
    log.resume([bench.place(0)])
    assert [record.value() for record in read(log, lambda found, _: len(found) == 2)] == [b"b", b"c"]
    log.close()


def test_partitions_are_shared_and_change_hands_only_when_they_are_given_up(bench: Bench) -> None:
    first, owner = bench.join(), Keeper()
    first.subscribe(owner)
    read(first, lambda *_: len(owner.committed) == 2)
    second, newcomer = bench.join(), Keeper()
    second.subscribe(newcomer)
    deadline = time.monotonic() + SECONDS_MAX
    while not newcomer.committed:
        assert time.monotonic() < deadline
        second.poll(10, 0.05)
        assert newcomer.committed.keys() <= owner.gone
        first.poll(10, 0.05)
    assert len(owner.gone) == 1
    first.close()
    second.close()


def test_who_has_left_cannot_commit(bench: Bench) -> None:
    """The fence of step 3: whatever a former owner still wants to write down is refused."""
    bench.write([b"a"], True)
    former = bench.join()
    former.subscribe(Keeper())
    read(former, lambda found, _: len(found) == 1)
    place = bench.place(0)
    if isinstance(former, KafkaLog):
        former._consumer.unsubscribe()
        former.poll(10, 1.0)
    else:
        assert isinstance(former, MemoryLog)
        former._broker.expel(former)
    successor, owner = bench.join(), Keeper()
    successor.subscribe(owner)
    read(successor, lambda *_: place in owner.committed)
    both = [place, bench.place(1)]
    assert former.commit([Commit(one, 1, "too late") for one in both]) == frozenset()
    assert successor.committed(both) == dict.fromkeys(both, Committed(None, ""))
    assert successor.commit([Commit(one, 1, "mine") for one in both]) == set(both)
    successor.close()
