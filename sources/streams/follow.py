"""Follows source topics in a consumer group: read a batch, send its events, and only then keep the position.

1. Read, and take at most `batch_records` records in the order of their time (``Merge``).
2. Make events of them; what cannot be read becomes a reject for `ar.failed`.
3. Send all and wait until the broker has acknowledged them.
4. Commit the positions behind the batch.

Whatever ends the process before step 4 has the batch read again, and its events have the same ids again.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from sources import feed_metrics as metrics
from sources.delivery import RETRY_SECONDS, wait
from sources.errors import SourceError
from sources.streams.merge import Merge, Place
from sources.streams.record import StreamRecord
from sources.values import Parsed
from topics.watermarks import watermarks

logger = logging.getLogger(__name__)

ANSWER_SECONDS_MAX = 15.0
SESSION_SECONDS = 10.0  # how long the partitions of a process that died wait for another
_READ_SECONDS = 0.25
BATCH_BYTES_MAX = 8 * 1024 * 1024
_QUEUE_KIBIBYTES_MAX = 32 * 1024


class Reader(Protocol):
    """A pure adapter of records."""

    def read(self, record: StreamRecord) -> Iterator[Parsed]:
        """The values of one record: events, one reject, or a skip; never nothing."""


class Follower:
    """One member of the group. `deliver` returns False when the feed was asked to end while it waited.

    `once` ends it when every partition that it was given has been read to its end. `keep_positions` is False for a
    look that changes nothing.
    """

    def __init__(
        self,
        client_options: Mapping[str, Any],
        *,
        group_id: str,
        topics: Sequence[str],
        reader: Reader,
        deliver: Callable[[Sequence[Parsed]], bool],
        batch_records: int,
        once: bool = False,
        keep_positions: bool = True,
        heartbeat: Callable[[], None] = lambda: None,
        set_ready: Callable[[bool], None] = lambda ready: None,
    ) -> None:
        self._topics = list(topics)
        self._reader = reader
        self._deliver = deliver
        self._batch_records = batch_records
        self._once = once
        self._keep_positions = keep_positions
        self._heartbeat = heartbeat
        self._set_ready = set_ready
        self._has_ended = False
        self._merge = Merge({topic: rank for rank, topic in enumerate(topics)})
        self._starts: list[TopicPartition] | None = None  # where the present assignment begins
        self._is_new = False  # whether that was given since the last look
        self._paused: set[Place] = set()
        self._failures = 0  # since the last batch
        self._options: dict[str, Any] = {
            **client_options,
            "group.id": group_id,
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            # A position that retention has deleted is told, not passed over.
            "auto.offset.reset": "error",
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            "session.timeout.ms": int(SESSION_SECONDS * 1000),
            "queued.max.messages.kbytes": _QUEUE_KIBIBYTES_MAX,
        }
        self._consumer = self._open()

    def stop(self) -> None:
        """End after the batch that is under way. May be called from a signal handler."""
        self._has_ended = True

    @property
    def has_ended(self) -> bool:
        """Whether it was asked to end."""
        return self._has_ended

    def run(self) -> None:
        """Follow the topics until ``stop``, or to their ends.

        Raises ``SourceError`` when a topic is missing at the start. After that a broker that does not answer, or
        answers with an error, is asked again by a new client, unless it is to be read only `once`.
        """
        try:
            self._check_topics()
            while True:
                try:
                    self._follow()
                except (KafkaException, SourceError) as error:
                    told = _as_source_error(error)
                    if self._once:
                        raise told from error
                    logger.warning("begun again: %s", told.message)
                    metrics.RETRIES.inc()
                    self._set_ready(False)
                else:
                    return
                self._consumer.close()
                seconds = RETRY_SECONDS[min(self._failures, len(RETRY_SECONDS) - 1)]
                self._failures += 1
                if not wait(seconds, lambda: self._has_ended, self._heartbeat):
                    return
                self._consumer = self._open()
        finally:
            self._set_ready(False)
            self._consumer.close()

    def _open(self) -> Consumer:
        return Consumer(self._options, logger=logger)

    def _follow(self) -> None:
        self._starts, self._is_new = None, False
        self._merge.assign(())
        self._consumer.subscribe(self._topics, on_assign=self._on_assign, on_revoke=self._on_revoke)
        while not self._has_ended and not self._is_done():
            self._heartbeat()
            self._add(self._consumer.consume(self._batch_records, _READ_SECONDS))
            while records := self._next():
                self._take(records)
            self._throttle()

    def _check_topics(self) -> None:
        named = {topic for topic in self._topics if not topic.startswith("^")}
        try:
            known = self._consumer.list_topics(timeout=ANSWER_SECONDS_MAX).topics
        except KafkaException as error:
            reason = error.args[0].str()
            raise SourceError(f"the broker does not answer ({reason})", "Look at kafka.bootstrap_servers") from error
        missing = sorted(named - set(known))
        if missing:
            raise SourceError(
                f"the broker has no topic {', '.join(missing)}",
                "Correct topics in the configuration of the stream, or start the connector first",
            )

    def _is_done(self) -> bool:
        return self._once and self._starts is not None and self._merge.is_at_end

    def _add(self, messages: Sequence[Message]) -> None:
        """Step 1. What was read while the partitions were given out anew is read again, for it may be out of order."""
        if self._is_new:
            self._is_new = False
            starts = self._starts or []
            self._merge.assign((place.topic, place.partition) for place in starts)
            if messages:
                self._consumer.assign(starts)
                return
        for message in messages:
            error = message.error()
            place = (message.topic() or "", message.partition() or 0)
            if error is None:
                self._merge.add(_record(message))
            elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  the client's own name for it
                self._merge.end(place)
            else:
                raise _stream_error(place, error)

    def _next(self) -> list[StreamRecord]:
        return [] if self._has_ended else self._merge.take(self._batch_records, BATCH_BYTES_MAX)

    def _take(self, records: Sequence[StreamRecord]) -> None:
        """Steps 2 to 4 for one batch."""
        values = [value for record in records for value in self._reader.read(record)]
        if self._deliver(values):
            # Records of a partition come in its order, so the last one counts.
            self._commit({(record.topic, record.partition): record.offset + 1 for record in records})
            metrics.RECORDS.inc(len(records))
            self._failures = 0

    def _throttle(self) -> None:
        """Read no further in partitions that are ahead of the others in time: memory is bounded."""
        held = {(place.topic, place.partition) for place in self._starts or ()}
        full = {place for place in held if self._is_full(place, 2)}
        free = {place for place in self._paused & held if not self._is_full(place, 1)}
        if full - self._paused:
            self._consumer.pause([TopicPartition(*place) for place in full - self._paused])
        if free:
            self._consumer.resume([TopicPartition(*place) for place in free])
        self._paused = (self._paused | full) - free

    def _is_full(self, place: Place, batches: int) -> bool:
        is_many = self._merge.held(place) >= batches * self._batch_records
        return is_many or self._merge.held_bytes(place) >= batches * BATCH_BYTES_MAX

    def _commit(self, positions: Mapping[tuple[str, int], int]) -> None:
        if not self._keep_positions:
            return
        offsets = [TopicPartition(topic, partition, offset) for (topic, partition), offset in positions.items()]
        try:
            self._consumer.commit(offsets=offsets, asynchronous=False)
        except KafkaException as error:
            # Another member has the partitions now, or the broker is away: what was sent is known by its ids.
            metrics.REFUSED_COMMITS.inc()
            logger.warning("positions were not taken, the records are read again: %s", error.args[0].str())

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._starts = [self._start(place) for place in consumer.committed(partitions, timeout=ANSWER_SECONDS_MAX)]
        self._is_new = True
        self._paused = set()
        consumer.assign(self._starts)
        self._set_ready(True)

    def _on_revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        # What was sent has its position kept, and what is held back was not sent: there is nothing to finish.
        self._starts = None
        self._merge.assign(())
        self._set_ready(False)

    def _start(self, place: TopicPartition) -> TopicPartition:
        low, high = watermarks(self._consumer, place, ANSWER_SECONDS_MAX)
        offset = place.offset
        if offset < 0 or not self._keep_positions:
            return TopicPartition(place.topic, place.partition, low)
        if offset < low:
            metrics.LOST_RECORDS.inc(low - offset)
            logger.error(
                "%s[%d]: %d records were deleted by retention before they were read; compare with an extract",
                place.topic, place.partition, low - offset,
            )  # fmt: skip
            offset = low
        elif offset > high:
            logger.warning("%s[%d] was made anew and is read from its beginning", place.topic, place.partition)
            offset = low
        return TopicPartition(place.topic, place.partition, offset)


def _record(message: Message) -> StreamRecord:
    kind, timestamp_ms = message.timestamp()
    headers: list[tuple[str, str | bytes | None]] = list(message.headers() or ())  # type: ignore[arg-type]
    return StreamRecord(
        topic=message.topic() or "",
        partition=message.partition() or 0,
        offset=message.offset() or 0,
        key=_bytes(message.key()),
        value=_bytes(message.value()),
        headers={name: value for name, value in headers if isinstance(value, bytes)},
        timestamp_ms=timestamp_ms if kind else 0,
    )


def _bytes(value: str | bytes | None) -> bytes | None:
    return value.encode() if isinstance(value, str) else value


def _as_source_error(error: KafkaException | SourceError) -> SourceError:
    if isinstance(error, SourceError):
        return error
    return SourceError(f"the broker does not answer: {error.args[0].str()}", "Start again once it does")


def _stream_error(place: tuple[str, int], error: KafkaError) -> SourceError:
    if error.code() == KafkaError._AUTO_OFFSET_RESET:  # noqa: SLF001  the client's own name for it
        return SourceError(
            f"retention of {place[0]}[{place[1]}] has deleted records that were not read yet",
            "Start again to go on behind them; compare with an extract, and keep the topic for longer",
        )
    return SourceError(f"{place[0] or 'the topics'} cannot be read: {error.str()}", "Look at the topic and its rights")
