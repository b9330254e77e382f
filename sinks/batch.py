"""What one insert consists of, from its intent on (DESIGN §4 steps 3 and 4): spans of one or of several partitions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property

from sinks.intent import write_intent
from sinks.log import Commit
from sinks.positions import Member, Partition, Record, Span
from sinks.routes import Route


class Stage(Enum):
    """Where a batch is: its intent is to be written (step 3), or it is being inserted (step 4)."""

    INTENT = "intent"
    INSERT = "insert"


@dataclass
class Batch:
    """Closed spans of partitions of one topic, in the order of the partitions; from its first intent on they are fixed.

    `records` are those of each member; None for an insert of a former owner, until an attempt has read them again.
    There may be fewer of them than before, even none: compaction and retention go on.
    `is_replay` tells that it is one of a former owner: what was read again may be read once more.
    `is_written` tells that Kafka once confirmed the intent, of all members: then whoever owns one of them inserts it.
    `is_doubtful` tells that a member went to another owner before that was known.
    `fills` tells that it is as large as an insert may be, so that others of the topic need not wait for it.
    """

    route: Route
    members: tuple[Member, ...]
    records: Sequence[Sequence[Record]] | None
    size_bytes: int
    since: float
    is_replay: bool = False
    is_written: bool = False
    is_doubtful: bool = False
    fills: bool = False
    stage: Stage = Stage.INTENT
    attempts: int = 0
    not_before: float = 0.0
    fenced_at: float = 0.0

    @cached_property
    def metadata(self) -> str:
        """Step 3: what every member's commit carries."""
        return write_intent(self.members)

    def intents(self, owned: Iterable[Partition]) -> list[Commit]:
        """Step 3: offset = a, metadata = all members, for those members that are ours."""
        ours = set(owned)
        return [Commit(place, span.first, self.metadata) for place, span in self.members if place in ours]

    def span(self, partition: Partition) -> Span:
        """What of a member is in it."""
        return next(span for place, span in self.members if place == partition)

    def records_of(self, partition: Partition) -> Sequence[Record]:
        """The records of a member; none as long as they are not read."""
        if self.records is None:
            return ()
        return next(found for member, found in zip(self.members, self.records, strict=True) if member[0] == partition)

    def forget(self) -> None:
        """Let go of what was read again: while the store is away, memory is for what nobody has yet."""
        if self.is_replay:
            self.records = None
            self.size_bytes = 0
