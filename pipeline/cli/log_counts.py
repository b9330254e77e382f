"""What Kafka holds: records of whole topics, counted as a read_committed reader sees them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from pipeline.settings import Settings
from pipeline.startup import broker_problem

_BATCH = 10_000
_ANSWER_SECONDS_MAX = 30.0
_TICK = b"ClockTicked"

Place = tuple[str, int]
"""A topic's name and a partition of it."""


@dataclass
class Stored:
    """One partition of a topic: records, ticks of the clock among them, first and last offset.

    `before` counts the records before a position, `waiting` those from it on, up to an end (see `count_records`).
    `latest` is the offset of the last record of each key, tombstones left out, `values` are all values by offset, where
    they were asked for.
    """

    first: int = -1
    last: int = -1
    records: int = 0
    ticks: int = 0
    before: int = 0
    waiting: int = 0
    latest: dict[bytes, int] = field(default_factory=dict)
    values: dict[int, bytes] = field(default_factory=dict)


Counts = dict[Place, Stored]


@dataclass(frozen=True)
class Wanted:
    """What is to be counted. `marks` are position and end of a partition; `keyed` topics tell the latest of each key,
    `kept` topics all values."""

    topics: Sequence[str]
    marks: Mapping[Place, tuple[int, int]] = field(default_factory=dict)
    keyed: frozenset[str] = frozenset()
    kept: frozenset[str] = frozenset()


def count_records(settings: Settings, wanted: Wanted) -> Counts:
    """Read topics from beginning to end and count. A topic that is not there has no partitions.

    Raises Problem where the broker does not answer.
    """
    consumer = Consumer(
        {
            **settings.kafka.client_config(),
            "group.id": f"{settings.kafka.topic_prefix}arrears-reconcile",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "log_level": 0,
        }
    )
    try:
        known = consumer.list_topics(timeout=_ANSWER_SECONDS_MAX).topics
        counts: Counts = {
            (topic, partition): Stored()
            for topic in wanted.topics
            if topic in known
            for partition in known[topic].partitions
        }
        consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for topic, partition in counts])
        _read(consumer, counts, wanted)
    except KafkaException as error:
        raise broker_problem(settings.kafka.client_config(), error) from error
    finally:
        consumer.close()
    return counts


def _read(consumer: Consumer, counts: Counts, wanted: Wanted) -> None:
    left = set(counts)
    while left:
        # consume() alone would wait until it has its full number, or its time is up.
        first = consumer.poll(1.0)
        if first is None:
            continue
        for message in (first, *consumer.consume(_BATCH, 0)):
            place = (str(message.topic()), int(message.partition() or 0))
            error = message.error()
            if error is None:
                _count(counts[place], place, message, wanted)
            elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  librdkafka's name for it
                left.discard(place)
            else:
                raise KafkaException(error)


def _count(stored: Stored, place: Place, message: Message, wanted: Wanted) -> None:
    offset = int(message.offset() or 0)
    if stored.first < 0:
        stored.first = offset
    stored.last = offset
    stored.records += 1
    stored.ticks += _event_type(message.headers()) == _TICK
    if place in wanted.marks:
        position, end = wanted.marks[place]
        stored.before += offset < position
        stored.waiting += position <= offset < end
    topic, _ = place
    if topic in wanted.keyed:
        key = message.key() or b""
        if message.value() is None:
            stored.latest.pop(key, None)
        else:
            stored.latest[key] = offset
    if topic in wanted.kept:
        stored.values[offset] = message.value() or b""


def _event_type(headers: Any) -> bytes:  # noqa: ANN401  the client does not type them
    return next((value for name, value in headers or () if name == "event_type"), b"")
