"""The contract of a partition log, over the memory twin and over Kafka: atomic, fenced, restored to its true end."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from pipeline.kafka_log import KafkaLog
from pipeline.memory_log import MemoryBroker, MemoryLog
from pipeline.ports import Fenced, OutputTooLarge, PartitionLog, TransactionFailed
from pipeline.state_topic import LogRange
from tests.integration.workers import read_committed
from topics import RECORD_BYTES_MAX

PARTITION = 1


@dataclass
class Bench:
    """A kind of log, and how its readers see the output topic."""

    make: Callable[[], PartitionLog]
    output: str
    read_output: Callable[[], list[bytes]]


@pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.kafka)])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """The same tests for both."""
    if request.param == "memory":
        broker = MemoryBroker()
        yield Bench(
            lambda: MemoryLog(broker, "app-1", "state", "events", PARTITION),
            "out",
            lambda: [record.value() or b"" for record in broker.records("out", PARTITION)],
        )
        return
    servers = request.getfixturevalue("kafka").bootstrap_servers
    prefix = request.getfixturevalue("topic_prefix")
    config = {"bootstrap.servers": servers, "log_level": 2}
    admin = AdminClient(config)
    names = [f"{prefix}{name}" for name in ("state", "events", "out")]
    for future in admin.create_topics(
        [NewTopic(name, 3, 1, config={"max.message.bytes": str(RECORD_BYTES_MAX)}) for name in names]
    ).values():
        future.result(30)
    logs: list[KafkaLog] = []

    def make() -> KafkaLog:
        log = KafkaLog(
            config,
            LogRange(config),
            f"{prefix}app-1",
            names[0],
            names[1],
            PARTITION,
            transaction_timeout_seconds=20,
            commit_timeout_seconds=20,
            restore_timeout_seconds=20,
        )
        logs.append(log)
        return log

    yield Bench(make, names[2], lambda: [value for _, value in read_committed(config, names[2], 3)])
    for log in logs:
        log.close()


@pytest.fixture
def log(bench: Bench) -> PartitionLog:
    """A log that owns its partition."""
    made = bench.make()
    made.fence()
    return made


def write(log: PartitionLog, bench: Bench, text: bytes) -> None:
    log.write(bench.output, PARTITION, b"key", text, [("event_type", b"Test")])


def write_one(log: PartitionLog, bench: Bench) -> None:
    log.begin()
    write(log, bench, b"zombie")
    log.commit()


def test_an_empty_partition_has_no_state(log: PartitionLog) -> None:
    assert list(log.read_state()) == []
    assert log.first_offset() == 0


def test_nothing_is_visible_before_the_commit_and_everything_after_it(log: PartitionLog, bench: Bench) -> None:
    log.begin()
    write(log, bench, b"1")
    log.write_state([(b"a", b"1")])
    assert bench.read_output() == []
    log.commit()
    assert bench.read_output() == [b"1"]
    assert list(log.read_state()) == [(b"a", b"1")]


def test_an_aborted_transaction_leaves_nothing(log: PartitionLog, bench: Bench) -> None:
    log.begin()
    write(log, bench, b"1")
    log.write_state([(b"a", b"1")])
    log.abort()
    log.begin()
    write(log, bench, b"2")
    log.commit()
    assert bench.read_output() == [b"2"]
    assert list(log.read_state()) == []


def test_state_comes_back_in_order_with_its_tombstones(log: PartitionLog) -> None:
    for records in ([(b"a", b"1"), (b"b", b"1")], [(b"a", b"2")], [(b"b", None)]):
        log.begin()
        log.write_state(records)
        log.commit()
    assert list(log.read_state()) == [(b"a", b"1"), (b"b", b"1"), (b"a", b"2"), (b"b", None)]


def test_a_new_owner_ends_the_open_transaction_of_the_former_one(log: PartitionLog, bench: Bench) -> None:
    log.begin()
    write(log, bench, b"never")
    log.write_state([(b"a", b"never")])
    successor = bench.make()
    successor.fence()
    assert list(successor.read_state()) == []
    assert bench.read_output() == []


def test_a_former_owner_cannot_commit(log: PartitionLog, bench: Bench) -> None:
    log.begin()
    write(log, bench, b"zombie")
    successor = bench.make()
    successor.fence()
    successor.begin()
    write(successor, bench, b"successor")
    successor.commit()
    with pytest.raises(Fenced):
        log.commit()
    assert bench.read_output() == [b"successor"]


def test_a_former_owner_cannot_begin_again(log: PartitionLog, bench: Bench) -> None:
    successor = bench.make()
    successor.fence()
    with pytest.raises(Fenced):
        write_one(log, bench)
    assert bench.read_output() == []


def test_a_record_that_is_too_large_is_refused_and_the_transaction_goes_on(log: PartitionLog, bench: Bench) -> None:
    log.begin()
    write(log, bench, b"1")
    with pytest.raises(OutputTooLarge) as refused:
        write(log, bench, b"x" * 9_000_000)
    assert refused.value.topic == bench.output
    with pytest.raises(OutputTooLarge):
        log.write_state([(b"a", b"x" * 9_000_000)])
    write(log, bench, b"2")
    log.commit()
    assert bench.read_output() == [b"1", b"2"]


def test_a_record_of_several_megabytes_is_no_trouble(log: PartitionLog, bench: Bench) -> None:
    log.begin()
    write(log, bench, b"x" * 5_000_000)
    log.write_state([(b"a", b"x" * 5_000_000)])
    log.commit()
    assert [len(value) for value in bench.read_output()] == [5_000_000]
    assert [(key, len(value or b"")) for key, value in log.read_state()] == [(b"a", 5_000_000)]


def test_a_commit_that_the_broker_refuses_leaves_nothing() -> None:
    broker = MemoryBroker()
    log = MemoryLog(broker, "app-1", "state", "events", PARTITION)
    log.fence()
    broker.fail_commits(1)
    log.begin()
    log.write_state([(b"a", b"1")])
    with pytest.raises(TransactionFailed):
        log.commit()
    assert list(log.read_state()) == []


@pytest.mark.kafka
def test_more_than_the_queue_holds_is_written_by_waiting(bench: Bench, log: PartitionLog) -> None:
    records = 120_000
    log.begin()
    for number in range(0, records, 1000):
        log.write_state([(b"%d" % key, b"x") for key in range(number, number + 1000)])
    log.commit()
    assert sum(1 for _ in log.read_state()) == records


@pytest.mark.kafka
def test_the_open_transaction_of_somebody_else_does_not_hide_our_own_commits(
    request: pytest.FixtureRequest, topic_prefix: str
) -> None:
    """A read_committed reader ends where the first open transaction begins; our last commit may lie behind that."""
    config = {"bootstrap.servers": request.getfixturevalue("kafka").bootstrap_servers, "log_level": 2}
    admin = AdminClient(config)
    topic = f"{topic_prefix}state"
    for future in admin.create_topics([NewTopic(topic, 1, 1)]).values():
        future.result(30)
    stranger = Producer(config | {"transactional.id": f"{topic_prefix}stranger"})
    stranger.init_transactions(30)
    stranger.begin_transaction()
    stranger.produce(topic, b"open", b"stranger")
    stranger.flush(30)
    log = KafkaLog(
        config, LogRange(config), f"{topic_prefix}app-0", topic, topic, 0,
        transaction_timeout_seconds=20, commit_timeout_seconds=20, restore_timeout_seconds=20,
    )  # fmt: skip
    log.fence()
    log.begin()
    log.write_state([(b"a", b"1")])
    log.commit()
    with ThreadPoolExecutor(1) as thread:
        reading = thread.submit(lambda: list(log.read_state()))
        time.sleep(1)
        assert not reading.done()
        stranger.abort_transaction(30)
        assert reading.result(10) == [(b"a", b"1")]
    log.close()
