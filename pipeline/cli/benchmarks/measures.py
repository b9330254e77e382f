"""The measurements of `arrears bench`, each on a system of its own on one broker and one ClickHouse."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition

from avro import contracts
from jobs import EVENT_TYPES
from pipeline.cli.benchmarks.audit import measure_audit
from pipeline.cli.benchmarks.history import COMPANY, history, invoice
from pipeline.cli.benchmarks.http_door import measure_door
from pipeline.cli.benchmarks.latency import Latencies, measure_latencies
from pipeline.cli.benchmarks.parts import LOOK_SECONDS, SECONDS_MAX, Pace, System, watch
from pipeline.cli.benchmarks.results import Result
from pipeline.cli.clickhouse import clickhouse_address
from pipeline.cli.reconciliation import reconcile
from pipeline.codec import EventCodec
from pipeline.errors import Problem
from pipeline.settings import Settings
from topics import EVENTS, partition_key

CLI = "pipeline.cli"
COUNTING = "pipeline.cli.benchmarks.counting"
STOCK_FAUST = "pipeline.cli.benchmarks.stock_faust"
ACCOUNTS = 5_000
_DAY = 20_454
_MICROS = 1_767_225_600_000_000
_QUICK = 8
_FAUST_SECONDS_MAX = 90.0


class Bench:
    """All measurements; `quick` makes them an eighth as long. ``tell`` hears what is being measured."""

    def __init__(self, settings: Settings, folder: Path, tell: Callable[[str], None], *, quick: bool) -> None:
        self._settings = settings
        self._folder = folder
        self._tell = tell
        self._share = _QUICK if quick else 1
        self._number = 0

    def run(self) -> list[Result]:
        """Measure everything, in one go."""
        bare, counting = self._simple_fold()
        faust = self._stock_faust()
        domain, whole, latencies = self._pipeline()
        return [bare, counting, faust, domain, whole, *latencies, *self._restart(), *self.run_audit(), *self.run_door()]

    def run_door(self) -> list[Result]:
        """Measure the HTTP door alone."""
        with self._system() as system:
            self._tell("HTTP door")
            return measure_door(system, max(20.0 / self._share, 5.0))

    def run_audit(self) -> list[Result]:
        """Measure the hash chain alone."""
        with self._system() as system:
            system.prepare(tables=True)
            return measure_audit(system, self._count(200_000), self._tell)

    def _count(self, full: int) -> int:
        return max(full // self._share, 1_000)

    def _system(self) -> System:
        self._number += 1
        name = f"bench{self._number}"
        settings = self._settings.model_copy(
            update={
                "kafka": self._settings.kafka.model_copy(update={"topic_prefix": f"{name}."}),
                "clickhouse": self._settings.clickhouse.model_copy(update={"database": name}),
            }
        )
        return System(settings, self._folder / name)

    # The runtime without the domain

    def _simple_fold(self) -> tuple[Result, Result]:
        count = self._count(400_000)
        with self._system() as system:
            self._tell(f"writing {count:,} invoices")
            system.prepare()
            system.fill(invoices(count))
            self._tell("bare loop")
            bare = bare_loop(system, count)
            self._tell("worker, count and sum")
            pace = watch(system, system.start("counting", COUNTING), count)
        return (
            Result("bare loop: consume, decode, count", bare.rate, "events/s", bare.micros),
            Result("worker, count and sum, exactly once", pace.rate, "events/s", pace.micros),
        )

    def _stock_faust(self) -> Result:
        count = self._count(8_000)
        with self._system() as system:
            system.prepare()
            self._tell("stock Faust with a table")
            # Its aiokafka knows no codec but gzip without further packages.
            fill_plain(system, count)
            result = system.folder / "stock-faust.txt"
            process = system.start(
                "stock-faust",
                STOCK_FAUST,
                system.settings.kafka.bootstrap_servers,
                system.topics[EVENTS].name,
                system.settings.kafka.topic_prefix,
                str(count),
                str(result),
            )
            last_words = process.wait(_FAUST_SECONDS_MAX)
        if not result.is_file():
            raise Problem(f"stock Faust says: {last_words}", f"See {system.folder}")
        seconds, cpu_seconds = (float(number) for number in result.read_text(encoding="utf-8").split()[1:])
        name = "stock Faust, count and sum in a table, at least once"
        return Result(name, count / seconds, "events/s", cpu_seconds / count * 1e6)

    # The domain, and everything behind it

    def _pipeline(self) -> tuple[Result, Result, list[Result]]:
        invoices_count = self._count(40_000)
        with self._system() as system:
            self._tell("worker, all jobs")
            system.prepare()
            count = system.fill(history(invoices_count, ACCOUNTS))
            alone = watch(system, system.start("worker", CLI, "worker"), count)
        with self._system() as system:
            self._tell("worker and sink, until the last row is queryable")
            system.prepare(tables=True)
            count = system.fill(history(invoices_count, ACCOUNTS))
            sink = system.start("sink", CLI, "sink")
            sink.wait_until_ready()
            worker = system.start("worker", CLI, "worker")
            pace = watch(system, worker, count)
            arrived = wait_for_rows(system)
            whole = count / (arrived - pace.first_at)
            self._tell("latencies at half load")
            found = measure_latencies(system, whole / 2, max(20.0 / self._share, 6.0))
        return (
            Result("worker, all jobs, exactly once", alone.rate, "events/s", alone.micros),
            Result("whole pipeline into ClickHouse", whole, "events/s", None),
            list(_of(found)),
        )

    def _restart(self) -> list[Result]:
        items = self._count(100_000)
        with self._system() as system:
            self._tell(f"restart with {items:,} open items")
            system.prepare()
            count = system.fill(history(items, ACCOUNTS, paid_share=0.0, ticks=False))
            first = system.start("worker", CLI, "worker")
            first.wait_until_ready()
            empty = first.metric("process_resident_memory_bytes")
            watch(system, first, count)
            system.stop()
            again = system.start("worker-again", CLI, "worker")
            seconds = again.wait_until_ready()
            restore = again.metric("arrears_worker_restore_seconds_sum") / 12
            full = again.metric("process_resident_memory_bytes")
        return [
            Result(f"restart with {items:,} open items: process start to ready", seconds, "s", None),
            Result("of that: fencing and reading the state, mean of a partition", restore, "s", None),
            Result(f"resident memory with {items:,} open items", full / 1e6, "MB", None),
            Result("resident memory an open item, above the empty worker", (full - empty) / items, "bytes", None),
        ]


def invoices(count: int) -> Iterator[tuple[str, str | None, bytes]]:
    """Invoices and nothing else."""
    for number in range(count):
        account = f"C{number * 7919 % ACCOUNTS:06d}"
        at = _MICROS + number * 1_000_000
        yield "InvoiceIssued", account, invoice(f"I{number}", account, at, _DAY, 100 + number % 1000)


def fill_plain(system: System, count: int) -> None:
    """The same invoices without compression."""
    producer = Producer(system.settings.kafka.producer_config() | {"linger.ms": 20})
    for _, account, value in invoices(count):
        producer.produce(system.topics[EVENTS].name, value, partition_key(COMPANY, account))
        producer.poll(0)
    producer.flush(60.0)


def bare_loop(system: System, count: int) -> Pace:
    """Consume, decode, count and sum: no Faust, no state, no transactions. In this process."""
    topic = system.topics[EVENTS]
    decoders = EventCodec(contracts(), EVENT_TYPES).decoders
    consumer = Consumer(
        {
            **system.settings.kafka.client_config(),
            "group.id": "bare",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "queued.min.messages": 100_000,
        }
    )
    consumer.assign([TopicPartition(topic.name, number, OFFSET_BEGINNING) for number in range(topic.partitions)])
    totals: dict[str, tuple[int, int]] = {}
    seen = 0
    started = cpu = 0.0
    deadline = time.monotonic() + SECONDS_MAX
    try:
        while seen < count:
            if time.monotonic() > deadline:
                raise Problem(f"{seen} of {count} records were read", "Look at the broker")
            messages = consumer.consume(10_000, LOOK_SECONDS)
            if messages and not started:
                started, cpu = time.monotonic(), time.process_time()
                seen -= len(messages)
                count -= len(messages)
            for message in messages:
                value = message.value() or b""
                event = decoders[value[:5]](value)
                many, total = totals.get(event.account_id, (0, 0))
                totals[event.account_id] = (many + 1, total + event.amount_minor)
            seen += len(messages)
    finally:
        consumer.close()
    now = time.monotonic()
    return Pace(seen, now - started, time.process_time() - cpu, started, now)


def wait_for_rows(system: System) -> float:
    """When the last row could be queried (monotonic). Raises ``Problem`` when ClickHouse has not what Kafka has."""
    query = (
        "SELECT sum(total_rows) FROM system.tables "
        "WHERE database = currentDatabase() AND (endsWith(name, '_log') OR name = 'events')"
    )
    rows, changed = -1, time.monotonic()
    with clickhouse_address(system.settings).client() as client:
        while time.monotonic() - changed < 4.0:
            now = int(client.query(query).result_rows[0][0] or 0)
            if now != rows:
                rows, changed = now, time.monotonic()
            time.sleep(LOOK_SECONDS)
    gaps = [line for line in reconcile(system.settings) if not line.holds]
    if gaps:
        raise Problem(f"Kafka and ClickHouse do not agree: {gaps[0]}", "Look at the sink's log")
    return changed


def _of(found: Latencies) -> Iterator[Result]:
    for name, values in (("alert topic", found.to_alert), ("queryable in ClickHouse", found.to_row)):
        for share in (0.5, 0.99):
            at = sorted(values)[min(int(len(values) * share), len(values) - 1)] if values else float("nan")
            yield Result(f"event to {name}, p{share * 100:.0f} at {found.rate:,.0f} events/s", at * 1000, "ms", None)
