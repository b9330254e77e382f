"""What the tests of running feeds share: the topics of one test, the command as a user calls it, what it left."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from confluent_kafka import Message, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from avro import contracts
from tests.integration.topic_reader import read_topics
from topics import PRODUCER_OPTIONS, apply, catalogue

SECONDS_MAX = 60.0


class FeedSystem:
    """The topics of one test on the broker, files in a folder, and the command line."""

    def __init__(self, bootstrap_servers: str, prefix: str, folder: Path) -> None:
        self.client_config: dict[str, Any] = {"bootstrap.servers": bootstrap_servers, "log_level": 2}
        self.prefix = prefix
        self.folder = folder
        self.topics = catalogue(prefix)
        self.admin = AdminClient(self.client_config)
        self.environment = {
            **os.environ,
            "ARREARS_KAFKA__BOOTSTRAP_SERVERS": bootstrap_servers,
            "ARREARS_KAFKA__TOPIC_PREFIX": prefix,
        }

    def apply_topics(self) -> None:
        """As `arrears topics apply` does; only what sends events needs them."""
        apply(self.admin, self.topics)

    def file(self, name: str, text: str) -> Path:
        """Write a file of the test's folder."""
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def source_topic(self, name: str, partitions: int = 2) -> str:
        """A topic as a connector makes it; it goes with the others of the test."""
        topic = f"{self.prefix}{name}"
        for future in self.admin.create_topics([NewTopic(topic, partitions, 1)]).values():
            future.result(30)
        return topic

    def write(
        self, topic: str, values: list[bytes | None], key: str = "k", headers: Mapping[str, bytes] | None = None
    ) -> None:
        """Records in one partition, as a connector writes them."""
        producer = Producer({**self.client_config, **PRODUCER_OPTIONS, "linger.ms": 5})
        given: list[tuple[str, str | bytes | None]] = list((headers or {}).items())
        for value in values:
            producer.produce(topic, key=key, value=value, headers=given)
        assert producer.flush(30) == 0

    def arrears(self, *arguments: str | Path, **variables: str) -> "subprocess.CompletedProcess[str]":
        """Run the command line to its end; nothing is checked."""
        return subprocess.run(
            [sys.executable, "-m", "pipeline.cli", *map(str, arguments)], capture_output=True, text=True,
            env=self.environment | variables, cwd=self.folder, check=False, timeout=SECONDS_MAX,
        )  # fmt: skip

    def start(self, *arguments: str | Path, **variables: str) -> "subprocess.Popen[str]":
        """Start the command line as a service; its log goes to a file of the folder."""
        with (self.folder / "service.log").open("a") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "pipeline.cli", *map(str, arguments)], stdout=subprocess.PIPE, stderr=log,
                text=True, env=self.environment | variables, cwd=self.folder,
            )  # fmt: skip

    def messages(self, topic: str) -> list[Message]:
        """All records of one of our topics."""
        return read_topics(self.client_config, [self.topics[topic]])

    def records(self, topic: str) -> list[dict[str, Any]]:
        """The decoded records of one of our topics."""
        return [contracts().decode(value)[1] for message in self.messages(topic) if (value := message.value())]

    def event_ids(self) -> list[str]:
        """The ids of all events, sorted."""
        return sorted(record["event_id"] for record in self.records("ar.events"))


def wait_until(holds: Callable[[], bool], what: str, process: "subprocess.Popen[str] | None" = None) -> None:
    """Wait for something that a process is about to do. Bounded."""
    deadline = time.monotonic() + SECONDS_MAX
    while not holds():
        assert process is None or process.poll() is None, f"the process ended with {process.returncode}: {what}"
        assert time.monotonic() < deadline, what
        time.sleep(0.2)


def end(process: "subprocess.Popen[str]") -> str:
    """SIGTERM; it ends by itself with exit code 0. What it printed is returned."""
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=SECONDS_MAX)
    assert process.returncode == 0
    return output


def read_topic(system: FeedSystem, topic: str) -> list[Message]:
    """All records of a source topic."""
    (like,) = [known for name, known in system.topics.items() if name == "ar.failed"]
    partitions = len(system.admin.list_topics(topic, timeout=30).topics[topic].partitions)
    return read_topics(system.client_config, [msgspec.structs.replace(like, name=topic, partitions=partitions)])
