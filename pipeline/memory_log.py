"""The memory twin of the broker: topics, transactions and fencing, in one process and without waiting.

Property tests, simulations and the scenario runner use it where the protocol is the subject and not the network. It
keeps what the protocol relies on: offsets with gaps (a commit marker takes one in each partition it touched), atomic
visibility, one epoch per transactional id, the end of a former owner's transaction at fencing.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from operator import attrgetter

from pipeline.ports import Fenced, Headers, OutputTooLarge, TransactionFailed


@dataclass(frozen=True, slots=True)
class MemoryRecord:
    """One stored record, with the methods of ``confluent_kafka.Message``."""

    at_topic: str
    at_partition: int
    at_offset: int
    stored_key: bytes | None
    stored_value: bytes | None
    stored_headers: tuple[tuple[str, bytes], ...] = ()
    timestamp_milliseconds: int = 0

    def topic(self) -> str:
        """Name of the topic."""
        return self.at_topic

    def partition(self) -> int:
        """Number of the partition."""
        return self.at_partition

    def offset(self) -> int:
        """Position in the partition."""
        return self.at_offset

    def key(self) -> bytes | None:
        """The key's bytes."""
        return self.stored_key

    def value(self) -> bytes | None:
        """The value's bytes."""
        return self.stored_value

    def headers(self) -> Headers | None:
        """Pairs of name and bytes."""
        return list(self.stored_headers) or None

    def timestamp(self) -> tuple[int, int]:
        """LogAppendTime and the milliseconds."""
        return (2, self.timestamp_milliseconds)


_OFFSET = attrgetter("at_offset")
Written = tuple[str, int, bytes | None, bytes | None, tuple[tuple[str, bytes], ...]]


@dataclass(slots=True)
class MemoryBroker:
    """Topics and the transaction coordinator."""

    record_bytes_max: int = 8_000_000
    now_milliseconds: int = 0
    _records: dict[tuple[str, int], list[MemoryRecord]] = field(default_factory=lambda: defaultdict(list))
    _next_offset: dict[tuple[str, int], int] = field(default_factory=lambda: defaultdict(int))
    _epochs: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    _commits_to_fail: int = 0

    def append(
        self, topic: str, partition: int, key: bytes | None, value: bytes | None, headers: Headers | None = None
    ) -> int:
        """Write one record outside any transaction; returns its offset."""
        return self._append((topic, partition, key, value, tuple(headers or ())))

    def records(self, topic: str, partition: int, position: int = 0) -> list[MemoryRecord]:
        """The committed records at and after ``position``."""
        records = self._records[topic, partition]
        return records[bisect_left(records, position, key=_OFFSET) :]

    def expire(self, topic: str, partition: int, before: int) -> None:
        """Delete the records before an offset, as retention does."""
        self._records[topic, partition] = self.records(topic, partition, before)

    def first_offset(self, topic: str, partition: int) -> int:
        """The oldest offset held; the end when nothing is."""
        records = self._records[topic, partition]
        return records[0].at_offset if records else self._next_offset[topic, partition]

    def fail_commits(self, count: int) -> None:
        """Let the next commits fail with an error that asks for an abort."""
        self._commits_to_fail = count

    def _append(self, written: Written) -> int:
        topic, partition, key, value, headers = written
        offset = self._next_offset[topic, partition]
        self._next_offset[topic, partition] = offset + 1
        self._records[topic, partition].append(
            MemoryRecord(topic, partition, offset, key, value, headers, self.now_milliseconds)
        )
        return offset

    def new_epoch(self, transactional_id: str) -> int:
        """Fence the id's former producers."""
        self._epochs[transactional_id] += 1
        return self._epochs[transactional_id]

    def check(self, transactional_id: str, epoch: int) -> None:
        """Raise ``Fenced`` for a producer that is not the id's last."""
        if self._epochs[transactional_id] != epoch:
            raise Fenced(transactional_id)

    def commit(self, transactional_id: str, epoch: int, written: list[Written]) -> None:
        """Append all records of a transaction, and a marker in each partition it touched."""
        self.check(transactional_id, epoch)
        if self._commits_to_fail:
            self._commits_to_fail -= 1
            raise TransactionFailed("told to fail")
        for record in written:
            self._append(record)
        for place in {(topic, partition) for topic, partition, *_ in written}:
            self._next_offset[place] += 1


class MemoryLog:
    """A ``PartitionLog`` over a ``MemoryBroker``."""

    def __init__(
        self, broker: MemoryBroker, transactional_id: str, state_topic: str, events_topic: str, partition: int
    ) -> None:
        self._broker = broker
        self._id = transactional_id
        self._state_topic = state_topic
        self._events_topic = events_topic
        self._partition = partition
        self._epoch = 0
        self._open: list[Written] | None = None

    def fence(self) -> None:
        """Take a new epoch; the former owner's open transaction goes with it."""
        self._epoch = self._broker.new_epoch(self._id)

    def read_state(self) -> Iterator[tuple[bytes, bytes | None]]:
        """Committed state records, oldest first."""
        for record in self._broker.records(self._state_topic, self._partition):
            yield record.stored_key or b"", record.stored_value

    def first_offset(self) -> int:
        """The oldest offset of the event log."""
        return self._broker.first_offset(self._events_topic, self._partition)

    def begin(self) -> None:
        """Open a transaction."""
        if self._open is not None:
            raise TransactionFailed("a transaction is already open")
        self._broker.check(self._id, self._epoch)
        self._open = []

    def write(self, topic: str, partition: int, key: bytes | None, value: bytes | None, headers: Headers) -> None:
        """Keep one record until the commit."""
        size = len(key or b"") + len(value or b"")
        if size > self._broker.record_bytes_max:
            raise OutputTooLarge(topic, size)
        self._transaction().append((topic, partition, key, value, tuple(headers)))

    def write_state(self, records: Sequence[tuple[bytes, bytes | None]]) -> None:
        """Keep state records until the commit."""
        for key, value in records:
            self.write(self._state_topic, self._partition, key, value, [])

    def commit(self) -> None:
        """Append everything, or raise and append nothing."""
        written, self._open = self._transaction(), None
        self._broker.commit(self._id, self._epoch, written)

    def abort(self) -> None:
        """Forget the open transaction."""
        self._open = None

    def close(self) -> None:
        """Forget the open transaction."""
        self._open = None

    def _transaction(self) -> list[Written]:
        if self._open is None:
            raise TransactionFailed("no transaction is open")
        return self._open
