"""Does everything add up? Events in = outcomes, Kafka = ClickHouse, Σ buckets = Σ open items (SEMANTICS 1.4).

Each check counts both sides on its own and gives a `Line`; a gap other than 0 is an error somewhere, never noise.
"""

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from clickhouse_connect.driver.client import Client
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from avro import contracts
from pipeline.errors import Problem
from pipeline.lag import read_lag, read_progress
from pipeline.progress import Progress
from pipeline.settings import Settings
from sinks.clickhouse import Address
from sinks.routes import EVENTS_TABLE, routes
from topics import EVENTS, catalogue

_BATCH = 10_000
_ANSWER_SECONDS_MAX = 30.0
_LOOK_SECONDS = 0.2
_TICK = b"ClockTicked"


@dataclass(frozen=True)
class Line:
    """One comparison. `gap` is what one side has more than the other."""

    check: str
    of: str
    left: str
    right: str
    gap: int

    @property
    def holds(self) -> bool:
        """Whether both sides agree."""
        return self.gap == 0


@dataclass
class Stored:
    """What Kafka holds of one partition of a topic: records, ticks among them, and the last offset."""

    records: int = 0
    ticks: int = 0
    last: int = -1


Counts = dict[tuple[str, int], Stored]


def count_records(settings: Settings, topics: list[str]) -> Counts:
    """Read topics read_committed from beginning to end and count. Raises Problem where the broker does not answer."""
    consumer = Consumer(
        {
            **settings.kafka.client_config(),
            "group.id": "arrears-reconcile",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "log_level": 0,
        }
    )
    try:
        known = consumer.list_topics(timeout=_ANSWER_SECONDS_MAX).topics
        counts: Counts = {
            (topic, partition): Stored() for topic in topics if topic in known for partition in known[topic].partitions
        }
        consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for topic, partition in counts])
        _count(consumer, counts)
    except KafkaException as error:
        raise Problem(f"the broker does not answer: {error}", "Look at kafka.bootstrap_servers") from error
    finally:
        consumer.close()
    return counts


def _count(consumer: Consumer, counts: Counts) -> None:
    left = set(counts)
    while left:
        for message in consumer.consume(_BATCH, 1.0):
            place = (str(message.topic()), int(message.partition() or 0))
            error = message.error()
            if error is not None:
                if error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001  librdkafka's name for it
                    raise KafkaException(error)
                left.discard(place)
                continue
            stored = counts[place]
            stored.records += 1
            stored.last = int(message.offset() or 0)
            stored.ticks += _event_type(message.headers()) == _TICK


def _event_type(headers: Any) -> bytes:  # noqa: ANN401  the client does not type them
    return next((value for name, value in headers or () if name == "event_type"), b"")


def reconcile(settings: Settings) -> list[Line]:
    """All checks. Raises Problem where a part does not answer."""
    address = clickhouse_address(settings)
    prefix = settings.kafka.topic_prefix
    known_routes = routes(contracts(), catalogue(prefix))
    counts = count_records(settings, list(known_routes))
    events_topic = catalogue(prefix)[EVENTS].name
    progress = read_all_progress(settings)
    with address.client() as client:
        lines = list(_outcomes(events_topic, counts, progress))
        for topic, route in known_routes.items():
            lines.append(_stored(client, topic, route.table, counts))
        lines += _balances(client, _known_days(progress))
    return lines


def clickhouse_address(settings: Settings) -> Address:
    """Where ClickHouse is, by the settings."""
    section = settings.clickhouse
    return Address(section.url, section.database, section.user, section.password.get_secret_value())


def read_all_progress(settings: Settings) -> dict[int, Progress]:
    """The progress record of every partition, by its number."""
    topics = catalogue(settings.kafka.topic_prefix)
    config = settings.kafka.client_config()
    found = {}
    for partition in range(topics[EVENTS].partitions):
        progress = read_progress(config, topics["ar.state"].name, partition)
        found[partition] = progress if progress is not None else Progress()
    return found


def wait_until_settled(settings: Settings, seconds_max: float) -> None:
    """Wait until every event in the log has been applied, with what the jobs wrote for other accounts meanwhile.

    Raises Problem when that takes longer than `seconds_max`.
    """
    deadline = time.monotonic() + seconds_max
    topic = catalogue(settings.kafka.topic_prefix)[EVENTS]
    admin = AdminClient(settings.kafka.client_config())
    group = settings.kafka.topic_prefix + settings.worker.application_id
    while time.monotonic() < deadline:
        lags = read_lag(admin, group, topic.name, topic.partitions)
        handled = sum(lag.progress.events for lag in lags if lag.progress is not None)
        stored = sum(part.records for part in count_records(settings, [topic.name]).values())
        if handled == stored:  # counted after: nothing came in between
            return
        time.sleep(_LOOK_SECONDS)
    raise Problem(
        f"not everything was applied within {seconds_max:.0f} s", "Look at `arrears lag` and the worker's log"
    )


