"""Memory twins of what stands around the writer: a broker with one consumer group, tables with tokens, `ar.failed`.

They keep the contracts of `sinks.log` and `sinks.store` (`test_log_contract.py`, `test_store_contract.py`) and can be
told to fail, before or after the fact.
"""

import io
import random
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

import fastavro

from sinks.batch import Batch
from sinks.container import SYNC
from sinks.errors import RowsRefused, Unavailable
from sinks.failures import failed_event
from sinks.inserts import Attempt, Outcome
from sinks.log import Commit, Committed, Owner, Polled
from sinks.positions import Member, Partition, Record, position
from sinks.wrap import Failure

# offset.metadata.max.bytes of a broker, by default.
METADATA_BYTES_MAX = 4096


@dataclass(frozen=True)
class MemoryRecord:
    """A record as the broker hands it out."""

    place: Partition
    number: int
    data: bytes | None
    record_key: bytes | None = b"key"
    header_list: tuple[tuple[str, bytes], ...] = ()
    milliseconds: int = 1_767_225_600_000

    def topic(self) -> str | None:
        return self.place.topic

    def partition(self) -> int | None:
        return self.place.number

    def offset(self) -> int | None:
        return self.number

    def key(self) -> bytes | None:
        return self.record_key

    def value(self) -> bytes | None:
        return self.data

    def headers(self) -> list[tuple[str, bytes]]:
        return list(self.header_list)

    def timestamp(self) -> tuple[int, int]:
        return 1, self.milliseconds

    def __len__(self) -> int:
        return len(self.data or b"")


class MemoryBroker:
    """Topics and one consumer group. Offsets may have gaps, as transactions leave them."""

    def __init__(self, partitions: Sequence[Partition]) -> None:
        self.records: dict[Partition, list[MemoryRecord]] = {partition: [] for partition in partitions}
        self.ends: dict[Partition, int] = dict.fromkeys(partitions, 0)
        self.committed: dict[Partition, Committed] = {}
        self.generation = 0
        self.members: list[MemoryLog] = []
        self.assignment: dict[Partition, MemoryLog] = {}
        # A partition changes hands only when its holder gave it up, or was expelled (cooperative rebalancing).
        self.holders: dict[Partition, MemoryLog] = {}

    def append(self, partition: Partition, data: bytes | None, gap: int = 0) -> MemoryRecord:
        """Add a record behind a gap of so many offsets."""
        record = MemoryRecord(partition, self.ends[partition] + gap, data)
        self.records[partition].append(record)
        self.ends[partition] = record.number + 1
        return record

    def append_gap(self, partition: Partition, offsets: int = 1) -> None:
        """What a transaction's marker takes: offsets without a record."""
        self.ends[partition] += offsets

    def rebalance(self) -> None:
        """A new generation: partitions are dealt out anew; members hear of it at their next poll."""
        self.generation += 1
        # In another order each time: of what a member owns some goes, some stays.
        order = sorted(self.records)
        random.Random(self.generation).shuffle(order)
        dealt = {}
        for number, partition in enumerate(order):
            if self.members:
                dealt[partition] = self.members[number % len(self.members)]
        self.assignment = dealt

    def expel(self, member: "MemoryLog") -> None:
        """The group goes on without a member that it has not heard of; the member does not know."""
        if member in self.members:
            self.members.remove(member)
        self.release(member, [partition for partition, holder in self.holders.items() if holder is member])
        self.rebalance()

    def release(self, member: "MemoryLog", partitions: Collection[Partition]) -> None:
        """The partitions are free, unless another holds them by now."""
        for partition in partitions:
            if self.holders.get(partition) is member:
                del self.holders[partition]


