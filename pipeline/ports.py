"""What the runtime asks of its neighbours: a fold, a record of the log, a transactional log of one partition.

The protocols are the contract; ``tests/pipeline/test_partition_log.py`` runs one suite over the memory twin and
over Kafka. Nothing here knows Faust or a Kafka client.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, TypeAlias

Headers = list[tuple[str, bytes]]
# Records of the jobs. The runtime is generic over them: of an event it reads company and account_id only, of an effect
# what its topic's key is made of.
Event: TypeAlias = Any
Effect: TypeAlias = Any
# What the Kafka client does not type: bytes, or None.
Payload: TypeAlias = Any


class Record(Protocol):
    """One record of the event log, as ``confluent_kafka.Message`` has it."""

    def topic(self) -> str | None:
        """Name of the topic."""

    def partition(self) -> int | None:
        """Number of the partition."""

    def offset(self) -> int | None:
        """Position in the partition."""

    def key(self) -> Payload:
        """The key's bytes, None when there is no key."""

    def value(self) -> Payload:
        """The value's bytes, None for a tombstone."""

    def headers(self) -> Payload:
        """Pairs of name and bytes, None when there are none."""

    def timestamp(self) -> tuple[int, int]:
        """Type and milliseconds since 1970."""


class Step(Protocol):
    """What a fold made of one event."""

    @property
    def outcome(self) -> str:
        """``applied``, ``rejected``, ``duplicate``, ``clock`` or ``configured``."""

    @property
    def effects(self) -> Sequence[Effect]:
        """What is to be written, in order."""


class Fold(Protocol):
    """The state of one partition and the pure step over it (DESIGN §2).

    Nothing may block, read a clock or draw a random number. One thread at a time calls it.
    """

    @property
    def clock_micros(self) -> int | None:
        """The last tick that was folded, microseconds since 1970; None before the first."""

    def restore(self, key: str, value: bytes) -> None:
        """Take one record of the state topic back, in any order; each key comes once."""

    def restored(self) -> None:
        """All records are in: build what is derived from them."""

    def step(self, event: Event) -> Step:
        """Fold one event. Raises only for a defect, and then the state is as it was before."""

    def take_changes(self) -> list[tuple[str, bytes | None]]:
        """State records to write since the last call, None = tombstone; forgets the marks."""

    def next_wake_micros(self) -> int | None:
        """Instant of the next timer, None when none is set."""

    def statistics(self) -> dict[str, int]:
        """Number of entities by kind."""


FoldFactory = Callable[[], Fold]


class Fenced(Exception):  # noqa: N818  a verdict of the broker, not a defect
    """Another owner has taken the partition over; nothing of this one will be committed any more."""


class TransactionFailed(Exception):  # noqa: N818
    """The transaction cannot be committed. Nothing of it is visible; restore the state and do the batch again."""


class Unavailable(Exception):  # noqa: N818
    """The broker did not answer in time. Whether a commit that was asked for went through is not known."""


class OutputTooLarge(Exception):  # noqa: N818
    """One record is larger than the broker takes. The transaction is not harmed by the attempt."""

    def __init__(self, topic: str, size_bytes: int) -> None:
        super().__init__(f"a record of {size_bytes} bytes is too large for {topic}")
        self.topic = topic
        self.size_bytes = size_bytes


class PartitionLog(Protocol):
    """The transactional writer of one partition, and the reader of its state records.

    Every method may block on the broker and belongs into a worker thread; one thread at a time. Each may raise
    ``Fenced``, ``TransactionFailed`` or ``Unavailable``; after any of them only ``close`` may be called.
    """

    def fence(self) -> None:
        """Become the only writer: former owners are refused from now on and their open transaction is ended.

        Their committed transactions are complete and readable when this returns.
        """

    def read_state(self) -> Iterator[tuple[bytes, bytes | None]]:
        """All committed records of the partition's state topic, oldest first, up to the end as it is now."""

    def first_offset(self) -> int:
        """The oldest offset that the event log still holds for the partition."""

    def begin(self) -> None:
        """Open a transaction."""

    def write(self, topic: str, partition: int, key: bytes | None, value: bytes | None, headers: Headers) -> None:
        """Add one record to the open transaction, waiting while the queue to the broker is full.

        Raises ``OutputTooLarge``; the transaction may then go on without the record.
        """

    def write_state(self, records: Sequence[tuple[bytes, bytes | None]]) -> None:
        """Add records to the partition's state topic, None = tombstone."""

    def commit(self) -> None:
        """Make all of the open transaction visible at once."""

    def abort(self) -> None:
        """Drop the open transaction."""

    def close(self) -> None:
        """Let the connection go. An open transaction is never committed. Does not raise."""
