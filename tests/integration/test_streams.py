"""`arrears stream` on a real broker: change events in, events out, positions kept only behind what is acknowledged."""

import json
import os
import signal
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from pipeline.local import KafkaBroker
from sources import Parsed, ParsedEvent, SourceError
from sources.streams import Follower, load_stream_config, stream_reader
from tests.integration.feeds import FeedSystem, end, read_topic, wait_until
from tests.sources.streams.records import INVOICE, MAPPING, STREAM, change
from tests.sources.streams.test_outbox import EVENT
from topics import PRODUCER_OPTIONS

pytestmark = pytest.mark.kafka

TOPIC = "erp.public.ar_invoices"
CASH = {"account_id": "C1", "occurred_at": "2026-03-01T08:12:00Z", "amount": "10.00"}


@pytest.fixture
def system(kafka: KafkaBroker, topic_prefix: str, tmp_path: Path) -> FeedSystem:
    """A topic as a connector makes it, and the files of a stream."""
    made = FeedSystem(kafka.bootstrap_servers, topic_prefix, tmp_path)
    made.source_topic(TOPIC)
    made.file("invoices.toml", MAPPING)
    made.file("stream.toml", STREAM.replace(TOPIC, topic_prefix + TOPIC))
    return made


def value(number: int, op: str = "c", **changes: Any) -> bytes:
    """The insert of an invoice of a number."""
    row = {**INVOICE, "id": number, "number": f"INV-{number}", **changes}
    return json.dumps(change(op, row, row if op == "u" else None, lsn=1000 + number)).encode()


def committed(system: FeedSystem) -> int:
    """How many records of the source topic are behind the stream's positions."""
    consumer = Consumer({**system.client_config, "group.id": f"{system.prefix}arrears-stream-erp"})
    places = [TopicPartition(system.prefix + TOPIC, partition) for partition in range(2)]
    found = consumer.committed(places, timeout=30)
    consumer.close()
    return sum(max(0, place.offset) for place in found)


def test_a_topic_is_looked_at_then_read_to_its_end_and_goes_on_from_there(system: FeedSystem) -> None:
    system.apply_topics()
    topic = system.prefix + TOPIC
    system.write(topic, [value(1), value(2), None, b"{", value(3, status="draft")], key="a")
    system.write(topic, [json.dumps({"ts_ms": 1}).encode(), value(4)], key="b")
    shown = system.arrears("stream", "stream.toml", "--dry-run", "--limit", "1")
    assert [json.loads(line)["event"] for line in shown.stdout.splitlines()] == ["InvoiceIssued"]
    assert "nothing was sent" in shown.stderr
    assert (committed(system), system.records("ar.events")) == (0, [])

    done = system.arrears("stream", "stream.toml", "--once", "--json")
    report = json.loads(done.stdout)
    assert (done.returncode, report["events"], report["rejected"], report["skipped"]) == (1, {"InvoiceIssued": 3}, 1, 3)
    assert report["rejects"][0]["reason"] == "malformed_json"
    (failed,) = system.records("ar.failed")
    assert failed["topic"].startswith(f"{topic}[")
    assert (failed["offset"], failed["original_value"], failed["stage"]) == (
        report["rejects"][0]["offset"],
        b"{",
        "source",
    )
    assert committed(system) == 7

    snapshot = [value(number, "r") for number in (1, 2, 4)]
    system.write(topic, [*snapshot, value(2, "u"), value(5)], key="a")
    again = json.loads(system.arrears("stream", "stream.toml", "--once", "--json").stdout)
    assert (again["events"], again["rejected"]) == ({"InvoiceIssued": 5}, 0)
    ids = system.event_ids()
    assert (len(ids), len(set(ids))) == (8, 4)  # a second snapshot makes no new event


def test_a_killed_stream_reads_its_last_batch_again_under_the_same_ids(system: FeedSystem) -> None:
    """Killed without warning, then started again: every record is in effect once."""
    system.apply_topics()
    topic = system.prefix + TOPIC
    count = 3000
    system.write(topic, [value(number) for number in range(count)])
    config = system.file("small.toml", (system.folder / "stream.toml").read_text() + "\n")
    config.write_text(config.read_text().replace('company = "FR01"', 'company = "FR01"\nbatch_records = 50'))
    process = system.start("stream", "small.toml")
    wait_until(lambda: committed(system) >= 100, "the first records", process)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=30)
    before = committed(system)
    assert before < count, "it was killed too late to show anything"
    process = system.start("stream", "small.toml")
    wait_until(lambda: committed(system) == count, "all records", process)
    output = end(process)
    assert "events sent" in output
    ids = system.event_ids()
    assert len(set(ids)) == count
    assert len(ids) <= count + 50  # a kill costs at most the batch that was under way


