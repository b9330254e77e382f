"""What must be done once before services run: topics, tables, companies. The same as their own commands do."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from confluent_kafka import Producer

import topics
from avro import ContractError, contracts
from avro.errors import RegistryUnavailable
from avro.registry import register_all
from pipeline.cli.clickhouse import clickhouse_address, clickhouse_problems
from pipeline.cli.registry import registry_client, use_registry
from pipeline.clock import now_micros
from pipeline.companies import plan, publish, read_companies, read_published
from pipeline.errors import Problem
from pipeline.settings import Settings
from pipeline.startup import admin_client
from pipeline.worker import STATE
from sinks.migrations import Engines, Runner
from topics import EVENTS, BrokerError, catalogue, subjects

LEADER_SECONDS_MAX = 15.0


def prepare(settings: Settings, tell: Callable[[str], None]) -> None:
    """Bring topics and tables, side by side, then the companies, to what this release and the settings say.

    It can be repeated and then does nothing. ``tell`` hears of each step that is done. Raises ``Problem``.
    """
    with ThreadPoolExecutor(2) as threads:
        for running in [threads.submit(step, settings) for step in (prepare_topics, prepare_tables)]:
            tell(running.result())
    if settings.schema_registry.url:
        tell(prepare_schemas(settings))
    tell(prepare_companies(settings))


def prepare_topics(settings: Settings) -> str:
    """As ``arrears topics apply``."""
    admin = admin_client(settings.kafka.client_config())
    wanted = catalogue(settings.kafka.topic_prefix)
    try:
        done = topics.apply(admin, wanted, settings.kafka.replication_factor or None)
    except BrokerError as error:
        raise Problem(
            f"the topics cannot be prepared: {error}", "Look at the broker at " + settings.kafka.bootstrap_servers
        ) from error
    return f"topics: {len(done.to_do)} changes, {done.unchanged} unchanged"


def prepare_tables(settings: Settings) -> str:
    """As ``arrears migrate``."""
    runner = Runner(clickhouse_address(settings), Engines(settings.clickhouse.cluster))
    with clickhouse_problems():
        planned = runner.plan()
        if planned.steps:
            runner.run(planned)
    return f"tables: {len(planned.steps)} migrations applied"


def prepare_schemas(settings: Settings) -> str:
    """As ``arrears schemas register``; from then on this process writes with the registry's ids."""
    wanted = subjects(catalogue(settings.kafka.topic_prefix))
    try:
        registered = register_all(registry_client(settings), wanted)
    except (ContractError, RegistryUnavailable) as error:
        raise Problem(f"the schemas cannot be registered: {error}", "Look at schema_registry.url") from error
    use_registry(settings)
    return f"schemas: {len(registered)} subjects registered"


def prepare_companies(settings: Settings) -> str:
    """As ``arrears companies apply``; without company files there is nothing to do."""
    folder = settings.companies.folder
    if not has_companies(folder):
        return f"companies: no file in {folder}, so all rules have their defaults"
    wanted = catalogue(settings.kafka.topic_prefix)
    client_config = settings.kafka.client_config()
    companies = read_companies(folder)
    changes = plan(companies, _patiently(lambda: read_published(client_config, wanted[STATE].name)))
    published = publish(
        Producer(settings.kafka.producer_config() | {"enable.idempotence": True}),
        changes,
        events_topic=wanted[EVENTS].name,
        state_topic=wanted[STATE].name,
        partitions=wanted[EVENTS].partitions,
        at_micros=now_micros(),
        encode=contracts().encoder("CompanyConfigured"),
    )
    return f"companies: {published} published, {len(changes) - published} unchanged"


def _patiently(read: Callable[[], dict[str, bytes]]) -> dict[str, bytes]:
    """Ask again for a while: right after a topic was made, its partitions may have no leader yet."""
    deadline = time.monotonic() + LEADER_SECONDS_MAX
    while True:
        try:
            return read()
        except Problem:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def has_companies(folder: Path) -> bool:
    """Whether there is anything to configure."""
    return folder.is_dir() and any(folder.glob("*.toml"))
