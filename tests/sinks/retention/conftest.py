"""Some months of the sample company in a database of its own for each test, with what was published of it."""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from jobs.values import moment_of
from sinks.audit.book import Anchor, AuditBook
from sinks.audit.chain import Finding
from sinks.audit.deletions import Deletion, check_deletions
from sinks.audit.seal import seal
from sinks.audit.verify import Totals, verify
from sinks.retention.apply import Planned, Retention
from sinks.retention.policy import RULES, Policy
from tests.sinks.audit.log import MemoryAuditLog
from tests.sinks.copies import Source, keep_only
from tests.sinks.views.sample import Sample

_numbers = itertools.count(1)
NEVER = 100_000


class MemoryDeletionLog(MemoryAuditLog):
    """Both topics of the audit."""

    def __init__(self, anchors: Iterable[Anchor] = ()) -> None:
        super().__init__([*anchors])
        self.deletions: list[Deletion] = []

    def delete(self, deletion: Deletion) -> None:
        """Keep it."""
        self.deletions.append(deletion)


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
    "opening_items",
    "openings",
    "promises_log",
    "promises_versions",
    "receipts_log",
    "receipts_versions",
    "rejected_events",
    "removed_positions",
    "retention_runs",
    "retired_items",
    "retired_states",
    "companies",
    "open_items_as_of",
    "aging_as_of",
    "aging_buckets_as_of",
    "disputed_as_of",
    "legal_holds",
    "events_monthly",
)


@pytest.fixture(scope="package")
def sealed(sample: Sample, sample_tables: Source) -> Iterator[tuple[Source, list[Anchor]]]:
    """The same with the events of three partitions, all sealed, and what was published of that."""
    with sample_tables.copied("retention_sealed") as address, address.client() as client:
        keep_only(client, "events", "_partition IN (0, 6, 7)")
        world = World(client, end_of(sample))
        world.seal()
        yield Source(address), world.log.anchors


@pytest.fixture
def world(sample: Sample, sample_tables: Source) -> Iterator[World]:
    """A database of the test's own, in which nothing is sealed."""
    with sample_tables.copied(_name(), TABLES) as address, address.client() as client:
        yield World(client, end_of(sample))


@pytest.fixture
def raw_log(sample: Sample, sample_tables: Source) -> Iterator[World]:
    """One with nothing but events and their monthly counts."""
    tables = ("events", "events_monthly_versions", "events_monthly")
    with sample_tables.copied(_name(), tables) as address, address.client() as client:
        yield World(client, end_of(sample))


@pytest.fixture
def sealed_world(sample: Sample, sealed: tuple[Source, list[Anchor]]) -> Iterator[World]:
    """A database of the test's own with everything sealed."""
    source, anchors = sealed
    with source.copied(_name(), TABLES) as address, address.client() as client:
        yield World(client, end_of(sample), MemoryDeletionLog(anchors))


@pytest.fixture
def unsealed_world(sealed_world: World) -> World:
    """One with the same few partitions, in which nothing was sealed."""
    for table in ("event_chain", "audit_anchors"):
        sealed_world.client.command(f"TRUNCATE TABLE {table}")
    return World(sealed_world.client, sealed_world.now)


@pytest.fixture
def whole_world(sample: Sample, sealed: tuple[Source, list[Anchor]]) -> Iterator[World]:
    """One with every table that there is, and everything sealed."""
    source, anchors = sealed
    with source.copied(_name()) as address, address.client() as client:
        yield World(client, end_of(sample), MemoryDeletionLog(anchors))


def _name() -> str:
    return f"retention_{next(_numbers)}"


def end_of(sample: Sample) -> datetime:
    """The night after the last day."""
    return moment_of(sample.last).astimezone(UTC) + timedelta(hours=3)
