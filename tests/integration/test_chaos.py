"""Every number exact, in Kafka and in ClickHouse, whatever is killed, frozen or restarted while events come in.

Workers, sinks, the broker and ClickHouse are real processes (DESIGN §3, §4). The bounded form does each violence once;
`make chaos` lets it rage, by ARREARS_CHAOS_SEED, for ARREARS_CHAOS_SECONDS.
"""

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import pytest

from pipeline.local import ClickHouseServer, KafkaBroker
from tests.integration.workers import Load, System, WorkerProcess, assert_exactly_once, invoice, positions
from tests.sinks import stack

pytestmark = [pytest.mark.kafka, pytest.mark.clickhouse, pytest.mark.chaos]

CHAOS_SECONDS = float(os.environ.get("ARREARS_CHAOS_SECONDS", "0"))
CHAOS_SEED = int(os.environ.get("ARREARS_CHAOS_SEED", "1"))
SESSION_SECONDS = 6.0
EVENTS_A_SECOND = 400
STORED_SECONDS_MAX = 120.0


@dataclass
class Whole:
    """Two workers and a sink on a broker and a ClickHouse, and the violence that can be done to them."""

    system: System
    store: stack.System
    kafka: KafkaBroker
    clickhouse: ClickHouseServer
    workers: list[WorkerProcess] = field(default_factory=list)
    sinks: "list[subprocess.Popen[bytes]]" = field(default_factory=list)

    def start(self) -> None:
        """Two workers and a sink."""
        self.workers = [self.system.start_worker(), self.system.start_worker()]
        self.start_sink()

    def start_sink(self) -> None:
        """One more sink."""
        self.sinks.append(self.store.start_sink(rows_max=2000, age_seconds_max=0.5))

    def kill_worker(self, number: int) -> None:
        """kill -9, and another takes its place."""
        self.workers[number].kill()
        self.workers[number] = self.system.start_worker()

    def freeze_worker(self, number: int, seconds: float) -> None:
        """Let a worker sleep through its dismissal; it wakes up as a zombie."""
        self.workers[number].pause()
        time.sleep(seconds)
        self.workers[number].resume()

    def kill_sink(self) -> None:
        """kill -9, and another takes its place."""
        sink = self.sinks.pop(0)
        sink.kill()
        sink.wait()
        self.start_sink()

    def freeze_sink(self, seconds: float) -> None:
        """The zombie of the sinks; another one works meanwhile."""
        self.start_sink()
        self.sinks[0].send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        self.sinks[0].send_signal(signal.SIGCONT)

    def tend_sinks(self) -> None:
        """What a service manager does: a sink that was started while the broker was away has said so and ended."""
        for sink in [sink for sink in self.sinks if sink.poll() is not None]:
            self.sinks.remove(sink)
            self.start_sink()

    def restart_broker(self, seconds: float) -> None:
        """kill -9 of the broker, and its return."""
        self.kafka.kill()
        time.sleep(seconds)
        self.kafka.start()

    def restart_clickhouse(self, seconds: float) -> None:
        """kill -9 of ClickHouse, and its return."""
        self.clickhouse.kill()
        time.sleep(seconds)
        self.clickhouse.start()

    def stop(self) -> None:
        """End what still runs."""
        self.system.stop_workers()
        for sink in self.sinks:
            with suppress(ProcessLookupError):
                sink.send_signal(signal.SIGCONT)
            sink.terminate()
        for sink in self.sinks:
            sink.wait(40)


@pytest.fixture
def whole(kafka: KafkaBroker, clickhouse: ClickHouseServer, topic_prefix: str, tmp_path: Path) -> Iterator[Whole]:
    """Topics, tables and a company; nothing runs yet."""
    clickhouse.start()
    system = System(kafka.bootstrap_servers, topic_prefix, tmp_path)
    store = stack.system(kafka.bootstrap_servers, clickhouse.url, topic_prefix)
    store.prepare()
    system.configure()
    made = Whole(system, store, kafka, clickhouse)
    yield made
    made.stop()
    clickhouse.start()
    with store.address.client() as client:
        client.command(f"DROP DATABASE {store.address.database} SYNC")


