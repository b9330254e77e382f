"""The port to Kafka: records in, offsets with metadata out, partitions that come and go.

`tests/sinks/test_log_contract.py` runs one suite over the memory twin and over Kafka.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol

from sinks.positions import Member, Partition, Record


class Committed(NamedTuple):
    """What the group has committed for a partition; `offset` None = nothing yet."""

    offset: int | None
    metadata: str


class Commit(NamedTuple):
    """What is to be committed: the offset to go on from, and an intent or nothing."""

    partition: Partition
    offset: int
    metadata: str


class Polled(NamedTuple):
    """Records in the order of each partition, and how far partitions are read although no record says so.

    `ends` holds, for a partition that was read to its end, the offset of the next record to come: what lies before
    it and was not delivered are gaps.
    """

    records: Sequence[Record]
    ends: Mapping[Partition, int]


class Owner(Protocol):
    """Who is told about partitions. Called inside `Log.poll` and `Log.close`, in the thread that called them."""

    def assigned(self, committed: Mapping[Partition, Committed]) -> None:
        """These partitions are ours from now on; reading starts at the committed offset, else at the beginning."""

    def revoked(self, partitions: Collection[Partition]) -> None:
        """These partitions will be another's when this returns; commits are still accepted until then."""

    def lost(self, partitions: Collection[Partition]) -> None:
        """These partitions may have another owner already; commits are refused."""


class Log(Protocol):
    """A consumer of several topics in one group. One thread calls it. Nothing is committed but by `commit`."""

    def subscribe(self, owner: Owner) -> None:
        """Join the group; `owner` hears of partitions from the next `poll` on."""

    def poll(self, records_max: int, wait_seconds: float) -> Polled:
        """Records of the partitions owned and not paused; returns early when there are some, empty after the wait.

        Only committed transactions are delivered. Raises SinkProblem when the log cannot be read at all.
        """

    def commit(self, commits: Sequence[Commit]) -> frozenset[Partition]:
        """Commit synchronously, in one request, and give back the partitions for which the broker accepted it.

        Commits for partitions of one topic are written all or none, also when the broker dies meanwhile.

        A refusal (another generation of the group, a rebalance under way) and a lost answer look alike: the commit
        may be repeated, with the same content, as long as the partition is not revoked or lost.
        """

    def committed(self, partitions: Collection[Partition]) -> Mapping[Partition, Committed]:
        """What the group has committed for partitions of ours, every commit of a former generation included.

        Raises Unavailable when the broker does not answer.
        """

    def pause(self, partitions: Collection[Partition]) -> None:
        """Deliver nothing of these until `resume`; what was fetched ahead is fetched again."""

    def resume(self, partitions: Collection[Partition]) -> None:
        """Go on after `pause`, without a gap."""

    def lag(self, partition: Partition, offset: int) -> int | None:
        """Records from `offset` to the end of the partition as last seen; None when not known yet. Does not block."""

    def close(self) -> None:
        """Leave the group; `owner.revoked` is called first."""


class SpanReader(Protocol):
    """Reads spans again, whoever owns their partitions. Safe to use from one thread."""

    def read(self, members: Sequence[Member]) -> list[list[Record]]:
        """The records of each span that are still there, in order, of committed transactions only.

        Blocks until each span is read to its end. Raises Unavailable when that does not happen in time.
        """
