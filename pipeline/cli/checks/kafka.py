"""Checks of the broker: reachable, recent enough, transactions, topics as the catalogue, keys where they belong."""

import time
from collections.abc import Iterator
from typing import Any, cast

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource  # type: ignore[attr-defined]

from avro import contracts
from avro.errors import ContractError
from pipeline.cli.checks.finding import Check, Finding, Status
from pipeline.errors import Problem
from pipeline.settings import Settings
from pipeline.startup import admin_client, broker_problem
from sinks.intent import METADATA_BYTES_MAX
from topics import EVENTS, Change, Topic, catalogue, partition_of, plan
from topics.watermarks import watermarks

ANSWER_SECONDS = 5.0
VERSION_MIN = (2, 5)
# Records at the end of each partition of the event log that are looked at.
SAMPLE_RECORDS = 20
SAMPLE_SECONDS_MAX = 5.0
SKEW_SECONDS_MAX = 5.0
# They go into every partition, whatever their key.
EVERYWHERE = frozenset({b"ClockTicked", b"CompanyConfigured"})


def look_at_broker(settings: Settings) -> Iterator[Finding]:
    """The broker answers."""
    metadata = _list_topics(settings)
    yield Finding("broker", "ok", f"{len(metadata.brokers)} at {settings.kafka.bootstrap_servers}")
    if len(metadata.brokers) < settings.kafka.replication_factor:
        raise Problem(
            f"{len(metadata.brokers)} brokers cannot keep {settings.kafka.replication_factor} copies of a topic",
            "Set kafka.replication_factor to what the cluster has",
        )


def look_at_version(settings: Settings) -> Iterator[Finding]:
    """The broker is of a release whose transactions fence former owners."""
    admin = admin_client(settings.kafka.client_config())
    broker = str(next(iter(_list_topics(settings).brokers)))
    try:
        found = _describe(admin, [ConfigResource("broker", broker)])[broker]
    except KafkaException as error:
        words = f"the broker does not tell its version: {error.args[0].str()}"
        yield Finding("broker version", "warning", words, "See to it that it is 2.5 or newer")
        return
    protocol = found.get("inter.broker.protocol.version", "")
    if not protocol:  # gone since Kafka 4
        yield Finding("broker version", "ok", "4.0 or newer")
        return
    version = tuple(int(part) for part in protocol.partition("-")[0].split(".")[:2])
    if version < VERSION_MIN:
        raise Problem(f"the broker speaks protocol {protocol}", "Use Kafka 2.5 or newer")
    yield Finding("broker version", "ok", f"protocol {protocol}")


def look_at_commit_metadata(settings: Settings) -> Iterator[Finding]:
    """Beside an offset the broker keeps as much as the sink writes there: which partitions an insert is made of."""
    broker = str(next(iter(_list_topics(settings).brokers)))
    admin = admin_client(settings.kafka.client_config())
    try:
        limit = _describe(admin, [ConfigResource("broker", broker)])[broker]["offset.metadata.max.bytes"]
    except (KafkaException, KeyError):
        words = "the broker does not tell its limit"
        yield Finding("commit metadata", "warning", words, f"See to it that it is {METADATA_BYTES_MAX} bytes or more")
        return
    if int(limit) < METADATA_BYTES_MAX:
        raise Problem(
            f"the broker keeps {limit} bytes beside an offset, and the sink may write {METADATA_BYTES_MAX}",
            "Set offset.metadata.max.bytes of the brokers to 4096, their default",
        )
    yield Finding("commit metadata", "ok", f"{limit} bytes beside an offset")


def look_at_transactions(settings: Settings) -> Iterator[Finding]:
    """A transaction can be begun and ended."""
    name = f"{settings.kafka.topic_prefix}{settings.worker.application_id}-doctor"
    options = {**settings.kafka.producer_config(), "transactional.id": name}
    try:
        producer = Producer(options)
        producer.init_transactions(ANSWER_SECONDS * 2)
        producer.begin_transaction()
        producer.abort_transaction(ANSWER_SECONDS)
    except KafkaException as error:
        raise Problem(
            f"transactions do not work: {error.args[0].str()}",
            f"Allow transactional ids that begin with {settings.kafka.topic_prefix}{settings.worker.application_id}-",
        ) from error
    yield Finding("transactions", "ok", "begun and ended one")


def look_at_topics(settings: Settings) -> Iterator[Finding]:
    """Every topic of the catalogue is there, cut and kept as the catalogue says."""
    topics = catalogue(settings.kafka.topic_prefix)
    planned = plan(admin_client(settings.kafka.client_config()), topics)
    if missing := [change.topic for change in planned.to_do if change.action == "create"]:
        raise Problem(f"{len(missing)} topics are missing: {', '.join(missing)}", "Run `arrears topics apply`")
    if planned.to_do:
        raise Problem("; ".join(map(_in_words, planned.to_do)), "Run `arrears topics apply`")
    for change in planned.left:
        # Keys lie where the number of partitions puts them: nothing else about a topic can break a guarantee.
        status: Status = "failed" if change.setting == "partitions" else "warning"
        yield Finding("topics", status, _in_words(change), change.reason)
    yield Finding("topics", "ok", f"{planned.unchanged} of {len(topics)} are as the catalogue says")


