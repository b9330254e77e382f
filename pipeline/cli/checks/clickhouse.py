"""Checks of ClickHouse: reachable, recent enough, tables there, and each of them knows the tokens of its inserts."""

from collections.abc import Iterator

from clickhouse_connect.driver.client import Client

from avro import contracts
from pipeline.cli.checks.finding import Check, Finding
from pipeline.errors import Problem
from pipeline.settings import Settings
from sinks.checks import check_tables
from sinks.clickhouse import INSERT_SETTINGS, Address
from sinks.errors import SinkProblem, Unavailable
from sinks.migrations.engines import Engines
from sinks.migrations.runner import Runner
from sinks.routes import routes
from topics import catalogue

VERSION_MIN = (25, 3)


def look_at_server(settings: Settings) -> Iterator[Finding]:
    """ClickHouse answers, lets us in, and is recent enough."""
    with _client(settings, database="") as client:
        version = str(client.server_version)
    if tuple(int(part) for part in version.split(".")[:2]) < VERSION_MIN:
        wanted = ".".join(map(str, VERSION_MIN))
        raise Problem(f"ClickHouse at {settings.clickhouse.url} is {version}", f"Use {wanted} or newer")
    yield Finding("clickhouse", "ok", f"{version} at {settings.clickhouse.url}")


def look_at_insert_settings(settings: Settings) -> Iterator[Finding]:
    """The server knows every setting that exactly-once inserts rely on, and lets this user set it (DESIGN §4)."""
    with _client(settings, database="") as client:
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
    try:
        plan = Runner(_address(settings), Engines(settings.clickhouse.cluster)).plan()
    except (SinkProblem, Unavailable) as error:
        raise _problem(error, settings) from error
    if plan.steps:
        raise Problem(f"{len(plan.steps)} migrations are not applied", "Run `arrears migrate`")
    yield Finding("tables", "ok", "all migrations are applied")


def look_at_deduplication(settings: Settings) -> Iterator[Finding]:
    """Every table that the sink writes remembers the tokens of its inserts, and so does every table behind it.

    The window is 0 by default on plain MergeTree: a repeated insert would store its rows twice (DESIGN §4).
    """
    written = {route.table for route in routes(contracts(), catalogue(settings.kafka.topic_prefix)).values()}
    try:
        check_tables(_address(settings), written)
    except (SinkProblem, Unavailable) as error:
        raise _problem(error, settings) from error
    yield Finding("deduplication", "ok", f"{len(written)} tables, and those behind them, remember their inserts")


def _address(settings: Settings) -> Address:
    section = settings.clickhouse
    return Address(section.url, section.database, section.user, section.password.get_secret_value())


def _client(settings: Settings, database: str | None = None) -> Client:
    try:
        return _address(settings).client(database=database)
    except (SinkProblem, Unavailable) as error:
        raise _problem(error, settings) from error


def _problem(error: SinkProblem | Unavailable, settings: Settings) -> Problem:
    """One line: of a connection that failed, the reason that the operating system gave."""
    if isinstance(error, SinkProblem):
        return Problem(error.message, error.advice)
    reasons = [cause.strerror for cause in _causes(error) if isinstance(cause, OSError) and cause.strerror]
    words = f"ClickHouse at {settings.clickhouse.url} does not answer: {reasons[-1]}" if reasons else str(error)
    return Problem(words, "Start it (`arrears up` starts one on this machine), or set clickhouse.url")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


CHECKS = (
    Check("clickhouse", look_at_server),
    Check("insert settings", look_at_insert_settings, needs="clickhouse"),
    Check("tables", look_at_migrations, needs="clickhouse"),
    Check("deduplication", look_at_deduplication, needs="tables"),
)
