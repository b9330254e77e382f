"""The audit's topics over Kafka: publish, read everything, and how far the sink has stored the event log."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from avro import Contracts
from sinks.audit.book import Anchor
from sinks.audit.chain import Place
from sinks.audit.deletions import Deletion
from sinks.errors import SinkProblem
from topics import EVENTS, PRODUCER_OPTIONS, Topic

logger = logging.getLogger(__name__)

ANCHORS = "ar.audit"
DELETIONS = "ar.audit.deletions"
ANSWER_SECONDS = 30.0
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BATCH = 5_000


class KafkaAuditLog:
    """`client_config` are options of librdkafka, `catalogue` the topics by their catalogue name."""

    def __init__(self, client_config: Mapping[str, Any], catalogue: Mapping[str, Topic], contracts: Contracts) -> None:
        self._config = client_config
        self._catalogue = catalogue
        self._contracts = contracts
        self._producer: Producer | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._producer = None

    def publish(self, anchors: Sequence[Anchor]) -> None:
        """Anchors, acknowledged by all in-sync replicas. Raises SinkProblem."""
        records = [
            (
                f"{anchor.topic}|{anchor.partition}",
                "",
                {
                    "topic": anchor.topic,
                    "partition": anchor.partition,
                    "offset": anchor.offset,
                    "rows": anchor.rows,
                    "chain_hash": anchor.chain,
                    "appended_at": micros(anchor.appended_at),
                    "sealed_at": micros(anchor.sealed_at),
                },
            )
            for anchor in anchors
        ]
        self._produce(ANCHORS, "AuditAnchor", records)

    def delete(self, deletion: Deletion) -> None:
        """A deletion, likewise."""
        record = {
            **deletion._asdict(),
            "cutoff": None if deletion.cutoff is None else micros(deletion.cutoff),
            "done_at": micros(deletion.done_at),
        }
        self._produce(DELETIONS, "DataDeleted", [(deletion.company, deletion.company, record)])

    def anchors(self) -> Iterator[Anchor]:
        """Every anchor that was ever published, as it comes. Raises SinkProblem."""
        for record in self._read(ANCHORS):
            yield Anchor(
                str(record["topic"]),
                int(record["partition"]),
                int(record["offset"]),
                int(record["rows"]),
                bytes(record["chain_hash"]),
                instant(record["appended_at"]),
                instant(record["sealed_at"]),
            )

    def deletions(self) -> Iterator[Deletion]:
        """Every deletion that was ever published."""
        for record in self._read(DELETIONS):
            cutoff = record["cutoff"]
            yield Deletion(
                **{
                    **record,
                    "cutoff": None if cutoff is None else instant(cutoff),
                    "done_at": instant(record["done_at"]),
                }
            )

    def stored_ends(self, group_id: str) -> dict[Place, int]:
        """Up to where the sink has surely stored each partition of the event log: its committed offsets."""
        topic = self._catalogue[EVENTS]
        consumer = Consumer({**self._config, "group.id": group_id, "enable.auto.commit": False}, logger=logger)
        try:
            found = consumer.committed(
                [TopicPartition(topic.name, number) for number in range(topic.partitions)], ANSWER_SECONDS
            )
        except KafkaException as error:
            raise self._problem(error) from error
        finally:
            consumer.close()
        return {Place(place.topic, place.partition): max(place.offset, 0) for place in found}

    def _produce(self, topic: str, name: str, records: Sequence[tuple[str, str, Mapping[str, object]]]) -> None:
        if self._producer is None:
            self._producer = Producer({**self._config, **PRODUCER_OPTIONS, "enable.idempotence": True}, logger=logger)
        errors: list[str] = []

        def delivered(error: object, _message: object) -> None:
            if error is not None:
                errors.append(str(error))

        try:
            for key, company, record in records:
                self._producer.produce(
                    self._catalogue[topic].name,
                    self._contracts.encode(name, record),
                    key.encode(),
                    headers=[("event_type", name.encode()), ("company", company.encode())],
                    on_delivery=delivered,
                )
                self._producer.poll(0)
            left = self._producer.flush(ANSWER_SECONDS)
        except KafkaException as error:
            raise self._problem(error) from error
        if left or errors:
            raise SinkProblem(
                f"the broker did not take {left or len(errors)} records of {self._catalogue[topic].name}: "
                f"{errors[0] if errors else 'no answer'}",
                "Nothing is lost: look at the broker, then say it again",
            )

    def _read(self, topic: str) -> Iterator[dict[str, Any]]:
        name = self._catalogue[topic].name
        consumer = Consumer(
            {
                **self._config,
                "group.id": "arrears-audit-reader",  # never joined; librdkafka asks for one
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
            },
            logger=logger,
        )
        try:
            left = set(range(self._catalogue[topic].partitions))
            consumer.assign([TopicPartition(name, number, OFFSET_BEGINNING) for number in left])
            while left:
                # consume() alone would wait until it has its full number, or its time is up.
                first = consumer.poll(ANSWER_SECONDS)
                if first is None:
                    raise SinkProblem(f"nothing comes from topic {name}", "Is the broker there? `arrears doctor` looks")
                for message in (first, *consumer.consume(_BATCH, 0)):
                    if _is_end(message):
                        left.discard(int(message.partition() or 0))
                    else:
                        yield self._contracts.decode(message.value() or b"")[1]
        except KafkaException as error:
            raise self._problem(error) from error
        finally:
            consumer.close()

    def _problem(self, error: KafkaException) -> SinkProblem:
        return SinkProblem(
            f"the broker at {self._config.get('bootstrap.servers')} refuses: {error.args[0].str()}",
            "Are the topics there? `arrears topics apply` makes them",
        )


def _is_end(message: Message) -> bool:
    """Whether it only tells that a partition has no more. Raises KafkaException for any other error."""
    error = message.error()
    if error is not None and error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001  librdkafka's name for it
        raise KafkaException(error)
    return error is not None


def micros(moment: datetime) -> int:
    """Microseconds since 1970; a moment without time zone is UTC, as ClickHouse's client gives them."""
    aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return (aware - _EPOCH) // timedelta(microseconds=1)


def instant(value: object) -> datetime:
    """The same, back."""
    return _EPOCH + timedelta(microseconds=int(str(value)))
