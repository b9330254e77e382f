"""Whole topics, as a read_committed reader sees them."""

from collections.abc import Iterable, Mapping
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Message, TopicPartition

from topics import Topic


def read_topics(client_config: Mapping[str, Any], topics: Iterable[Topic]) -> list[Message]:
    """All committed records of topics up to their ends, in the order of their offsets."""
    consumer = Consumer(
        {
            **client_config,
            "group.id": "reading",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
        }
    )
    places = {(topic.name, number) for topic in topics for number in range(topic.partitions)}
    consumer.assign([TopicPartition(*place, OFFSET_BEGINNING) for place in places])
    found: list[Message] = []
    ended: set[tuple[str | None, int | None]] = set()
    try:
        while len(ended) < len(places):
            for message in consumer.consume(10_000, 0.05):
                error = message.error()
                if error is None:
                    found.append(message)
                else:
                    assert error.code() == KafkaError._PARTITION_EOF, error
                    ended.add((message.topic(), message.partition()))
    finally:
        consumer.close()
    return found
