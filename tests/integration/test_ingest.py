"""`arrears ingest` on a real broker: what stands in the topics afterwards, and what the user is told."""

import io
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, TopicPartition
from confluent_kafka.admin import AdminClient

from avro import contracts
from avro.text import write_event
from pipeline.lag import GroupReader
from pipeline.local import KafkaBroker
from sources import ParsedEvent, Position, Publisher, SourceError, SourceOptions, adapter
from sources.publisher import QUEUE_MESSAGES_MAX
from tests.integration.segments import describe
from topics import apply, catalogue, partition_key, partition_of

pytestmark = pytest.mark.kafka

EVENTS, REFERENCE, FAILED = "ar.events", "ar.reference", "ar.failed"
READ_SECONDS_MAX = 30.0


class System:
    """The topics of one test on the broker, and the command as a user calls it."""

    def __init__(self, bootstrap_servers: str, prefix: str, folder: Path) -> None:
        self.client_config = {"bootstrap.servers": bootstrap_servers}
        self.prefix = prefix
        self.topics = catalogue(prefix)
        self._folder = folder
        self._environment = {
            **os.environ,
            "ARREARS_KAFKA__BOOTSTRAP_SERVERS": bootstrap_servers,
            "ARREARS_KAFKA__TOPIC_PREFIX": prefix,
        }

    def arrears(self, *arguments: str | Path, given: str = "") -> "subprocess.CompletedProcess[str]":
        """Run the command line; nothing is checked."""
        command = [sys.executable, "-m", "pipeline.cli", *map(str, arguments)]
        return subprocess.run(
            command, capture_output=True, text=True, input=given, env=self._environment, cwd=self._folder, check=False
        )

    def records(self, topic: str) -> list[Message]:
        """Everything that stands in a topic, partition after partition."""
        consumer = Consumer({**self.client_config, "group.id": "unused", "enable.auto.commit": False})
        name = self.topics[topic].name
        partitions = [TopicPartition(name, number, OFFSET_BEGINNING) for number in range(self.topics[topic].partitions)]
        with GroupReader(self.client_config, "unused") as group:
            expected = sum(group.ends(name, len(partitions)))
        consumer.assign(partitions)
        found: list[Message] = []
        deadline = time.monotonic() + READ_SECONDS_MAX
        while len(found) < expected:
            assert time.monotonic() < deadline, f"{len(found)} of {expected} records of {name}"
            found += [message for message in consumer.consume(1000, 0.5) if message.error() is None]
        consumer.close()
        with GroupReader(self.client_config, "unused") as group:
            assert sum(group.ends(name, len(partitions))) == expected, "nobody writes any more, and the ends have moved"
        return found

    def events(self, topic: str = EVENTS) -> list[tuple[str, dict[str, Any]]]:
        """The decoded records of a topic."""
        return [contracts().decode(value) for message in self.records(topic) if (value := message.value())]


@pytest.fixture
def system(kafka: KafkaBroker, topic_prefix: str, tmp_path: Path) -> System:
    """Topics as `arrears topics apply` makes them."""
    made = System(kafka.bootstrap_servers, topic_prefix, tmp_path)
    apply(AdminClient({**made.client_config}), made.topics)
    return made


@pytest.fixture
def invoices(repository: Path) -> list[str | Path]:
    """The arguments that take in the invoices of the Japanese sample company."""
    folder = repository / "examples" / "JP01"
    return [
        "ingest",
        folder / "invoices.csv",
        "--as",
        "csv",
        "--mapping",
        folder / "invoices.toml",
        "--company",
        "JP01",
    ]


@pytest.fixture
def bad_rows(repository: Path) -> list[str | Path]:
    """The arguments that take in the sample with bad rows."""
    examples = repository / "examples"
    mapping = examples / "US01" / "invoices.toml"
    return ["ingest", examples / "bad-rows.csv", "--as", "csv", "--mapping", mapping, "--company", "US01"]


def numbered(count: int) -> Iterator[ParsedEvent]:
    """Invoices with nothing but their numbers to tell them apart."""
    reader = adapter("jsonl", SourceOptions(company="FR01"))
    line = (
        b'{"event":"InvoiceIssued","occurred_at":"2026-01-14T09:00:00Z","account_id":"C1","invoice_id":"I",'
        b'"document_date":"2026-01-14","amount":"10.00","currency":"EUR"}'
    )
    (first,) = reader.read(io.BytesIO(line), "x")
    assert isinstance(first, ParsedEvent)
    for number in range(count):
        changed = {"event_id": f"E{number}", "invoice_id": f"I{number}", "account_id": f"C{number % 500}"}
        yield ParsedEvent(first.name, {**first.record, **changed}, Position("x", number))


def test_a_sample_file_stands_whole_in_the_event_log(system: System, invoices: list[str | Path]) -> None:
    done = system.arrears(*invoices)
    assert (done.returncode, done.stderr) == (0, "")
    assert "0 rows rejected" in done.stdout
    printed = [json.loads(line) for line in system.arrears(*invoices, "--dry-run").stdout.splitlines()]
    stored = [write_event(name, record) for name, record in system.events()]
    by_id = {document["event_id"]: document for document in stored}
    assert len(stored) == len(by_id) == len(printed)
    assert all(by_id[document["event_id"]] == document for document in printed)
    for message in system.records(EVENTS):
        name, record = contracts().decode(message.value() or b"")
        key = partition_key("JP01", str(record["account_id"]))
        assert message.key() == key
        assert message.partition() == partition_of(key, 12)
        assert message.headers() == [("event_type", name.encode()), ("company", b"JP01")]


