"""From an event to its alert, and to a row that can be queried, while the pipeline has other things to do."""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from avro import contracts
from pipeline.cli.benchmarks.history import COMPANY, end_micros, invoice, limit
from pipeline.cli.benchmarks.parts import System
from pipeline.cli.clickhouse import clickhouse_address
from pipeline.errors import Problem
from pipeline.log_writer import LogWriter

PROBES_A_SECOND = 20
SETTLE_SECONDS = 3.0
DRAIN_SECONDS_MAX = 30.0
_SLICE = 0.01
_ROWS_SECONDS = 0.03
_PROBES = "SELECT account_id FROM ledger_entries_log WHERE company = 'FR01' AND startsWith(account_id, 'PROBE')"
_DAY_MICROS = 86_400_000_000


@dataclass(frozen=True)
class Latencies:
    """Seconds of every probe, at a background of so many events a second."""

    rate: float
    to_alert: list[float]
    to_row: list[float]


def measure_latencies(system: System, rate: float, seconds: float) -> Latencies:
    """Probes: invoices that take an account over its credit limit, each with an account of its own.

    Between them other invoices at the given rate. A probe is over when its alert can be read from the topic, and when
    its ledger entry is among the rows.
    """
    count = int(seconds * PROBES_A_SECOND)
    writer = system.writer()
    at = end_micros()
    writer.tick(at)
    for number in range(count):
        writer.write("AccountChanged", COMPANY, f"PROBE{number}", limit(f"PROBE{number}", at, 1))
    writer.flush()
    time.sleep(SETTLE_SECONDS)
    watchers = (_Watcher(_alerts(system), count), _Watcher(_rows(system), count))
    for watcher in watchers:
        watcher.start()
    sent = _send(writer, rate, count)
    deadline = time.monotonic() + DRAIN_SECONDS_MAX
    for watcher in watchers:
        watcher.join(max(0.0, deadline - time.monotonic()))
        watcher.stopping.set()
        watcher.join()
        if len(watcher.seen) < count:
            raise Problem(f"{len(watcher.seen)} of {count} probes came through", f"See {system.folder}")
    found = [[watcher.seen[name] - begun for name, begun in sent.items()] for watcher in watchers]
    return Latencies(rate, *found)


def _send(writer: LogWriter, rate: float, count: int) -> dict[str, float]:
    """The probes, evenly, and the other invoices between them; when each probe was sent (monotonic)."""
    sent: dict[str, float] = {}
    started = time.monotonic()
    others = 0
    while len(sent) < count:
        elapsed = time.monotonic() - started
        at = end_micros() + int(elapsed * 1e6)
        day = at // _DAY_MICROS
        while others < elapsed * rate:
            name = f"L{others}"
            account = f"C{others * 7919 % 5000:06d}"
            writer.write("InvoiceIssued", COMPANY, account, invoice(name, account, at, day, 100))
            others += 1
        while len(sent) < min(count, elapsed * PROBES_A_SECOND):
            account = f"PROBE{len(sent)}"
            writer.write("InvoiceIssued", COMPANY, account, invoice(account, account, at, day, 5_000))
            sent[account] = time.monotonic()
        time.sleep(_SLICE)
    writer.flush()
    return sent


class _Watcher(threading.Thread):
    """Notes when the account of each probe is first seen by ``look``."""

    def __init__(self, look: Callable[[], Iterable[str]], count: int) -> None:
        super().__init__(daemon=True)
        self.seen: dict[str, float] = {}
        self.stopping = threading.Event()
        self._look = look
        self._count = count

    def run(self) -> None:
        """Until all are seen."""
        while len(self.seen) < self._count and not self.stopping.is_set():
            names = self._look()
            now = time.monotonic()
            for name in names:
                self.seen.setdefault(name, now)


def _alerts(system: System) -> Callable[[], Iterable[str]]:
    """A look at the alerts that came since the last."""
    topic = system.topics["ar.alerts.credit"]
    consumer = Consumer(
        {
            **system.settings.kafka.client_config(),
            "group.id": "bench-alerts",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "fetch.wait.max.ms": 10,
        }
    )
    consumer.assign([TopicPartition(topic.name, number, OFFSET_BEGINNING) for number in range(topic.partitions)])

    def look() -> list[str]:
        first = consumer.poll(0.05)
        messages = [] if first is None else [first, *consumer.consume(1_000, 0)]
        values = [message.value() for message in messages if message.error() is None]
        return [str(contracts().decode(value)[1]["account_id"]) for value in values if value is not None]

    return look


def _rows(system: System) -> Callable[[], Iterable[str]]:
    """A look at the ledger entries of the probes."""
    client = clickhouse_address(system.settings).client()

    def look() -> list[str]:
        time.sleep(_ROWS_SECONDS)
        return [str(account) for (account,) in client.query(_PROBES).result_rows]

    return look
