"""What every measurement is made of: a system of its own on the stack, its log, processes, and a look at progress."""

import re
import sys
import time
import urllib.request
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, TopicPartition

from pipeline.cli.benchmarks.history import COMPANY
from pipeline.cli.preparation import prepare_tables, prepare_topics
from pipeline.errors import Problem
from pipeline.local.ports import LOOPBACK, free_port
from pipeline.local.process import ChildProcess
from pipeline.log_writer import LogWriter
from pipeline.progress import PROGRESS_KEY, decode_progress
from pipeline.settings import Settings, variable_name
from topics import EVENTS, Topic, catalogue

SECONDS_MAX = 180.0
LOOK_SECONDS = 0.02
_METRIC = re.compile(r"^(\w+)(?:\{[^}]*\})? (\S+)$", re.MULTILINE)


@dataclass
class System:
    """Topics under a prefix, a database, and the processes that work on them."""

    settings: Settings
    folder: Path
    processes: "list[Process]" = field(default_factory=list)

    @property
    def topics(self) -> Mapping[str, Topic]:
        """The topics by their catalogue names."""
        return catalogue(self.settings.kafka.topic_prefix)

    def prepare(self, *, tables: bool = False) -> None:
        """Make the topics, and the tables where they are wanted."""
        prepare_topics(self.settings)
        if tables:
            prepare_tables(self.settings)

    def start(self, name: str, module: str, *arguments: str, environment: Mapping[str, str] | None = None) -> "Process":
        """Start a process of this system; `environment` are settings of its own."""
        given = {**self._environment(), **(environment or {})}
        process = Process(name, [sys.executable, "-m", module, *arguments], self.folder, given)
        self.processes.append(process)
        return process

    def fill(self, log: Iterable[tuple[str, str | None, bytes]]) -> int:
        """Write a log; what has no account goes into every partition. Returns the number of records."""
        writer = self.writer()
        for name, account, value in log:
            if account is None:
                writer.write_everywhere(name, COMPANY, value)
            else:
                writer.write(name, COMPANY, account, value)
        writer.flush()
        return writer.count

    def writer(self) -> LogWriter:
        """A writer of the event topic."""
        return LogWriter(self.settings.kafka.client_config(), self.topics[EVENTS])

    def stop(self) -> None:
        """End the processes."""
        for process in reversed(self.processes):
            process.stop()
        self.processes.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _environment(self) -> dict[str, str]:
        return {
            variable_name("kafka", "bootstrap_servers"): self.settings.kafka.bootstrap_servers,
            variable_name("kafka", "topic_prefix"): self.settings.kafka.topic_prefix,
            variable_name("clickhouse", "url"): self.settings.clickhouse.url,
            variable_name("clickhouse", "database"): self.settings.clickhouse.database,
            variable_name("clock", "mode"): "external",
        }


class Process:
    """A process of the bench with its metrics."""

    def __init__(self, name: str, command: list[str], folder: Path, environment: Mapping[str, str]) -> None:
        self.started = time.monotonic()
        port = self._port = free_port()
        self.address = f"http://{LOOPBACK}:{port}"
        own = {variable_name("service", "host"): LOOPBACK, variable_name("service", "port"): str(port)}
        self._process = ChildProcess(name, command, folder / f"{name}.log", {**environment, **own})

    def wait_until_ready(self) -> float:
        """Seconds from the start until the service says that it is ready. Raises ``Problem``."""
        while time.monotonic() - self.started < SECONDS_MAX:
            self.check()
            try:
                with urllib.request.urlopen(f"{self.address}/readyz", timeout=2.0):  # noqa: S310  our own
                    return time.monotonic() - self.started
            except OSError:
                time.sleep(LOOK_SECONDS)
        raise Problem("a service does not become ready", f"See {self._process.log}")

    def metric(self, name: str, offset: int = 0) -> float:
        """The sum of a metric over its labels. `offset` is the number of the process, where a service has several."""
        address = f"http://{LOOPBACK}:{self._port + offset}/metrics"
        with urllib.request.urlopen(address, timeout=10.0) as answer:
            text = answer.read().decode()
        return sum(float(value) for found, value in _METRIC.findall(text) if found == name)

    def wait(self, seconds_max: float = SECONDS_MAX) -> str:
        """The last line that it wrote before it ended by itself. Raises ``Problem`` when it does not end."""
        while self._process.poll() is None:
            if time.monotonic() - self.started > seconds_max:
                raise Problem("a measurement does not end", f"See {self._process.log}")
            time.sleep(0.1)
        return self._process.last_words()

    def check(self) -> None:
        """Raise ``Problem`` when it has ended."""
        if self._process.poll() is not None:
            raise Problem(f"a service has ended: {self._process.last_words()}", f"See {self._process.log}")

    def stop(self) -> None:
        """End it in order."""
        self._process.stop()


@dataclass(frozen=True)
class Pace:
    """How fast a worker was between its first commit that was seen and its last."""

    events: int
    seconds: float
    cpu_seconds: float
    first_at: float  # monotonic
    last_at: float

    @property
    def rate(self) -> float:
        """Events a second."""
        return self.events / self.seconds if self.seconds else 0.0

    @property
    def micros(self) -> float:
        """CPU microseconds an event."""
        return self.cpu_seconds / self.events * 1e6 if self.events else 0.0


def watch(system: System, worker: Process, wanted: int) -> Pace:
    """Follow the workers' commits in the state topic until `wanted` events are handled."""
    topic = system.topics["ar.state"]
    consumer = Consumer(
        {
            **system.settings.kafka.client_config(),
            "group.id": "bench",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
        }
    )
    consumer.assign([TopicPartition(topic.name, number, OFFSET_BEGINNING) for number in range(topic.partitions)])
    handled: dict[int, int] = {}
    first: tuple[float, float, int] | None = None
    deadline = time.monotonic() + SECONDS_MAX
    try:
        while sum(handled.values()) < wanted:
            worker.check()
            if time.monotonic() > deadline:
                raise Problem(f"the worker handled {sum(handled.values())} of {wanted} events", "See its log")
            for message in consumer.consume(10_000, LOOK_SECONDS):
                if (error := message.error()) is not None:
                    if error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001
                        raise Problem(f"the state topic cannot be read: {error.str()}", "Look at the broker")
                elif message.key() == PROGRESS_KEY:
                    handled[message.partition() or 0] = decode_progress(message.value() or b"").events
            if first is None and handled:
                first = time.monotonic(), worker.metric("process_cpu_seconds_total"), sum(handled.values())
    finally:
        consumer.close()
    if first is None:
        raise Problem("the worker commits nothing", "See its log")
    now = time.monotonic()
    cpu = worker.metric("process_cpu_seconds_total") - first[1]
    return Pace(wanted - first[2], now - first[0], cpu, first[0], now)
