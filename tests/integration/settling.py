"""Positions of the whole log, taken when everything is applied."""

from dataclasses import dataclass

from confluent_kafka import Message

from pipeline.cli.settling import Settling
from pipeline.settings import Settings

SETTLED_SECONDS_MAX = 60.0


@dataclass(frozen=True)
class Cut:
    """A position of the whole log: for every topic and partition the first offset that lies behind it."""

    ends: dict[tuple[str, int], int]

    def has(self, topic: str, partition: int, offset: int) -> bool:
        """Whether a record lies before the cut."""
        return offset < self.ends[topic, partition]


class Cutting(Settling):
    """Waits until everything is applied, tells where that is, and keeps the records of the state topic at hand."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.state_records: list[Message] = []

    def take_state(self, message: Message) -> None:
        """Keep it."""
        self.state_records.append(message)

    def settle(self) -> None:
        """Wait until everything in the log is applied."""
        self.wait(SETTLED_SECONDS_MAX)

    def cut(self) -> Cut:
        """The position of the whole log as it is now."""
        return Cut(
            self.ends([(topic.name, number) for topic in self.topics.values() for number in range(topic.partitions)])
        )
