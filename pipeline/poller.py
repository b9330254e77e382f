"""The thread that owns the group consumer: it polls without pause, whatever the rest of the worker does.

librdkafka reports a rebalance only to a thread that polls, so polling must not wait for folds, commits or restores.
What is fetched goes into a hand-off of one fetch; while nobody takes it, nothing more is fetched.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from pipeline.batches import Batch
from pipeline.errors import Problem
from pipeline.positions import GroupPositions

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.05
# A fetch that nobody has taken for so long pauses the partitions, so that polling can go on for the group's sake. Not
# earlier: pausing throws away what the client has prefetched.
HOLD_SECONDS_MAX = 1.0
LEAVE_SECONDS_MAX = 10.0

Fetched = dict[int, Batch]


class Rebalanced(Protocol):
    """Called in the poller's thread with the partitions that are gone and those that are new; blocks the group."""

    def __call__(self, revoked: frozenset[int], assigned: frozenset[int], *, lost: bool) -> None:
        """May take as long as the partitions' running batches; the group waits for it."""


@dataclass(frozen=True, slots=True)
class PollerOptions:
    """How to consume.

    ``batch_records_max`` bounds one fetch over all partitions; ``fetch_bytes_max`` one partition's share of a fetch
    from the broker.
    """

    client_config: Mapping[str, Any]
    group_id: str
    topic: str
    batch_records_max: int
    fetch_bytes_max: int
    session_timeout_seconds: float
    heartbeat_interval_seconds: float

    def consumer_config(self) -> dict[str, Any]:
        """Options of librdkafka.

        Cooperative rebalancing, so that a partition that stays here keeps its restored state. No automatic offsets:
        the position is part of the state, and a position that retention has overrun must be seen, not skipped.
        """
        return {
            **self.client_config,
            "group.id": self.group_id,
            "partition.assignment.strategy": "cooperative-sticky",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "error",
            "session.timeout.ms": int(self.session_timeout_seconds * 1000),
            "heartbeat.interval.ms": int(self.heartbeat_interval_seconds * 1000),
            "max.partition.fetch.bytes": self.fetch_bytes_max,
            "queued.min.messages": self.batch_records_max,
            "queued.max.messages.kbytes": max(4 * self.fetch_bytes_max // 1024, 16_384),
            "fetch.wait.max.ms": 100,
            # How long a full or paused queue is left alone; the default of a second shows as latency after a resume.
            "fetch.queue.backoff.ms": 20,
            "metadata.max.age.ms": 60_000,
        }


class Poller:
    """Owns the consumer from ``start`` to ``stop``.

    ``rebalanced`` is called in this object's thread, ``failed`` too, once, when the thread ends by an error;
    ``available`` when a fetch can be taken. All other methods may be called from any thread and do not wait: the
    consumer itself must be touched by one thread only (a call from another one waits for the running poll, and the
    next poll is sooner), so they leave word and the thread obeys within ``POLL_SECONDS``.
    """

    def __init__(
        self,
        options: PollerOptions,
        rebalanced: Rebalanced,
        available: Callable[[], None],
        failed: Callable[[BaseException], None],
        out_of_range: Callable[[int], None],
    ) -> None:
        self._options = options
        self._rebalanced = rebalanced
        self._available = available
        self._failed = failed
        self._out_of_range = out_of_range
        self.group = GroupPositions(options.topic)
        self._thread = threading.Thread(target=self._run, name="arrears-poller", daemon=True)
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._taken = threading.Condition(self._lock)
        self._fetched: Fetched = {}
        self._fetched_at = 0.0
        self._seeks: dict[int, int] = {}
        self._wanted: frozenset[int] = frozenset()
        # Written by the poller's thread alone:
        self._assigned: set[int] = set()
        self._flowing: set[int] = set()
        self._positions: dict[int, int] = {}  # one past the last record that was handed out
        self._ends: dict[int, int] = {}  # where the log ended when all of it was read; behind control records
        self._highs: dict[int, int] = {}  # one past the last record, as the last fetch reported it

    def start(self) -> None:
        """Join the group."""
        self._thread.start()

    def stop(self) -> None:
        """Leave the group; waits for the thread, not for ever. The partitions are revoked on the way."""
        self._stopping.set()
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join(LEAVE_SECONDS_MAX)

    def want(self, partitions: frozenset[int]) -> None:
        """Fetch from these partitions and no others."""
        self._wanted = partitions

    def seek(self, partition: int, position: int) -> None:
        """Read on from a position; what was fetched before it counts no more."""
        with self._lock:
            self._seeks[partition] = position
            self._fetched.pop(partition, None)

    def take(self) -> Fetched:
        """What was fetched since the last call, by partition."""
        with self._lock:
            fetched, self._fetched = self._fetched, {}
            self._taken.notify()
        return fetched

    def end_offset(self, partition: int) -> int | None:
        """One past the last record of the partition as the last fetch reported it; None before the first."""
        return self._highs.get(partition)

    def settled_position(self, partition: int, position: int) -> int:
        """The position behind the control records that follow ``position``, when nothing but them follows.

        They are no events, but every tool that compares offsets would count them as lag.
        """
        end = self._ends.get(partition, 0)
        return max(end, position) if self._positions.get(partition) == position else position

    def _run(self) -> None:
        try:
            consumer = Consumer({**self._options.consumer_config(), "on_commit": self.group.on_commit}, logger=logger)
            try:
                consumer.subscribe(
                    [self._options.topic],
                    on_assign=self._on_assign,
                    on_revoke=self._on_revoke,
                    on_lost=self._on_lost,
                )
                while not self._stopping.is_set():
                    self._turn(consumer)
                self.group.send(consumer, wait=True)
            finally:
                consumer.close()
        except BaseException as error:  # noqa: BLE001  the thread's last word; the worker ends with it
            self._failed(error)
        finally:
            self.group.close()

    def _turn(self, consumer: Consumer) -> None:
        """One round: obey, then fetch, or wait until the last fetch is taken."""
        self.group.send(consumer)
        with self._lock:
            held = not self._taken.wait_for(lambda: not self._fetched, POLL_SECONDS)
        overdue = held and time.monotonic() - self._fetched_at > HOLD_SECONDS_MAX
        if held and not overdue:
            return
        self._obey(consumer, frozenset() if overdue else self._wanted)
        first = consumer.poll(POLL_SECONDS)
        if first is None or self._stopping.is_set():
            return
        # poll() waits for one record; consume(…, 0) takes what is there and does not wait for more.
        rest = consumer.consume(self._options.batch_records_max - 1, 0) if not overdue else []
        self._offer(consumer, [first, *rest])

    def _obey(self, consumer: Consumer, wanted: frozenset[int]) -> None:
        """Seek, pause and resume as asked since the last round."""
        with self._lock:
            seeks, self._seeks = self._seeks, {}
        for partition, position in seeks.items():
            if partition in self._assigned:
                self._seek(consumer, partition, position)
        flowing = self._assigned & wanted
        if pause := self._flowing - flowing:
            consumer.pause(self._places(pause))
        if resume := flowing - self._flowing:
            consumer.resume(self._places(resume))
        self._flowing = flowing

    def _seek(self, consumer: Consumer, partition: int, position: int) -> None:
        try:
            consumer.seek(TopicPartition(self._options.topic, partition, position))
        except KafkaException as error:
            # The partition is not being fetched yet; the next round tries again.
            logger.debug("seek of partition %s to %s: %s", partition, position, error)
            with self._lock:
                self._seeks.setdefault(partition, position)
        else:
            self._positions[partition] = position

    def _offer(self, consumer: Consumer, messages: list[Message]) -> None:
        """Put what was fetched, by partition, where ``take`` finds it."""
        found: dict[int, list[Message]] = {}
        for message in messages:
            error = message.error()
            if error is not None:
                self._on_error(error, message)
            else:
                found.setdefault(message.partition() or 0, []).append(message)
        for partition in found:
            place = TopicPartition(self._options.topic, partition)
            self._highs[partition] = consumer.get_watermark_offsets(place, cached=True)[1]
        with self._lock:
            for partition, records in found.items():
                begin = self._positions.get(partition)
                if partition not in self._flowing or begin is None:
                    # Came in although the partition is paused: to be read again when it flows.
                    self._seeks.setdefault(partition, records[0].offset() or 0)
                    continue
                end = self._positions[partition] = (records[-1].offset() or 0) + 1
                self._fetched[partition] = Batch(partition, begin, end, records)
            self._fetched_at = time.monotonic()
            offered = bool(self._fetched)
        if offered:
            self._available()

    def _on_error(self, error: KafkaError, message: Message) -> None:
        code = error.code()
        partition = message.partition() or 0
        if code == KafkaError._PARTITION_EOF:  # noqa: SLF001
            self._ends[partition] = message.offset() or 0
            self._highs[partition] = max(self._highs.get(partition, 0), message.offset() or 0)
        elif code in {KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE, KafkaError._NO_OFFSET}:  # noqa: SLF001
            self._out_of_range(partition)
        elif code in {
            KafkaError.TOPIC_AUTHORIZATION_FAILED,
            KafkaError.GROUP_AUTHORIZATION_FAILED,
            KafkaError.UNKNOWN_TOPIC_OR_PART,
            KafkaError._UNKNOWN_TOPIC,  # noqa: SLF001
        }:
            raise Problem(
                f"{self._options.topic} cannot be read any more: {error.str()}",
                "Run `arrears topics apply` and check the rights of the worker's Kafka user",
            )
        elif error.fatal():
            raise KafkaException(error)
        else:
            logger.warning("consumer: %s", error.str())

    def _on_assign(self, consumer: Consumer, places: list[TopicPartition]) -> None:
        partitions = frozenset(place.partition for place in places)
        # Paused and at an explicit offset: nothing is fetched before the state is restored and its position known.
        consumer.incremental_assign([TopicPartition(self._options.topic, number, 0) for number in sorted(partitions)])
        if partitions:
            consumer.pause(self._places(partitions))
        self._assigned |= partitions
        self._rebalanced(frozenset(), partitions, lost=False)

    def _on_revoke(self, consumer: Consumer, places: list[TopicPartition]) -> None:
        self._give_up(consumer, places, lost=False)

    def _on_lost(self, consumer: Consumer, places: list[TopicPartition]) -> None:
        self._give_up(consumer, places, lost=True)

    def _give_up(self, consumer: Consumer, places: list[TopicPartition], *, lost: bool) -> None:
        partitions = frozenset(place.partition for place in places)
        self._assigned -= partitions
        self._flowing -= partitions
        for partition in partitions:
            self._positions.pop(partition, None)
            self._ends.pop(partition, None)
            self._highs.pop(partition, None)
        with self._lock:
            for partition in partitions:
                self._seeks.pop(partition, None)
                self._fetched.pop(partition, None)
            self._taken.notify()
        self.group.forget(partitions)
        self._rebalanced(partitions, frozenset(), lost=lost)
        self.group.send(consumer)
        consumer.incremental_unassign(self._places(partitions))

    def _places(self, partitions: set[int] | frozenset[int]) -> list[TopicPartition]:
        return [TopicPartition(self._options.topic, number) for number in sorted(partitions)]
