"""What must be true before the first insert; without it, exactly once would be a hope (DESIGN §4)."""

import re
from collections.abc import Collection, Mapping
from typing import Any

from clickhouse_connect.driver.exceptions import ClickHouseError
from confluent_kafka import Consumer, KafkaException

from sinks.clickhouse import Address, words_of
from sinks.errors import SinkProblem, Unavailable
from sinks.migrations import Runner

_WINDOW = re.compile(r"\b(?:non_)?replicated_deduplication_window = ([1-9]\d*)")


def check_migrations(address: Address) -> None:
    """The tables are those of this release: no migration is missing, changed, or unknown because it is newer.

    Raises SinkProblem when not, Unavailable when ClickHouse does not answer.
    """
    try:
        steps = Runner(address).plan().steps
    except ClickHouseError as error:
        raise Unavailable(f"ClickHouse at {address.url}: {words_of(error)}") from error
    if steps:
        raise SinkProblem(
            f"{len(steps)} migrations are not applied to database {address.database}",
            "Run `arrears migrate` and start again",
        )


def check_tables(address: Address, written: Collection[str]) -> None:
    """Every table that is written is there, and it and every table behind it remember tokens.

    Raises SinkProblem when not, Unavailable when ClickHouse does not answer.
    """
    try:
        with address.client() as client:
            rows = client.query(
                "SELECT name, engine, create_table_query FROM system.tables WHERE database = {database:String}",
                parameters={"database": address.database},
            ).result_rows
    except (SinkProblem, Unavailable):
        raise
    except Exception as error:
        raise Unavailable(f"ClickHouse at {address.url}: {error}") from error
    found = {str(name): (str(engine), str(text)) for name, engine, text in rows}
    if missing := sorted(set(written) - found.keys()):
        raise SinkProblem(
            f"database {address.database} has no table {', '.join(missing)}", "Run `arrears migrate` and start again"
        )
    forgetful = sorted(
        name for name, (engine, text) in found.items() if engine.endswith("MergeTree") and not _WINDOW.search(text)
    )
    if forgetful:
        raise SinkProblem(
            f"tables that do not remember the tokens of inserts would store rows twice: {', '.join(forgetful)}",
            "ALTER TABLE … MODIFY SETTING non_replicated_deduplication_window = 10000 for each of them",
        )


def check_topics(client_config: Mapping[str, Any], topics: Collection[str], wait_seconds: float = 15.0) -> None:
    """All topics are there. Raises SinkProblem when one is missing, or no broker answers."""
    consumer = Consumer({**client_config, "group.id": "arrears-sink-check"})
    try:
        known = consumer.list_topics(timeout=wait_seconds).topics
    except KafkaException as error:
        raise SinkProblem(
            f"no Kafka broker answers at {client_config.get('bootstrap.servers')}: {error.args[0].str()}",
            "Start it (`arrears up` starts one on this machine), or set kafka.bootstrap_servers",
        ) from error
    finally:
        consumer.close()
    if missing := sorted({name for name in topics if name not in known or known[name].error is not None}):
        raise SinkProblem(f"Kafka has no topic {', '.join(missing)}", "Run `arrears topics apply` and start again")
