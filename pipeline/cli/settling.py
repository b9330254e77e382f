"""Following the log and the workers' commits: when everything is applied, with what the jobs wrote for other accounts.

The group's notes tell it about every second; whoever waits more often follows the state topic itself.

A commit is not seen everywhere at once: the broker tells the worker that it is done, and then marks one partition of
the transaction after the other. What the state topic shows as handled may have led to records that nobody sees yet,
so ends are those of what is written, not of what is visible.
"""

import time
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, IsolationLevel, KafkaError, KafkaException, Message
from confluent_kafka import TopicPartition as Place
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._listoffsets import OffsetSpec

from pipeline.errors import Problem
from pipeline.progress import PROGRESS_KEY, decode_progress
from pipeline.settings import Settings
from topics import EVENTS, Topic, catalogue

ANSWER_SECONDS_MAX = 15.0
_WAIT_SECONDS = 0.01
_LOOK_AT_THE_BROKER = "Look at kafka.bootstrap_servers"


@dataclass
class Follower:
    """Reads a topic along with its writers, read_committed, from its beginning."""

    client_config: dict[str, Any]
    topic: Topic
    counts: dict[int, int] = field(default_factory=dict)
    ends: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._consumer = Consumer(
            {
                **self.client_config,
                "group.id": "arrears-settling",  # never joined; librdkafka asks for one
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "fetch.wait.max.ms": 20,
            }
        )
        self._consumer.assign(
            [Place(self.topic.name, number, OFFSET_BEGINNING) for number in range(self.topic.partitions)]
        )

    def read(self, wait_seconds: float) -> list[Message]:
        """What came since the last call. Raises ``Problem``."""
        first = self._consumer.poll(wait_seconds)
        found = [] if first is None else [first, *self._consumer.consume(10_000, 0)]
        return [message for message in found if self._count(message)]

    def close(self) -> None:
        """Let the connection go."""
        self._consumer.close()

    def _count(self, message: Message) -> bool:
        error = message.error()
        partition = message.partition() or 0
        # The end is reported behind the commit markers, which no record shows.
        end = (message.offset() or 0) + (error is None)
        if error is None:
            self.counts[partition] = self.counts.get(partition, 0) + 1
        elif error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001  librdkafka's name for it
            raise Problem(f"{self.topic.name} cannot be read: {error.str()}", _LOOK_AT_THE_BROKER)
        self.ends[partition] = max(self.ends.get(partition, 0), end)
        return error is None


class Settling:
    """Waits until the workers have handled every event of the log."""

    def __init__(self, settings: Settings) -> None:
        config = settings.kafka.client_config()
        self.topics = catalogue(settings.kafka.topic_prefix)
        self._admin = AdminClient(config)
        self._events = Follower(config, self.topics[EVENTS])
        self._state = Follower(config, self.topics["ar.state"])
        self._handled: dict[int, int] = {}

    @property
    def handled(self) -> int:
        """Events that the workers had handled when it was last looked."""
        return sum(self._handled.values())

    def wait(self, seconds_max: float) -> None:
        """Until every event is handled; what that led to is then in the topics. Raises ``Problem``."""
        deadline = time.monotonic() + seconds_max
        while True:
            self._follow()
            if self._handled == self._events.counts and self._has_read_all(deadline):
                return
            if time.monotonic() > deadline:
                left = sum(self._events.counts.values()) - self.handled
                raise Problem(f"{left:,} events are not applied after {seconds_max:.0f} s", "Look at the worker's log")

    def ends(self, places: list[tuple[str, int]]) -> dict[tuple[str, int], int]:
        """The first offset behind what is written, visible or not yet, by topic and partition. Raises ``Problem``."""
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
        try:
            futures = self._admin.list_offsets(
                {Place(topic, number): latest for topic, number in places},
                isolation_level=IsolationLevel.READ_UNCOMMITTED,
                request_timeout=ANSWER_SECONDS_MAX,
            )
            return {(place.topic, place.partition): int(future.result().offset) for place, future in futures.items()}
        except KafkaException as error:
            raise Problem(f"the ends of the topics are not known: {error}", _LOOK_AT_THE_BROKER) from error

    def take_state(self, message: Message) -> None:
        """Hear of a record of the state topic."""

    def close(self) -> None:
        """Let the connections go."""
        self._events.close()
        self._state.close()

    def _follow(self) -> None:
        """State first: what it says was handled is in the events that are read next."""
        for message in self._state.read(_WAIT_SECONDS):
            self.take_state(message)
            value = message.value()
            if message.key() == PROGRESS_KEY and value is not None:
                self._handled[message.partition() or 0] = decode_progress(value).events
        self._events.read(0)

    def _has_read_all(self, deadline: float) -> bool:
        """Whether the events, read to their end, still are as many as were handled: nothing came in between."""
        topic = self.topics[EVENTS]
        ends = self.ends([(topic.name, number) for number in range(topic.partitions)])
        while any(self._events.ends.get(number, 0) < end for (_, number), end in ends.items()):
            if time.monotonic() > deadline:
                raise Problem("the end of the events is not reached", _LOOK_AT_THE_BROKER)
            self._events.read(_WAIT_SECONDS)
        return self._handled == self._events.counts
