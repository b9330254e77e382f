"""The log over a broker: one consumer of all topics in one group (the port is `sinks.log`)."""

import logging
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from sinks import metrics
from sinks.errors import SinkProblem, Unavailable
from sinks.intent import METADATA_BYTES_MAX
from sinks.log import Commit, Committed, Owner, Polled
from sinks.positions import Partition
from topics.watermarks import watermarks

logger = logging.getLogger(__name__)

# What no waiting repairs.
_HOPELESS = frozenset(
    {
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError._FATAL,  # noqa: SLF001  the binding's public constants begin with an underscore
        KafkaError._AUTHENTICATION,  # noqa: SLF001
    }
)


def consumer_options(group_id: str, session_timeout_seconds: float) -> dict[str, Any]:
    """What the protocol needs of librdkafka, besides the address of the broker."""
    return {
        "group.id": group_id,
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "isolation.level": "read_committed",
        # Every start is given explicitly; an offset that is out of range must be noticed, never jumped over.
        "auto.offset.reset": "error",
        # Ends a replay whose last records are gaps.
        "enable.partition.eof": True,
        # A rebalance takes away only the partitions that move.
        "partition.assignment.strategy": "cooperative-sticky",
        "session.timeout.ms": int(session_timeout_seconds * 1000),
        "heartbeat.interval.ms": max(100, int(session_timeout_seconds * 1000 / 4)),
        "max.poll.interval.ms": max(300_000, int(session_timeout_seconds * 1000)),
        "fetch.wait.max.ms": 100,
        # Memory fetched ahead, for all partitions together.
        "queued.max.messages.kbytes": 32_768,
        "queued.min.messages": 20_000,
    }


