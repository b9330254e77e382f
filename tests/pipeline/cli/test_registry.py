"""With a schema registry in the settings, everything is written with its ids, and nothing starts without it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from avro.contracts import Contracts
from avro.errors import RegistryUnavailable
from avro.schemas import Schema
from jobs import EVENT_TYPES
from pipeline.cli.preparation import prepare_topics
from pipeline.codec import EventCodec
from pipeline.local import KafkaBroker
from pipeline.ports import Unavailable
from pipeline.settings import KafkaSettings, Settings
from tests.avro.registry_twin import RegistryTwin, registry_twin
from tests.pipeline.cli.test_main import arrears
from topics import EVENTS, catalogue

EVENT = (
    '{"event":"InvoiceIssued","occurred_at":"2026-01-14T09:00:00Z","company":"FR01","account_id":"C1",'
    '"invoice_id":"I1","document_date":"2026-01-14","amount":"10.00","currency":"EUR"}\n'
)


@pytest.fixture
def settings(kafka: KafkaBroker, topic_prefix: str) -> Settings:
    """The topics of this test."""
    kafka.start()
    made = Settings(kafka=KafkaSettings(bootstrap_servers=kafka.bootstrap_servers, topic_prefix=topic_prefix))
    prepare_topics(made)
    return made


@pytest.fixture
def twin() -> Iterator[RegistryTwin]:
    with registry_twin() as running:
        yield running


def _values(settings: Settings) -> list[bytes]:
    """All that stands in the event log."""
    topic = catalogue(settings.kafka.topic_prefix)[EVENTS]
    consumer = Consumer({**settings.kafka.client_config(), "group.id": "unused", "enable.auto.commit": False})
    places = [TopicPartition(topic.name, number, OFFSET_BEGINNING) for number in range(topic.partitions)]
    expected = sum(consumer.get_watermark_offsets(place)[1] for place in places)
    consumer.assign(places)
    found: list[bytes] = []
    while len(found) < expected:
        found += [message.value() or b"" for message in consumer.consume(100, 1.0) if message.error() is None]
    consumer.close()
    return found


@pytest.mark.kafka
def test_what_is_sent_has_the_ids_of_the_registry(settings: Settings, twin: RegistryTwin, tmp_path: Path) -> None:
    (tmp_path / "one.jsonl").write_text(EVENT)
    (tmp_path / "companies").mkdir()
    (tmp_path / "companies" / "FR01.toml").write_text('timezone = "Europe/Paris"\n')
    environment = {
        "ARREARS_KAFKA__BOOTSTRAP_SERVERS": settings.kafka.bootstrap_servers,
        "ARREARS_KAFKA__TOPIC_PREFIX": settings.kafka.topic_prefix,
        "ARREARS_SCHEMA_REGISTRY__URL": twin.url,
        "ARREARS_COMPANIES__FOLDER": "companies",
        "HOME": os.environ.get("HOME", ""),
    }
    refused = arrears("companies", "apply", folder=tmp_path, **environment)
    assert refused.returncode == 1
    assert "is not registered at" in refused.stderr
    assert "run `arrears schemas register`" in refused.stderr
    for words in (("schemas", "register"), ("companies", "apply"), ("ingest", "one.jsonl", "--as", "jsonl")):
        done = arrears(*words, folder=tmp_path, **environment)
        assert done.returncode == 0, done.stderr
    values = _values(settings)
    assert len(values) == 13
    registered = {int.from_bytes(value[1:5], "big") for value in values}
    assert len(registered) == 2
    assert registered <= twin.schemas.keys()


def _nobody_answers(_: int) -> Schema | None:
    raise RegistryUnavailable("nobody answers")


def test_a_record_that_only_the_registry_can_explain_waits_for_it() -> None:
    pinned = Contracts()
    known = Contracts({name: pinned.schema_id(name) for name in pinned.names}, _nobody_answers)
    with pytest.raises(Unavailable, match="nobody answers"):
        EventCodec(known, EVENT_TYPES).decode(b"\0" + (9_999).to_bytes(4, "big") + b"x")
