"""One database with the sample company's rows for all tests of views."""

from collections.abc import Iterator

import pytest
from clickhouse_connect.driver.client import Client

from tests.sinks.copies import Source


@pytest.fixture(scope="package")
def client(sample_tables: Source) -> Iterator[Client]:
    """A database that holds them."""
    with sample_tables.address.client() as client:
        yield client