def _outcomes(topic: str, counts: Counts, progress: Mapping[int, Progress]) -> Iterator[Line]:
    """Events in = applied + rejected + duplicate + failed + logged + clock + configured, by partition."""
    stored = sum(counts[topic, partition].records for partition in progress if (topic, partition) in counts)
    handled = Progress()
    for one in progress.values():
        for name in ("applied", "rejected", "duplicates", "failed", "ticks", "configured", "logged", "expired"):
            setattr(handled, name, getattr(handled, name) + getattr(one, name))
    parts = (
        f"{handled.applied:,} applied, {handled.rejected:,} rejected, {handled.failed:,} failed, "
        f"{handled.duplicates:,} duplicates, {handled.logged:,} logged, {handled.ticks:,} ticks, "
        f"{handled.configured:,} settings"
    )
    yield Line(
        "events in = outcomes", topic, f"{stored:,} in the log", parts, stored - handled.events + handled.expired
    )


def _stored(client: Client, topic: str, table: str, counts: Counts) -> Line:
    """Kafka = ClickHouse. Logs compare records; tables of latest states, whose older rows go, the last positions."""
    kafka = {partition: stored for (name, partition), stored in counts.items() if name == topic and stored.records}
    rows = client.query(
        f"SELECT _partition, count(), uniqExact(_offset), max(_offset) FROM {table} "
        "WHERE _topic = {topic:String} GROUP BY _partition",
        parameters={"topic": topic},
    ).result_rows
    there = {int(partition): (int(count), int(unique), int(last)) for partition, count, unique, last in rows}
    if table.endswith("_versions"):
        expected = Counter({partition: stored.last + 1 for partition, stored in kafka.items()})
        found = Counter({partition: last + 1 for partition, (_, _, last) in there.items()})
        late = sum((expected - found).values()) + sum((found - expected).values())
        at = sum(1 for partition in kafka if expected[partition] == found[partition])
        return Line(
            "Kafka = ClickHouse", topic, f"{len(kafka)} partitions", f"{at} at the same position in {table}", late
        )
    wanted = sum(stored.records - stored.ticks for stored in kafka.values())
    if table == EVENTS_TABLE:
        wanted -= _poison(client, topic)
    count, unique = sum(row[0] for row in there.values()), sum(row[1] for row in there.values())
    gap = (wanted - unique) if wanted != unique else count - unique
    return Line("Kafka = ClickHouse", topic, f"{wanted:,} records", f"{count:,} rows in {table}", gap)


def _poison(client: Client, topic: str) -> int:
    """Records that cannot be decoded stand in failed_events instead."""
    query = "SELECT uniqExact(partition, offset) FROM failed_events WHERE topic = {topic:String} AND stage = 'decode'"
    return int(client.query(query, parameters={"topic": topic}).result_rows[0][0])


def _known_days(progress: Mapping[int, Progress]) -> int | None:
    """The clock: the last tick of any partition, microseconds since 1970."""
    return max((one.clock_micros for one in progress.values() if one.clock_micros is not None), default=None)


def _balances(client: Client, clock: int | None) -> Iterator[Line]:
    """Live totals, documents, receipts and ledger entries are four sums of the same money, by company and currency."""
    if clock is None:
        return
    live = _sums(client, "SELECT company, currency, sum(total_minor) FROM account_aging_versions FINAL GROUP BY 1, 2")
    today = _sums(
        client,
        "SELECT company, currency, sum(delta_minor) FROM ledger_entries_log AS entry "
        "INNER JOIN (SELECT company, max(as_of) AS day FROM account_aging_versions GROUP BY company) AS live "
        "ON entry.company = live.company WHERE effective_date <= day GROUP BY 1, 2",
    )
    yield from _compare("Σ live totals = Σ entries to date", live, today)
    items = _sums(client, "SELECT company, currency, sum(open_minor) FROM items_versions FINAL GROUP BY 1, 2")
    cash = _sums(
        client,
        "SELECT company, currency, -sum(unapplied_minor) FROM receipts_versions FINAL "
        "WHERE account_id != '' GROUP BY 1, 2",
    )
    entries = _sums(client, "SELECT company, currency, sum(delta_minor) FROM ledger_entries_log GROUP BY 1, 2")
    states = {place: items.get(place, 0) + cash.get(place, 0) for place in items.keys() | cash.keys()}
    yield from _compare("Σ open items = Σ ledger entries", states, entries)


def _sums(client: Client, query: str) -> dict[tuple[str, str], int]:
    rows = client.query(query).result_rows
    return {(str(company), str(currency)): int(total) for company, currency, total in rows}


def _compare(check: str, left: dict[tuple[str, str], int], right: dict[tuple[str, str], int]) -> Iterator[Line]:
    for place in sorted(left.keys() | right.keys()):
        one, other = left.get(place, 0), right.get(place, 0)
        yield Line(check, " ".join(place), f"{one:,}", f"{other:,}", one - other)
