"""Some months of the sample company in a database of its own for each test, sealed, with what was published of it."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from jobs.values import moment_of
from pipeline.local import ClickHouseServer
from sinks.audit.book import AuditBook
from sinks.audit.chain import Finding
from sinks.audit.deletions import Deletion, check_deletions
from sinks.audit.seal import seal
from sinks.audit.verify import Totals, verify
from sinks.clickhouse import Address
from sinks.retention.apply import Planned, Retention
from sinks.retention.policy import Policy
from tests.sinks.audit.log import MemoryAuditLog
from tests.sinks.views.sample import Sample, played

DAYS = 100
_numbers = itertools.count(1)
NEVER = 100_000


class MemoryDeletionLog(MemoryAuditLog):
    """Both topics of the audit."""

    def __init__(self) -> None:
        super().__init__()
        self.deletions: list[Deletion] = []

    def delete(self, deletion: Deletion) -> None:
        """Keep it."""
        self.deletions.append(deletion)


@pytest.fixture(scope="package")
def sample() -> Sample:
    """The first months of the sample company."""
    return played(DAYS)


@pytest.fixture(scope="package")
def original(sample: Sample, clickhouse: ClickHouseServer) -> Iterator[Address]:
    """A database that holds them, from which others are copied."""
    address = Address(clickhouse.url, "retention_original")
    sample.books.write_to(address)
    yield address
    with address.client() as client:
        client.command("DROP DATABASE retention_original SYNC")


@dataclass
class World:
    """A database, and what was published of it."""

    client: Client
    now: datetime
    log: MemoryDeletionLog = field(default_factory=MemoryDeletionLog)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of an answer."""
        return [tuple(row) for row in self.client.query(query).result_rows]

    def one(self, query: str) -> Any:
        """Its only value."""
        return self.rows(query)[0][0]

    def retention(self, firsts: dict[str, dict[int, int]] | None = None, **days: int) -> Retention:
        """Retention with these days; what is not named is kept."""
        policy = Policy({"events": NEVER, "activity": NEVER, "ledger": NEVER, "alerts": NEVER} | days, hot_days=NEVER)
        return Retention(self.client, policy, self.now, firsts)

    def apply(self, firsts: dict[str, dict[int, int]] | None = None, **days: int) -> list[Planned]:
        """Apply such days."""
        retention = self.retention(firsts, **days)
        retention.prepare()
        return retention.apply(self.log, f"run-{len(self.log.deletions)}", "test")

    def seal(self) -> None:
        """Seal all events."""
        book = AuditBook(self.client)
        seal(book, self.log, dict.fromkeys(book.places(), 2**62), lambda: self.now)

    def verify(self) -> list[Finding]:
        """All findings, of deletions too."""
        book = AuditBook(self.client)
        found = list(verify(book, self.log.anchors, Totals()))
        return [*found, *check_deletions(self.client, self.log.deletions)]


@pytest.fixture
def world(sample: Sample, original: Address) -> Iterator[World]:
    """A copy in a database of the test's own."""
    name = f"retention_{next(_numbers)}"
    with original.client() as client:
        client.command(f"CREATE DATABASE {name}")
        objects = client.query(
            "SELECT name, engine, create_table_query FROM system.tables WHERE database = currentDatabase() "
            "ORDER BY engine = 'View', metadata_modification_time, name"
        ).result_rows
        for table, engine, _ in objects:
            if str(engine).endswith("MergeTree"):
                client.command(f"CREATE TABLE {name}.{table} AS {original.database}.{table}")
                client.command(f"INSERT INTO {name}.{table} SELECT * FROM {original.database}.{table}")
        # Views of views: some must wait for others.
        waiting = [str(text) for _, engine, text in objects if engine == "View"]
        while waiting:
            waiting = [text for text in waiting if not _made(client, text.replace(original.database, name))]
    with Address(original.url, name).client() as client:
        yield World(client, moment_of(sample.last).astimezone(UTC) + timedelta(hours=3))
        client.command(f"DROP DATABASE {name} SYNC")


def _made(client: Client, statement: str) -> bool:
    try:
        client.command(statement)
    except Exception as error:
        if "UNKNOWN_TABLE" not in str(error):
            raise
        return False
    return True
