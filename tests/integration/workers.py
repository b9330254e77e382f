"""Real worker processes on a real broker, the load they fold, and what they must have written."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import msgspec
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from avro import contracts
from jobs import settings_from
from jobs.events import InvoiceIssued
from pipeline.clock import now_micros
from pipeline.companies import plan, publish
from pipeline.errors import Problem
from pipeline.lag import GroupReader, PartitionLag, read_exact_lag
from pipeline.progress import Progress
from topics import EVENTS, PRODUCER_OPTIONS, Topic, catalogue, partition_key

ACCOUNTS = 400
BURST_SECONDS = 0.1
COMPANY = "FR01"


class Invoice(InvoiceIssued, frozen=True, kw_only=True):
    """The event with the rest of its envelope."""

    source: str = "test"
    actor_id: str = ""
    actor_role: str = ""
    correlation_id: str | None = None


def invoice(number: int, *, account: str | None = None) -> Invoice:
    """The invoice of a number: id, account and amount follow from it."""
    moment = 1_767_225_600_000_000 + number * 1_000_000
    return Invoice(
        event_id=f"invoice-{number}",
        company=COMPANY,
        account_id=account or f"C{number % ACCOUNTS:04d}",
        occurred_at=moment,  # type: ignore[arg-type]
        recorded_at=moment,  # type: ignore[arg-type]
        region="EU",
        invoice_id=f"I{number}",
        document_type="invoice",
        document_date=20_454,  # type: ignore[arg-type]
        posting_date=None,
        due_date=20_484,  # type: ignore[arg-type]
        amount_minor=100 + number % 1000,
        currency="EUR",
        instalments=None,
        payment_terms=None,
        reference=None,
    )


@dataclass
class System:
    """One system on a broker: its topics under a prefix, its workers, its load."""

    bootstrap_servers: str
    prefix: str
    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    workers: "list[WorkerProcess]" = field(default_factory=list)

    def __post_init__(self) -> None:
        self.client_config: dict[str, Any] = {"bootstrap.servers": self.bootstrap_servers, "log_level": 2}
        self.topics = catalogue(self.prefix)
        self.admin = AdminClient(self.client_config)
        self.group_id = f"{self.prefix}arrears"

    def topic(self, name: str) -> Topic:
        """A topic by its catalogue name."""
        return self.topics[name]

    def create_topics(self) -> None:
        """As `arrears topics apply` does."""
        wanted = [NewTopic(topic.name, topic.partitions, 1, config=topic.config()) for topic in self.topics.values()]
        for future in self.admin.create_topics(wanted).values():
            future.result(30)

    def configure(self) -> None:
        """As `arrears companies apply` does."""
        publish(
            self.producer(),
            plan({COMPANY: settings_from({"code": COMPANY, "timezone": "Europe/Paris"})}, {}),
            events_topic=self.topic(EVENTS).name,
            state_topic=self.topic("ar.state").name,
            partitions=self.topic(EVENTS).partitions,
            at_micros=now_micros(),
            encode=contracts().encoder("CompanyConfigured"),
        )

    def producer(self, **options: object) -> Producer:
        """A source's producer."""
        return Producer(
            {**self.client_config, **PRODUCER_OPTIONS, "enable.idempotence": True, "linger.ms": 20, **options}
        )

    def start_worker(self) -> "WorkerProcess":
        """One more worker."""
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("ARREARS_")},
            "ARREARS_KAFKA__BOOTSTRAP_SERVERS": self.bootstrap_servers,
            "ARREARS_KAFKA__TOPIC_PREFIX": self.prefix,
            "ARREARS_CLOCK__MODE": "external",
            # The shortest that the broker allows, so that a silent worker is soon replaced.
            "ARREARS_WORKER__SESSION_TIMEOUT_SECONDS": "6",
            "ARREARS_WORKER__HEARTBEAT_INTERVAL_SECONDS": "1",
            "ARREARS_WORKER__BATCH_RECORDS_MAX": "500",
            **self.settings,
        }
        log = self.folder / f"worker-{len(self.workers)}.log"
        worker = WorkerProcess(environment, log)
        self.workers.append(worker)
        return worker

    def stop_workers(self) -> None:
        """End what still runs."""
        for worker in self.workers:
            worker.kill()

    def lags(self) -> list[PartitionLag]:
        """As `arrears lag` shows them."""
        # A client of its own each time, as the command has it: an old one goes on asking a broker that was restarted.
        with GroupReader(self.client_config, self.group_id) as group:
            return group.lag(self.topic(EVENTS).name, self.topic(EVENTS).partitions)

    def progress(self) -> list[Progress]:
        """The truth, from the state topic."""
        lags = read_exact_lag(
            self.client_config,
            self.topic(EVENTS).name,
            self.topic("ar.state").name,
            self.topic(EVENTS).partitions,
        )
        return [lag.progress for lag in lags if lag.progress is not None]

    def wait_until_working(self, seconds: float = 120.0) -> None:
        """Until some worker has applied something in every partition."""
        deadline = time.monotonic() + seconds
        while not self._is_working():
            assert time.monotonic() < deadline, self._last_words()
            time.sleep(0.25)  # each look is a new client, which costs the broker as much as a transaction

    def _is_working(self) -> bool:
        try:
            return all(lag.progress is not None and lag.progress.applied for lag in self.lags())
        except Problem:
            return False  # a young broker has no coordinator for the group yet

    def _last_words(self) -> str:
        return "\n".join(worker.last_words() for worker in self.workers)

    def wait_until_applied(self, seconds: float = 120.0) -> None:
        """Until no partition lags behind; fails with the workers' last words."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                lags = self.lags()
            except Problem:
                time.sleep(0.25)  # the broker is just coming back
                continue
            if all(lag.lag == 0 for lag in lags):
                return
            time.sleep(0.25)
        raise AssertionError(f"still behind after {seconds} s: {lags}\n{self._last_words()}")

    def read(self, name: str) -> Iterator[dict[str, Any]]:
        """All committed records of a topic, decoded."""
        topic = self.topic(name)
        for _, value in read_committed(self.client_config, topic.name, topic.partitions):
            yield contracts().decode(value)[1]


def read_committed(client_config: dict[str, Any], topic: str, partitions: int) -> list[tuple[bytes | None, bytes]]:
    """Keys and values of a topic as a read_committed reader sees them, up to the end."""
    return [(message.key(), message.value() or b"") for message in read_messages(client_config, topic, partitions)]


def read_messages(client_config: dict[str, Any], topic: str, partitions: int) -> list[Message]:
    """A topic as a read_committed reader sees it, up to the end."""
    consumer = Consumer(
        client_config
        | {
            "group.id": "nobody",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
        }
    )
    consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in range(partitions)])
    found: list[Message] = []
    ended: set[int] = set()
    try:
        while len(ended) < partitions:
            for message in consumer.consume(1000, 0.2):
                error = message.error()
                if error is None:
                    found.append(message)
                elif error.code() == KafkaError._PARTITION_EOF:
                    ended.add(message.partition() or 0)
    finally:
        consumer.close()
    return found


def positions(system: System, name: str) -> list[tuple[int, int]]:
    """Partition and offset of every committed record of a topic, in order."""
    topic = system.topic(name)
    return sorted(
        (message.partition() or 0, message.offset() or 0)
        for message in read_messages(system.client_config, topic.name, topic.partitions)
    )


class WorkerProcess:
    """`arrears worker` as a process of its own."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self._log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "pipeline.cli", "worker"],
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def is_running(self) -> bool:
        """Whether the process is there."""
        return self._process.poll() is None

    def kill(self) -> None:
        """kill -9, also when it is stopped."""
        if self.is_running:
            self._process.kill()
        self._process.wait(10)

    def terminate(self, seconds: float = 40.0) -> int:
        """SIGTERM; the exit code."""
        self._process.terminate()
        return self._process.wait(seconds)

    def pause(self) -> None:
        """SIGSTOP: it is alive and does not know that time passes."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        self._process.send_signal(signal.SIGCONT)

    def wait(self, seconds: float) -> int:
        """The exit code of a worker that ends by itself."""
        return self._process.wait(seconds)

    def last_words(self) -> str:
        """The end of its log."""
        return self._log.read_text(errors="replace")[-3000:]


class Load:
    """A source that sends invoices until it is stopped, in bursts, as sources do.

    One after the other would be a transaction for nearly every one of them, some hundred a second on every machine
    that keeps up: the broker then needs a core for that alone.
    """

    def __init__(self, system: System, events_a_second: int) -> None:
        self._system = system
        self._rate = events_a_second
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.sent = 0
        self.errors: list[str] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop sending and wait until the broker has everything."""
        self._stopping.set()
        self._thread.join(90)

    def _run(self) -> None:
        encode = contracts().encoder("InvoiceIssued")
        producer = self._system.producer()
        topic = self._system.topic(EVENTS).name
        started = time.monotonic()
        while not self._stopping.wait(BURST_SECONDS):
            while self.sent < (time.monotonic() - started) * self._rate:
                event = invoice(self.sent)
                producer.produce(
                    topic, encode(event), partition_key(event.company, event.account_id), on_delivery=self._told
                )
                self.sent += 1
            producer.poll(0)
        producer.flush(60)

    def _told(self, error: object, _: object) -> None:
        if error is not None:
            self.errors.append(str(error))


def assert_exactly_once(system: System, load: Load) -> None:
    """Every invoice is in the ledger once, and in the counters once, and nothing else is."""
    assert load.errors == []
    entries = Counter[str]()
    total = 0
    for entry in system.read("ar.ledger"):
        entries[entry["event_id"]] += 1
        total += entry["delta_minor"]
    assert [event_id for event_id, count in entries.items() if count > 1] == []
    assert len(entries) == load.sent
    assert total == sum(invoice(number).amount_minor for number in range(load.sent))
    progress = system.progress()
    assert sum(record.applied for record in progress) == load.sent
    assert sum(record.configured for record in progress) == system.topic(EVENTS).partitions
    assert sum(record.events for record in progress) == load.sent + system.topic(EVENTS).partitions
    assert list(system.read("ar.failed")) == []
    assert list(system.read("ar.rejected")) == []


def shuffled(seed: int, *actions: str) -> list[str]:
    """The actions in an order that a seed decides."""
    order = list(actions)
    random.Random(seed).shuffle(order)
    return order


def as_json(record: object) -> Any:
    """A record as plain values."""
    return msgspec.to_builtins(record)
