"""The programs in the pages run as they are, on a real broker: alerts arrive, events are taken."""

import subprocess
import sys
from pathlib import Path

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from avro import contracts
from pipeline.local import KafkaBroker
from pipeline.outputs import ALERT_TOPICS
from tests.docs.pages import DOCS, ROOT, blocks
from topics import EVENTS, catalogue, partition_of

PROGRAM_SECONDS_MAX = 60
ALERT = {
    "alert_id": "promise_broken/FR01/P1/1",
    "company": "FR01",
    "account_id": "C1",
    "kind": "promise_broken",
    "subject": "P1",
    "status": "raised",
    "severity": "high",
    "amount_minor": 10_000,
    "currency": "EUR",
    "deadline": 1_775_858_400_000_000,
    "supersedes": None,
    "message": "promise P1 of account C1: 100.00 EUR of 100.00 EUR not paid by its deadline",
    "raised_at": 1_775_858_400_000_000,
    "event_id": "clock/FR01/20554",
}


def _programs(page: Path) -> list[str]:
    return [block.text for block in blocks(page) if block.language == "python"]


def _run(program: str, broker: KafkaBroker, topic: str, prefix: str) -> str:
    """The program as it stands, but for the address and the names of this test."""
    for written, own in (
        ("127.0.0.1:9092", broker.bootstrap_servers),
        (f'"{topic}"', f'"{prefix}{topic}"'),
        ('"group.id": "', f'"group.id": "{prefix}'),
        ("consumer.poll(10)", "consumer.poll(6)"),
    ):
        program = program.replace(written, own)
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PROGRAM_SECONDS_MAX,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _make_topic(broker: KafkaBroker, name: str, partitions: int) -> None:
    admin = AdminClient({"bootstrap.servers": broker.bootstrap_servers})
    for future in admin.create_topics([NewTopic(name, partitions, 1)]).values():
        future.result(30)


@pytest.mark.kafka
@pytest.mark.parametrize("page", ["README.md", "docs/alerts.md"])
def test_a_subscriber_prints_the_alert(kafka: KafkaBroker, topic_prefix: str, page: str) -> None:
    topic = "ar.alerts.promises"
    _make_topic(kafka, topic_prefix + topic, 1)
    producer = Producer({"bootstrap.servers": kafka.bootstrap_servers})
    producer.produce(topic_prefix + topic, contracts().encode("Alert", ALERT), b"FR01|C1")
    assert producer.flush(30) == 0
    programs = _programs(ROOT / page)
    assert programs
    for program in programs:
        printed = _run(program, kafka, topic, topic_prefix)
        assert "raised" in printed
        assert "promise P1 of account C1" in printed


@pytest.mark.kafka
def test_a_foreign_producer_writes_an_event_where_it_belongs(kafka: KafkaBroker, topic_prefix: str) -> None:
    partitions = catalogue("")[EVENTS].partitions
    _make_topic(kafka, topic_prefix + EVENTS, partitions)
    (program,) = _programs(DOCS / "sources" / "foreign-producers.md")
    assert _run(program, kafka, EVENTS, topic_prefix).strip() == "0 records left"
    consumer = Consumer({"bootstrap.servers": kafka.bootstrap_servers, "group.id": topic_prefix + "look"})
    place = partition_of(b"FR01|C1", partitions)
    consumer.assign([TopicPartition(topic_prefix + EVENTS, place, OFFSET_BEGINNING)])
    message = consumer.poll(30)
    consumer.close()
    assert message is not None
    name, record = contracts().decode(message.value() or b"")
    assert (name, record["amount_minor"], message.key()) == ("InvoiceIssued", 10_000, b"FR01|C1")


def test_every_kind_of_alert_is_listed_beside_its_topic() -> None:
    rows = {
        line.split("|")[1].strip(" `"): line
        for line in (DOCS / "alerts.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("| `ar.alerts.")
    }
    assert rows.keys() == set(ALERT_TOPICS.values())
    for kind, topic in ALERT_TOPICS.items():
        assert f"`{kind}`" in rows[topic]


def test_every_field_of_an_alert_is_explained() -> None:
    text = (DOCS / "alerts.md").read_text(encoding="utf-8")
    fields = [field["name"] for field in contracts().schema("Alert")["fields"]]
    assert [name for name in fields if f"`{name}`" not in text] == []
