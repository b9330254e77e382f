"""Beginning and end of a partition: known from the moment its topic is made, and after its broker came back."""

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from pipeline.local import KafkaBroker
from topics import PRODUCER_OPTIONS
from topics.watermarks import watermarks

pytestmark = pytest.mark.kafka

PARTITIONS = 50


def a_consumer(address: str) -> Consumer:
    options = {"bootstrap.servers": address, "group.id": "nobody", "enable.auto.commit": False, "log_level": 0}
    return Consumer(options)


def make(kafka: KafkaBroker, *names: str, partitions: int = PARTITIONS) -> None:
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap_servers})
    for future in admin.create_topics([NewTopic(name, partitions, 1) for name in names]).values():
        future.result(30)


def test_topics_that_were_made_this_instant(kafka: KafkaBroker, topic_prefix: str) -> None:
    """Just then the broker answers for some of them that it does not lead them."""
    names = [f"{topic_prefix}young.{number}" for number in range(4)]
    for name in names:
        make(kafka, name)
        consumer = a_consumer(kafka.bootstrap_servers)
        places = [TopicPartition(name, number) for number in range(PARTITIONS)]
        assert {watermarks(consumer, place, 30) for place in places} == {(0, 0)}
        consumer.close()


def test_what_lies_between_them_is_what_was_written(kafka: KafkaBroker, topic_prefix: str) -> None:
    name = f"{topic_prefix}written"
    make(kafka, name, partitions=2)
    producer = Producer({"bootstrap.servers": kafka.bootstrap_servers, **PRODUCER_OPTIONS})
    for _ in range(3):
        producer.produce(name, b"x", partition=1)
    assert producer.flush(30) == 0
    consumer = a_consumer(kafka.bootstrap_servers)
    assert [watermarks(consumer, TopicPartition(name, number), 30) for number in (0, 1)] == [(0, 0), (0, 3)]
    consumer.close()


def test_what_waiting_does_not_mend_is_told(kafka: KafkaBroker, topic_prefix: str) -> None:
    name = f"{topic_prefix}small"
    make(kafka, name, partitions=1)
    consumer = a_consumer(kafka.bootstrap_servers)
    with pytest.raises(KafkaException) as told:
        watermarks(consumer, TopicPartition(name, 7), 30)
    assert told.value.args[0].code() == KafkaError._UNKNOWN_PARTITION
    consumer.close()


def test_a_broker_that_does_not_answer() -> None:
    consumer = a_consumer("127.0.0.1:9")
    with pytest.raises(KafkaException) as told:
        watermarks(consumer, TopicPartition("any", 0), 0.5)
    assert told.value.args[0].code() in {KafkaError._TIMED_OUT, KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN}
    consumer.close()
