"""The partition log over Kafka: a transactional producer and, to restore, a consumer (DESIGN §3 steps 2, 5)."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NoReturn

from confluent_kafka import KafkaError, KafkaException, Producer, TopicPartition

from pipeline.ports import Headers, OutputTooLarge, Unavailable
from pipeline.state_topic import LogRange, read_state, translate
from topics import PRODUCER_OPTIONS, RECORD_BYTES_MAX

logger = logging.getLogger(__name__)

# One blocking call into librdkafka; between two of them a closing partition is noticed.
SLICE_SECONDS = 1.0
# librdkafka keeps at most so much of one partition's output in memory; produce() then waits (back-pressure).
QUEUE_RECORDS_MAX = 100_000
QUEUE_KIBIBYTES_MAX = 65_536
# Outputs wait so long for company, so that a transaction goes to the broker in few, large batches; its commit flushes
# at once, so that nobody waits for them (adr/0028).
LINGER_MILLISECONDS = 500
# Below the limit of the topics, so that a record that is too large is refused here, by itself, and not by the broker
# together with its whole batch.
OUTPUT_BYTES_MAX = RECORD_BYTES_MAX - 64 * 1024


class KafkaLog:
    """A ``PartitionLog`` over a broker.

    ``client_config`` are the options all clients share; ``transaction_timeout_seconds`` is how long the broker keeps
    the transaction of a silent worker open, ``commit_timeout_seconds`` and ``restore_timeout_seconds`` bound the
    waiting; after that ``Unavailable`` is raised.
    """

    def __init__(
        self,
        client_config: Mapping[str, Any],
        log_range: LogRange,
        transactional_id: str,
        state_topic: str,
        events_topic: str,
        partition: int,
        *,
        transaction_timeout_seconds: float,
        commit_timeout_seconds: float,
        restore_timeout_seconds: float,
    ) -> None:
        self._config = dict(client_config)
        self._log_range = log_range
        self._id = transactional_id
        self._state_topic = state_topic
        self._events_topic = events_topic
        self._partition = partition
        self._commit_timeout = commit_timeout_seconds
        self._restore_timeout = restore_timeout_seconds
        self._closing = False
        self._producer = Producer(
            self._config
            | {
                "transactional.id": transactional_id,
                "transaction.timeout.ms": int(transaction_timeout_seconds * 1000),
                **PRODUCER_OPTIONS,
                "linger.ms": LINGER_MILLISECONDS,
                "compression.type": "lz4",
                "message.max.bytes": OUTPUT_BYTES_MAX,
                "queue.buffering.max.messages": QUEUE_RECORDS_MAX,
                "queue.buffering.max.kbytes": QUEUE_KIBIBYTES_MAX,
                "delivery.report.only.error": True,
            },
            logger=logger,
        )

    def fence(self) -> None:
        """``init_transactions``: fences former owners, aborts their open transaction, completes a committed one."""
        self._retry(self._producer.init_transactions, self._commit_timeout)

    def read_state(self) -> Iterator[tuple[bytes, bytes | None]]:
        """The state topic, read_committed, up to the end it has now."""
        return read_state(
            self._config,
            self._log_range,
            TopicPartition(self._state_topic, self._partition),
            self._restore_timeout,
            lambda: self._closing,
        )

    def first_offset(self) -> int:
        """The log start offset of the event partition."""
        first, _ = self._log_range.of(TopicPartition(self._events_topic, self._partition))
        return first

    def begin(self) -> None:
        """Open a transaction; nothing is sent yet."""
        try:
            self._producer.begin_transaction()
        except KafkaException as error:
            translate(error.args[0], "no transaction could be opened")

    def write(self, topic: str, partition: int, key: bytes | None, value: bytes | None, headers: Headers) -> None:
        """Queue one record; the client's own thread sends it."""
        while True:
            try:
                self._producer.produce(topic, value, key, partition, headers=[*headers])
            except BufferError:
                self._wait_for_room()
            except KafkaException as error:
                self._refuse(error.args[0], topic, key, value)
            else:
                return

    def write_state(self, records: Sequence[tuple[bytes, bytes | None]]) -> None:
        """Queue state records; they carry no headers, so that a whole list is handed over in one call."""
        pending: list[dict[str, Any]] = [{"key": key, "value": value} for key, value in records]
        while pending:
            self._producer.produce_batch(self._state_topic, pending, partition=self._partition)
            refused = [message for message in pending if "_error" in message]
            for message in refused:
                error = message.pop("_error")
                if error.code() != KafkaError._QUEUE_FULL:  # noqa: SLF001
                    self._refuse(error, self._state_topic, message["key"], message["value"])
            if refused:
                self._wait_for_room()
            pending = refused

    def commit(self) -> None:
        """Flush and commit; asked again until the broker answers or the time is up."""
        self._retry(self._producer.commit_transaction, self._commit_timeout)

    def abort(self) -> None:
        """Drop what is queued and tell the coordinator."""
        self._producer.purge(in_queue=True, in_flight=True, blocking=False)
        self._retry(self._producer.abort_transaction, self._commit_timeout)

    def close(self) -> None:
        """Let the client go without flushing; the next owner ends an open transaction by fencing."""
        self._closing = True
        try:
            self._producer.purge(in_queue=True, in_flight=True, blocking=False)
        except KafkaException as error:
            logger.debug("producer %s: %s", self._id, error)

    def _wait_for_room(self) -> None:
        if self._closing:
            raise Unavailable("the partition is being closed")
        self._producer.poll(0.05)

    def _refuse(self, error: KafkaError, topic: str, key: bytes | None, value: bytes | None) -> NoReturn:
        if error.code() == KafkaError.MSG_SIZE_TOO_LARGE:
            raise OutputTooLarge(topic, len(key or b"") + len(value or b""))
        translate(error, f"nothing can be written to {topic}")

    def _retry(self, call: Callable[[float], object], timeout_seconds: float) -> None:
        """Repeat a call that says it may be repeated, until it succeeds, fails or the time is up."""
        deadline = time.monotonic() + timeout_seconds
        while True:
            try:
                call(SLICE_SECONDS)
            except KafkaException as exception:
                error: KafkaError = exception.args[0]
                if not error.retriable() or error.txn_requires_abort() or error.fatal():
                    translate(error, str(error))
                if self._closing or time.monotonic() > deadline:
                    raise Unavailable(f"{self._id}: {error.str()}") from exception
            else:
                return
