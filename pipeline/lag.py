"""How far each partition is: applied position, end of the log, clock and counters.

Workers commit their progress to the consumer group about every second, the whole record as the offset's metadata; so
one request answers for all partitions. The truth stands in the state topic; ``exact`` reads it there, which takes as
long as a restore.
"""

import logging
from collections.abc import Mapping
from typing import Any, Self

import msgspec
from confluent_kafka import Consumer, KafkaException, TopicPartition

from pipeline.errors import Problem
from pipeline.ports import Unavailable
from pipeline.progress import PROGRESS_KEY, Progress, decode_progress
from pipeline.state_topic import LogRange, read_state
from topics.watermarks import watermarks

logger = logging.getLogger(__name__)

ANSWER_SECONDS_MAX = 15.0
READ_SECONDS_MAX = 600.0


class PartitionLag(msgspec.Struct, frozen=True, kw_only=True):
    """One partition. ``lag`` counts offsets between position and end; None while nothing was ever applied."""

    partition: int
    position: int | None
    end: int
    lag: int | None
    progress: Progress | None


class GroupReader:
    """Reads what a group has committed and where the log ends, without joining the group. Not thread-safe.

    A consumer, and not an admin client: librdkafka's admin client ends the whole process (a null group in
    ``rd_kafka_cgrp_op``, up to 2.16) when it asks for a group's offsets just when the coordinator moves, as it does
    while a broker comes back; and it goes on asking for the ends of a restarted broker's log in vain.
    """

    def __init__(self, client_config: Mapping[str, Any], group_id: str) -> None:
        self._consumer = Consumer(
            {
                **client_config,
                "group.id": group_id,
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
            },
            logger=logger,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close()

    def lag(self, topic: str, partitions: int) -> list[PartitionLag]:
        """What the group knows of every partition. Raises ``Problem`` when the broker does not answer."""
        places = [TopicPartition(topic, partition) for partition in range(partitions)]
        try:
            found = self._consumer.committed(places, timeout=ANSWER_SECONDS_MAX)
        except KafkaException as error:
            words = error.args[0].str()
            raise Problem(f"the broker does not tell positions: {words}", "Look at kafka.bootstrap_servers") from error
        ends = self.ends(topic, partitions)
        known = {place.partition: place for place in found}
        lags = []
        for partition in range(partitions):
            place = known.get(partition)
            position = place.offset if place is not None and place.offset >= 0 else None
            lags.append(
                PartitionLag(
                    partition=partition,
                    position=position,
                    end=ends[partition],
                    lag=None if position is None else max(0, ends[partition] - position),
                    progress=_progress(place.metadata if place is not None else None),
                )
            )
        return lags

    def ends(self, topic: str, partitions: int) -> list[int]:
        """One past the last committed record of each partition. Raises ``Problem``."""
        return [self._end(TopicPartition(topic, partition)) for partition in range(partitions)]

    def _end(self, place: TopicPartition) -> int:
        try:
            return watermarks(self._consumer, place, ANSWER_SECONDS_MAX)[1]
        except KafkaException as error:
            raise _no_ends(place.topic, error.args[0].str()) from error


def read_exact_lag(
    client_config: Mapping[str, Any], topic: str, state_topic: str, partitions: int
) -> list[PartitionLag]:
    """What the state topic says. ``end`` counts control records behind the last event, so an idle lag may be above 0.

    Raises ``Problem`` when the broker does not answer.
    """
    log_range = LogRange(client_config)
    lags = []
    for partition in range(partitions):
        progress = read_progress(client_config, state_topic, partition)
        position = None if progress is None else progress.position
        try:
            _, end = log_range.of(TopicPartition(topic, partition))
        except Unavailable as error:
            raise Problem(f"the end of the log is not known: {error}", "Look at the broker") from error
        lags.append(
            PartitionLag(
                partition=partition,
                position=position,
                end=end,
                lag=None if position is None else max(0, end - position),
                progress=progress,
            )
        )
    return lags


def read_progress(client_config: Mapping[str, Any], state_topic: str, partition: int) -> Progress | None:
    """The last progress record of a partition, None when there is none. Raises ``Problem``."""
    found: bytes | None = None
    try:
        place = TopicPartition(state_topic, partition)
        for key, value in read_state(client_config, LogRange(client_config), place, READ_SECONDS_MAX):
            if key == PROGRESS_KEY:
                found = value
    except Unavailable as error:
        raise Problem(f"the state cannot be read: {error}", "Look at the broker") from error
    return None if found is None else decode_progress(found)


def _no_ends(topic: str, words: str) -> Problem:
    return Problem(
        f"the ends of {topic} cannot be read: {words}",
        "Look at kafka.bootstrap_servers; run `arrears topics apply` if the topic is missing",
    )


def _progress(metadata: str | None) -> Progress | None:
    """The worker's note, None when there is none or somebody else wrote it."""
    if not metadata:
        return None
    try:
        return decode_progress(metadata.encode())
    except msgspec.DecodeError:
        return None
