"""The local stack: real programs that start together, keep their data, and survive whatever ends them."""

import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from pipeline.errors import Problem
from pipeline.local import ClickHouseServer, KafkaBroker, Stack
from pipeline.local.folder import Folder
from pipeline.local.ports import free_port, is_free
from tests.processes import has_ended

pytestmark = [pytest.mark.kafka, pytest.mark.clickhouse]

HOLDER = """
import pathlib, sys, time
from pipeline.local import Stack
stack = Stack(pathlib.Path(sys.argv[1]), kafka_port=0, clickhouse_port=0)
stack.start()
print(stack.kafka.pid, stack.clickhouse.pid, flush=True)
time.sleep(600)
"""


def _create(broker: KafkaBroker, topic: str) -> None:
    admin = AdminClient({"bootstrap.servers": broker.bootstrap_servers})
    for created in admin.create_topics([NewTopic(topic, 1, 1)]).values():
        created.result()


def _write(broker: KafkaBroker, topic: str, value: str) -> None:
    """One record in one transaction, as the worker writes."""
    producer = Producer({"bootstrap.servers": broker.bootstrap_servers, "transactional.id": f"{topic}-writer"})
    producer.init_transactions(20)
    producer.begin_transaction()
    producer.produce(topic, value=value)
    producer.commit_transaction(20)


def _read(broker: KafkaBroker, topic: str, count: int) -> list[str]:
    consumer = Consumer(
        {"bootstrap.servers": broker.bootstrap_servers, "group.id": f"{topic}-readers", "auto.offset.reset": "earliest"}
    )
    consumer.subscribe([topic])
    deadline = time.monotonic() + 60
    values: list[str] = []
    while len(values) < count and time.monotonic() < deadline:
        values += [(message.value() or b"").decode() for message in consumer.consume(10, 0.5) if not message.error()]
    consumer.close()
    return values


def test_data_are_there_again_after_a_stop_a_crash_and_a_new_start(kafka: KafkaBroker, topic_prefix: str) -> None:
    topic, address = f"{topic_prefix}kept", kafka.bootstrap_servers
    _create(kafka, topic)
    _write(kafka, topic, "before the stop")
    kafka.stop()
    kafka.start()
    _write(kafka, topic, "before the crash")
    kafka.kill()
    assert not kafka.is_running()
    kafka.start()
    assert kafka.bootstrap_servers == address
    assert _read(kafka, topic, 2) == ["before the stop", "before the crash"]


def test_clickhouse_keeps_its_data_and_its_port_through_a_crash(
    clickhouse: ClickHouseServer, topic_prefix: str
) -> None:
    table, address = topic_prefix.replace(".", "_kept"), clickhouse.url
    client = clickhouse.client()
    client.command(f"CREATE TABLE {table} (id UInt64) ENGINE = MergeTree ORDER BY id")
    client.insert(table, [[1], [2]], column_names=["id"])
    (clickhouse.folder / "uploads" / "insert-left").write_text("of an insert that never ended")
    clickhouse.kill()
    clickhouse.start()
    assert clickhouse.url == address
    assert clickhouse.client().command(f"SELECT count() FROM {table}") == 2
    assert list(clickhouse.folder.glob("uploads/*")) == []


def test_both_listen_on_the_loopback_interface_only(kafka: KafkaBroker, clickhouse: ClickHouseServer) -> None:
    for pid in (kafka.pid, clickhouse.pid):
        assert pid is not None
        listening = [c.laddr.ip for c in psutil.Process(pid).net_connections("tcp") if c.status == psutil.CONN_LISTEN]
        assert listening
        assert {address.removeprefix("::ffff:") for address in listening} == {"127.0.0.1"}


def test_a_stack_survives_kill_9_of_its_parent_and_comes_back_in_time(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(tmp_path / "stack")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pids = [int(word) for word in parent.stdout.readline().split()]
        with pytest.raises(Problem, match=f"stack/(kafka|clickhouse) is in use by process {parent.pid}"):
            Stack(tmp_path / "stack").start()
        parent.send_signal(signal.SIGKILL)
    # At once: the programs of the killed stack are still ending, and their folders are theirs until they have.
    with Stack(tmp_path / "stack", kafka_port=0, clickhouse_port=0) as stack:
        assert all(has_ended(pid) for pid in pids)
        assert stack.clickhouse is not None
        assert stack.clickhouse.client().command("SELECT 1") == 1


def test_a_taken_port_gives_way_to_a_free_one(tmp_path: Path, clickhouse: ClickHouseServer) -> None:
    taken = urlsplit(clickhouse.url).port
    assert taken is not None
    with ClickHouseServer(tmp_path, port=taken) as other:
        assert other.url != clickhouse.url
        assert other.client().command("SELECT 1") == 1


def test_a_preferred_port_is_taken_when_it_is_free() -> None:
    port = free_port()
    assert is_free(port)
    assert free_port(port) == port


def test_a_part_whose_address_is_given_is_not_started(tmp_path: Path) -> None:
    with Stack(tmp_path, clickhouse_port=0, with_kafka=False) as stack:
        assert stack.kafka is None
        assert stack.kafka_bootstrap_servers == ""
        assert stack.clickhouse_url


def test_when_one_part_cannot_start_none_runs(tmp_path: Path) -> None:
    (tmp_path / "clickhouse").touch()
    stack = Stack(tmp_path, kafka_port=0, clickhouse_port=0)
    with pytest.raises(Problem, match=r"clickhouse cannot be written: File exists\. Give another folder"):
        stack.start()
    assert stack.kafka is not None
    assert not stack.kafka.is_running()
    Folder(stack.kafka.folder).acquire()  # it was given back


def test_a_broker_that_cannot_start_says_why(tmp_path: Path) -> None:
    broker = KafkaBroker(tmp_path, port=0)
    broker.start()
    broker.stop()
    (tmp_path / "data" / "meta.properties").write_text("version=1\ncluster.id=another\nnode.id=7\n")
    with pytest.raises(Problem, match=r"the local Kafka broker does not start: .*node.id"):
        broker.start()
    assert not broker.is_running()
