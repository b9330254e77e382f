"""Databases that are copies of another one of the same server: a hundred tables in one statement.

ClickHouse copies by BACKUP and RESTORE. The backup lies in the memory of a session, so a source has one of its own.
"""

import functools
import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from sinks.clickhouse import Address
from sinks.migrations import Runner

SESSION_SECONDS = 3600
MIGRATED = "migrated"
_BACKUP_NOT_FOUND = 599
_numbers = itertools.count(1)


class Source:
    """A database that is not changed any more, and whose rows came by inserts alone (see `keep_only`)."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self._client: Client | None = None

    def copy(self, name: str, tables: Sequence[str] = ()) -> Address:
        """Another database with the same tables, views and rows; or with some of them."""
        if self._client is None:
            self._client = self._session()
        try:
            self._restore(self._client, name, tables)
        except DatabaseError as error:
            if error.code != _BACKUP_NOT_FOUND:
                raise
            # The first copy, or the server was started again since the last one.
            self._client.command(f"BACKUP DATABASE {self.address.database} TO Memory('copies')")
            self._restore(self._client, name, tables)
        return Address(self.address.url, name)

    @contextmanager
    def copied(self, name: str, tables: Sequence[str] = ()) -> Iterator[Address]:
        """A copy that goes when its user is done."""
        address = self.copy(name, tables)
        yield address
        with address.client() as client:
            client.command(f"DROP DATABASE {name} SYNC")

    def drop(self) -> None:
        """End it; its copies stay."""
        with self.address.client() as client:
            client.command(f"DROP DATABASE {self.address.database} SYNC")
        if self._client is not None:
            self._client.close()

    def _restore(self, client: Client, name: str, tables: Sequence[str]) -> None:
        here = self.address.database
        what = ", ".join(f"TABLE {here}.{table} AS {name}.{table}" for table in tables)
        if tables:
            client.command(f"CREATE DATABASE IF NOT EXISTS {name}")
        client.command(f"RESTORE {what or f'DATABASE {here} AS {name}'} FROM Memory('copies')")

    def _session(self) -> Client:
        settings: dict[str, Any] = {"session_timeout": SESSION_SECONDS}
        return clickhouse_connect.get_client(
            dsn=self.address.url, session_id=f"copies-{next(_numbers)}", settings=settings, send_receive_timeout=60
        )


def keep_only(client: Client, table: str, where: str) -> None:
    """Take rows out of a database that will be a source.

    Not by a mutation: its number would stay in the names of the parts, and mutations of a copy, which counts anew,
    would pass over them.
    """
    client.command(f"CREATE TABLE kept AS {table}")
    client.command(f"INSERT INTO kept SELECT * FROM {table} WHERE {where}")
    client.command(f"DROP TABLE {table} SYNC")
    client.command(f"RENAME TABLE kept TO {table}")


def make_tables(address: Address) -> None:
    """What `arrears migrate` leaves in a fresh database, copied from one that was migrated.

    What a migration does is tested where migrations are (`tests/sinks/test_store_contract.py`, `arrears up`).
    """
    migrated = Address(address.url, MIGRATED)
    runner = Runner(migrated)
    if (plan := runner.plan()).steps:
        runner.run(plan)
    _source(address.url).copy(address.database)


@functools.cache
def _source(url: str) -> Source:
    return Source(Address(url, MIGRATED))
