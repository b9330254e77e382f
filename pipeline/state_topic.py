"""Reading the state topic to its end, and what the errors of librdkafka mean to the runtime."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NoReturn

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

from pipeline.errors import Problem
from pipeline.ports import Fenced, TransactionFailed, Unavailable
from topics.watermarks import watermarks

logger = logging.getLogger(__name__)

RECORDS_AT_ONCE = 10_000
SLICE_SECONDS = 1.0
RANGE_SECONDS_MAX = 10.0

FENCING_CODES = frozenset(
    {
        KafkaError._FENCED,  # noqa: SLF001  the binding's public constants begin with an underscore
        KafkaError.PRODUCER_FENCED,
        KafkaError.INVALID_PRODUCER_EPOCH,
        KafkaError.TRANSACTION_COORDINATOR_FENCED,
    }
)
# What no waiting repairs.
CONFIGURATION_CODES = frozenset(
    {
        KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError._UNKNOWN_TOPIC,  # noqa: SLF001
        KafkaError._UNKNOWN_PARTITION,  # noqa: SLF001
        KafkaError.INVALID_TRANSACTION_TIMEOUT,
    }
)


class LogRange:
    """First and last offsets of partitions, uncommitted records included.

    An admin client answers this, too, but goes on asking with the leader epoch it once learned, and a broker that was
    restarted refuses that for minutes. One consumer, one question at a time; any thread may ask.
    """

    def __init__(self, client_config: Mapping[str, Any]) -> None:
        self._lock = threading.Lock()
        self._consumer = Consumer(
            {
                **client_config,
                "group.id": "arrears-offsets",  # never joined; librdkafka asks for one
                "isolation.level": "read_uncommitted",
                "enable.auto.commit": False,
            },
            logger=logger,
        )

    def of(self, place: TopicPartition) -> tuple[int, int]:
        """The oldest offset held and the one behind the last. Raises ``Unavailable`` or ``Problem``."""
        try:
            with self._lock:
                return watermarks(self._consumer, place, RANGE_SECONDS_MAX)
        except KafkaException as exception:
            error: KafkaError = exception.args[0]
            if error.code() in CONFIGURATION_CODES:
                translate(error, f"{place.topic} cannot be read")
            raise Unavailable(f"the offsets of {place.topic}/{place.partition}: {error.str()}") from exception


def read_state(
    client_config: Mapping[str, Any],
    log_range: LogRange,
    place: TopicPartition,
    timeout_seconds: float,
    cancelled: Callable[[], bool] = lambda: False,
) -> Iterator[tuple[bytes, bytes | None]]:
    """All committed records of one partition of the state topic, oldest first, up to the end it has now.

    "The end" is the partition's high watermark. Where a read_committed consumer reports the end is not enough: the
    open transaction of anybody else on this topic would hide our own last commits behind it, and a worker that
    started from there would apply events twice. Raises ``Unavailable`` when the end is not reached in time.
    """
    _, end = log_range.of(place)
    if end == 0:
        return
    consumer = Consumer(
        {
            **client_config,
            "group.id": f"{place.topic}-restore",  # never committed to; librdkafka asks for one
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "enable.partition.eof": True,
            "fetch.wait.max.ms": 50,
            "queued.max.messages.kbytes": 32_768,
        },
        logger=logger,
    )
    try:
        consumer.assign([TopicPartition(place.topic, place.partition, OFFSET_BEGINNING)])
        yield from _read_until(consumer, place, end, time.monotonic() + timeout_seconds, cancelled)
    finally:
        consumer.close()


def _read_until(
    consumer: Consumer, place: TopicPartition, end: int, deadline: float, cancelled: Callable[[], bool]
) -> Iterator[tuple[bytes, bytes | None]]:
    position = 0
    while position < end:
        if cancelled() or time.monotonic() > deadline:
            raise Unavailable(f"{place.topic}/{place.partition} was read up to {position} of {end}")
        # Wait for one, then take what is there: consume() alone would wait for its full number.
        first = consumer.poll(SLICE_SECONDS)
        if first is None:
            continue
        for message in (first, *consumer.consume(RECORDS_AT_ONCE, 0)):
            error = message.error()
            if error is None:
                position = (message.offset() or 0) + 1
                yield message.key() or b"", message.value()
            elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001
                # Counts the commit markers behind the last record, which no record shows.
                position = max(position, message.offset() or 0)
            elif error.code() in CONFIGURATION_CODES or error.fatal():
                translate(error, "the state cannot be read")
            else:
                logger.warning("restore of %s/%s: %s", place.topic, place.partition, error.str())


def translate(error: KafkaError, what: str) -> NoReturn:
    """Raise what the runtime understands for an error of librdkafka that waiting does not repair."""
    if error.code() in FENCING_CODES:
        raise Fenced(error.str())
    if error.code() in CONFIGURATION_CODES:
        raise Problem(
            f"{what}: {error.str()}", "Run `arrears topics apply` and check the rights of the worker's Kafka user"
        )
    raise TransactionFailed(f"{what}: {error.name()}: {error.str()}")
