"""Every record once, on the real broker and the real engine: sinks killed, ClickHouse killed, a sink frozen."""

import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import pytest

from avro import contracts
from pipeline.local import ClickHouseServer, KafkaBroker
from sinks.errors import SinkProblem
from sinks.service import Sink
from tests.sinks.process import options_of
from tests.sinks.samples import any_record, entry_value
from tests.sinks.stack import System, TransactionalWriter, system

pytestmark = [pytest.mark.kafka, pytest.mark.clickhouse, pytest.mark.timeout(240)]
SETTLE_SECONDS_MAX = 90.0


@dataclass
class Load:
    """Ledger entries and events in transactions, some of them aborted, until `stop`; counts what was committed."""

    made: System
    entries: int = 0
    cents: int = 0
    events: int = 0
    poison: int = 0
    stopping: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        draw = random.Random(5)
        ledger, events = self.made.topics["ar.ledger"], self.made.topics["ar.events"]
        writer = TransactionalWriter(self.made.client_config, self.made.prefix + "load")
        names = ["InvoiceIssued", "PaymentReceived", "CashApplied", "ClockTicked"]
        values = {name: contracts().encode(name, any_record(name, draw)) for name in names}
        while not self.stopping.is_set():
            batch = []
            for _ in range(400):
                self.entries += 1
                self.cents += self.entries
                value = entry_value(self.entries, delta_minor=self.entries)
                batch.append((draw.randrange(ledger.partitions), value))
            if draw.random() < 0.3:
                batch.append((draw.randrange(ledger.partitions), entry_value(1)[:-4]))
                self.poison += 1
            writer.write(ledger.name, batch)
            chosen = draw.choices(names, k=150)
            writer.write(events.name, [(draw.randrange(events.partitions), values[name]) for name in chosen])
            self.events += sum(name != "ClockTicked" for name in chosen)
            if draw.random() < 0.2:
                writer.write(ledger.name, [(draw.randrange(12), entry_value(1))] * 50, commit=False)
            time.sleep(0.05)


@contextmanager
def under_load(made: System) -> Iterator[Load]:
    """The load runs as long as the block does."""
    load = Load(made)
    thread = threading.Thread(target=load.run)
    thread.start()
    try:
        yield load
    finally:
        load.stopping.set()
        thread.join()


@pytest.fixture
def made(kafka: KafkaBroker, clickhouse: ClickHouseServer, topic_prefix: str) -> Iterator[System]:
    """Topics and tables of this test alone."""
    clickhouse.start()
    found = system(kafka.bootstrap_servers, clickhouse.url, topic_prefix)
    found.prepare()
    yield found
    clickhouse.start()
    with found.address.client() as client:
        client.command(f"DROP DATABASE {found.address.database} SYNC")


@pytest.fixture
def sinks(made: System) -> Iterator[list["subprocess.Popen[bytes]"]]:
    """Two sinks; whatever is in the list in the end is ended."""
    running = [made.start_sink(rows_max=3000, age_seconds_max=0.5) for _ in range(2)]
    yield running
    for process in running:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGCONT)
        process.terminate()
    for process in running:
        process.wait(30)


def counts(made: System) -> tuple[int, int, int, int, int]:
    """Rows and distinct positions of the ledger, its sum in cents, and events with their distinct positions."""
    ledger = made.query("SELECT count(), uniqExact(_partition, _offset), sum(delta_minor) FROM ledger_entries_log")[0]
    events = made.query("SELECT count(), uniqExact(_partition, _offset) FROM events")[0]
    return (*ledger, *events)


def wait_for(condition: Callable[[], bool], what: str, seconds_max: float = SETTLE_SECONDS_MAX) -> None:
    deadline = time.monotonic() + seconds_max
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen in {seconds_max} s"
        time.sleep(0.2)


def assert_exact(made: System, load: Load) -> None:
    """All that was committed is there once it has had its time, and stays as it is when nothing more comes."""
    wanted = (load.entries, load.entries, load.cents, load.events, load.events)
    wait_for(lambda: counts(made)[0] >= load.entries and counts(made)[3] >= load.events, f"{wanted}")
    time.sleep(1.5)
    assert counts(made) == wanted
    wait_for(lambda: made.query("SELECT count() FROM failed_events")[0][0] >= load.poison, "the failures' arrival")
    failed = made.query("SELECT count(), uniqExact(partition, offset), any(reason) FROM failed_events")[0]
    assert failed == (load.poison, load.poison, "malformed_record" if load.poison else "")


@pytest.mark.chaos
def test_sinks_and_clickhouse_that_are_killed_at_any_moment(
    made: System, sinks: list["subprocess.Popen[bytes]"], clickhouse: ClickHouseServer
) -> None:
    draw = random.Random(11)
    with under_load(made) as load:
        wait_for(lambda: counts(made)[0] > 0, "the first rows")
        for end in (None, clickhouse.kill, None, clickhouse.stop, None):
            time.sleep(draw.uniform(0.5, 2.0))
            if end is None:
                victim = sinks.pop(draw.randrange(len(sinks)))
                victim.kill()
                victim.wait()
                sinks.append(made.start_sink(rows_max=3000, age_seconds_max=0.5))
            else:
                end()
                time.sleep(0.5)
                clickhouse.start()
    assert_exact(made, load)
    assert all(process.poll() is None for process in sinks), "a sink waits, it does not give up"


@pytest.mark.chaos
def test_a_sink_that_is_frozen_until_others_own_its_partitions(
    made: System, sinks: list["subprocess.Popen[bytes]"]
) -> None:
    """The zombie wakes up with spans in its hands; whatever it still does must not show."""
    with under_load(made) as load:
        wait_for(lambda: counts(made)[0] > 0, "the first rows")
        time.sleep(1.0)
        zombie = sinks[0]
        zombie.send_signal(signal.SIGSTOP)
        before = counts(made)[0]
        # Session timeout 6 s: then the other takes all partitions and goes on.
        time.sleep(7.0)
        wait_for(lambda: counts(made)[0] > before + 2000, "the takeover")
        zombie.send_signal(signal.SIGCONT)
        time.sleep(2.0)
    assert_exact(made, load)
    assert zombie.poll() is None, "it goes on as an ordinary member"


def test_a_sink_that_was_there_before_clickhouse_still_looks_at_the_tables(
    made: System, clickhouse: ClickHouseServer
) -> None:
    """A table that forgets the tokens of its inserts is refused whenever ClickHouse comes, not only at once."""
    made.query("ALTER TABLE ledger_entries_log MODIFY SETTING non_replicated_deduplication_window = 0")
    clickhouse.stop()
    turns: list[bool] = []
    sink = Sink(options_of(made.sink_values()), contracts(), lambda: turns.append(True))
    told: list[SinkProblem] = []

    def run() -> None:
        try:
            sink.run()
        except SinkProblem as problem:
            told.append(problem)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        wait_for(lambda: len(turns) > 1, "its heartbeat while it waits")
        clickhouse.start()
        thread.join(SETTLE_SECONDS_MAX)
        assert ["ledger_entries_log" in problem.message for problem in told] == [True]
    finally:
        sink.stop()
        thread.join()
