"""A whole system of its own on the broker and the ClickHouse of the session: worker and sink as real processes."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

from avro import contracts
from jobs.company import CompanySettings
from jobs.events import Event
from pipeline import log_writer
from pipeline.cli.preparation import prepare_topics
from pipeline.cli.reconciliation import Line, clickhouse_address, reconcile, worker_group
from pipeline.cli.services import Installation
from pipeline.companies import plan, publish
from pipeline.local import ClickHouseServer, KafkaBroker
from pipeline.settings import ClickHouseSettings, KafkaSettings, Settings, StackSettings, variable_name
from tests.sinks.copies import make_tables
from topics import EVENTS, catalogue

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
    keeps_data: bool = False,
    sink_age_seconds: tuple[float, float] = (0.25, 0.5),
) -> Iterator[Settings]:
    """Topics, tables, companies, a worker and a sink; whoever runs it makes the time pass. Ends what it started.

    Whoever has many questions keeps the data and asks when worker and sink run no more; then ``remove``. Whoever writes
    a long history before the first question lets rows wait longer for others (at least, at most): each insert costs the
    broker two commits.
    """
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
        variable_name("sink", "age_seconds_min"): str(sink_age_seconds[0]),
        variable_name("sink", "age_seconds_max"): str(sink_age_seconds[1]),
    }
    prepare_topics(settings)
    make_tables(clickhouse_address(settings))
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
    if not keeps_data:
        remove(settings)


def remove(settings: Settings) -> None:
    """Tables and topics go: a broker that keeps thousands of partitions is slow to end and to come back."""
    with clickhouse_address(settings).client() as client:
        client.command(f"DROP DATABASE {settings.clickhouse.database} SYNC")
    admin = AdminClient(settings.kafka.client_config())
    names = [topic.name for topic in catalogue(settings.kafka.topic_prefix).values()]
    for deleted in admin.delete_topics(names).values():
        deleted.result(30)


class LogWriter:
    """Events of the jobs and records of any kind into a system's log, through the writer that the product has."""

    def __init__(self, settings: Settings) -> None:
        config, topics = settings.kafka.client_config(), catalogue(settings.kafka.topic_prefix)
        self._log = log_writer.LogWriter(config, topics[EVENTS])
        self._reference = log_writer.LogWriter(config, topics["ar.reference"])
        self._encode = contracts().encode
        self.count = 0  # events so far; ticks are none

    def event(self, event: Event) -> None:
        """Append an event of the jobs."""
        record = {**msgspec.to_builtins(event), **_OWN_ENVELOPE}
        self.record(type(event).__name__, record)

    def record(self, name: str, record: dict[str, object]) -> None:
        """Append a record in the form of its schema."""
        account = record["account_id"]
        writer = self._reference if name == "ExchangeRateSet" else self._log
        writer.write(
            name, str(record["company"]), None if account is None else str(account), self._encode(name, record)
        )
        self.count += 1

    def tick(self, at_micros: int) -> None:
        """Append the time to every partition."""
        self._log.tick(at_micros)

    def flush(self) -> None:
        """Wait until the broker has everything."""
        self._log.flush()
        self._reference.flush()


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
