"""Records that cannot become rows, on their way to `ar.failed` (DESIGN §2: applied, rejected or failed, never silence).

A failure is written before its span is committed, and its bytes depend on the record alone: a replay writes the same
record again, and `failed_events` shows one per position and stage.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from confluent_kafka import KafkaException, Producer

from avro import Contracts
from sinks.errors import Unavailable
from sinks.positions import Record, position
from sinks.wrap import Failure
from topics import PRODUCER_OPTIONS, Topic

logger = logging.getLogger(__name__)

STAGE = "decode"
RECORD_NAME = "FailedEvent"
FLUSH_SECONDS = 30.0


class FailureLog(Protocol):
    """Where failures go."""

    def write(self, failures: Sequence[Failure]) -> None:
        """Returns when all of them are durable. Raises Unavailable; the caller then writes all of them again."""


class KafkaFailureLog:
    """`ar.failed` over Kafka: into the partition of the same number as the record's own."""

    def __init__(self, producer_config: Mapping[str, Any], contracts: Contracts, topic: Topic) -> None:
        self._contracts = contracts
        self._topic = topic
        options = {**producer_config, **PRODUCER_OPTIONS, "enable.idempotence": True, "linger.ms": 5}
        self._producer = Producer(options, logger=logger)

    def write(self, failures: Sequence[Failure]) -> None:
        """Produce and wait for the broker's acknowledgement of each."""
        errors: list[str] = []

        def delivered(error: object, _message: object) -> None:
            if error is not None:
                errors.append(str(error))

        for failure in failures:
            record = failed_event(failure)
            value = self._contracts.encode(RECORD_NAME, record)
            headers = [("event_type", RECORD_NAME.encode()), ("company", str(record["company"] or "").encode())]
            partition = (failure.record.partition() or 0) % self._topic.partitions
            try:
                self._producer.produce(
                    self._topic.name, value, failure.record.key(), partition, headers=[*headers], on_delivery=delivered
                )
            except (KafkaException, BufferError) as error:
                raise Unavailable(f"{self._topic.name} takes no records: {error}") from error
            self._producer.poll(0)
        left = self._producer.flush(FLUSH_SECONDS)
        if left or errors:
            raise Unavailable(f"{self._topic.name} did not confirm {left + len(errors)} records: {errors[:1]}")


def failed_event(failure: Failure) -> dict[str, object]:
    """The FailedEvent of a failure. `failed_at` is the record's own time, so that the bytes are the same every time."""
    record = failure.record
    headers = _headers(record)
    texts = {name: value.decode("utf-8", "replace") for name, value in headers}
    return {
        "topic": record.topic(),
        "partition": record.partition(),
        "offset": position(record),
        "stage": STAGE,
        "reason": failure.reason,
        "error": failure.error,
        "company": texts.get("company"),
        "event_type": texts.get("event_type"),
        "original_key": record.key(),
        "original_value": record.value(),
        "headers": [{"name": name, "value": value} for name, value in headers],
        "failed_at": record.timestamp()[1] * 1000,
    }


def _headers(record: Record) -> list[tuple[str, bytes]]:
    return [(name, value if isinstance(value, bytes) else b"") for name, value in record.headers() or ()]
