"""The writer under everything that can go wrong, from a seed: crashes at every step, zombies, lost answers, poison.

Whatever happens, in the end every record is in its table exactly once, or in `ar.failed`, and nowhere twice. Partitions
change hands at every rebalance, so members of a joint insert come to different owners, before its intent is accepted,
between intent and insert, and after it.
"""

import random
from collections import Counter
from dataclasses import dataclass, field

import pytest
from prometheus_client import REGISTRY

from avro import contracts
from sinks.errors import Unavailable
from sinks.inserts import Attempt
from sinks.intent import read_intent
from sinks.lane import Limits
from sinks.metrics import OUTCOMES
from sinks.positions import Partition
from sinks.routes import Route
from sinks.wrap import record_wrapper
from sinks.writer import Patience, Writer
from tests.sinks.samples import entry_value
from tests.sinks.twins import (
    MemoryBroker,
    MemoryFailures,
    MemoryLog,
    MemorySpans,
    MemoryStore,
    SteppedInserts,
    stored_positions,
)

PARTITIONS = [Partition(topic, number) for topic, count in (("ledger", 5), ("more", 2)) for number in range(count)]
LIMITS = Limits(rows_max=12, bytes_max=1500, age_seconds_max=1.0, buffered_bytes_max=6000)
PATIENCE = Patience(retry_first=0.1, retry_last=2.0, idle=1.0, drain=1.0)
FENCE_SECONDS = 5.0


class Crash(BaseException):
    """The process is gone, in the middle of whatever it did."""


@dataclass
class Process:
    """One sink."""

    log: MemoryLog
    inserts: SteppedInserts
    writer: Writer


