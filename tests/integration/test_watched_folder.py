"""`arrears ingest --watch` as a process on a real broker: files come, it is killed, it is stopped."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient

from avro import contracts
from pipeline.lag import GroupReader
from pipeline.local import KafkaBroker
from tests.integration.topic_reader import read_topics
from tests.pipeline.cli.calls import Done, arrears, assert_one_line
from tests.sources.watch.inbox import invoice, lines
from topics import EVENTS, apply, catalogue

pytestmark = pytest.mark.kafka

EVENTS_A_FILE = 10_000
WORDS = ("--as", "jsonl", "--company", "FR01")


class Place:
    """A system, and a folder that is watched."""

    def __init__(self, broker: KafkaBroker, prefix: str, folder: Path) -> None:
        self.client_config: dict[str, str | int | float | bool] = {
            "bootstrap.servers": broker.bootstrap_servers,
            "log_level": 2,
        }
        self.topics = catalogue(prefix)
        apply(AdminClient(self.client_config), self.topics)
        self.folder = folder
        self.inbox = folder / "in"
        self.inbox.mkdir()
        self.environment = {
            "ARREARS_KAFKA__BOOTSTRAP_SERVERS": broker.bootstrap_servers,
            "ARREARS_KAFKA__TOPIC_PREFIX": prefix,
        }

    def arrears(self, *words: str, **environment: str) -> Done:
        """A command on this system."""
        return arrears(*words, folder=self.folder, **{**self.environment, **environment})

    def put(self, name: str, content: str) -> None:
        """Deliver a file as one should: whole, by a rename."""
        draft = self.inbox / f"{name}.tmp"
        draft.write_text(content)
        draft.rename(self.inbox / name)

    @contextmanager
    def watching(self, settle: str = "0") -> Iterator["subprocess.Popen[str]"]:
        """The command as a service."""
        command = [
            sys.executable,
            "-m",
            "pipeline.cli",
            "ingest",
            "--watch",
            "in",
            *WORDS,
            "--settle",
            settle,
            "--json",
        ]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, cwd=self.folder, env={**os.environ, **self.environment}
        ) as process:
            try:
                yield process
            finally:
                if process.poll() is None:
                    process.kill()

    def processed(self) -> list[str]:
        """Names of what is done."""
        return sorted(file.name for file in (self.inbox / "processed").iterdir())

    def count(self) -> int:
        """How many events have arrived."""
        events = self.topics[EVENTS]
        with GroupReader(self.client_config, "unused") as reader:
            return sum(reader.ends(events.name, events.partitions))

    def has_more_than(self, count: int) -> bool:
        """Whether further events have arrived."""
        return self.count() > count

    def ids(self) -> list[str]:
        """Ids of the events in the log."""
        messages = read_topics(self.client_config, [self.topics[EVENTS]])
        return [str(contracts().decode(message.value() or b"")[1]["event_id"]) for message in messages]


@pytest.fixture
def place(kafka: KafkaBroker, topic_prefix: str, tmp_path: Path) -> Place:
    return Place(kafka, topic_prefix, tmp_path)


def test_files_are_taken_as_they_come_and_the_one_at_hand_is_finished(place: Place) -> None:
    with place.watching() as process:
        assert process.stdout is not None
        place.put("a.jsonl", lines(invoice(1), "{broken"))
        report = json.loads(process.stdout.readline())
        assert (report["file"], report["outcome"], report["events"]) == ("a.jsonl", "processed", {"InvoiceIssued": 1})
        place.put("b.jsonl", lines(*(invoice(number) for number in range(100, 2100))))
        _wait_until(lambda: any((place.inbox / "processing").glob("*/b.jsonl")))
        process.send_signal(signal.SIGTERM)
        assert json.loads(process.stdout.readline())["events"] == {"InvoiceIssued": 2000}
        assert process.wait(60) == 0
    assert place.processed() == [
        "a.jsonl", "a.jsonl.rejected", "a.jsonl.report.json", "b.jsonl", "b.jsonl.report.json",
    ]  # fmt: skip
    assert list((place.inbox / "processing").iterdir()) == []
    assert Counter(place.ids()).total() == 2001
    (failed,) = read_topics(place.client_config, [place.topics["ar.failed"]])
    assert str(contracts().decode(failed.value() or b"")[1]["topic"]).endswith("/in/a.jsonl")


def test_a_killed_watcher_loses_nothing_and_doubles_nothing(place: Place) -> None:
    names = _kill_in_the_middle(place)
    done = place.arrears("ingest", "--watch", "in", *WORDS, "--once")
    assert (done.code, done.errors) == (0, ""), done
    assert f"{names[-1]}: processed, {EVENTS_A_FILE:,} events, 0 rows rejected" in done.output
    assert len(set(place.ids())) == len(names) * EVENTS_A_FILE, "what was sent twice has the same ids"
    assert place.processed() == sorted([*names, *(f"{name}.report.json" for name in names)])
    assert list((place.inbox / "processing").iterdir()) == []


def _kill_in_the_middle(place: Place) -> list[str]:
    """Deliver files until a watcher is killed with one in hand, of which something has arrived; the names of all."""
    names: list[str] = []
    while not any((place.inbox / "processing").glob("*/*.jsonl")):
        assert len(names) < 5, "files are done before the watcher can be killed"
        names.append(f"{len(names)}.jsonl")
        first = len(names) * EVENTS_A_FILE
        before = place.count()
        with place.watching() as process:
            place.put(names[-1], lines(*(invoice(number) for number in range(first, first + EVENTS_A_FILE))))
            _wait_until(partial(place.has_more_than, before))
            process.kill()
            process.wait(30)
    return names


def test_once_tells_by_its_exit_code_whether_all_was_well(place: Place) -> None:
    assert place.arrears("ingest", "--watch", "in", *WORDS, "--once") == Done(0, "", "")
    place.put("a.jsonl", lines(invoice(1)))
    place.put("b.jsonl", lines("{broken"))
    done = place.arrears("ingest", "--watch", "in", *WORDS, "--once", "--settle", "0.1")
    assert (done.code, done.output) == (
        1,
        "a.jsonl: processed, 1 events, 0 rows rejected\nb.jsonl: rejected, 0 events, 1 rows rejected\n",
    )
    nowhere = {"ARREARS_KAFKA__BOOTSTRAP_SERVERS": "127.0.0.1:9"}
    assert_one_line(place.arrears("ingest", "--watch", "in", *WORDS, **nowhere), "does not answer")


def test_words_that_do_not_go_together_are_one_line(place: Place) -> None:
    for words, expected in (
        (("in", "--watch", "in"), "files and --watch are named"),
        (("--watch", "in", "--dry-run"), "--dry-run and --limit are for files"),
        (("in", "--once"), "--once is for a watched folder"),
        ((), "nothing to read is named"),
        (("--watch", "nowhere"), "there is no folder nowhere"),
    ):
        assert_one_line(place.arrears("ingest", *words, *WORDS), expected)


def _wait_until(holds: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.005)
