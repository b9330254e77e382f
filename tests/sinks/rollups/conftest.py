"""A database of the sample company of its own: these tests write into it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from pipeline.local import ClickHouseServer
from sinks.clickhouse import Address
from tests.pipeline.cli.calls import Done, arrears
from tests.sinks.views.sample import Sample, played

DATABASE = "rollups"


@pytest.fixture(scope="package")
def sample() -> Sample:
    """Two months of the sample company."""
    return played(60)


@pytest.fixture(scope="package")
def client(sample: Sample, clickhouse: ClickHouseServer) -> Iterator[Client]:
    """A database that holds them."""
    address = Address(clickhouse.url, DATABASE)
    sample.books.write_to(address)
    with address.client() as client:
        yield client
        client.command(f"DROP DATABASE {DATABASE} SYNC")


@pytest.fixture
def run(client: Client, clickhouse: ClickHouseServer, tmp_path: Path) -> Callable[..., Done]:
    """A command on that database."""

    def called(*words: str) -> Done:
        where = {"ARREARS_CLICKHOUSE__URL": clickhouse.url, "ARREARS_CLICKHOUSE__DATABASE": DATABASE}
        return arrears(*words, folder=tmp_path, **where)

    return called
