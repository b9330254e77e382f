"""Applies migrations and remembers in table `schema_migrations` which are applied, with their checksums."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from sinks.clickhouse import Address, words_of
from sinks.errors import SinkProblem
from sinks.migrations.all import MIGRATIONS
from sinks.migrations.ddl import Migration, literal
from sinks.migrations.engines import Engines
from sinks.migrations.plan import Plan, PlannedStep, checksum, make_plan

logger = logging.getLogger(__name__)

TABLE = "schema_migrations"


class Applied(NamedTuple):
    """A migration that the database has."""

    number: int
    title: str
    checksum: str
    applied_at: datetime


class Runner:
    """Brings one database to where the migrations say. Two runs at once do no harm: every statement can be repeated."""

    def __init__(
        self, address: Address, engines: Engines | None = None, migrations: Sequence[Migration] = MIGRATIONS
    ) -> None:
        self._address = address
        self._engines = engines or Engines()
        self._migrations = migrations

    def applied(self) -> list[Applied]:
        """What the database has, by number; nothing when it does not exist yet."""
        with self._address.client(database="") as client:
            database = literal(self._address.database)
            found = client.query(
                f"SELECT count() FROM system.tables WHERE database = {database} AND name = {literal(TABLE)}"
            )
            if not found.result_rows[0][0]:
                return []
            rows = client.query(
                f"SELECT number, title, checksum, changed_at FROM `{self._address.database}`.{TABLE} FINAL "
                "WHERE is_applied ORDER BY number"
            )
            return [Applied(*row) for row in rows.result_rows]

    def plan(self, to: int | None = None) -> Plan:
        """What `run` would do. Raises SinkProblem as `make_plan` does."""
        return make_plan(self._migrations, {row.number: row.checksum for row in self.applied()}, to, self._engines)

    def run(
        self, plan: Plan, *, allow_data_loss: bool = False, report: Callable[[PlannedStep], None] | None = None
    ) -> None:
        """Carry out a plan, migration by migration; `report` hears of each one that is done.

        Raises SinkProblem before the first statement when rows would be lost and that is not allowed. A run that is
        cut off is finished by the next one.
        """
        if plan.losing and not allow_data_loss:
            numbers = ", ".join(str(step.migration.number) for step in plan.losing)
            raise SinkProblem(
                f"rows would be lost by taking back migration {numbers}",
                "Give --allow-data-loss if that is what you want; nothing was changed",
            )
        with self._address.client(database="") as client:
            self._prepare(client)
        with self._address.client() as client:
            for step in plan.steps:
                for statement in step.statements:
                    _execute(client, statement, f"migration {step.migration.number} ({step.migration.title})")
                self._record(client, step)
                logger.info("migration done", extra={"number": step.migration.number, "direction": step.direction})
                if report is not None:
                    report(step)

    def _prepare(self, client: Client) -> None:
        on_cluster = self._engines.on_cluster
        database = f"`{self._address.database}`"
        settings = ", ".join(f"{name} = {value}" for name, value in self._engines.settings.items())
        _execute(client, f"CREATE DATABASE IF NOT EXISTS {database}{on_cluster}", f"database {database}")
        _execute(
            client,
            f"""
CREATE TABLE IF NOT EXISTS {database}.{TABLE}{on_cluster}
(
    number UInt32 COMMENT 'Number of the migration.',
    title String COMMENT 'What it is about.',
    checksum String COMMENT 'Fingerprint of its statements; another one for the same number is refused.',
    is_applied Bool COMMENT 'False after it was taken back.',
    changed_at DateTime64(6, 'UTC') COMMENT 'When it was applied or taken back.'
)
ENGINE = {self._engines.engine("ReplacingMergeTree", "changed_at")}
ORDER BY number
SETTINGS {settings}
COMMENT 'Migrations of this database and whether they are applied. Written by arrears migrate.'""",
            f"table {TABLE}",
        )

    def _record(self, client: Client, step: PlannedStep) -> None:
        migration = step.migration
        values = (
            f"{migration.number}, {literal(migration.title)}, {literal(checksum(migration))}, "
            f"{str(step.direction == 'forward').lower()}, now64(6)"
        )
        _execute(client, f"INSERT INTO {TABLE} SELECT {values}", f"table {TABLE}")


def _execute(client: Client, statement: str, what: str) -> None:
    try:
        client.command(statement)
    except ClickHouseError as error:
        raise SinkProblem(
            f"ClickHouse refused a statement of {what}: {words_of(error)[:400]}",
            "Nothing of it was recorded; run `arrears migrate` again when the cause is gone",
        ) from error