def read_once(system: FeedSystem, config: str) -> list[Parsed]:
    """What a stream makes of its topics, in this process."""
    values: list[Parsed] = []

    def deliver(batch: Sequence[Parsed]) -> bool:
        values.extend(batch)
        return True

    loaded = load_stream_config(system.folder / config)
    Follower(
        system.client_config, group_id=f"{system.prefix}once", topics=loaded.topics,
        reader=stream_reader(loaded, system.folder), deliver=deliver, batch_records=200, once=True,
    ).run()  # fmt: skip
    return values


def test_a_topic_that_is_not_there_is_named(system: FeedSystem) -> None:
    system.file("other.toml", STREAM.replace(TOPIC, "nowhere"))
    with pytest.raises(SourceError, match="the broker has no topic nowhere"):
        read_once(system, "other.toml")


def test_an_outbox_that_the_event_router_fills(system: FeedSystem) -> None:
    topic = system.source_topic("outbox.event.invoice")
    system.write(topic, [json.dumps(EVENT).encode()], key="INV-17", headers={"id": b"4d47e190"})
    config = f'name = "billing"\nkind = "outbox"\ntopics = ["^{topic}$"]\ncompany = "FR01"\nsource = "billing"\n'
    system.file("outbox.toml", config)
    (event,) = read_once(system, "outbox.toml")
    assert isinstance(event, ParsedEvent)
    assert event.record["event_id"] == "billing/outbox/4d47e190"


def test_positions_that_retention_has_overtaken_are_told(system: FeedSystem, caplog: pytest.LogCaptureFixture) -> None:
    topic = system.prefix + TOPIC
    system.write(topic, [value(number) for number in range(3)])
    assert len(read_once(system, "stream.toml")) == 3
    system.write(topic, [value(number) for number in range(3, 9)])
    (partition,) = {message.partition() for message in read_topic(system, topic)}
    (deleted,) = system.admin.delete_records([TopicPartition(topic, partition or 0, 7)]).values()
    deleted.result(30)
    assert len(read_once(system, "stream.toml")) == 2
    assert "4 records were deleted by retention before they were read" in caplog.text


def test_tables_that_belong_together_are_read_in_the_order_of_their_commits(system: FeedSystem) -> None:
    """Applications are fetched first by chance, and their payments later: each must come behind its payment."""
    topics = [system.source_topic(name, 1) for name in ("erp.public.applications", "erp.public.payments")]
    quoted = ", ".join(f'"{topic}"' for topic in reversed(topics))
    config = f'name = "o"\nkind = "outbox"\ntopics = [{quoted}]\ncompany = "FR01"\nsource = "erp"\n'
    system.file("ordered.toml", config)
    producer = Producer({**system.client_config, **PRODUCER_OPTIONS, "linger.ms": 5})
    for number in range(400):
        payment = {**CASH, "event": "PaymentReceived", "payment_id": f"P{number}", "currency": "EUR",
                   "value_date": "2026-03-01"}  # fmt: skip
        application = {**CASH, "event": "CashApplied", "application_id": f"A{number}", "payment_id": f"P{number}",
                       "invoice_id": "I1", "method": "auto"}  # fmt: skip
        for topic, event, milliseconds in ((topics[1], payment, 0), (topics[0], application, number % 2)):
            moment = 1_772_356_320_000 + 10 * number + milliseconds
            producer.produce(topic, value=json.dumps(event).encode(), timestamp=moment)
    assert producer.flush(30) == 0
    known: set[str] = set()
    for value in read_once(system, "ordered.toml"):
        assert isinstance(value, ParsedEvent)
        if value.name == "PaymentReceived":
            known.add(value.record["payment_id"])
        else:
            assert value.record["payment_id"] in known
    assert len(known) == 400


def test_a_broker_that_goes_away_and_comes_back_is_followed_on(system: FeedSystem, kafka: KafkaBroker) -> None:
    topic = system.prefix + TOPIC
    loaded = load_stream_config(system.folder / "stream.toml")
    values: list[Parsed] = []

    def deliver(batch: Sequence[Parsed]) -> bool:
        values.extend(batch)
        return True

    follower = Follower(
        system.client_config, group_id=f"{system.prefix}restarted", topics=loaded.topics,
        reader=stream_reader(loaded, system.folder), deliver=deliver, batch_records=10,
    )  # fmt: skip
    system.write(topic, [value(1)])
    thread = threading.Thread(target=follower.run)
    thread.start()
    try:
        wait_until(lambda: len(values) == 1, "the first record")
        kafka.stop()
        kafka.start()
        system.write(topic, [value(2)])
        wait_until(lambda: len(values) == 2, "the record after the restart")
    finally:
        follower.stop()
        thread.join(60)
    assert not thread.is_alive()
