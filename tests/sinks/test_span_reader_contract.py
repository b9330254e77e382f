"""The contract of a span reader, over the memory twin and over Kafka: it reads exactly what is still there."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from sinks.errors import Unavailable
from sinks.log import SpanReader
from sinks.positions import Member, Partition, Span, position
from sinks.span_reader import KafkaSpanReader
from tests.sinks.stack import TransactionalWriter
from tests.sinks.twins import MemoryBroker, MemorySpans


@dataclass
class Bench:
    """A topic of two partitions, written in transactions; `expire` lets retention delete what is before an offset."""

    topic: str
    reader: SpanReader
    write: Callable[[int, list[bytes], bool], None]
    expire: Callable[[int, int], None]

    def read(self, *wanted: tuple[int, int, int]) -> list[list[tuple[int, bytes]]]:
        members = [Member(Partition(self.topic, number), Span(first, last)) for number, first, last in wanted]
        return [[(position(record), record.value()) for record in records] for records in self.reader.read(members)]


@pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.kafka)])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """The same tests for both."""
    if request.param == "memory":
        broker = MemoryBroker([Partition("t", 0), Partition("t", 1)])

        def append(number: int, values: list[bytes], commit: bool) -> None:
            for value in values:
                if commit:
                    broker.append(Partition("t", number), value)
                else:
                    broker.append_gap(Partition("t", number))
            broker.append_gap(Partition("t", number))

        def forget(number: int, before: int) -> None:
            records = broker.records[Partition("t", number)]
            records[:] = [record for record in records if record.number >= before]

        yield Bench("t", MemorySpans(broker), append, forget)
        return
    servers = request.getfixturevalue("kafka").bootstrap_servers
    topic = request.getfixturevalue("topic_prefix") + "t"
    config = {"bootstrap.servers": servers, "log_level": 2}
    admin = AdminClient(config)
    admin.create_topics([NewTopic(topic, 2, 1)])[topic].result(30)
    writer = TransactionalWriter(config, topic)

    def expire(number: int, before: int) -> None:
        place = TopicPartition(topic, number, before)
        admin.delete_records([place])[place].result(30)

    def transact(number: int, values: list[bytes], commit: bool) -> None:
        writer.write(topic, [(number, value) for value in values], commit=commit)

    yield Bench(topic, KafkaSpanReader(config, topic + "-group", seconds_max=8.0), transact, expire)


def test_each_span_is_read_by_position_in_its_order_and_without_aborted_records(bench: Bench) -> None:
    bench.write(0, [b"a", b"b"], True)  # 0, 1, and a marker
    bench.write(0, [b"never"], False)  # 3, and a marker
    bench.write(0, [b"c", b"d"], True)  # 5, 6
    bench.write(1, [b"x", b"y"], True)
    assert bench.read((1, 1, 1), (0, 1, 5)) == [[(1, b"y")], [(1, b"b"), (5, b"c")]]
    assert bench.read((0, 6, 6)) == [[(6, b"d")]]


def test_a_span_whose_last_offsets_are_gaps_ends_with_the_log(bench: Bench) -> None:
    bench.write(0, [b"a"], True)
    assert bench.read((0, 0, 1)) == [[(0, b"a")]]


def test_what_retention_has_deleted_is_missing_and_the_rest_is_read(bench: Bench) -> None:
    bench.write(0, [b"a", b"b", b"c", b"d"], True)
    bench.write(1, [b"x"], True)
    bench.expire(0, 2)
    assert bench.read((0, 1, 3), (1, 0, 0)) == [[(2, b"c"), (3, b"d")], [(0, b"x")]]
    assert bench.read((0, 0, 1)) == [[]]


def test_a_span_that_the_log_does_not_reach_is_asked_for_again(bench: Bench) -> None:
    bench.write(0, [b"a"], True)
    with pytest.raises(Unavailable):
        bench.read((0, 0, 5))
    bench.write(0, [b"b", b"c", b"d", b"e"], True)
    assert [place for place, _ in bench.read((0, 0, 5))[0]] == [0, 2, 3, 4, 5]
