"""Nothing is lost when a broker refuses a producer's first batch and would take the second one (adr/0071)."""

import io
import time
from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient

from avro import contracts
from pipeline.kafka_log import LINGER_MILLISECONDS, KafkaLog
from pipeline.local import KafkaBroker
from pipeline.log_writer import LogWriter
from pipeline.state_topic import LogRange
from sources import ParsedEvent, Position, Publisher, SourceOptions, adapter
from tests.integration.refusing_proxy import RefusingProxy, refusing_proxy
from tests.integration.topic_reader import read_topics
from topics import Topic, apply, catalogue

pytestmark = pytest.mark.kafka

EVENTS = "ar.events"
# librdkafka sends a batch beside another one of its partition while fewer than five records are under way.
BATCHES, EACH = 3, 2
SENT_SECONDS_MAX = 30.0


@pytest.fixture
def topics(kafka: KafkaBroker, topic_prefix: str) -> dict[str, Topic]:
    """Topics as `arrears topics apply` makes them."""
    made = dict(catalogue(topic_prefix))
    apply(AdminClient({"bootstrap.servers": kafka.bootstrap_servers}), made)
    return made


@pytest.fixture
def proxy(kafka: KafkaBroker) -> Iterator[RefusingProxy]:
    """What stands between the producer and the broker."""
    with refusing_proxy(kafka.bootstrap_servers) as made:
        yield made


def events() -> list[dict[str, Any]]:
    """Invoices of one account."""
    line = (
        b'{"event":"InvoiceIssued","occurred_at":"2026-01-14T09:00:00Z","account_id":"C1","invoice_id":"I",'
        b'"document_date":"2026-01-14","amount":"10.00","currency":"EUR"}'
    )
    (first,) = adapter("jsonl", SourceOptions(company="FR01")).read(io.BytesIO(line), "x")
    assert isinstance(first, ParsedEvent)
    return [{**first.record, "event_id": f"E{number}"} for number in range(BATCHES * EACH)]


def in_batches(records: list[dict[str, Any]], proxy: RefusingProxy) -> Iterator[dict[str, Any]]:
    """The same; what is behind the first batch comes when that has been sent."""
    for number, record in enumerate(records):
        if number % EACH == 0 and number:
            proxy.first_sent.wait(SENT_SECONDS_MAX)
            time.sleep(0.1)  # longer than a producer waits for a batch to fill
        yield record


def stored(kafka: KafkaBroker, topic: Topic) -> list[str]:
    """The ids that stand in the log, in order."""
    found = read_topics({"bootstrap.servers": kafka.bootstrap_servers}, [topic])
    return [str(contracts().decode(value)[1]["event_id"]) for message in found if (value := message.value())]


def test_a_source(kafka: KafkaBroker, proxy: RefusingProxy, topics: dict[str, Topic], topic_prefix: str) -> None:
    publisher = Publisher({"bootstrap.servers": proxy.bootstrap_servers}, topic_prefix=topic_prefix)
    publisher.connect()
    values = (
        ParsedEvent("InvoiceIssued", record, Position("x", number))
        for number, record in enumerate(in_batches(events(), proxy))
    )
    assert publisher.publish(values) == BATCHES * EACH
    assert len(proxy.refused) == 1
    assert stored(kafka, topics[EVENTS]) == [record["event_id"] for record in events()]


def test_the_writer_of_logs(kafka: KafkaBroker, proxy: RefusingProxy, topics: dict[str, Topic]) -> None:
    writer = LogWriter({"bootstrap.servers": proxy.bootstrap_servers}, topics[EVENTS])
    for record in in_batches(events(), proxy):
        writer.write("InvoiceIssued", "FR01", "C1", contracts().encode("InvoiceIssued", record))
    writer.flush()
    assert len(proxy.refused) == 1
    assert stored(kafka, topics[EVENTS]) == [record["event_id"] for record in events()]


def test_a_worker(kafka: KafkaBroker, proxy: RefusingProxy, topics: dict[str, Topic], topic_prefix: str) -> None:
    config = {"bootstrap.servers": proxy.bootstrap_servers}
    outputs = topics["ar.ledger"]
    log = KafkaLog(
        config,
        LogRange(config),
        f"{topic_prefix}worker-0",
        topics["ar.state"].name,
        topics[EVENTS].name,
        0,
        transaction_timeout_seconds=60,
        commit_timeout_seconds=30,
        restore_timeout_seconds=30,
    )
    log.fence()
    log.begin()
    for number in range(BATCHES * EACH):
        if number % EACH == 0 and number:
            proxy.first_sent.wait(SENT_SECONDS_MAX)
            time.sleep(LINGER_MILLISECONDS / 1000)
        log.write(outputs.name, 0, b"key", str(number).encode(), [])
    log.commit()
    log.close()
    assert proxy.refused == {0}
    found = read_topics({"bootstrap.servers": kafka.bootstrap_servers}, [outputs])
    assert [message.value() for message in found] == [str(number).encode() for number in range(BATCHES * EACH)]
