"""Where an account lives: the same partition for us, for Java's producer and for librdkafka (DESIGN §2)."""

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]
from hypothesis import given
from hypothesis import strategies as st

from pipeline.local import KafkaBroker
from tests.jobs.examples import examples
from topics import PRODUCER_OPTIONS, murmur2, partition_key, partition_of


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        # org.apache.kafka.common.utils.UtilsTest
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_the_hash_is_that_of_kafkas_own_tests(key: bytes, expected: int) -> None:
    assert murmur2(key) == expected & 0xFFFFFFFF


@pytest.mark.parametrize(
    ("company", "account_id", "key"),
    [
        ("FR01", "C1", b"FR01|C1"),
        ("FR01", None, b"FR01|"),
        ("FR01", "", b"FR01|"),
        ("株式", "Müller", "株式|Müller".encode()),
        ("*", None, b"*|"),
    ],
)
def test_the_key_is_company_and_account(company: str, account_id: str | None, key: bytes) -> None:
    assert partition_key(company, account_id) == key


@examples(200)
@given(st.binary(max_size=40), st.integers(1, 1000))
def test_a_key_has_one_partition_that_exists(key: bytes, partitions: int) -> None:
    assert 0 <= partition_of(key, partitions) < partitions
    assert partition_of(key, 1) == 0


@pytest.mark.parametrize("partitions", [0, -1])
def test_a_topic_without_partitions_is_refused(partitions: int) -> None:
    with pytest.raises(ValueError, match="at least one partition"):
        partition_of(b"FR01|C1", partitions)


@pytest.mark.kafka
def test_librdkafka_puts_every_key_where_we_look_for_it(kafka: KafkaBroker, topic_prefix: str) -> None:
    """Keys of every length modulo 4, which the hash treats differently, through the partitioner of our producers."""
    topic, partitions = f"{topic_prefix}keys", 12
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap_servers})
    for created in admin.create_topics([NewTopic(topic, partitions, 1)]).values():
        created.result(30)
    keys = [partition_key(f"C{number % 7}", "Ä" * (number % 5) + str(number)) for number in range(500)]
    keys += [bytes([number]) * length for number in (0, 127, 128, 255) for length in range(1, 10)]
    producer = Producer({"bootstrap.servers": kafka.bootstrap_servers, **PRODUCER_OPTIONS})
    for key in keys:
        producer.produce(topic, key=key, value=b"x")
    assert producer.flush(30) == 0
    consumer = Consumer(
        {"bootstrap.servers": kafka.bootstrap_servers, "group.id": topic, "enable.partition.eof": False}
    )
    try:
        consumer.assign([TopicPartition(topic, number, 0) for number in range(partitions)])
        found: dict[bytes, int] = {}
        while len(found) < len(set(keys)):
            messages = consumer.consume(1000, timeout=10)
            assert messages, "the broker did not return all records"
            for message in messages:
                assert message.error() is None
                found[message.key()] = message.partition()  # type: ignore[index,assignment]
    finally:
        consumer.close()
    assert found == {key: partition_of(key, partitions) for key in keys}
    assert len(set(found.values())) == partitions
