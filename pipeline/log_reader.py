"""Whole topics, from their beginnings or from an instant, to the ends they have when reading begins."""

import time
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Self

from confluent_kafka import OFFSET_BEGINNING, OFFSET_END, Consumer, KafkaError, KafkaException, Message, TopicPartition

from pipeline.errors import Problem
from pipeline.startup import broker_problem
from topics.watermarks import watermarks

_BATCH = 10_000
_POLL_SECONDS = 0.5
_ANSWER_SECONDS_MAX = 30.0
_END = KafkaError._PARTITION_EOF  # noqa: SLF001  librdkafka's name for it
# The broker is away: the client comes back to it by itself.
_AWAY = frozenset({KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN, KafkaError._TIMED_OUT})  # noqa: SLF001
# So long may nothing at all come from the broker before reading is given up.
_SILENCE_SECONDS_MAX = 60.0


class LogReader:
    """A read_committed reader of topics. It joins no group and commits nothing, so it leaves no trace.

    Use it as a context. All methods raise ``Problem`` when the broker does not answer.
    """

    def __init__(self, client_config: Mapping[str, Any]) -> None:
        self._client_config = client_config
        self._consumer = Consumer(
            {
                **client_config,
                "group.id": "arrears-reader",  # librdkafka wants a name; nobody joins it
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "enable.partition.eof": True,
                "auto.offset.reset": "earliest",
                "log_level": 0,
            }
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close()

    def read(self, topic: str, partitions: Collection[int], since_milliseconds: int | None = None) -> Iterator[Message]:
        """The records of some partitions up to their present ends; of one partition in order."""
        places = self._beginnings(topic, partitions, since_milliseconds)
        ends = {place.partition: self._end(place) for place in places}
        left = {number for number, end in ends.items() if end > 0}
        self._consumer.assign([place for place in places if place.partition in left])
        heard = time.monotonic()
        while left:
            messages = self._next()
            for message in messages:
                number, offset = int(message.partition() or 0), int(message.offset() or 0)
                if message.error() is not None:
                    left.discard(number)  # the end of the partition
                elif offset < ends[number]:
                    yield message
                if offset >= ends[number] - 1:
                    left.discard(number)
            if messages:
                heard = time.monotonic()  # now: whoever takes the records may have taken long
            elif time.monotonic() - heard > _SILENCE_SECONDS_MAX:
                raise broker_problem(self._client_config, TimeoutError())
        self._consumer.unassign()

    def record_at(self, topic: str, partition: int, offset: int) -> Message | None:
        """The record that stands at an offset; None when there is none any more, or none yet."""
        place = TopicPartition(topic, partition, offset)
        try:
            low, high = watermarks(self._consumer, place, _ANSWER_SECONDS_MAX)
            if not low <= offset < high:
                return None
            self._consumer.assign([place])
            deadline = time.monotonic() + _SILENCE_SECONDS_MAX
            while time.monotonic() < deadline:
                for message in self._next():
                    found = message if message.error() is None and message.offset() == offset else None
                    self._consumer.unassign()
                    return found
        except KafkaException as error:
            raise broker_problem(self._client_config, error) from error
        raise broker_problem(self._client_config, TimeoutError())

    def follow(self, places: Mapping[tuple[str, int], int]) -> Iterator[Message | None]:
        """Records from positions on, for ever; None about twice a second, so that the caller can stop.

        A position is an offset, or ``OFFSET_BEGINNING`` or ``OFFSET_END``.
        """
        self._consumer.assign([TopicPartition(*place, offset) for place, offset in places.items()])
        while True:
            yield from (message for message in self._next() if message.error() is None)
            yield None

    def positions(self, topic: str, partitions: Collection[int], since_milliseconds: int) -> dict[tuple[str, int], int]:
        """Where the first record of an instant or later stands in each partition, or will stand."""
        found = self._beginnings(topic, partitions, since_milliseconds)
        return {(place.topic, place.partition): place.offset for place in found}

    def _beginnings(
        self, topic: str, partitions: Collection[int], since_milliseconds: int | None
    ) -> list[TopicPartition]:
        if since_milliseconds is None:
            return [TopicPartition(topic, number, OFFSET_BEGINNING) for number in partitions]
        wanted = [TopicPartition(topic, number, since_milliseconds) for number in partitions]
        try:
            found = self._consumer.offsets_for_times(wanted, timeout=_ANSWER_SECONDS_MAX)
        except KafkaException as error:
            raise broker_problem(self._client_config, error) from error
        return [
            TopicPartition(place.topic, place.partition, place.offset if place.offset >= 0 else OFFSET_END)
            for place in found
        ]

    def _end(self, place: TopicPartition) -> int:
        """One past the last committed record; 0 when there is nothing to read from where reading is to begin."""
        try:
            low, high = watermarks(self._consumer, place, _ANSWER_SECONDS_MAX)
        except KafkaException as error:
            raise broker_problem(self._client_config, error) from error
        first = low if place.offset == OFFSET_BEGINNING else high if place.offset == OFFSET_END else place.offset
        return high if first < high else 0

    def _next(self) -> list[Message]:
        """What has come; ends of partitions among it, as messages with that error."""
        # consume() alone would wait until it has its full number, or its time is up.
        first = self._consumer.poll(_POLL_SECONDS)
        if first is None:
            return []
        messages = []
        for message in (first, *self._consumer.consume(_BATCH, 0)):
            error = message.error()
            if error is None or error.code() == _END:
                messages.append(message)
            elif error.code() not in _AWAY and not error.retriable():
                raise self._problem(error)
        return messages

    def _problem(self, error: KafkaError) -> Problem:
        return broker_problem(self._client_config, KafkaException(error))
