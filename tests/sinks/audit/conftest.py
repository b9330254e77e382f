"""The sample company's raw log in a database of its own for each test, which the test may damage."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from clickhouse_connect.driver.client import Client

from jobs.values import Instant, moment_of
from sinks.audit.book import Anchor, AuditBook
from sinks.audit.chain import Finding, Place
from sinks.audit.seal import Sealed, seal
from sinks.audit.verify import Period, Totals, verify
from sinks.clickhouse import Address
from tests.sinks.audit.log import MemoryAuditLog
from tests.sinks.copies import Source, keep_only
from tests.sinks.views.sample import Sample

DAYS = 25
_DAY = 86_400_000_000  # microseconds
COPIED = (
    "events",
    "event_chain",
    "audit_anchors",
    "erasures",
    "erased_rows",
    "retention_runs",
    "ledger_entries_log",
    "ledger_entries",
)
_numbers = itertools.count(1)


@pytest.fixture(scope="package")
def original(sample: Sample, sample_tables: Source) -> Iterator[Source]:
    """A database that holds the first weeks of three partitions, from which others are copied."""
    until = moment_of(Instant(sample.first + DAYS * _DAY)).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    with sample_tables.copied("audit_original", COPIED) as address:
        with address.client() as client:
            keep_only(client, "events", f"_partition IN (0, 5, 7) AND _appended_at < '{until}'")
        yield Source(address)


@pytest.fixture(scope="package")
def sealed(original: Source) -> Iterator[tuple[Source, list[Anchor]]]:
    """The same with everything sealed, and what was published of that."""
    with original.copied("audit_sealed", COPIED) as address, address.client() as client:
        log = Log(address, client, MemoryAuditLog())
        log.seal()
        yield Source(address), log.published.anchors


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
def log(original: Source) -> Iterator[Log]:
    """A copy of the events in a database of the test's own, not sealed yet."""
    with original.copied(f"audit_{next(_numbers)}", COPIED) as address, address.client() as client:
        yield Log(address, client, MemoryAuditLog())


@pytest.fixture
def sealed_log(sealed: tuple[Source, list[Anchor]]) -> Iterator[Log]:
    """A copy of the events in a database of the test's own, all of them sealed."""
    source, anchors = sealed
    with source.copied(f"audit_{next(_numbers)}", COPIED) as address, address.client() as client:
        yield Log(address, client, MemoryAuditLog([*anchors]))