class MemoryLog:
    """A member of the group: a `Log`."""

    def __init__(self, broker: MemoryBroker) -> None:
        self._broker = broker
        self._owner: Owner | None = None
        self._generation = -1
        self._positions: dict[Partition, int] = {}
        self._paused: set[Partition] = set()
        # Called with "poll", "before commit" and "after commit"; may raise, or change the broker.
        self.happens: Callable[[str], None] = lambda _: None
        self.delivers_at_most: Callable[[], int] = lambda: 1_000_000

    @property
    def owned(self) -> set[Partition]:
        """What this member believes to own."""
        return set(self._positions)

    def subscribe(self, owner: Owner) -> None:
        self._owner = owner
        self._broker.members.append(self)
        self._broker.rebalance()

    def poll(self, records_max: int, wait_seconds: float) -> Polled:
        self.happens("poll")
        if self._generation != self._broker.generation:
            self._rejoin()
        self._take_over()
        records: list[MemoryRecord] = []
        ends: dict[Partition, int] = {}
        for partition, start in list(self._positions.items()):
            if partition in self._paused:
                continue
            ready = [record for record in self._broker.records[partition] if record.number >= start]
            taken = ready[: max(0, min(records_max - len(records), self.delivers_at_most()))]
            records += taken
            if taken:
                self._positions[partition] = taken[-1].number + 1
            if len(taken) == len(ready):
                ends[partition] = self._broker.ends[partition]
        return Polled(records, ends)

    def _rejoin(self) -> None:
        """Give up what is another's now; a member that was expelled has lost everything."""
        if self._owner is None:
            raise AssertionError("subscribe comes first")
        if self not in self._broker.members:
            lost = set(self._positions)
            self._forget(lost)
            self._owner.lost(lost)
            self._broker.members.append(self)
            self._broker.rebalance()
        leaving = {partition for partition in self._positions if self._broker.assignment.get(partition) is not self}
        # A member that is still in the group may commit for what it gives up.
        self._generation = self._broker.generation
        if leaving:
            self._owner.revoked(leaving)
            self._forget(leaving)

    def _take_over(self) -> None:
        """Take what is dealt to this member and free."""
        arriving = [
            partition
            for partition, owner in self._broker.assignment.items()
            if owner is self and partition not in self._positions and partition not in self._broker.holders
        ]
        if arriving and self._owner is not None:
            found = {partition: self._broker.committed.get(partition, Committed(None, "")) for partition in arriving}
            self._broker.holders.update(dict.fromkeys(arriving, self))
            self._owner.assigned(found)
            self._positions.update({partition: place.offset or 0 for partition, place in found.items()})

    def _forget(self, partitions: Collection[Partition]) -> None:
        for partition in partitions:
            self._positions.pop(partition, None)
            self._paused.discard(partition)
        self._broker.release(self, partitions)

    def commit(self, commits: Sequence[Commit]) -> frozenset[Partition]:
        self.happens("before commit")
        if self not in self._broker.members or self._generation != self._broker.generation:
            return frozenset()
        for commit in commits:
            if len(commit.metadata) > METADATA_BYTES_MAX:
                raise AssertionError(f"{len(commit.metadata)} bytes of metadata are more than a broker takes")
            self._broker.committed[commit.partition] = Committed(commit.offset, commit.metadata)
        try:
            self.happens("after commit")
        except Unavailable:
            return frozenset()  # accepted, and the answer was lost
        return frozenset(commit.partition for commit in commits)

    def committed(self, partitions: Collection[Partition]) -> Mapping[Partition, Committed]:
        self.happens("committed")
        return {partition: self._broker.committed.get(partition, Committed(None, "")) for partition in partitions}

    def pause(self, partitions: Collection[Partition]) -> None:
        self._paused |= set(partitions)

    def resume(self, partitions: Collection[Partition]) -> None:
        self._paused -= set(partitions)

    def lag(self, partition: Partition, offset: int) -> int | None:
        return max(0, self._broker.ends[partition] - offset)

    def close(self) -> None:
        if self in self._broker.members and self._owner is not None:
            if self._generation == self._broker.generation:
                self._owner.revoked(set(self._positions))
            else:
                self._owner.lost(set(self._positions))
            self._forget(set(self._positions))
            self._broker.members.remove(self)
            self._broker.rebalance()


