"""One partition that this process owns: what is collected, what is being inserted, what is committed.

Pure bookkeeping for DESIGN §4; `sinks.writer` does what it asks for. At most one span of a partition is on its way at
a time, alone or with those of other partitions, while the next one is being collected.
"""

from dataclasses import dataclass, field

from sinks.batch import Batch
from sinks.intent import CLEAR
from sinks.log import Commit
from sinks.positions import Partition, Record, Span, position, span_of
from sinks.routes import Route

# Between two inserts of a topic pass at least so many times what one takes: a busy machine is given fewer, larger ones.
REST = 4.0


@dataclass(frozen=True)
class Limits:
    """When spans are closed (DESIGN §4 step 2), how many are inserted at a time, how much may lie in memory at all.

    Rows and bytes are those of one insert, whether of one partition or of several. A row waits for others between
    `age_seconds_min` and `age_seconds_max`, the longer the longer inserts of its topic take.
    """

    rows_max: int = 50_000
    bytes_max: int = 8 * 1024 * 1024
    age_seconds_min: float = 0.25
    age_seconds_max: float = 1.0
    buffered_bytes_max: int = 128 * 1024 * 1024
    inserts_max: int = 12

    def age_seconds(self, insert_seconds: float) -> float:
        """How long rows of a topic wait for others whose last insert took so long."""
        return min(self.age_seconds_max, max(self.age_seconds_min, REST * insert_seconds))


@dataclass
class Lane:
    """The state of one partition that this process owns.

    `read_to` is the first offset that was not received yet; `settled` the offset up to which everything is inserted,
    None before the first; `is_clear` tells that the committed metadata hold no intent.
    """

    partition: Partition
    route: Route
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
            return self.batch.span(self.partition).first
        return position(self.records[0]) if self.records else self.read_to

    @property
    def oldest(self) -> Record | None:
        """The oldest record in hand."""
        under_way = self.batch.records_of(self.partition) if self.batch is not None else ()
        return next(iter(under_way or self.records), None)

    @property
    def is_waiting(self) -> bool:
        """Whether something is collected and nothing is on its way."""
        return self.batch is None and bool(self.records)

    def is_full(self, limits: Limits) -> bool:
        """Whether enough is collected for an insert of its own."""
        return len(self.records) >= limits.rows_max or self.size_bytes >= limits.bytes_max

    def close_span(self) -> tuple[Span, list[Record]]:
        """What is collected, to be put into a batch."""
        records, self.records, self.size_bytes = self.records, [], 0
        return span_of(records), records

    def replay(self, batch: Batch) -> None:
        """Step 1: a pending insert comes first. Its records are read apart; those that the log delivers are dropped."""
        self.batch = batch
        self.is_clear = False
        self.read_to = batch.span(self.partition).last + 1

    def take_back(self) -> None:
        """The batch has come to nothing: its intent was never written. Its records are collected ones again."""
        batch, self.batch = self.batch, None
        if batch is None:
            raise AssertionError(f"{self.partition} has no batch to take back")
        records = batch.records_of(self.partition)
        self.records = [*records, *self.records]
        self.size_bytes += sum(map(len, records))
        self.since = batch.since

    def settle(self, now: float) -> None:
        """The batch is inserted: its span needs no replay any more (step 5 has still to say so to Kafka)."""
        batch, self.batch = self.batch, None
        if batch is None:
            raise AssertionError(f"{self.partition} has no batch to settle")
        self.settled = batch.span(self.partition).last + 1
        self.settled_at = now

    def clearing(self) -> Commit | None:
        """Step 5: commit b + 1 without metadata; None when that is committed, or a span is on its way."""
        if self.is_clear or self.batch is not None or self.settled is None:
            return None
        return Commit(self.partition, self.settled, CLEAR)
