"""The worker as a process on a real broker: how it ends. What violence does to it is in test_chaos.py."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.local import KafkaBroker
from tests.integration.workers import Load, System, assert_exactly_once

pytestmark = [pytest.mark.kafka, pytest.mark.chaos]


@pytest.fixture
def system(kafka: KafkaBroker, topic_prefix: str, tmp_path: Path) -> Iterator[System]:
    """A system with topics and one company, and no worker yet."""
    made = System(kafka.bootstrap_servers, topic_prefix, tmp_path)
    made.create_topics()
    made.configure()
    yield made
    made.stop_workers()


def test_sigterm_ends_a_worker_in_order_and_the_rest_is_done_by_the_next(system: System) -> None:
    with Load(system, 500) as load:
        worker = system.start_worker()
        system.wait_until_working()
        assert worker.terminate() == 0
        system.start_worker()
    system.wait_until_applied()
    assert_exactly_once(system, load)
