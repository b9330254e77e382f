"""How far each partition is: applied position, end of the log, clock and counters.

Workers commit their progress to the consumer group about every second, the whole record as the offset's metadata; so
one request answers for all partitions. The truth stands in the state topic; ``exact`` reads it there, which takes as
long as a restore.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from confluent_kafka import ConsumerGroupTopicPartitions, IsolationLevel, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._listoffsets import OffsetSpec

from pipeline.errors import Problem
from pipeline.ports import Unavailable
from pipeline.progress import PROGRESS_KEY, Progress, decode_progress
from pipeline.state_topic import LogRange, read_state

ANSWER_SECONDS_MAX = 15.0
READ_SECONDS_MAX = 600.0


class PartitionLag(msgspec.Struct, frozen=True, kw_only=True):
    """One partition. ``lag`` counts offsets between position and end; None while nothing was ever applied."""

    partition: int
    position: int | None
    end: int
    lag: int | None
    progress: Progress | None


def read_lag(admin: AdminClient, group_id: str, topic: str, partitions: int) -> list[PartitionLag]:
    """What the group knows. Raises ``Problem`` when the broker does not answer."""
    places = [TopicPartition(topic, partition) for partition in range(partitions)]
    request = ConsumerGroupTopicPartitions(group_id, places)
    try:
        found = admin.list_consumer_group_offsets([request], request_timeout=ANSWER_SECONDS_MAX)[group_id].result(
            # The client gives up first: an admin client that goes away with a question open takes the process along.
            ANSWER_SECONDS_MAX + 5.0
        )
        ends = read_ends(admin, topic, partitions)
    except (KafkaException, TimeoutError) as error:
        words = error.args[0].str() if isinstance(error, KafkaException) else "no answer in time"
        raise Problem(f"the broker does not tell positions: {words}", "Look at kafka.bootstrap_servers") from error
    known = {place.partition: place for place in found.topic_partitions or ()}
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


def read_ends(admin: AdminClient, topic: str, partitions: int) -> list[int]:
    """One past the last committed record of each partition. Raises ``Problem``."""
    places = [TopicPartition(topic, partition) for partition in range(partitions)]
    latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
    try:
        futures = admin.list_offsets(
            dict.fromkeys(places, latest),
            isolation_level=IsolationLevel.READ_COMMITTED,
            request_timeout=ANSWER_SECONDS_MAX,
        )
        return [int(futures[place].result().offset) for place in places]
    except KafkaException as error:
        raise Problem(
            f"the ends of {topic} cannot be read: {error.args[0].str()}",
            "Look at kafka.bootstrap_servers; run `arrears topics apply` if the topic is missing",
        ) from error


def _progress(metadata: str | None) -> Progress | None:
    """The worker's note, None when there is none or somebody else wrote it."""
    if not metadata:
        return None
    try:
        return decode_progress(metadata.encode())
    except msgspec.DecodeError:
        return None
