"""The position of a poll, and where it is kept: in Kafka, beside the events that it stands for.

It is the metadata of an offset that the group of the poll has committed on the first partition of the event topic, as
the sink keeps its intent (ADR 0013); so a poller needs no disk and may start anywhere.
"""

import logging
from collections.abc import Mapping
from typing import Any, Protocol, Self

import msgspec
from confluent_kafka import Consumer, KafkaException, TopicPartition

from sources.errors import SourceError
from sources.sql.watermark import Value, decode, encode

logger = logging.getLogger(__name__)

ANSWER_SECONDS_MAX = 15.0


class PositionsUnavailableError(SourceError):
    """Positions cannot be read or kept just now; what was sent is known by its ids."""


class PollPosition(msgspec.Struct, frozen=True):
    """The highest watermark of which all events are acknowledged. `origin` is a digest of what is polled."""

    origin: str
    watermark: Value
    rows: int = 0


class Positions(Protocol):
    """Where positions are kept. Both calls may block for ``ANSWER_SECONDS_MAX``.

    They raise ``PositionsUnavailableError`` when the place does not answer.
    """

    def read(self) -> PollPosition | None:
        """The position that was kept last; None where there is none."""

    def write(self, position: PollPosition) -> None:
        """Keep a position; when it returns, it outlives this process."""


class MemoryPositions:
    """Positions that live as long as this object."""

    def __init__(self) -> None:
        self.position: PollPosition | None = None

    def read(self) -> PollPosition | None:
        """The last one."""
        return self.position

    def write(self, position: PollPosition) -> None:
        """Keep it."""
        self.position = position


class _Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The metadata, as JSON of about a hundred bytes (the broker's limit is 4096)."""

    poll: int
    origin: str
    kind: str
    watermark: str


class KafkaPositions:
    """Positions in the commit metadata of a consumer group, which has no members."""

    def __init__(self, client_options: Mapping[str, Any], *, group_id: str, topic: str) -> None:
        self._group_id = group_id
        self._place = TopicPartition(topic, 0)
        self._consumer = Consumer({**client_options, "group.id": group_id, "enable.auto.commit": False}, logger=logger)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close()

    def read(self) -> PollPosition | None:
        """What the group has committed. Raises ``SourceError`` for metadata of another program."""
        try:
            (found,) = self._consumer.committed([self._place], timeout=ANSWER_SECONDS_MAX)
        except KafkaException as error:
            raise _no_answer(error) from error
        if not found.metadata:
            return None
        try:
            kept = msgspec.json.decode(found.metadata, type=_Kept)
            return PollPosition(kept.origin, decode(kept.kind, kept.watermark), max(0, found.offset))
        except (msgspec.DecodeError, ValueError) as error:
            raise SourceError(
                f"the consumer group {self._group_id} holds a position that no poll wrote", "Give the poll another name"
            ) from error

    def write(self, position: PollPosition) -> None:
        """Commit it and wait for the broker's answer."""
        metadata = msgspec.json.encode(_Kept(1, position.origin, *encode(position.watermark))).decode()
        place = TopicPartition(self._place.topic, self._place.partition, position.rows, metadata)
        try:
            self._consumer.commit(offsets=[place], asynchronous=False)
        except KafkaException as error:
            raise _no_answer(error) from error


def _no_answer(error: KafkaException) -> PositionsUnavailableError:
    return PositionsUnavailableError(
        f"the position cannot be kept in Kafka: {error.args[0].str()}", "Look at the broker"
    )
