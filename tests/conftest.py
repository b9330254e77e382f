"""What all tests share: one real broker and one real ClickHouse per test session, started when first asked for."""

import gc
import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient
from hypothesis import settings

from pipeline.local import ClickHouseServer, KafkaBroker
from tests.distribution import ByLength

_numbers = itertools.count(1)
_brokers: list[KafkaBroker] = []  # those of this session that were asked for

# No example has a deadline: a machine that does something else meanwhile is no failure.
settings.register_profile("arrears", deadline=None)
settings.load_profile("arrears")


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByLength:
    """How several test processes share the work."""
    return ByLength(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Everything that is imported and collected stays to the end: nothing of it is looked at for garbage. What tests
    make is looked at less often than usual; that took a twentieth of the time of the pure ones.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(20_000, 20, 50)
        gc.enable()


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaBroker]:
    """A real broker: ``bootstrap_servers``, ``stop()``, ``start()``, ``kill()``; same port at every start."""
    with KafkaBroker(tmp_path_factory.mktemp("kafka"), port=0) as broker:
        _brokers.append(broker)
        yield broker
        _brokers.remove(broker)


@pytest.fixture(scope="session")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseServer]:
    """A real ClickHouse engine: ``url``, ``client()``, ``stop()``, ``start()``, ``kill()``."""
    with ClickHouseServer(tmp_path_factory.mktemp("clickhouse"), port=0) as server:
        yield server


@pytest.fixture
def topic_prefix() -> Iterator[str]:
    """A prefix for topics, groups and databases that no other test of this run uses."""
    with _prefix() as prefix:
        yield prefix


@pytest.fixture(scope="module")
def module_topic_prefix() -> Iterator[str]:
    """The same for the tests of a module together."""
    with _prefix() as prefix:
        yield prefix


@contextmanager
def _prefix() -> Iterator[str]:
    """Topics of the prefix are deleted in the end: a broker that has gathered thousands of partitions takes half a
    minute to come back from a crash, and the tests that crash it would wait for that alone.
    """
    prefix = f"t{os.getpid()}_{next(_numbers)}."
    yield prefix
    for broker in _brokers:
        _delete_topics(broker, prefix)


def _delete_topics(broker: KafkaBroker, prefix: str) -> None:
    broker.start()
    admin = AdminClient({"bootstrap.servers": broker.bootstrap_servers, "log_level": 0})
    topics = [name for name in admin.list_topics(timeout=30).topics if name.startswith(prefix)]
    if topics:
        for future in admin.delete_topics(topics).values():
            future.result(30)


@pytest.fixture(autouse=True)
def no_settings_of_the_developer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests see the default settings, whatever the shell that runs them has set."""
    for name in list(os.environ):
        if name.startswith("ARREARS_") and not name.startswith(("ARREARS_TEST_", "ARREARS_CHAOS_")):
            monkeypatch.delenv(name)


@pytest.fixture
def repository() -> Path:
    """The root of the source tree."""
    return Path(__file__).resolve().parents[1]
