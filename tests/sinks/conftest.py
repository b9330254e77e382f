"""The sample company's rows, written once in each process: some tests read them, others take a copy to change."""

from collections.abc import Iterator

import pytest

from pipeline.local import ClickHouseServer
from sinks.clickhouse import Address
from tests.sinks.copies import Source
from tests.sinks.views.sample import Sample, played


@pytest.fixture(scope="session")
def sample() -> Sample:
    """The first months of the sample company."""
    return played()


@pytest.fixture(scope="session")
def sample_tables(sample: Sample, clickhouse: ClickHouseServer) -> Iterator[Source]:
    """A database that holds them and is not changed."""
    source = Source(Address(clickhouse.url, "sample"))
    sample.books.write_to(source.address)
    yield source
    source.drop()