class KafkaLog:
    """A `Log` over confluent-kafka. `request_seconds` bounds each question to the broker."""

    def __init__(
        self,
        client_config: Mapping[str, Any],
        group_id: str,
        topics: Sequence[str],
        session_timeout_seconds: float,
        request_seconds: float = 15.0,
    ) -> None:
        self._group_id = group_id
        self._topics = list(topics)
        self._request_seconds = request_seconds
        options = {**client_config, **consumer_options(group_id, session_timeout_seconds)}
        self._consumer = Consumer(options, logger=logger)
        self._owner: Owner | None = None
        self._is_closed = False

    def subscribe(self, owner: Owner) -> None:
        """Join the group at the next poll."""
        self._owner = owner
        self._consumer.subscribe(
            self._topics, on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_lost
        )

    def poll(self, records_max: int, wait_seconds: float) -> Polled:
        """What has been fetched; waits for the first record only."""
        first = self._consumer.poll(wait_seconds)
        if first is None:
            return Polled((), {})
        messages = [first, *self._consumer.consume(records_max - 1, 0)]
        records: list[Message] = []
        ends: dict[Partition, int] = {}
        for message in messages:
            error = message.error()
            if error is None:
                records.append(message)
            elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001
                ends[_partition(message)] = message.offset() or 0
            elif error.code() == KafkaError._AUTO_OFFSET_RESET:  # noqa: SLF001
                self._find_start(_partition(message))
            elif error.code() in _HOPELESS:
                raise SinkProblem(f"Kafka refuses: {error.str()}", "Check the rights of the sink's Kafka user")
            else:
                logger.warning("Kafka reports", extra={"error": error.str(), "topic": message.topic()})
        return Polled(records, ends)

    def commit(self, commits: Sequence[Commit]) -> frozenset[Partition]:
        """One synchronous request for all of them."""
        # Without a member id a commit is taken for one from outside the group, which the broker accepts when the
        # group is empty: it would not fence.
        if not self._consumer.memberid():
            return frozenset()
        offsets = [
            TopicPartition(commit.partition.topic, commit.partition.number, commit.offset, commit.metadata)
            for commit in commits
        ]
        try:
            answers = self._consumer.commit(offsets=offsets, asynchronous=False)
        except KafkaException as error:
            _check_size(error.args[0], commits)
            logger.warning("a commit was not accepted", extra={"error": str(error), "group": self._group_id})
            return frozenset()
        refused = [answer.error for answer in answers if answer.error is not None]
        for refusal in refused:
            _check_size(refusal, commits)
        if refused:
            logger.warning("commits were refused", extra={"error": str(refused[0]), "partitions": len(refused)})
        return frozenset(Partition(answer.topic, answer.partition) for answer in answers if answer.error is None)

    def committed(self, partitions: Collection[Partition]) -> Mapping[Partition, Committed]:
        """One question; a broker that does not answer is asked again by the caller."""
        places = [TopicPartition(*partition) for partition in partitions]
        try:
            answers = self._consumer.committed(places, timeout=self._request_seconds)
        except KafkaException as error:
            raise Unavailable(f"the offsets of group {self._group_id} cannot be read: {error}") from error
        return _found(answers)

    def pause(self, partitions: Collection[Partition]) -> None:
        """What lies in the client's queue of these is dropped and fetched again later."""
        self._consumer.pause([TopicPartition(*partition) for partition in partitions])

    def resume(self, partitions: Collection[Partition]) -> None:
        """Fetch again, from behind the last record delivered."""
        self._consumer.resume([TopicPartition(*partition) for partition in partitions])

    def lag(self, partition: Partition, offset: int) -> int | None:
        """By the end that the last fetch reported."""
        low, high = self._consumer.get_watermark_offsets(TopicPartition(*partition), cached=True)
        return max(0, high - max(low, offset)) if high >= 0 else None

    def close(self) -> None:
        """Revoke what is owned and leave the group."""
        if not self._is_closed:
            self._is_closed = True
            self._consumer.close()

    def _on_assign(self, consumer: Consumer, assigned: list[TopicPartition]) -> None:
        committed = self._all_committed(assigned)
        starts = [
            TopicPartition(topic, number, OFFSET_BEGINNING if found.offset is None else found.offset)
            for (topic, number), found in committed.items()
        ]
        if self._owner is not None:
            self._owner.assigned(committed)
        consumer.incremental_assign(starts)

    def _on_revoke(self, consumer: Consumer, revoked: list[TopicPartition]) -> None:
        if self._owner is not None and revoked:
            self._owner.revoked([Partition(place.topic, place.partition) for place in revoked])
        consumer.incremental_unassign(revoked)

    def _on_lost(self, consumer: Consumer, lost: list[TopicPartition]) -> None:
        logger.warning("partitions were lost: the broker did not hear of this process in time")
        if self._owner is not None and lost:
            self._owner.lost([Partition(place.topic, place.partition) for place in lost])
        consumer.incremental_unassign(lost)

    def _all_committed(self, assigned: list[TopicPartition]) -> Mapping[Partition, Committed]:
        """The group's commits, asked for until the broker answers: without them nothing may be read."""
        deadline = time.monotonic() + 4 * self._request_seconds
        if not assigned:
            return {}
        partitions = [Partition(place.topic, place.partition) for place in assigned]
        while True:
            try:
                return self.committed(partitions)
            except Unavailable as error:
                if time.monotonic() > deadline:
                    raise SinkProblem(str(error), "Check that the broker is up and start the sink again") from error

    def _find_start(self, partition: Partition) -> None:
        """The next record to read is not there. Gone by retention: count the loss and go on. Never written: stop."""
        place = TopicPartition(*partition)
        low, high = watermarks(self._consumer, place, self._request_seconds)
        answers = self._consumer.committed([place], timeout=self._request_seconds)
        committed = answers[0].offset
        if committed > high:
            raise SinkProblem(
                f"group {self._group_id} has committed offset {committed} of {partition.topic}/{partition.number}, "
                f"which ends at {high}: the topic was deleted and made again",
                "Give the sink a new group and an empty database: sink.group_id, clickhouse.database",
            )
        metrics.EXPIRED.labels(partition.topic).inc(max(0, low - committed))
        logger.error(
            "records were deleted by Kafka's retention before the sink read them",
            extra={"partition": partition, "first_missing": committed, "first_left": low},
        )
        self._consumer.incremental_unassign([place])
        self._consumer.incremental_assign([TopicPartition(partition.topic, partition.number, low)])


def _partition(message: Message) -> Partition:
    return Partition(message.topic() or "", -1 if message.partition() is None else int(message.partition() or 0))


def _check_size(error: KafkaError, commits: Sequence[Commit]) -> None:
    """Raise SinkProblem for what repetition does not mend."""
    if error.code() == KafkaError.OFFSET_METADATA_TOO_LARGE:
        raise SinkProblem(
            f"Kafka refuses {max(len(commit.metadata) for commit in commits)} bytes of metadata beside an offset",
            f"Set offset.metadata.max.bytes of the brokers to {METADATA_BYTES_MAX} or more; their default is 4096",
        )


def _found(answers: list[TopicPartition]) -> dict[Partition, Committed]:
    """Raises Unavailable when the broker could not say it of one."""
    for answer in answers:
        if answer.error is not None:
            raise Unavailable(f"the offset of {answer.topic}/{answer.partition} cannot be read: {answer.error}")
    return {
        Partition(answer.topic, answer.partition): Committed(
            answer.offset if answer.offset >= 0 else None, answer.metadata or ""
        )
        for answer in answers
    }
