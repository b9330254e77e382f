"""One dead letter: a record of `ar.failed` and where it stands; and which of them somebody wants."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

import msgspec
from confluent_kafka import Message

from avro import Contracts
from avro.errors import ContractError
from pipeline.errors import Problem
from pipeline.log_reader import LogReader
from topics import Topic

FROM_A_FILE = -1
"""The partition of what no topic held: a line of a file, a row of a source."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PLACE = re.compile(r"(\d+):(\d+)")


class Place(NamedTuple):
    """Where a dead letter stands in `ar.failed`; it is named by it, as in ``3:17``."""

    partition: int
    offset: int

    def __str__(self) -> str:
        """Partition and offset."""
        return f"{self.partition}:{self.offset}"

    @classmethod
    def parse(cls, text: str) -> "Place":
        """A place as `arrears dlq list` prints it. Raises ``Problem``."""
        found = _PLACE.fullmatch(text.strip())
        if found is None:
            raise Problem(
                f"{text!r} is no place in ar.failed", "Write PARTITION:OFFSET, as `arrears dlq list` shows it"
            )
        return cls(int(found[1]), int(found[2]))


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A record that failed: whence it came, why it failed, and its bytes as they were.

    `topic`, `partition` and `offset` are its own; of a line of a file they are the file, -1 and the line.
    """

    place: Place
    topic: str
    partition: int
    offset: int
    stage: str
    reason: str
    error: str
    company: str | None
    event_type: str | None
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    failed_at: datetime
    arrived_milliseconds: int

    @property
    def is_from_file(self) -> bool:
        """Whether no topic ever held it."""
        return self.partition == FROM_A_FILE

    @property
    def source(self) -> str:
        """``topic:partition:offset``, or ``file:line``."""
        middle = "" if self.is_from_file else f":{self.partition}"
        return f"{self.topic}{middle}:{self.offset}"

    @property
    def age_order(self) -> tuple[int, Place]:
        """What letters are sorted by: the time at which they came into `ar.failed`."""
        return self.arrived_milliseconds, self.place

    def without_bytes(self) -> "DeadLetter":
        """The letter without what may be large; whether it had bytes can still be told."""
        return msgspec.structs.replace(self, value=None if self.value is None else b"", headers=())

    def header(self, name: str) -> str | None:
        """The last header of this name, as text."""
        found = [value for header, value in self.headers if header == name]
        return found[-1].decode("utf-8", "replace") if found else None


class LetterFilter(msgspec.Struct, frozen=True, kw_only=True):
    """What is wanted; what is not named is not looked at. `sources` and `topic` are patterns with ``*``.

    A source is a file or a topic as a letter names it. `since` is included, `until` is not.
    """

    places: frozenset[Place] = frozenset()
    reasons: frozenset[str] = frozenset()
    stages: frozenset[str] = frozenset()
    sources: tuple[str, ...] = ()
    companies: frozenset[str] = frozenset()
    event_types: frozenset[str] = frozenset()
    since: datetime | None = None
    until: datetime | None = None
    topic: str | None = None
    partition: int | None = None
    offset: int | None = None

    def wants(self, letter: DeadLetter) -> bool:
        """Whether a letter is among them."""
        return (
            (not self.places or letter.place in self.places)
            and (not self.reasons or letter.reason in self.reasons)
            and (not self.stages or letter.stage in self.stages)
            and (not self.sources or any(fnmatchcase(letter.topic, pattern) for pattern in self.sources))
            and (not self.companies or letter.company in self.companies)
            and (not self.event_types or letter.event_type in self.event_types)
            and (self.since is None or letter.failed_at >= self.since)
            and (self.until is None or letter.failed_at < self.until)
            and (self.topic is None or (not letter.is_from_file and fnmatchcase(letter.topic, self.topic)))
            and (self.partition is None or letter.partition == self.partition)
            and (self.offset is None or letter.offset == self.offset)
        )


def read_letters(reader: LogReader, failed: Topic, contracts: Contracts, wanted: LetterFilter) -> Iterator[DeadLetter]:
    """The dead letters that are wanted, as far as `ar.failed` reaches now. Raises ``Problem``."""
    partitions = sorted({place.partition for place in wanted.places} or range(failed.partitions))
    if unknown := [place for place in wanted.places if place.partition >= failed.partitions]:
        raise Problem(f"{failed.name} has no partition {unknown[0].partition}", f"It has {failed.partitions}")
    if len(wanted.places) == 1:
        (place,) = wanted.places
        found = reader.record_at(failed.name, *place)
        messages: Iterator[Message] = iter(() if found is None else (found,))
    else:
        messages = reader.read(failed.name, partitions)
    for message in messages:
        letter = letter_of(message, contracts)
        if wanted.wants(letter):
            yield letter


def letter_of(message: Message, contracts: Contracts) -> DeadLetter:
    """The dead letter of a record of `ar.failed`. Raises ``Problem`` for a record that is none."""
    place = Place(int(message.partition() or 0), int(message.offset() or 0))
    try:
        name, record = contracts.decode(message.value() or b"")
    except ContractError as error:
        raise Problem(f"ar.failed holds no dead letter at {place}: {error}", "Somebody else writes into it") from error
    if name != "FailedEvent":
        raise Problem(f"ar.failed holds a {name} at {place}", "Somebody else writes into it")
    return _letter(place, record, message.timestamp()[1])


def _letter(place: Place, record: dict[str, Any], arrived_milliseconds: int) -> DeadLetter:
    return DeadLetter(
        place=place,
        topic=record["topic"],
        partition=record["partition"],
        offset=record["offset"],
        stage=record["stage"],
        reason=record["reason"],
        error=record["error"],
        company=record["company"],
        event_type=record["event_type"],
        key=record["original_key"],
        value=record["original_value"],
        headers=tuple((header["name"], header["value"]) for header in record["headers"]),
        failed_at=_EPOCH + timedelta(microseconds=record["failed_at"]),
        arrived_milliseconds=arrived_milliseconds,
    )
