"""Some months of the sample company in a database of its own for each test, sealed, with what was published of it."""

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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
from sinks.retention.policy import RULES, Policy
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
        policy = Policy(dict.fromkeys(RULES, NEVER) | days, hot_days=NEVER)
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


# What these tests look at; a copy of everything takes ten times as long.
TABLES = (
    "accounts_log",
    "actions_log",
    "activity_hourly_versions",
    "aging_daily_versions",
    "aging_transitions_log",
    "alerts_log",
    "audit_anchors",
    "companies_versions",
    "dispute_entries_log",
    "disputes_versions",
    "erased_rows",
    "erasures",
    "event_chain",
    "events",
    "events_monthly_versions",
    "exceptions_log",
    "exceptions_versions",
    "failed_events_versions",
    "invoice_forecasts_versions",
    "items_versions",
    "ledger_entries_log",
    "legal_holds_versions",
    "promises_log",
    "promises_versions",
    "receipts_versions",
    "rejected_events",
    "removed_positions",
    "retention_runs",
    "retired_items",
    "retired_states",
)
VIEWS = (
    "companies",
    "open_items_as_of",
    "aging_as_of",
    "aging_buckets_as_of",
    "disputed_as_of",
    "legal_holds",
    "events_monthly",
)


@pytest.fixture
def world(sample: Sample, original: Address) -> Iterator[World]:
    """A copy in a database of the test's own."""
    with _copied(original, TABLES) as client:
        yield World(client, _end(sample))


@pytest.fixture
def raw_log(sample: Sample, original: Address) -> Iterator[World]:
    """The same with nothing but events and their monthly counts."""
    with _copied(original, ("events", "events_monthly_versions"), ("events_monthly",)) as client:
        yield World(client, _end(sample))


@pytest.fixture
def whole_world(sample: Sample, original: Address) -> Iterator[World]:
    """A copy with every table that there is."""
    with original.client() as client:
        rows = client.query("SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%Tree'")
    with _copied(original, [str(name) for (name,) in rows.result_rows]) as client:
        yield World(client, _end(sample))


def _end(sample: Sample) -> datetime:
    return moment_of(sample.last).astimezone(UTC) + timedelta(hours=3)


@contextmanager
def _copied(original: Address, tables: Sequence[str], views: Sequence[str] = VIEWS) -> Iterator[Client]:
    name = f"retention_{next(_numbers)}"
    with original.client() as client:
        client.command(f"CREATE DATABASE {name}")
        for table in tables:
            client.command(f"CREATE TABLE {name}.{table} AS {original.database}.{table}")
            client.command(f"INSERT INTO {name}.{table} SELECT * FROM {original.database}.{table}")
        for view in views:
            text = client.query(
                f"SELECT create_table_query FROM system.tables WHERE database = currentDatabase() AND name = '{view}'"
            )
            client.command(str(text.result_rows[0][0]).replace(original.database, name))
    with Address(original.url, name).client() as client:
        yield client
        client.command(f"DROP DATABASE {name} SYNC")
