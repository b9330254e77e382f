"""`arrears dlq` and `arrears alerts` on a real broker, with failures of a real worker and of real files."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

from avro import contracts
from jobs.effects import Alert
from pipeline.local import KafkaBroker
from tests.integration.topic_reader import read_topics
from tests.integration.workers import System, invoice
from tests.pipeline.cli.calls import Done, arrears, assert_one_line
from topics import EVENTS, catalogue, partition_key, partition_of

pytestmark = pytest.mark.kafka

ACCOUNT = partition_key("FR01", "C0001")
HOME = partition_of(ACCOUNT, 12)
CARD = "4111 1111 1111 1111"
BAD_LINES = (
    '{"event": "InvoiceIssued", "occurred_at": "2026-03-01T09:00:00Z"',
    f'{{"event": "ContactMade", "occurred_at": "2026-03-01T09:00:00Z", "note": "card {CARD}"}}',
)
GARBAGE = b"\x00garbage \xff"


@dataclass(frozen=True)
class Desk:
    """A system whose `ar.failed` holds two records of a worker and two lines of a file."""

    system: System
    folder: Path

    def arrears(self, *words: str) -> Done:
        """A command on this system."""
        return arrears(*words, folder=self.folder, **self.environment)

    @property
    def environment(self) -> dict[str, str]:
        """Where commands find it."""
        return {
            "ARREARS_KAFKA__BOOTSTRAP_SERVERS": self.system.bootstrap_servers,
            "ARREARS_KAFKA__TOPIC_PREFIX": self.system.prefix,
        }

    def letters(self, *words: str) -> list[dict[str, object]]:
        """What `arrears dlq list` finds."""
        done = self.arrears("dlq", "list", "--json", *words)
        assert (done.code, done.errors) == (0, ""), done
        return [json.loads(line) for line in done.output.splitlines()]

    def place(self, reason: str) -> str:
        """The place of the first letter with this reason."""
        return str(self.letters("--reason", reason)[0]["place"])


@pytest.fixture(scope="module")
def desk(kafka: KafkaBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """The system; its worker has read everything and is gone."""
    prefix = f"dlq{os.getpid()}."
    made = Desk(
        System(kafka.bootstrap_servers, prefix, tmp_path_factory.mktemp("workers")), tmp_path_factory.mktemp("dlq")
    )
    made.system.create_topics()
    made.system.configure()
    producer = made.system.producer()
    event = contracts().encode("InvoiceIssued", _record(1))
    headers: list[tuple[str, str | bytes | None]] = [
        ("event_type", b"InvoiceIssued"),
        ("company", b"FR01"),
        ("note", b"x"),
    ]
    topic = prefix + EVENTS
    producer.produce(topic, event, ACCOUNT, (HOME + 1) % 12, headers=headers)  # where it does not belong
    producer.produce(topic, GARBAGE, ACCOUNT, HOME, headers=headers)
    assert producer.flush(30) == 0
    (made.folder / "lines.jsonl").write_text("\n".join(BAD_LINES))
    assert made.arrears("ingest", "lines.jsonl", "--as", "jsonl", "--company", "FR01").code == 1
    worker = made.system.start_worker()
    try:
        deadline = time.monotonic() + 60
        while len(read_topics(made.system.client_config, [made.system.topic("ar.failed")])) < 4:
            assert time.monotonic() < deadline, worker.last_words()
            time.sleep(0.5)
    finally:
        worker.kill()
    yield made
    admin = AdminClient(made.system.client_config)
    for future in admin.delete_topics([found.name for found in catalogue(prefix).values()]).values():
        future.result(30)


def _record(number: int) -> dict[str, object]:
    made = invoice(number, account="C0001")
    return {name: getattr(made, name) for name in made.__struct_fields__}


def test_letters_are_listed_by_what_they_have_in_common(desk: Desk) -> None:
    every = desk.letters()
    assert sorted((letter["stage"], letter["reason"]) for letter in every) == [
        ("decode", "unknown_schema"),
        ("route", "wrong_partition"),
        ("source", "malformed_json"),
        ("source", "unknown_event"),
    ]
    assert len(desk.letters("--stage", "source", "--company", "FR01")) == 2
    assert len(desk.letters("--source", "lines.*")) == 2
    assert len(desk.letters("--topic", "*ar.events", "--partition", str(HOME))) == 1
    assert len(desk.letters("--offset", "2")) == 1
    assert [letter["reason"] for letter in desk.letters("--event", "ContactMade")] == ["unknown_event"]
    assert desk.letters("--until", "2026-01-01") == []
    assert len(desk.letters("--since", "2026-01-01T00:00:00+01:00")) == 4
    done = desk.arrears("dlq", "list", "--limit", "2")
    assert "4 dead letters: " in done.output
    assert "only the last 2 of 4" in done.errors
    assert_one_line(desk.arrears("dlq", "list", "--since", "soon"), "'soon' is no time")


def test_one_letter_is_shown_with_its_bytes(desk: Desk) -> None:
    done = desk.arrears("dlq", "show", desk.place("unknown_schema"))
    assert done.code == 0
    assert GARBAGE.hex(" ") in done.output
    assert "event_type = InvoiceIssued" in done.output
    assert "possible: arrears dlq replay" in done.output
    wrong = desk.arrears("dlq", "show", desk.place("wrong_partition"))
    assert '"invoice_id":"I1"' in wrong.output
    line = desk.arrears("dlq", "show", desk.place("unknown_event"))
    assert "card **** **** **** 1111" in line.output
    assert CARD not in line.output
    assert "arrears dlq export" in line.output
    assert_one_line(desk.arrears("dlq", "show", "0:999"), "nothing stands in ar.failed at 0:999")
    assert_one_line(desk.arrears("dlq", "show", "first"), "PARTITION:OFFSET")
    assert_one_line(desk.arrears("dlq", "show", "99:0"), "no partition 99")


def test_a_replay_sends_the_same_bytes_once(desk: Desk) -> None:
    place = desk.place("wrong_partition")
    before = len(read_topics(desk.system.client_config, [desk.system.topic(EVENTS)]))
    done = desk.arrears("dlq", "replay", "--reason", "wrong_partition", "--dry-run")
    assert (done.code, "1 would be sent" in done.output) == (0, True)
    assert len(read_topics(desk.system.client_config, [desk.system.topic(EVENTS)])) == before
    done = desk.arrears("dlq", "replay", place, "--rate", "100")
    assert (done.code, "1 sent again" in done.output) == (0, True), done
    done = desk.arrears("dlq", "replay", place)
    assert (done.code, "0 sent again, 1 replayed before" in done.output) == (0, True), done
    assert desk.arrears("dlq", "replay", place, "--again").code == 0
    mark = f"{desk.system.prefix}ar.failed/{place.replace(':', '/')}".encode()
    sent = [
        message
        for message in read_topics(desk.system.client_config, [desk.system.topic(EVENTS)])
        if ("replayed_from", mark) in (message.headers() or [])
    ]
    assert len(sent) == 2
    for message in sent:
        assert (message.partition(), message.key()) == (HOME, ACCOUNT)
        assert message.value() == contracts().encode("InvoiceIssued", _record(1))
        assert list(message.headers() or [])[:3] == [
            ("event_type", b"InvoiceIssued"),
            ("company", b"FR01"),
            ("note", b"x"),
        ]


def test_a_limit_counts_what_is_sent_so_that_the_next_call_goes_on(desk: Desk) -> None:
    words = ("dlq", "replay", "--stage", "decode", "--stage", "route", "--limit", "1")
    desk.arrears("dlq", "replay", desk.place("wrong_partition"))  # as the test above did, where it ran
    assert "1 sent again, 1 replayed before" in desk.arrears(*words).output
    assert "0 sent again, 2 replayed before" in desk.arrears(*words).output


def test_lines_of_files_are_handed_back_instead(desk: Desk) -> None:
    done = desk.arrears("dlq", "replay", "--stage", "source")
    assert done.code == 1
    assert "0 sent again, 0 replayed before, 2 not replayable" in done.output
    assert "arrears dlq export" in done.output
    # The same lines once more, from a folder above: they are one file with one name.
    desk.arrears("ingest", "../" + desk.folder.name + "/lines.jsonl", "--as", "jsonl", "--company", "FR01")
    done = desk.arrears("dlq", "export", "back")
    assert done.code == 0
    written = sorted(file.name for file in (desk.folder / "back").iterdir())
    assert written == [
        "lines.jsonl.2.rejected", "lines.jsonl.2.rejected.json", "lines.jsonl.rejected", "lines.jsonl.rejected.json",
    ]  # fmt: skip
    assert (desk.folder / "back" / "lines.jsonl.rejected").read_text() == "\n".join(
        [BAD_LINES[0], BAD_LINES[1].replace(CARD, "**** **** **** 1111"), ""]
    )
    notes = [json.loads(line) for line in (desk.folder / "back" / "lines.jsonl.rejected.json").read_text().splitlines()]
    assert [(note["line"], note["source_line"], note["reason"]) for note in notes] == [
        (1, 1, "malformed_json"),
        (2, 2, "unknown_event"),
    ]
    assert_one_line(desk.arrears("dlq", "export", "back"), "is there already")


def test_looking_leaves_no_group_behind(desk: Desk) -> None:
    groups = AdminClient(desk.system.client_config).list_consumer_groups().result(30)
    assert "arrears-reader" not in {group.group_id for group in groups.valid}


def test_alerts_are_followed_by_kind_and_company_until_somebody_stops(desk: Desk) -> None:
    _raise(desk, "promise_broken", "FR01", "P1")
    _raise(desk, "unapplied_cash", "US01", "R1")
    done = desk.arrears("alerts", "tail", "--from-beginning", "--limit", "2")
    assert done.code == 0
    assert "high   raised    promise_broken FR01/C1 P1 100.00 EUR: pay" in done.output
    done = desk.arrears("alerts", "tail", "--since", "2026-01-01", "--company", "US01", "--json", "--limit", "1")
    alert = json.loads(done.output)
    assert (alert["kind"], alert["subject"], alert["amount"], alert["supersedes"]) == (
        "unapplied_cash",
        "R1",
        "100.00",
        None,
    )
    assert_one_line(desk.arrears("alerts", "tail", "--kind", "promise"), "there is no kind of alert 'promise'")
    command = [sys.executable, "-m", "pipeline.cli", "alerts", "tail", "--kind", "promise_broken", "--from-beginning"]
    environment = {**os.environ, **desk.environment}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=desk.folder) as running:
        assert running.stdout is not None
        assert "P1" in running.stdout.readline()
        _raise(desk, "promise_broken", "FR01", "P2")
        assert "P2" in running.stdout.readline()
        running.send_signal(signal.SIGINT)
        assert running.wait(30) == 0
        assert running.stdout.read() == ""


def _raise(desk: Desk, kind: str, company: str, subject: str) -> None:
    record = {
        "alert_id": f"{kind}/{company}/{subject}", "company": company, "account_id": "C1", "kind": kind,
        "subject": subject, "status": "raised", "severity": "high", "amount_minor": 10_000, "currency": "EUR",
        "deadline": None, "supersedes": None, "message": "pay", "raised_at": 1_767_225_600_000_000, "event_id": "E1",
    }  # fmt: skip
    assert set(record) == set(Alert.__struct_fields__)
    topic = desk.system.topic("ar.alerts.promises" if kind.startswith("promise") else "ar.alerts.cash").name
    producer = Producer(desk.system.client_config | {"linger.ms": 0})
    producer.produce(topic, contracts().encode("Alert", record), partition_key(company, "C1"))
    assert producer.flush(30) == 0