def look_at_keys(settings: Settings) -> Iterator[Finding]:
    """The latest events lie in the partition that their key gives: all producers use Java's partitioner (DESIGN §2)."""
    topic = catalogue(settings.kafka.topic_prefix)[EVENTS]
    sample = [message for message in _sample(settings, topic) if _event_type(message) not in EVERYWHERE]
    for message in sample:
        expected = partition_of(message.key() or b"", topic.partitions)
        if message.partition() != expected:
            raise Problem(
                f"the event {message.partition()}@{message.offset()} of {topic.name} belongs into partition {expected}",
                "Set the partitioner of its producer to murmur2_random, or to Java's default",
            )
    if sample:
        yield Finding("partitioner", "ok", f"the latest {len(sample)} events are where their keys belong")
    else:
        yield Finding("partitioner", "skipped", "there are no events yet")


def look_at_clock(settings: Settings) -> Iterator[Finding]:
    """The clocks of workers and broker agree: retention counts by the broker's, deadlines by the workers'."""
    topic = catalogue(settings.kafka.topic_prefix)[EVENTS]
    ticks = [message for message in _sample(settings, topic) if _event_type(message) == b"ClockTicked"]
    ages = [age for message in ticks if (age := _skew_seconds(message)) is not None]
    if not ages or settings.clock.mode == "external":
        yield Finding("clock", "skipped", "no tick of a live clock to compare with")
        return
    # What lies between is the way to the broker, too: the shortest way says most.
    skew = min(ages, key=abs)
    if abs(skew) > SKEW_SECONDS_MAX:
        raise Problem(
            f"the clocks of the workers and the broker differ by {skew:.1f} s", "Let all machines keep time by NTP"
        )
    yield Finding("clock", "ok", f"workers and broker differ by {abs(skew):.2f} s at most")


def _list_topics(settings: Settings) -> Any:  # noqa: ANN401  ClusterMetadata has no types
    try:
        return admin_client(settings.kafka.client_config()).list_topics(timeout=ANSWER_SECONDS)
    except KafkaException as error:
        raise broker_problem(settings.kafka.client_config(), error) from error


def _describe(admin: AdminClient, resources: list[ConfigResource]) -> dict[str, dict[str, str]]:
    """What brokers or topics are configured with, by name."""
    answers = admin.describe_configs(resources, request_timeout=ANSWER_SECONDS)
    return {
        str(resource.name): {name: entry.value or "" for name, entry in answer.result().items()}
        for resource, answer in answers.items()
    }


def _in_words(change: Change) -> str:
    return f"{change.topic} has {change.setting} {change.before or 'unset'} instead of {change.after}"


def _sample(settings: Settings, topic: Topic) -> list[Message]:
    """The latest records of every partition of the event log."""
    options = {
        **settings.kafka.client_config(),
        "group.id": f"{settings.kafka.topic_prefix}{settings.worker.application_id}-doctor",
        "enable.auto.commit": False,
        "enable.partition.eof": True,
    }
    consumer = Consumer(options)
    try:
        places = []
        for partition in range(topic.partitions):
            low, high = watermarks(consumer, TopicPartition(topic.name, partition), ANSWER_SECONDS)
            places.append(TopicPartition(topic.name, partition, max(low, high - SAMPLE_RECORDS)))
        consumer.assign(places)
        return list(_read_to_end(consumer, len(places)))
    except KafkaException as error:
        raise Problem(f"{topic.name} cannot be read: {error.args[0].str()}", "Allow this user to read it") from error
    finally:
        consumer.close()


def _read_to_end(consumer: Consumer, partitions: int) -> Iterator[Message]:
    deadline = time.monotonic() + SAMPLE_SECONDS_MAX
    ended: set[int | None] = set()
    while len(ended) < partitions and time.monotonic() < deadline:
        for message in consumer.consume(500, 0.2):
            error = message.error()
            if error is None:
                yield message
            elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  confluent_kafka's public name for it
                ended.add(message.partition())


def _event_type(message: Message) -> bytes:
    headers = cast("list[tuple[str, bytes]]", message.headers() or [])
    return next((value for name, value in headers if name == "event_type"), b"")


def _skew_seconds(message: Message) -> float | None:
    try:
        _, tick = contracts().decode(message.value() or b"")
    except ContractError:
        return None
    at = tick.get("at")
    return message.timestamp()[1] / 1_000 - at / 1_000_000 if isinstance(at, int) else None


CHECKS = (
    Check("broker", look_at_broker),
    Check("broker version", look_at_version, needs="broker"),
    Check("commit metadata", look_at_commit_metadata, needs="broker"),
    Check("transactions", look_at_transactions, needs="broker"),
    Check("topics", look_at_topics, needs="broker"),
    Check("partitioner", look_at_keys, needs="topics"),
    Check("clock", look_at_clock, needs="topics"),
)
