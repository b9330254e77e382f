"""Spans that are read again from a broker, by whoever has one of them to insert (the port is `sinks.log`)."""

import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from sinks.errors import Unavailable
from sinks.positions import Member, Partition, Record, Span
from topics.watermarks import watermarks

logger = logging.getLogger(__name__)

RECORDS_AT_ONCE = 5000
WAIT_SECONDS = 0.2


class KafkaSpanReader:
    """A `SpanReader` by plain assignment: it joins no group, and commits nothing. `seconds_max` bounds one `read`."""

    def __init__(self, client_config: Mapping[str, Any], group_id: str, seconds_max: float = 60.0) -> None:
        self._seconds_max = seconds_max
        self._options = {
            **client_config,
            # Named, not joined: the client wants a name, and this one is allowed.
            "group.id": group_id,
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "isolation.level": "read_committed",
            # What retention has deleted must be noticed, never jumped over.
            "auto.offset.reset": "error",
            # Ends a span whose last records are gone.
            "enable.partition.eof": True,
            "fetch.wait.max.ms": 100,
            "queued.max.messages.kbytes": 16_384,
        }

    def read(self, members: Sequence[Member]) -> list[list[Record]]:
        """With a consumer of its own: spans are read again after a crash or a rebalance only."""
        try:
            consumer = Consumer(self._options, logger=logger)
        except KafkaException as error:
            raise Unavailable(f"no consumer: {error}") from error
        try:
            # It is not closed: it has joined nothing that it would have to leave, and a broker that is away would keep
            # it waiting. It ends with its last reference.
            return _Reading(consumer, members).run(time.monotonic() + self._seconds_max)
        except KafkaException as error:
            raise Unavailable(f"a pending span cannot be read: {error}") from error


class _Reading:
    """One `read`: which spans are not read to their end yet, and what was read."""

    def __init__(self, consumer: Consumer, members: Sequence[Member]) -> None:
        self._consumer = consumer
        self._found: dict[Partition, list[Record]] = {partition: [] for partition, _ in members}
        self._open: dict[Partition, Span] = dict(members)

    def run(self, deadline: float) -> list[list[Record]]:
        """By position: a span is read when something behind its end shows, its last record, or the end of the log."""
        places = [TopicPartition(*partition, span.first) for partition, span in self._open.items()]
        self._consumer.assign(places)
        while self._open:
            if time.monotonic() > deadline:
                raise Unavailable(f"the end of pending spans is not reached: {self._open}")
            for message in self._consumer.consume(RECORDS_AT_ONCE, WAIT_SECONDS):
                self._take(message)
        return list(self._found.values())

    def _take(self, message: Message) -> None:
        partition = Partition(message.topic() or "", message.partition() or 0)
        span = self._open.get(partition)
        if span is None:
            return
        error = message.error()
        offset = message.offset() or 0
        if error is None:
            if span.first <= offset <= span.last:
                self._found[partition].append(message)
            if offset >= span.last:
                self._close(partition)
        elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  the binding's public constants begin so
            if offset > span.last:
                self._close(partition)
        elif error.code() == KafkaError._AUTO_OFFSET_RESET:  # noqa: SLF001
            self._begin_later(partition, span)
        else:
            logger.warning("Kafka reports", extra={"error": error.str(), "topic": message.topic()})

    def _close(self, partition: Partition) -> None:
        del self._open[partition]
        self._consumer.pause([TopicPartition(*partition)])

    def _begin_later(self, partition: Partition, span: Span) -> None:
        """The first record is not there. Deleted by retention: take what is left of the span."""
        low, high = watermarks(self._consumer, TopicPartition(*partition), WAIT_SECONDS * 50)
        if span.first > high:
            raise Unavailable(f"{partition} ends at {high}, before its pending span {span}")
        if low > span.first:
            logger.error(
                "records of a pending span were deleted by Kafka's retention",
                extra={"partition": partition, "first_missing": span.first, "first_left": low},
            )
        if low > span.last:
            self._close(partition)
            return
        # Never before the span: what lies there belongs to other inserts.
        start = max(low, span.first)
        self._found[partition].clear()
        self._consumer.incremental_unassign([TopicPartition(*partition)])
        self._consumer.incremental_assign([TopicPartition(partition.topic, partition.number, start)])
