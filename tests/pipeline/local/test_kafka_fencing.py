"""A broker that crashes while transactions are being committed comes back with all of them, and hides none."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from pipeline.local import KafkaBroker
from pipeline.local.java import find_java
from pipeline.local.kafka_fencing import crashed, fence_former_life

pytestmark = [pytest.mark.kafka, pytest.mark.chaos]
TOPIC = "committed"
WRITERS = 12
READ_SECONDS_MAX = 40.0


def commit_one(servers: str, number: int) -> None:
    """One record in one transaction, into the writer's own partition."""
    producer = Producer({"bootstrap.servers": servers, "transactional.id": f"writer-{number}", "log_level": 0})
    producer.init_transactions(60)
    producer.begin_transaction()
    producer.produce(TOPIC, value=str(number), partition=number)
    producer.commit_transaction(60)


def committed(servers: str, number: int) -> int:
    """How many records a reader of committed records gets to see in a partition; the first is waited for."""
    consumer = Consumer({"bootstrap.servers": servers, "group.id": "readers", "log_level": 0})
    consumer.assign([TopicPartition(TOPIC, number, OFFSET_BEGINNING)])
    found = len(consumer.consume(1, READ_SECONDS_MAX)) + len(consumer.consume(1, 1.0))
    consumer.close()
    return found


def test_what_was_committed_just_before_a_crash_is_there_after_it(tmp_path: Path) -> None:
    with KafkaBroker(tmp_path, port=0) as broker:
        servers = broker.bootstrap_servers
        admin = AdminClient({"bootstrap.servers": servers})
        admin.create_topics([NewTopic(TOPIC, WRITERS, 1)])[TOPIC].result(30)
        with ThreadPoolExecutor(WRITERS) as threads:
            list(threads.map(lambda number: commit_one(servers, number), range(WRITERS)))
            broker.kill()
            assert crashed(tmp_path / "data")
            broker.start()
            assert list(threads.map(lambda number: committed(servers, number), range(WRITERS))) == [1] * WRITERS


def test_a_clean_stop_leaves_nothing_to_fence_and_what_is_fenced_already_is_not_waited_for(tmp_path: Path) -> None:
    broker = KafkaBroker(tmp_path, port=0)
    broker.start()
    broker.stop()
    assert not crashed(tmp_path / "data")
    lock = broker._folder.acquire()
    fence_former_life(tmp_path, tmp_path / "data", lock, partial(broker._program, find_java()))
    broker._folder.release()
    broker.start()
    assert broker.is_running()
    broker.stop()