@dataclass
class World:
    """A broker, tables, and the sinks between them; `draw` decides everything."""

    draw: random.Random
    broker: MemoryBroker = field(default_factory=lambda: MemoryBroker(PARTITIONS))
    store: MemoryStore = field(default_factory=MemoryStore)
    failures: MemoryFailures = field(default_factory=MemoryFailures)
    now: float = 0.0
    processes: list[Process] = field(default_factory=list)
    good: list[tuple[object, object, object]] = field(default_factory=list)
    bad: list[tuple[object, object, object]] = field(default_factory=list)
    written: int = 0
    is_healthy: bool = False

    def __post_init__(self) -> None:
        self.store.fail_before = lambda: not self.is_healthy and self.draw.random() < 0.1
        self.store.fail_after = lambda: not self.is_healthy and self.draw.random() < 0.1

    def start(self) -> None:
        log = MemoryLog(self.broker)
        spans = MemorySpans(self.broker, lambda: not self.is_healthy and self.draw.random() < 0.1)
        attempt = Attempt(self.store, self.failures, spans, lambda: self.now, FENCE_SECONDS)
        inserts = SteppedInserts(attempt)
        wrapper = record_wrapper(contracts(), "LedgerEntry")
        routes = {topic: Route(topic, f"{topic}_table", wrapper) for topic in ("ledger", "more")}
        inserts.run_when_waited_for = self.draw.random() < 0.7
        process = Process(log, inserts, None)  # type: ignore[arg-type]
        log.happens = lambda moment: self.strike(process, moment)
        log.delivers_at_most = lambda: self.draw.choice((0, 1, 3, 100))
        process.writer = Writer(log, inserts, routes, LIMITS, PATIENCE, self.tick, random.Random(1))
        self.processes.append(process)

    def tick(self) -> float:
        """The clock that the writers read: looking at it takes time, so that no wait lasts for ever."""
        self.now += 0.001
        return self.now

    def strike(self, process: Process, moment: str) -> None:
        """What may happen at any moment of a turn."""
        if self.is_healthy:
            return
        chance = self.draw.random()
        if chance < 0.02:
            raise Crash
        if chance < 0.04:
            self.broker.expel(process.log)  # a zombie from now on
        elif chance < 0.16:
            if chance < 0.12:
                self.broker.rebalance()
            if moment in {"after commit", "committed"}:
                raise Unavailable("the answer was lost")

    def append(self) -> None:
        """A few records, among them gaps, tombstones and poison."""
        partition = self.draw.choice(PARTITIONS)
        for _ in range(self.draw.randint(1, 6)):
            self.written += 1
            value = entry_value(self.written)
            kind = self.draw.random()
            gap = self.draw.choice((0, 0, 0, 1, 3))
            if kind < 0.05:
                self.broker.append(partition, None, gap)
                continue
            if kind < 0.12:
                spoiled = (value[:-3], b"\x00\x00\x00\xff\xff" + value[5:], b"text", b"", value[:30])
                record = self.broker.append(partition, self.draw.choice(spoiled), gap)
                self.bad.append((partition.topic, partition.number, record.number))
                continue
            record = self.broker.append(partition, value, gap)
            self.good.append((partition.topic, partition.number, record.number))
        if self.draw.random() < 0.3:
            self.broker.append_gap(partition)

    def turn(self, process: Process) -> None:
        try:
            process.writer.turn(0.0)
        except Crash:
            self.remove(process)

    def remove(self, process: Process) -> None:
        """The process is gone; what it had sent to the store may still arrive."""
        self.processes.remove(process)
        self.broker.expel(process.log)
        while process.inserts.pending and self.draw.random() < 0.7:
            process.inserts.run(self.draw.randrange(len(process.inserts.pending)))

    def step(self) -> None:
        chance = self.draw.random()
        self.now += self.draw.choice((0.0, 0.01, 0.3, 0.3, 1.5, 8.0))
        if chance < 0.3 or not self.processes:
            for _ in range(self.draw.choice((1, 3))):
                self.append()
        if len(self.processes) < 2 or (chance > 0.95 and len(self.processes) < 3):
            self.start()
        process = self.draw.choice(self.processes)
        if chance < 0.5 and process.inserts.pending:
            for _ in range(self.draw.randint(1, len(process.inserts.pending))):
                process.inserts.run(self.draw.randrange(len(process.inserts.pending)))
        elif chance > 0.98:
            self.remove(process)
        else:
            self.turn(process)

    def look(self, seen: Counter[str]) -> None:
        """Count what there is to see at this moment."""
        intents = {
            partition: intent
            for partition, committed in self.broker.committed.items()
            if (intent := read_intent(partition, committed.offset or 0, committed.metadata)) is not None
        }
        seen["pending inserts"] += len(intents)
        seen["joint inserts"] += sum(len(intent.members) > 1 for intent in intents.values())
        for process in self.processes:
            seen["zombies"] += process.log not in self.broker.members
            batches = {id(lane.batch): lane.batch for lane in process.writer.lanes.values() if lane.batch is not None}
            for batch in batches.values():
                if batch.is_written and batch.records is None:
                    seen["replays"] += 1
                    for place, _ in batch.members:
                        elsewhere = place not in process.writer.lanes
                        seen["replays of members that others own"] += elsewhere
                        other = intents.get(place)
                        has_gone_on = elsewhere and (other is None or other.members != batch.members)
                        seen["replays of members that have gone on"] += has_gone_on

    def heal(self) -> None:
        """No more faults: everything must arrive, and every partition must be clear in the end."""
        self.is_healthy = True
        if not self.processes:
            self.start()
        for _ in range(400):
            for process in self.processes:
                while process.inserts.pending:
                    process.inserts.run()
                process.writer.turn(0.0)
            self.now += 0.5
            if self.is_quiet():
                return
        raise AssertionError("the sink did not come to rest")

    def is_quiet(self) -> bool:
        """Whether everything is committed behind its last record, without an intent."""
        for partition, records in self.broker.records.items():
            if records:
                committed = self.broker.committed.get(partition)
                if committed is None or committed.metadata or committed.offset != records[-1].number + 1:
                    return False
        return True


@pytest.mark.parametrize("seed", range(60))
def test_every_record_arrives_exactly_once_whatever_happens(seed: int) -> None:
    world = World(random.Random(seed))
    for _ in range(250):
        world.step()
        twice = [place for place, count in Counter(stored_positions(world.store)).items() if count > 1]
        assert not twice, f"stored twice: {twice}"
    assert world.store.disagreements == [], "a token names one content"
    world.heal()
    assert sorted(map(str, stored_positions(world.store))) == sorted(map(str, world.good))
    assert world.failures.positions == set(world.bad)


def test_the_simulation_meets_what_it_is_for() -> None:
    """Joint inserts of several owners, doubts, zombies do occur, or the seeds above would prove nothing."""
    seen: Counter[str] = Counter()
    before = {outcome: doubts(outcome) for outcome in OUTCOMES}
    for seed in range(20):
        world = World(random.Random(seed))
        for _ in range(250):
            world.step()
            world.look(seen)
        seen["repeated failures"] += len(world.failures.written) > len(world.failures.positions)
        seen["bad"] += len(world.bad)
    wanted = {
        "pending inserts", "joint inserts", "zombies", "replays", "replays of members that others own",
        "replays of members that have gone on", "repeated failures", "bad",
    }  # fmt: skip
    assert {name for name in wanted if not seen[name]} == set(), seen
    assert all(doubts(outcome) > count for outcome, count in before.items()), "intents in doubt end in both ways"


def doubts(outcome: str) -> float:
    return REGISTRY.get_sample_value("arrears_sink_doubtful_intents_total", {"outcome": outcome}) or 0.0