def assert_stored(whole: Whole, load: Load) -> None:
    """ClickHouse has what a reader of committed records finds in Kafka, position by position, and nothing twice."""
    store, deadline = whole.store, time.monotonic() + STORED_SECONDS_MAX

    def rows(table: str) -> int:
        return int(store.query(f"SELECT count() FROM {table}")[0][0])

    while min(rows("ledger_entries_log"), rows("events")) < load.sent:
        assert time.monotonic() < deadline, (
            f"{rows('ledger_entries_log')} entries, {rows('events')} events of {load.sent}"
        )
        time.sleep(0.5)
    time.sleep(2.0)  # what would come twice has its time to come
    total = sum(invoice(number).amount_minor for number in range(load.sent))
    entries = store.query("SELECT count(), uniqExact(event_id), sum(delta_minor) FROM ledger_entries_log")[0]
    assert entries == (load.sent, load.sent, total)
    invoices = store.query("SELECT count(), uniqExact(event_id) FROM events WHERE event_type = 'InvoiceIssued'")[0]
    assert invoices == (load.sent, load.sent)
    stored = store.query("SELECT _partition, _offset FROM ledger_entries_log ORDER BY _partition, _offset")
    assert stored == positions(whole.system, "ar.ledger")
    assert store.query("SELECT count(), sum(open) FROM items")[0] == (load.sent, Decimal(total) / 100)


def test_each_violence_once(whole: Whole) -> None:
    with Load(whole.system, EVENTS_A_SECOND) as load:
        whole.start()
        whole.system.wait_until_working()
        whole.kill_worker(0)
        time.sleep(2)
        whole.kill_sink()
        whole.restart_clickhouse(1.0)
        whole.freeze_worker(1, SESSION_SECONDS + 2)
        time.sleep(2)
        whole.restart_broker(1.0)
        time.sleep(2)
        whole.kill_worker(1)
        whole.kill_sink()
    whole.system.wait_until_applied()
    assert_exactly_once(whole.system, load)
    assert_stored(whole, load)
    assert [worker.last_words() for worker in whole.workers if not worker.is_running] == []
    assert all(sink.poll() is None for sink in whole.sinks)


@pytest.mark.skipif(CHAOS_SECONDS <= 0, reason="set ARREARS_CHAOS_SECONDS to let it rage for so long")
@pytest.mark.timeout(CHAOS_SECONDS + 600)
def test_any_violence_at_any_moment(whole: Whole) -> None:
    draw = random.Random(CHAOS_SEED)
    deadline = time.monotonic() + CHAOS_SECONDS
    violence: list[tuple[int, Callable[[], None]]] = [
        (5, lambda: whole.kill_worker(draw.randrange(2))),
        (2, lambda: whole.freeze_worker(draw.randrange(2), SESSION_SECONDS + draw.uniform(0, 5))),
        (4, whole.kill_sink),
        (1, lambda: whole.freeze_sink(SESSION_SECONDS + draw.uniform(0, 5))),
        (1, lambda: whole.restart_broker(draw.uniform(0, 5))),
        (2, lambda: whole.restart_clickhouse(draw.uniform(0, 5))),
    ]
    with Load(whole.system, EVENTS_A_SECOND) as load:
        whole.start()
        while time.monotonic() < deadline:
            time.sleep(draw.uniform(1, 8))
            draw.choices([action for _, action in violence], [weight for weight, _ in violence])[0]()
            while len(whole.sinks) > 2:
                whole.sinks.pop(0).kill()
            whole.tend_sinks()
    whole.system.wait_until_applied(240)
    whole.tend_sinks()
    assert_exactly_once(whole.system, load)
    assert_stored(whole, load)
