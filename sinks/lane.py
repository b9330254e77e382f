"""One partition on its way into its table: what is collected, what is being inserted, what is committed.

Pure bookkeeping for DESIGN §4; `sinks.writer` does what it asks for. At most one span of a partition is on its way at
a time, while the next one is being collected.
"""

from dataclasses import dataclass, field
from enum import Enum

from sinks.intent import CLEAR, write_intent
from sinks.log import Commit
from sinks.positions import Partition, Record, Span, position, span_of
from sinks.routes import Route


class Stage(Enum):
    """Where a batch is: its intent is to be written (step 3), or it is being inserted (step 4)."""

    INTENT = "intent"
    INSERT = "insert"


@dataclass(frozen=True)
class Limits:
    """When a span is closed (DESIGN §4 step 2), how many are inserted at a time, how much may lie in memory at all."""

    rows_max: int = 50_000
    bytes_max: int = 8 * 1024 * 1024
    age_seconds_max: float = 1.0
    buffered_bytes_max: int = 128 * 1024 * 1024
    inserts_max: int = 12


@dataclass
class Batch:
    """A closed span with its records; from its first intent on it never changes.

    A span that is replayed may have fewer records than before, even none: compaction and retention go on.
    """

    route: Route
    partition: Partition
    span: Span
    records: list[Record]
    size_bytes: int
    since: float
    stage: Stage = Stage.INTENT
    attempts: int = 0
    not_before: float = 0.0
    fenced_at: float = 0.0

    def intent(self) -> Commit:
        """Step 3: offset = a, metadata = {a, b}."""
        return Commit(self.partition, self.span.first, write_intent(self.span))


@dataclass
class Lane:
    """The state of one partition that this process owns.

    `replay` is the pending span found at the assignment (step 1). `next_offset` is the first offset that no batch has
    covered yet; `settled` the offset up to which everything is inserted, None before the first; `is_clear` tells that
    the committed metadata hold no intent.
    """

    partition: Partition
    route: Route
    replay: Span | None = None
    records: list[Record] = field(default_factory=list)
    size_bytes: int = 0
    since: float = 0.0
    read_to: int = 0
    batch: Batch | None = None
    settled: int | None = None
    settled_at: float = 0.0
    is_clear: bool = True
    is_paused: bool = False

    def take(self, record: Record, now: float) -> None:
        """Step 2: collect one record. One that was seen already is dropped, whatever made the client repeat it."""
        offset = position(record)
        if offset < self.read_to:
            return
        if not self.records:
            self.since = now
        self.read_to = offset + 1
        self.records.append(record)
        self.size_bytes += len(record)

    def end(self, offset: int) -> None:
        """Everything before this offset was delivered, or is a gap."""
        self.read_to = max(self.read_to, offset)

    @property
    def done_to(self) -> int:
        """The first offset that is not known to be inserted."""
        if self.batch is not None:
            return self.batch.span.first
        return position(self.records[0]) if self.records else self.read_to

    @property
    def is_replaying(self) -> bool:
        """Whether the pending span of the former owner is still being read."""
        return self.replay is not None

    def is_due(self, now: float, limits: Limits) -> bool:
        """Whether the next span is to be closed: a replayed one when all of it is read, and not before (step 1)."""
        if self.batch is not None:
            return False
        if self.replay is not None:
            return self.read_to > self.replay.last
        if not self.records:
            return False
        return self.is_full(limits) or now - self.since >= limits.age_seconds_max

    def is_full(self, limits: Limits) -> bool:
        """Whether enough is collected for one insert. A span that is replayed is never too large: it was closed."""
        return self.replay is None and (len(self.records) >= limits.rows_max or self.size_bytes >= limits.bytes_max)

    def close_span(self, now: float) -> Batch:
        """Make what is collected a batch; of a replay exactly the records up to its end, by position."""
        if self.replay is not None:
            span, self.replay = self.replay, None
            records = [record for record in self.records if position(record) <= span.last]
            self.records = self.records[len(records) :]
            size_bytes = sum(map(len, records))
        else:
            span, records, size_bytes = span_of(self.records), self.records, self.size_bytes
            self.records = []
        since, self.since = self.since or now, now
        self.size_bytes -= size_bytes
        self.batch = Batch(self.route, self.partition, span, records, size_bytes, since)
        return self.batch

    def settle(self, now: float) -> Batch:
        """The batch is inserted: its span needs no replay any more (step 5 has still to say so to Kafka)."""
        batch, self.batch = self.batch, None
        if batch is None:
            raise AssertionError(f"{self.partition} has no batch to settle")
        self.settled = batch.span.last + 1
        self.settled_at = now
        return batch

    def clearing(self) -> Commit | None:
        """Step 5: commit b + 1 without metadata; None when that is committed, or a span is on its way."""
        if self.is_clear or self.batch is not None or self.settled is None:
            return None
        return Commit(self.partition, self.settled, CLEAR)
