"""A whole system of its own on the broker and the ClickHouse of the session: worker and sink as real processes."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
from confluent_kafka import KafkaError, Message, Producer

from avro import contracts
from jobs.company import CompanySettings
from jobs.events import Event
from pipeline.cli.preparation import prepare_tables, prepare_topics
from pipeline.cli.reconciliation import Line, clickhouse_address, reconcile, worker_group
from pipeline.cli.services import Installation
from pipeline.clock import TICK_HEADERS, tick_record
from pipeline.companies import plan, publish
from pipeline.local import ClickHouseServer, KafkaBroker
from pipeline.settings import ClickHouseSettings, KafkaSettings, Settings, StackSettings, variable_name
from topics import EVENTS, catalogue, partition_key

READY_SECONDS_MAX = 60.0
ARRIVED_SECONDS_MAX = 90.0
_OWN_ENVELOPE = {"source": "test", "actor_id": "", "actor_role": "", "correlation_id": None}


@contextmanager
def installed(
    kafka: KafkaBroker,
    clickhouse: ClickHouseServer,
    prefix: str,
    folder: Path,
    companies: Sequence[CompanySettings],
    *,
    recorded_at: int = 0,
) -> Iterator[Settings]:
    """Topics, tables, companies, a worker and a sink; whoever runs it makes the time pass. Ends what it started."""
    clickhouse.start()
    settings = Settings(
        kafka=KafkaSettings(bootstrap_servers=kafka.bootstrap_servers, topic_prefix=prefix),
        clickhouse=ClickHouseSettings(url=clickhouse.url, database="whole_" + prefix.strip(".").replace(".", "_")),
        stack=StackSettings(folder=folder),
    )
    environment = {
        variable_name("kafka", "topic_prefix"): prefix,
        variable_name("clickhouse", "database"): settings.clickhouse.database,
        variable_name("clock", "mode"): "external",
        variable_name("sink", "age_seconds_max"): "0.5",
    }
    prepare_topics(settings)
    prepare_tables(settings)
    topics = catalogue(prefix)
    publish(
        Producer(settings.kafka.producer_config() | {"enable.idempotence": True, "linger.ms": 0}),
        plan({company.code: company for company in companies}, {}),
        events_topic=topics[EVENTS].name,
        state_topic=topics["ar.state"].name,
        partitions=topics[EVENTS].partitions,
        at_micros=recorded_at,
        encode=contracts().encoder("CompanyConfigured"),
    )
    with Installation(settings, None, environment=environment) as installation:
        installation.start_services()
        installation.wait_until_ready(READY_SECONDS_MAX)
        yield settings
        for service in installation.services:
            service.check()
    with clickhouse_address(settings).client() as client:
        client.command(f"DROP DATABASE {settings.clickhouse.database} SYNC")


class LogWriter:
    """One idempotent producer for events and ticks: what is written first lies first in every partition."""

    def __init__(self, settings: Settings) -> None:
        self._topic = catalogue(settings.kafka.topic_prefix)[EVENTS]
        self._reference = catalogue(settings.kafka.topic_prefix)["ar.reference"].name
        self._producer = Producer(
            settings.kafka.producer_config() | {"enable.idempotence": True, "linger.ms": 1, "compression.type": "lz4"}
        )
        self._encode = contracts().encode
        self._encode_tick = contracts().encoder("ClockTicked")
        self._failures: list[str] = []
        self.count = 0

    def event(self, event: Event) -> None:
        """Append an event of the jobs."""
        record = {**msgspec.to_builtins(event), **_OWN_ENVELOPE}
        self.record(type(event).__name__, record)

    def record(self, name: str, record: dict[str, object]) -> None:
        """Append a record in the form of its schema."""
        company, account = str(record["company"]), record["account_id"]
        headers: list[tuple[str, str | bytes | None]] = [("event_type", name.encode()), ("company", company.encode())]
        topic = self._reference if name == "ExchangeRateSet" else self._topic.name
        key = partition_key(company, None if account is None else str(account))
        self._producer.produce(topic, self._encode(name, record), key, headers=headers, on_delivery=self._told)
        self._producer.poll(0)
        self.count += 1

    def tick(self, at_micros: int) -> None:
        """Append the time to every partition."""
        value = self._encode_tick(tick_record(at_micros))
        for partition in range(self._topic.partitions):
            self._producer.produce(
                self._topic.name, value, None, partition, headers=[*TICK_HEADERS], on_delivery=self._told
            )
        self._producer.poll(0)

    def flush(self) -> None:
        """Wait until the broker has everything."""
        assert self._producer.flush(60) == 0
        assert self._failures == []

    def _told(self, error: KafkaError | None, _: Message) -> None:
        if error is not None:
            self._failures.append(error.str())


def wait_until_arrived(settings: Settings, seconds_max: float = ARRIVED_SECONDS_MAX) -> list[Line]:
    """Wait until every stage has everything that the stage before it has; the last reconciliation, gaps or not."""
    deadline = time.monotonic() + seconds_max
    events = catalogue(settings.kafka.topic_prefix)[EVENTS]
    # The reconciliation reads whole topics, so first the group is asked, which is one request.
    with worker_group(settings) as group:
        while any(lag.lag != 0 for lag in group.lag(events.name, events.partitions)):
            assert time.monotonic() < deadline, f"the worker is still behind after {seconds_max} s"
            time.sleep(0.2)
    while True:
        lines = reconcile(settings)
        if all(line.holds for line in lines) or time.monotonic() > deadline:
            return lines
        time.sleep(0.5)
