"""What the intent of a joint insert rests on, asked of the real broker: commits of a topic are written all or none."""

import random
import socket
import struct
import threading
import time
from collections.abc import Iterator, Mapping, Sequence

import pytest
from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from pipeline.local import KafkaBroker
from sinks.errors import SinkProblem, Unavailable
from sinks.intent import MEMBERS_MAX, write_intent
from sinks.kafka_log import KafkaLog
from sinks.log import Commit, Committed
from sinks.positions import Member, Partition, Span
from tests.sinks.test_log_contract import SECONDS_MAX, Keeper

pytestmark = pytest.mark.kafka

OFFSET_COMMIT = 8
ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID = 22, 25


@pytest.fixture
def places(kafka: KafkaBroker, topic_prefix: str) -> list[Partition]:
    """As many partitions of a topic as an insert can have members."""
    topic = topic_prefix + "t"
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap_servers, "log_level": 2})
    admin.create_topics([NewTopic(topic, MEMBERS_MAX, 1)])[topic].result(30)
    return [Partition(topic, number) for number in range(MEMBERS_MAX)]


@pytest.fixture
def log(kafka: KafkaBroker, places: list[Partition]) -> Iterator[KafkaLog]:
    """The one member of the group; it owns all partitions."""
    topic = places[0].topic
    config = {"bootstrap.servers": kafka.bootstrap_servers, "log_level": 2}
    joined, owner = KafkaLog(config, f"{topic}-group", [topic], 30.0, request_seconds=5.0), Keeper()
    joined.subscribe(owner)
    deadline = time.monotonic() + SECONDS_MAX
    while len(owner.committed) < len(places):
        assert time.monotonic() < deadline
        joined.poll(10, 0.1)
    yield joined
    joined.close()


def intent(places: Sequence[Partition], first: int) -> list[Commit]:
    metadata = write_intent([Member(place, Span(first, first + 9)) for place in places])
    return [Commit(place, first, metadata) for place in places]


def raw_commit(servers: str, group: str, generation: int, member: str, commits: Sequence[Commit]) -> set[int]:
    """What a zombie's client sends: an OffsetCommit (version 2) with whatever generation it believes in. The errors."""

    def text(value: str) -> bytes:
        return struct.pack(">h", len(value)) + value.encode()

    body = struct.pack(">hhi", OFFSET_COMMIT, 2, 1) + text("zombie")
    body += text(group) + struct.pack(">i", generation) + text(member) + struct.pack(">q", -1)
    body += struct.pack(">i", 1) + text(commits[0].partition.topic) + struct.pack(">i", len(commits))
    for commit in commits:
        body += struct.pack(">iq", commit.partition.number, commit.offset) + text(commit.metadata)
    host, _, port = servers.partition(":")
    with socket.create_connection((host, int(port)), timeout=10.0) as connection, connection.makefile("rb") as answer:
        connection.sendall(struct.pack(">i", len(body)) + body)
        (size,) = struct.unpack(">i", answer.read(4))
        data = answer.read(size)
    place = 4 + 4 + 2 + len(commits[0].partition.topic)
    (count,) = struct.unpack_from(">i", data, place)
    assert count == len(commits)
    return {struct.unpack_from(">ih", data, place + 4 + 6 * number)[1] for number in range(count)}


def test_a_commit_of_another_generation_or_member_is_refused_for_all_partitions(
    kafka: KafkaBroker, log: KafkaLog, places: list[Partition]
) -> None:
    assert log.commit(intent(places, 10)) == set(places)
    group = f"{places[0].topic}-group"
    member = log._consumer.memberid()
    for generation, name, error in ((0, member, ILLEGAL_GENERATION), (1, "gone", UNKNOWN_MEMBER_ID)):
        assert raw_commit(kafka.bootstrap_servers, group, generation, name, intent(places, 500)) == {error}
    assert log.committed(places) == {place: Committed(10, intent(places, 10)[0].metadata) for place in places}


def test_the_largest_intent_is_accepted_and_more_than_the_broker_takes_stops_the_sink(
    log: KafkaLog, places: list[Partition]
) -> None:
    assert log.commit(intent(places, 2**62)) == set(places)
    with pytest.raises(SinkProblem, match="bytes of metadata"):
        log.commit([Commit(places[0], 1, "x" * 4097)])


@pytest.mark.chaos
def test_a_broker_that_is_killed_leaves_the_intent_of_all_members_or_of_none(
    kafka: KafkaBroker, log: KafkaLog, places: list[Partition]
) -> None:
    draw = random.Random(3)
    stopping = threading.Event()
    accepted: list[int] = []

    def commit_for_ever() -> None:
        first = 0
        while not stopping.is_set():
            first += 10
            if log.commit(intent(places, first)) == set(places):
                accepted.append(first)

    thread = threading.Thread(target=commit_for_ever)
    thread.start()
    try:
        time.sleep(draw.uniform(0.5, 1.5))
        kafka.kill()
        kafka.start()
        found = _committed(kafka, places)
    finally:
        stopping.set()
        thread.join(60.0)
    assert len(set(found.values())) == 1, "every member tells of the same insert"
    assert len(accepted) > 10, "it was killed while commits were made"
    assert not thread.is_alive()


def _committed(kafka: KafkaBroker, places: Sequence[Partition]) -> Mapping[Partition, tuple[int, str | None]]:
    """What another client finds, as soon as the broker answers. One request, so commits that go on do not mix in."""
    group = f"{places[0].topic}-group"
    consumer = Consumer({"bootstrap.servers": kafka.bootstrap_servers, "group.id": group, "log_level": 2})
    deadline = time.monotonic() + 60.0
    try:
        while True:
            try:
                answers = consumer.committed([TopicPartition(*place) for place in places], timeout=5.0)
                break
            except (KafkaException, Unavailable):
                assert time.monotonic() < deadline
    finally:
        consumer.close()
    return {Partition(answer.topic, answer.partition): (answer.offset, answer.metadata) for answer in answers}
