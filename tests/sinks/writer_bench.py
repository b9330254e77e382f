"""One writer over the memory twins, driven turn by turn."""

import random
from dataclasses import dataclass, field

from avro import contracts
from sinks.inserts import Attempt
from sinks.intent import read_intent
from sinks.lane import Limits
from sinks.log import Committed
from sinks.positions import Partition, Span
from sinks.routes import Route
from sinks.wrap import record_wrapper
from sinks.writer import Patience, Writer
from tests.sinks.samples import entry_value
from tests.sinks.twins import MemoryBroker, MemoryFailures, MemoryLog, MemorySpans, MemoryStore, SteppedInserts

PLACE = Partition("ledger", 0)
TABLE = "ledger_table"
LIMITS = Limits(rows_max=100, bytes_max=100_000, age_seconds_min=1.0, age_seconds_max=1.0, buffered_bytes_max=1_000_000)


@dataclass
class Bench:
    """One writer; time stands still until a test moves it."""

    broker: MemoryBroker = field(default_factory=lambda: MemoryBroker([PLACE]))
    store: MemoryStore = field(default_factory=MemoryStore)
    failures: MemoryFailures = field(default_factory=MemoryFailures)
    limits: Limits = LIMITS
    now: float = 100.0
    topics: tuple[str, ...] = ("ledger",)

    def join(self) -> Writer:
        self.log = MemoryLog(self.broker)
        attempt = Attempt(self.store, self.failures, MemorySpans(self.broker), lambda: self.now, 10.0)
        self.inserts = SteppedInserts(attempt)
        wrapper = record_wrapper(contracts(), "LedgerEntry")
        routes = {topic: Route(topic, TABLE, wrapper) for topic in self.topics}
        patience = Patience(retry_first=1.0, retry_last=4.0, idle=2.0, drain=3.0)
        return Writer(self.log, self.inserts, routes, self.limits, patience, lambda: self.now, random.Random(1))

    def append(self, count: int) -> None:
        for _ in range(count):
            self.broker.append(PLACE, entry_value(self.broker.ends[PLACE]))

    def pass_time(self, writer: Writer, seconds: float) -> None:
        self.now += seconds
        writer.turn(0.0)

    @property
    def committed(self) -> Committed:
        return self.broker.committed.get(PLACE, Committed(None, ""))

    @property
    def pending(self) -> Span | None:
        intent = read_intent(PLACE, self.committed.offset or 0, self.committed.metadata)
        return intent.members[0].span if intent else None

    @property
    def offsets(self) -> list[object]:
        return [row["_offset"] for row in self.store.tables[TABLE]]
