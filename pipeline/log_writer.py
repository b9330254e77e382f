"""Events and the clock into the event topic, in order: what is written first lies first in every partition.

One idempotent producer keeps the order of each partition by itself, so nothing waits for an acknowledgement before the
next record; ``flush`` waits for all of them.
"""

from collections.abc import Mapping
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from avro import contracts
from pipeline.clock import TICK_HEADERS, tick_record
from pipeline.errors import Problem
from topics import PRODUCER_OPTIONS, Topic, partition_key

FLUSH_SECONDS_MAX = 60.0
_WAIT_SECONDS = 0.1
_FULL = "the broker does not take the events"


class LogWriter:
    """Writes into one event topic. ``count`` = records so far. ``client_config`` are options of librdkafka."""

    def __init__(self, client_config: Mapping[str, Any], topic: Topic) -> None:
        self.count = 0
        self._topic = topic
        self._encode_tick = contracts().encoder("ClockTicked")
        self._failure: KafkaError | None = None
        self._producer = Producer(
            {
                **client_config,
                **PRODUCER_OPTIONS,
                "enable.idempotence": True,
                "linger.ms": 5,
                "compression.type": "lz4",
                "queue.buffering.max.messages": 1_000_000,
                "delivery.report.only.error": True,
                "on_delivery": self._told,
                "log_level": 0,
            }
        )

    def write(self, name: str, company: str, account_id: str | None, value: bytes) -> None:
        """Append an event of an account, waiting while the queue to the broker is full."""
        headers: list[tuple[str, str | bytes | None]] = [("event_type", name.encode()), ("company", company.encode())]
        self._produce(value, partition_key(company, account_id), -1, headers)

    def write_everywhere(self, name: str, company: str, value: bytes) -> None:
        """Append to every partition what concerns no account."""
        headers: list[tuple[str, str | bytes | None]] = [("event_type", name.encode()), ("company", company.encode())]
        for partition in range(self._topic.partitions):
            self._produce(value, None, partition, headers)

    def tick(self, at_micros: int) -> None:
        """Append the time to every partition."""
        value = self._encode_tick(tick_record(at_micros))
        for partition in range(self._topic.partitions):
            self._produce(value, None, partition, [*TICK_HEADERS])

    def flush(self) -> None:
        """Wait until the broker has everything. Raises ``Problem`` when it does not take it."""
        if left := self._producer.flush(FLUSH_SECONDS_MAX):
            raise Problem(f"{_FULL}: {left:,} wait after {FLUSH_SECONDS_MAX:.0f} s", "Look at the broker")
        self._check()

    def _produce(
        self, value: bytes, key: bytes | None, partition: int, headers: list[tuple[str, str | bytes | None]]
    ) -> None:
        while True:
            try:
                self._producer.produce(self._topic.name, value, key, partition, headers=headers)
            except BufferError:
                self._producer.poll(_WAIT_SECONDS)
                self._check()
            except KafkaException as error:
                raise Problem(f"{_FULL}: {error.args[0].str()}", "Look at the broker") from error
            else:
                break
        self.count += 1

    def _check(self) -> None:
        if self._failure is not None:
            raise Problem(f"{_FULL}: {self._failure.str()}", "Look at the broker")

    def _told(self, error: KafkaError | None, _: Message) -> None:
        self._failure = self._failure or error