@dataclass
class MemorySpans:
    """A `SpanReader` of the broker."""

    broker: MemoryBroker
    fail: Callable[[], bool] = lambda: False

    def read(self, members: Sequence[Member]) -> list[list[Record]]:
        if self.fail():
            raise Unavailable("the broker does not answer")
        for partition, span in members:
            if self.broker.ends[partition] <= span.last:
                raise Unavailable(f"{partition} ends before {span}")
        return [
            [record for record in self.broker.records[partition] if span.first <= record.number <= span.last]
            for partition, span in members
        ]


@dataclass
class MemoryStore:
    """Tables that remember `window` tokens each. Faults: refuse before storing, or store and lose the answer.

    `disagreements` are tokens that came again with other rows. ClickHouse would drop them silently.
    """

    window: int = 10_000
    tables: dict[str, list[dict[str, object]]] = field(default_factory=lambda: defaultdict(list))
    tokens: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    containers: dict[str, bytes] = field(default_factory=dict)
    disagreements: list[str] = field(default_factory=list)
    fail_before: Callable[[], bool] = lambda: False
    fail_after: Callable[[], bool] = lambda: False

    def insert(self, table: str, token: str, container: bytes) -> None:
        if self.fail_before():
            raise Unavailable("refused before anything was stored")
        rows = read_container(container)
        known = self.tokens[table]
        if self.containers.setdefault(token, container) != container:
            self.disagreements.append(token)
        if token not in known:
            self.tables[table] += rows
            known.append(token)
            del known[: -self.window]
        if self.fail_after():
            raise Unavailable("stored, and the answer was lost")


def read_container(container: bytes) -> list[dict[str, object]]:
    """The rows of a container, read the way ClickHouse does: each within its own block."""
    source = io.BytesIO(container)
    try:
        reader = fastavro.block_reader(source)
        rows: list[dict[str, object]] = []
        for block in reader:
            rows += [row for row in block if isinstance(row, dict)]
    except Exception as error:
        raise RowsRefused(str(error)) from error
    if container and not container.endswith(SYNC):
        raise RowsRefused("the container is cut off")
    return rows


@dataclass
class MemoryFailures:
    """`ar.failed`: what was written, as often as it was written."""

    written: list[dict[str, object]] = field(default_factory=list)

    def write(self, failures: Sequence[Failure]) -> None:
        self.written += [failed_event(failure) for failure in failures]

    @property
    def positions(self) -> set[tuple[object, object, object]]:
        """The records that failed, each once."""
        return {(event["topic"], event["partition"], event["offset"]) for event in self.written}


class SteppedInserts:
    """Attempts that are made when the test says so, in any order."""

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt
        self.pending: list[Batch] = []
        self._ended: list[Outcome] = []
        self.run_when_waited_for = True

    def submit(self, batch: Batch) -> None:
        self.pending.append(batch)

    def run(self, number: int = 0) -> None:
        """Make one of the pending attempts."""
        batch = self.pending.pop(number)
        try:
            self._ended.append(self._attempt.run(batch))
        except Exception as error:  # noqa: BLE001  as the threads do
            self._ended.append(Outcome(batch, error))

    def outcomes(self, wait_seconds: float = 0.0) -> Sequence[Outcome]:
        if wait_seconds and self.pending and self.run_when_waited_for:
            self.run()
        ended, self._ended = self._ended, []
        return ended

    def close(self) -> None:
        pass


def stored_positions(store: MemoryStore) -> list[tuple[object, object, object]]:
    """The position of every row of every table, repeated where a row is there twice."""
    return [(row["_topic"], row["_partition"], row["_offset"]) for rows in store.tables.values() for row in rows]


def positions_of(records: Mapping[Partition, Sequence[Record]]) -> list[tuple[object, object, object]]:
    """The positions of records."""
    return [
        (partition.topic, partition.number, position(record))
        for partition, found in records.items()
        for record in found
    ]
