"""A database of the sample company of its own: these tests write into it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from pipeline.local import ClickHouseServer
from tests.pipeline.cli.calls import Done, arrears
from tests.sinks.copies import Source

DATABASE = "rollups"


@pytest.fixture(scope="package")
def client(sample_tables: Source) -> Iterator[Client]:
    """A copy of what all others only read."""
    with sample_tables.copied(DATABASE) as address, address.client() as client:
        yield client


@pytest.fixture
def run(client: Client, clickhouse: ClickHouseServer, tmp_path: Path) -> Callable[..., Done]:
    """A command on that database."""

    def called(*words: str) -> Done:
        where = {"ARREARS_CLICKHOUSE__URL": clickhouse.url, "ARREARS_CLICKHOUSE__DATABASE": DATABASE}
        return arrears(*words, folder=tmp_path, **where)

    return called
