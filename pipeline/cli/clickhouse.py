"""ClickHouse for commands: where it is, a client, and its troubles as one line for a person."""

from collections.abc import Iterator
from contextlib import contextmanager

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from pipeline.errors import Problem
from pipeline.settings import Settings
from sinks.clickhouse import Address, words_of
from sinks.errors import SinkProblem, Unavailable

START_IT = "Start it (`arrears up` starts one on this machine), or set clickhouse.url"


def clickhouse_address(settings: Settings) -> Address:
    """Where the settings say that ClickHouse is."""
    section = settings.clickhouse
    return Address(section.url, section.database, section.user, section.password.get_secret_value())


@contextmanager
def clickhouse_problems() -> Iterator[None]:
    """Whatever ClickHouse does not do within the block becomes a Problem that says what to do."""
    try:
        yield
    except SinkProblem as problem:
        raise Problem(problem.message, problem.advice) from problem
    except Unavailable as error:
        raise Problem(str(error), START_IT) from error
    except ClickHouseError as error:
        raise Problem(f"ClickHouse refuses: {words_of(error)}", "Look at its log, and at `arrears doctor`") from error


@contextmanager
def clickhouse_client(settings: Settings, database: str | None = None) -> Iterator[Client]:
    """A client for the block; the settings' database, or another, or none (empty). Raises Problem as above."""
    with clickhouse_problems(), clickhouse_address(settings).client(database=database) as client:
        yield client
