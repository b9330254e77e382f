"""One database with the sample company's rows for all tests of views."""

from collections.abc import Iterator

import pytest
from clickhouse_connect.driver.client import Client

from pipeline.local import ClickHouseServer
from sinks.clickhouse import Address
from tests.sinks.views.sample import Sample, played


@pytest.fixture(scope="package")
def sample() -> Sample:
    """The first months of the sample company."""
    return played()


@pytest.fixture(scope="package")
def client(sample: Sample, clickhouse: ClickHouseServer) -> Iterator[Client]:
    """A database that holds them."""
    address = Address(clickhouse.url, "views")
    sample.books.write_to(address)
    with address.client() as client:
        yield client
        client.command("DROP DATABASE views SYNC")
