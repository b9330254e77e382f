"""What an adapter yields: an event, a reject that says where and why, or a skip. All are frozen values."""

from typing import Any

import msgspec


class Position(msgspec.Struct, frozen=True, gc=False):
    """Where in a source something stands. `line` counts physical lines from 1; 0 is the file as a whole.

    Of a record in Kafka `file` is `topic[partition]` and `line` the offset; of a row of a table `file` is the name of
    its poll and `line` 0. `column` is the source's own name (a CSV column), `field` the event's.
    """

    file: str
    line: int
    column: str | None = None
    field: str | None = None

    def __str__(self) -> str:
        """``file:line``, then the column or else the field where one is known."""
        place = f"{self.file}:{self.line}"
        name = self.column or self.field
        return f"{place} ({name})" if name else place


class ParsedEvent(msgspec.Struct, frozen=True):
    """One event: the name of its contract and its record as the Avro schema has it (minor units, micros, days)."""

    name: str
    record: dict[str, Any]
    position: Position


class SourceReject(msgspec.Struct, frozen=True):
    """A line or row of which no event was taken. `original` are its bytes as they stand in the source.

    `reason` is a code (`invalid_amount`, `missing_field`, …), `message` a sentence that says what to do. `company` is
    that of the run where the row itself could not be read. A line past the line limit is given by its beginning; the
    message tells how long it is.
    """

    position: Position
    reason: str
    message: str
    original: bytes
    company: str | None = None
    event_type: str | None = None


class SkippedRow(msgspec.Struct, frozen=True, gc=False):
    """A row that is passed over on purpose, such as a total. `reason` is the word under which it is counted."""

    position: Position
    reason: str = ""


Parsed = ParsedEvent | SourceReject | SkippedRow
