"""The intent: the spans that are about to be inserted together, written down in Kafka's own offset-commit metadata.

DESIGN §4 step 1 reads it, step 3 writes it, step 5 clears it. The offset committed beside it is the first of the
partition's own span. Of a joint insert every member's metadata name all members, so that whoever owns any one of them
next, this process or another, reads exactly the same records again and inserts them under the same token.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from sinks.errors import SinkProblem
from sinks.positions import Member, Partition, Span

# Changes when the same records would become other rows. Only told in the log: the token names the spans alone, so
# what was inserted by an older version stays as it was inserted.
TRANSFORM = 1
CLEAR = ""
# Every member's metadata name all members, so their bytes grow with the square: 32 members come to 50 kB for all.
MEMBERS_MAX = 32
# The longest metadata there can be. The broker's limit, offset.metadata.max.bytes, is 4096 unless somebody changed it.
METADATA_BYTES_MAX = 1_800


class Intent(NamedTuple):
    """What the metadata of a committed offset say: the members of one insert, in the order of their partitions."""

    members: tuple[Member, ...]
    transform: int


class _Single(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="sink", tag=1):
    """A span that is inserted by itself."""

    first: int
    last: int
    transform: int


class _Joint(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="sink", tag=2):
    """Spans of several partitions of one topic: number of the partition, first and last offset."""

    transform: int
    members: tuple[tuple[int, int, int], ...]


def write_intent(members: Sequence[Member]) -> str:
    """The metadata for all members of an insert (step 3); they are in the order of their partitions."""
    if len(members) == 1:
        ((_, span),) = members
        return msgspec.json.encode(_Single(span.first, span.last, TRANSFORM)).decode()
    joint = _Joint(TRANSFORM, tuple((partition.number, *span) for partition, span in members))
    return msgspec.json.encode(joint).decode()


def read_intent(partition: Partition, offset: int, metadata: str | None) -> Intent | None:
    """The pending insert of which a partition is a member, None when there is none (step 1).

    Raises SinkProblem for metadata that this program did not write: another program commits in the same group, and
    whatever was inserted in its name is not known here.
    """
    if not metadata:
        return None
    try:
        found: Any = msgspec.json.decode(metadata, type=_Single | _Joint)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise _foreign(metadata) from error
    if isinstance(found, _Single):
        members: tuple[Member, ...] = (Member(partition, Span(found.first, found.last)),)
    else:
        members = tuple(
            Member(Partition(partition.topic, number), Span(first, last)) for number, first, last in found.members
        )
    numbers = [member.partition.number for member in members]
    own = [member.span for member in members if member.partition == partition]
    if (
        sorted(set(numbers)) != numbers
        or [span.first for span in own] != [offset]
        or any(span.last < span.first for _, span in members)
    ):
        raise _foreign(metadata)
    return Intent(members, found.transform)


def _foreign(metadata: str) -> SinkProblem:
    return SinkProblem(
        f"the consumer group holds metadata that the sink did not write: {metadata[:80]!r}",
        "Give the sink a group of its own: sink.group_id",
    )
