"""The intent: the span that is about to be inserted, written down in Kafka's own offset-commit metadata.

DESIGN §4 step 1 reads it, step 3 writes it, step 5 clears it. The offset committed beside it is the span's first, so
that whoever owns the partition next, this process or another, reads exactly the same records again and inserts them
under the same token.
"""

from typing import Any

import msgspec

from sinks.errors import SinkProblem
from sinks.positions import Span

# Changes when the same records would become other rows. Only told in the log: the token names the span alone, so a
# span that was inserted by an older version stays as it was inserted.
TRANSFORM = 1
CLEAR = ""


class Intent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the metadata of a committed offset say, as JSON of at most 80 bytes (the broker's limit is 4096)."""

    sink: int
    first: int
    last: int
    transform: int

    @property
    def span(self) -> Span:
        """The records that are to be inserted together."""
        return Span(self.first, self.last)


def write_intent(span: Span) -> str:
    """The metadata for a span (step 3)."""
    return msgspec.json.encode(Intent(1, span.first, span.last, TRANSFORM)).decode()


def read_intent(offset: int, metadata: str | None) -> Intent | None:
    """The pending span of a partition, None when there is none (step 1).

    Raises SinkProblem for metadata that this program did not write: another program commits in the same group, and
    whatever was inserted in its name is not known here.
    """
    if not metadata:
        return None
    try:
        intent: Any = msgspec.json.decode(metadata, type=Intent)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise _foreign(metadata) from error
    if intent.sink != 1 or intent.first != offset or intent.last < intent.first:
        raise _foreign(metadata)
    return intent  # type: ignore[no-any-return]


def _foreign(metadata: str) -> SinkProblem:
    return SinkProblem(
        f"the consumer group holds metadata that the sink did not write: {metadata[:80]!r}",
        "Give the sink a group of its own: sink.group_id",
    )
