"""The sample company's raw log in a database of its own for each test, which the test may damage."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from clickhouse_connect.driver.client import Client

from pipeline.local import ClickHouseServer
from sinks.audit.book import Anchor, AuditBook
from sinks.audit.chain import Finding, Place
from sinks.audit.seal import Sealed, seal
from sinks.audit.verify import Period, Totals, verify
from sinks.clickhouse import Address
from tests.sinks.audit.log import MemoryAuditLog
from tests.sinks.views.sample import Sample, played

DAYS = 25
TABLES = ("events", "event_chain", "audit_anchors", "erasures", "erased_rows", "retention_runs")
_numbers = itertools.count(1)


@pytest.fixture(scope="package")
def sample() -> Sample:
    """The first weeks of the sample company."""
    return played(DAYS)


@pytest.fixture(scope="package")
def original(sample: Sample, clickhouse: ClickHouseServer) -> Iterator[Address]:
    """A database that holds them, from which others are copied."""
    address = Address(clickhouse.url, "audit_original")
    sample.books.write_to(address)
    yield address
    with address.client() as client:
        client.command("DROP DATABASE audit_original SYNC")


@dataclass
class Log:
    """A database, and what was published of it."""

    address: Address
    client: Client
    published: MemoryAuditLog
    step: int = 1000

    @property
    def book(self) -> AuditBook:
        """Its audit tables."""
        return AuditBook(self.client)

    def places(self) -> list[Place]:
        """Partitions that have events."""
        return self.book.places()

    def seal(self, end: int = 2**62, at_once: int = 1000) -> list[Sealed]:
        """Seal everything before an offset."""
        return seal(self.book, self.published, dict.fromkeys(self.places(), end), _now, at_once)

    def verify(
        self, anchors: list[Anchor] | None = None, since: datetime | None = None, until: datetime | None = None
    ) -> tuple[list[Finding], Totals]:
        """All findings, in small steps."""
        totals = Totals()
        published = self.published.anchors if anchors is None else anchors
        found = list(verify(self.book, published, totals, Period(since, until), rows_at_once=self.step))
        return found, totals

    def busiest(self) -> Place:
        """The partition that has most rows."""
        topic, partition = self.client.query(
            "SELECT _topic, _partition FROM events GROUP BY 1, 2 ORDER BY count() DESC LIMIT 1"
        ).result_rows[0]
        return Place(str(topic), int(partition))

    def offsets(self, place: Place) -> list[int]:
        """Offsets of a partition's rows."""
        rows = self.client.query(
            "SELECT _offset FROM events WHERE _topic = {topic:String} AND _partition = {partition:UInt16} ORDER BY 1",
            parameters=place._asdict(),
        ).result_rows
        return [int(row[0]) for row in rows]


def _now() -> datetime:
    return datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def log(original: Address) -> Iterator[Log]:
    """A copy of the events in a database of the test's own."""
    name = f"audit_{next(_numbers)}"
    address = Address(original.url, name)
    with original.client() as client:
        client.command(f"CREATE DATABASE {name}")
        for table in TABLES:
            client.command(f"CREATE TABLE {name}.{table} AS {original.database}.{table}")
        client.command(f"CREATE VIEW {name}.ledger_entries AS SELECT * FROM {original.database}.ledger_entries")
        client.command(
            f"INSERT INTO {name}.events SELECT * FROM {original.database}.events WHERE _partition IN (0, 5, 7)"
        )
    with address.client() as client:
        yield Log(address, client, MemoryAuditLog())
        client.command(f"DROP DATABASE {name} SYNC")
