"""Where a record stands in Kafka, and which records one insert covers."""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from sinks.errors import SinkProblem


class Partition(NamedTuple):
    """A partition of a topic."""

    topic: str
    number: int


class Span(NamedTuple):
    """The offsets `first` to `last`, both included. Transactions and compaction leave gaps inside, so a span is
    compared by positions and never by a number of records (DESIGN §4 step 1)."""

    first: int
    last: int


class Member(NamedTuple):
    """What one partition has in an insert."""

    partition: Partition
    span: Span


class Record(Protocol):
    """One record of a topic, as `confluent_kafka.Message` has it."""

    def topic(self) -> str | None:
        """Name of the topic."""

    def partition(self) -> int | None:
        """Number of the partition."""

    def offset(self) -> int | None:
        """Position in the partition."""

    def key(self) -> Any:
        """The key's bytes, None when there is no key."""

    def value(self) -> Any:
        """The value's bytes, None for a tombstone."""

    def headers(self) -> Any:
        """Pairs of name and bytes, None when there are none."""

    def timestamp(self) -> tuple[int, int]:
        """Type and milliseconds since 1970-01-01."""

    def __len__(self) -> int:
        """Size of the value in bytes."""


def position(record: Record) -> int:
    """The offset of a record that came from a broker, where it is never missing."""
    offset = record.offset()
    if offset is None:
        raise SinkProblem("Kafka delivered a record without an offset", "Use a broker of version 2.4 or newer")
    return offset


def span_of(records: Sequence[Record]) -> Span:
    """The span from the first to the last of these records; there must be one."""
    return Span(position(records[0]), position(records[-1]))
