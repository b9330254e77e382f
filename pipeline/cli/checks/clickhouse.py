"""Checks of ClickHouse: reachable, recent enough, tables there, and each of them knows the tokens of its inserts."""

from collections.abc import Iterator

from avro import contracts
from pipeline.cli.checks.finding import Check, Finding
from pipeline.cli.clickhouse import clickhouse_address, clickhouse_client, clickhouse_problems
from pipeline.errors import Problem
from pipeline.settings import Settings
from sinks.checks import check_tables
from sinks.clickhouse import INSERT_SETTINGS
from sinks.migrations.engines import Engines
from sinks.migrations.runner import Runner
from sinks.routes import routes
from topics import catalogue

VERSION_MIN = (25, 3)


def look_at_server(settings: Settings) -> Iterator[Finding]:
    """ClickHouse answers, lets us in, and is recent enough."""
    with clickhouse_client(settings, database="") as client:
        version = str(client.server_version)
    if tuple(int(part) for part in version.split(".")[:2]) < VERSION_MIN:
        wanted = ".".join(map(str, VERSION_MIN))
        raise Problem(f"ClickHouse at {settings.clickhouse.url} is {version}", f"Use {wanted} or newer")
    yield Finding("clickhouse", "ok", f"{version} at {settings.clickhouse.url}")


def look_at_insert_settings(settings: Settings) -> Iterator[Finding]:
    """The server knows every setting that exactly-once inserts rely on, and lets this user set it (DESIGN §4)."""
    with clickhouse_client(settings, database="") as client:
        rows = client.query(
            "SELECT name, readonly FROM system.settings WHERE name IN {names:Array(String)}",
            parameters={"names": sorted(INSERT_SETTINGS)},
        ).result_rows
    fixed = {str(name): bool(readonly) for name, readonly in rows}
    if unknown := sorted(INSERT_SETTINGS.keys() - fixed.keys() - {"wait_end_of_query"}):
        raise Problem(f"ClickHouse does not know {', '.join(unknown)}", "Use a newer ClickHouse")
    if locked := sorted(name for name, readonly in fixed.items() if readonly):
        raise Problem(
            f"user {settings.clickhouse.user} may not set {', '.join(locked)}",
            "Give it a profile without readonly and constraints on them",
        )
    yield Finding("insert settings", "ok", f"{len(fixed)} known and free to set")


def look_at_migrations(settings: Settings) -> Iterator[Finding]:
    """All migrations are applied, unchanged."""
    with clickhouse_problems():
        plan = Runner(clickhouse_address(settings), Engines(settings.clickhouse.cluster)).plan()
    if plan.steps:
        raise Problem(f"{len(plan.steps)} migrations are not applied", "Run `arrears migrate`")
    yield Finding("tables", "ok", "all migrations are applied")


def look_at_deduplication(settings: Settings) -> Iterator[Finding]:
    """Every table that the sink writes remembers the tokens of its inserts, and so does every table behind it.

    The window is 0 by default on plain MergeTree: a repeated insert would store its rows twice (DESIGN §4).
    """
    written = {route.table for route in routes(contracts(), catalogue(settings.kafka.topic_prefix)).values()}
    with clickhouse_problems():
        check_tables(clickhouse_address(settings), written)
    yield Finding("deduplication", "ok", f"{len(written)} tables, and those behind them, remember their inserts")


CHECKS = (
    Check("clickhouse", look_at_server),
    Check("insert settings", look_at_insert_settings, needs="clickhouse"),
    Check("tables", look_at_migrations, needs="clickhouse"),
    Check("deduplication", look_at_deduplication, needs="tables"),
)
