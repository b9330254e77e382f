"""One database with the histories of all companies for all tests of this package."""

import os
from collections.abc import Iterator
from random import Random, SystemRandom

import pytest
from clickhouse_connect.driver.client import Client

from pipeline.local import ClickHouseServer
from sinks.clickhouse import Address
from tests.sinks.oracles_work.desks import WorkDesk
from tests.sinks.oracles_work.playing import Played, desk_of, play

DATABASE = "oracles_work"
COMPANIES = 14
ENTRIES = 130
_FACTOR = int(os.environ.get("ARREARS_TEST_EXAMPLES_FACTOR", "1"))


@pytest.fixture(scope="package")
def desks() -> list[WorkDesk]:
    """Always the same companies; with a factor others, and more of them. Their codes say how to draw them again."""
    seed = 20 if _FACTOR == 1 else SystemRandom().randrange(10**6)
    return [drawn(f"W{seed}N{number:03}") for number in range(COMPANIES * _FACTOR)]


def drawn(code: str) -> WorkDesk:
    """The company of a code."""
    choose = Random(code)
    return desk_of([choose.randrange(2**30) for _ in range(ENTRIES)], code)


@pytest.fixture(scope="package")
def played(desks: list[WorkDesk]) -> Played:
    """Their logs, folded."""
    return play(desks)


@pytest.fixture(scope="package")
def client(played: Played, clickhouse: ClickHouseServer) -> Iterator[Client]:
    """A database that holds what came of them."""
    address = Address(clickhouse.url, DATABASE)
    played.books.write_to(address)
    with address.client() as client:
        yield client
        client.command(f"DROP DATABASE {DATABASE} SYNC")
