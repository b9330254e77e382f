"""One database with the rows of all random histories."""

from collections.abc import Iterator

import pytest
from clickhouse_connect.driver.client import Client

from pipeline.local import ClickHouseServer
from sinks.clickhouse import Address
from tests.sinks.oracles.told import Told, random_histories


@pytest.fixture(scope="package")
def told() -> Told:
    """Histories of many companies in one log."""
    return random_histories()


@pytest.fixture(scope="package")
def client(told: Told, clickhouse: ClickHouseServer) -> Iterator[Client]:
    """A database that holds them."""
    address = Address(clickhouse.url, "oracles")
    told.books.write_to(address)
    with address.client() as client:
        yield client
        client.command("DROP DATABASE oracles SYNC")
