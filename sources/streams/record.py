"""One record of a source topic, apart from the client that read it, and what it may turn out to be."""

from collections.abc import Mapping

import msgspec

from sources.lines import KEPT_BYTES_MAX, LINE_BYTES_MAX
from sources.values import Position


class StreamRecord(msgspec.Struct, frozen=True):
    """A record as it stands in Kafka. `headers` are its last values by name, `timestamp_ms` since 1970, 0 = none."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Mapping[str, bytes] = {}
    timestamp_ms: int = 0

    @property
    def position(self) -> Position:
        """Where it stands: the partition takes the place of the file, the offset that of the line."""
        return Position(f"{self.topic}[{self.partition}]", self.offset)

    @property
    def size(self) -> int:
        """Bytes of key and value."""
        return len(self.key or b"") + len(self.value or b"")

    @property
    def original(self) -> bytes:
        """Its value; of one that `ar.failed` could not hold the beginning, for the position leads to the rest."""
        value = self.value or b""
        return value if len(value) <= LINE_BYTES_MAX else value[:KEPT_BYTES_MAX]