def test_the_same_file_again_gives_the_same_ids(system: System, kafka: KafkaBroker, invoices: list[str | Path]) -> None:
    said = []
    for _ in range(2):
        done = system.arrears(*invoices)
        assert done.returncode == 0, done.stderr
        said.append(done.stdout)
    counts = Counter(record["event_id"] for _, record in system.events())
    assert set(counts.values()) == {2}, "\n".join([*said, describe(kafka.folder / "data", system.topics[EVENTS])])


def test_rates_go_to_the_reference_topic_under_their_pair_and_date(system: System, repository: Path) -> None:
    done = system.arrears("ingest", repository / "examples" / "JP01" / "activity.jsonl", "--as", "jsonl")
    assert done.returncode == 0
    keys = [message.key() for message in system.records(REFERENCE)]
    assert len(keys) == len(set(keys)) == 38
    assert b"JP01|USD|JPY|2026-01-02" in keys  # rates are a company's own, and the topic keeps one of each key
    assert "ExchangeRateSet" not in {name for name, _ in system.events()}


def test_bad_rows_are_reported_and_kept_while_the_others_are_sent(system: System, bad_rows: list[str | Path]) -> None:
    done = system.arrears(*bad_rows)
    assert done.returncode == 1
    assert "bad-rows.csv:3 (AMOUNT) invalid_amount: '1.250,00' is not an amount written like 1,234.50" in done.stdout
    assert "2 events sent" in done.stdout
    assert "7 rows rejected and kept in ar.failed" in done.stdout
    assert sorted(str(record["invoice_id"]) for _, record in system.events()) == ["INV-900001", "INV-900009"]
    failed = [record for _, record in system.events(FAILED)]
    assert {record["stage"] for record in failed} == {"source"}
    assert sorted(record["offset"] for record in failed) == [3, 4, 5, 6, 7, 8, 9]
    file = Path(str(bad_rows[1])).read_bytes().splitlines(keepends=True)
    assert all(record["original_value"] == file[record["offset"] - 1] for record in failed)
    (message, *_) = system.records(FAILED)
    assert message.headers() == [("event_type", b"FailedEvent"), ("company", b"US01")]


def test_strict_sends_nothing_when_any_row_is_bad(system: System, bad_rows: list[str | Path]) -> None:
    done = system.arrears(*bad_rows, "--strict")
    assert done.returncode == 1
    assert "nothing was sent" in done.stdout
    assert system.records(EVENTS) == system.records(FAILED) == []


def test_strict_reads_standard_input_twice_and_sends_when_all_is_well(
    system: System, invoices: list[str | Path]
) -> None:
    printed = system.arrears(*invoices, "--dry-run", "--limit", "25").stdout
    done = system.arrears("ingest", "-", "--as", "jsonl", "--strict", "--json", given=printed)
    report = json.loads(done.stdout)
    assert (done.returncode, report["sent"], report["rejected"]) == (0, True, 0)
    assert sum(report["events"].values()) == len(system.events()) == 25


def test_a_dry_run_sends_nothing(system: System, bad_rows: list[str | Path]) -> None:
    done = system.arrears(*bad_rows, "--dry-run")
    assert done.returncode == 1
    assert [json.loads(line)["invoice_id"] for line in done.stdout.splitlines()] == ["INV-900001", "INV-900009"]
    assert "7 rows rejected; nothing was sent" in done.stderr
    assert system.records(EVENTS) == system.records(FAILED) == []


def test_missing_topics_are_one_line(kafka: KafkaBroker, tmp_path: Path, invoices: list[str | Path]) -> None:
    done = System(kafka.bootstrap_servers, "nothing_here.", tmp_path).arrears(*invoices)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "arrears: the broker has no topic nothing_here.ar.events, nothing_here.ar.failed, nothing_here.ar.reference. "
        "Run `arrears topics apply` first.\n"
    )


def test_a_broker_that_is_not_there_is_one_line_after_a_bounded_time(
    tmp_path: Path, invoices: list[str | Path]
) -> None:
    started = time.monotonic()
    done = System("127.0.0.1:9", "", tmp_path).arrears(*invoices)
    assert time.monotonic() - started < 25
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("arrears: the broker at 127.0.0.1:9 does not answer: Connection refused. Start it")
    assert done.stderr.count("\n") == 1


def test_more_events_than_the_queue_holds_wait_for_the_broker(system: System) -> None:
    beats: list[None] = []
    publisher = Publisher(system.client_config, topic_prefix=system.prefix, heartbeat=lambda: beats.append(None))
    publisher.connect()
    count = QUEUE_MESSAGES_MAX + 10_000
    assert publisher.publish(numbered(count)) == count
    assert len(system.records(EVENTS)) == count
    assert len(beats) >= count // 1000


def test_a_broker_that_goes_away_is_told_and_the_next_attempt_brings_all(system: System, kafka: KafkaBroker) -> None:
    def stopping() -> Iterator[ParsedEvent]:
        for event in numbered(3000):
            if event.position.line == 1500:
                kafka.stop()
            yield event

    publisher = Publisher(system.client_config, topic_prefix=system.prefix, delivery_seconds_max=3)
    publisher.connect()
    try:
        with pytest.raises(SourceError, match=r"did not acknowledge [\d,]+ of [\d,]+ records .*"):
            publisher.publish(stopping())
    finally:
        kafka.start()
    again = Publisher(system.client_config, topic_prefix=system.prefix)
    again.connect()
    assert again.publish(numbered(3000)) == 3000
    assert len({record["event_id"] for _, record in system.events()}) == 3000
