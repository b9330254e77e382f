"""When everything in the log is applied, with what the jobs wrote for other accounts meanwhile, and where that is."""

import time
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, IsolationLevel, KafkaError, Message, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._listoffsets import OffsetSpec

from pipeline.progress import PROGRESS_KEY, decode_progress
from pipeline.settings import Settings
from topics import EVENTS, catalogue

SETTLED_SECONDS_MAX = 60.0
_WAIT_SECONDS = 0.01


@dataclass(frozen=True)
class Cut:
    """A position of the whole log: for every topic and partition the first offset that lies behind it."""

    ends: dict[tuple[str, int], int]

    def has(self, topic: str, partition: int, offset: int) -> bool:
        """Whether a record lies before the cut."""
        return offset < self.ends[topic, partition]


@dataclass
class _Reader:
    """Reads a topic along with its writers, from its beginning."""

    client_config: dict[str, Any]
    topic: str
    partitions: int
    messages: list[Message] = field(default_factory=list)
    counts: dict[int, int] = field(default_factory=dict)
    ends: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._consumer = Consumer(
            {
                **self.client_config,
                "group.id": "settling",
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "fetch.wait.max.ms": 20,
            }
        )
        places = [TopicPartition(self.topic, number, OFFSET_BEGINNING) for number in range(self.partitions)]
        self._consumer.assign(places)

    def read(self, wait_seconds: float) -> list[Message]:
        """What came since the last call."""
        first = self._consumer.poll(wait_seconds)
        found = [] if first is None else [first, *self._consumer.consume(10_000, 0)]
        records = []
        for message in found:
            error = message.error()
            partition = message.partition() or 0
            if error is None:
                records.append(message)
                self.counts[partition] = self.counts.get(partition, 0) + 1
                self.ends[partition] = max(self.ends.get(partition, 0), (message.offset() or 0) + 1)
            else:
                assert error.code() == KafkaError._PARTITION_EOF, error
                # Behind the commit markers, which no record shows.
                self.ends[partition] = max(self.ends.get(partition, 0), message.offset() or 0)
        self.messages += records
        return records

    def close(self) -> None:
        self._consumer.close()


class Settling:
    """Follows the event topic and the state topic. Everything it has read of them stays at hand."""

    def __init__(self, settings: Settings) -> None:
        config = settings.kafka.client_config()
        self._topics = catalogue(settings.kafka.topic_prefix)
        self._admin = AdminClient(config)
        partitions = self._topics[EVENTS].partitions
        self._events = _Reader(config, self._topics[EVENTS].name, partitions)
        self._state = _Reader(config, self._topics["ar.state"].name, partitions)
        self._handled: dict[int, int] = {}

    def wait(self) -> None:
        """Until the workers have handled every event; what those led to is then in the topics."""
        deadline = time.monotonic() + SETTLED_SECONDS_MAX
        while True:
            self._follow(_WAIT_SECONDS)
            if self._handled == self._events.counts and self._has_read_all():
                # Counted after: nothing came in between.
                return
            assert time.monotonic() < deadline, f"handled {self._handled} of {self._events.counts}"

    def cut(self) -> Cut:
        """The position of the whole log as it is now."""
        names = [(topic.name, number) for topic in self._topics.values() for number in range(topic.partitions)]
        return Cut(self._ends(names))

    def records(self, topic: str) -> list[Message]:
        """All records of the event topic or the state topic that were read so far."""
        reader = {EVENTS: self._events, "ar.state": self._state}[topic]
        return reader.messages

    def close(self) -> None:
        """End the readers."""
        self._events.close()
        self._state.close()

    def _follow(self, wait_seconds: float) -> None:
        """State first: what it says was handled is in the events that are read next."""
        for message in self._state.read(wait_seconds):
            value = message.value()
            if message.key() == PROGRESS_KEY and value is not None:
                self._handled[message.partition() or 0] = decode_progress(value).events
        self._events.read(0)

    def _has_read_all(self) -> bool:
        """Whether the reader of the events stands at their end, and they still are as many as were handled."""
        name = self._topics[EVENTS].name
        ends = self._ends([(name, number) for number in range(self._topics[EVENTS].partitions)])
        deadline = time.monotonic() + SETTLED_SECONDS_MAX
        while any(self._events.ends.get(number, 0) < end for (_, number), end in ends.items()):
            assert time.monotonic() < deadline, "the end of the events is not reached"
            self._events.read(_WAIT_SECONDS)
        return self._handled == self._events.counts

    def _ends(self, names: list[tuple[str, int]]) -> dict[tuple[str, int], int]:
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
        asked = {TopicPartition(topic, number): latest for topic, number in names}
        futures = self._admin.list_offsets(asked, isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=15.0)
        return {(place.topic, place.partition): int(future.result().offset) for place, future in futures.items()}
