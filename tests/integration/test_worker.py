"""The exactly-once promise of the worker (DESIGN §3), with real processes, a real broker and real violence."""

import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.local import KafkaBroker
from tests.integration.workers import Load, System, assert_exactly_once

pytestmark = [pytest.mark.kafka, pytest.mark.chaos]

CHAOS_SECONDS = float(os.environ.get("ARREARS_CHAOS_SECONDS", "0"))
CHAOS_SEED = int(os.environ.get("ARREARS_CHAOS_SEED", "1"))
SESSION_SECONDS = 6.0


@pytest.fixture
def system(kafka: KafkaBroker, topic_prefix: str, tmp_path: Path) -> Iterator[System]:
    """A system with topics and one company, and no worker yet."""
    made = System(kafka.bootstrap_servers, topic_prefix, tmp_path)
    made.create_topics()
    made.configure()
    yield made
    made.stop_workers()


def test_workers_that_are_killed_under_load_lose_and_double_nothing(system: System) -> None:
    with Load(system, 500) as load:
        first, second = system.start_worker(), system.start_worker()
        system.wait_until_working()
        first.kill()
        third = system.start_worker()
        time.sleep(4)
        second.kill()
        third.kill()
        system.start_worker()
        time.sleep(3)
    system.wait_until_applied()
    assert_exactly_once(system, load)


def test_a_worker_that_slept_through_its_dismissal_is_harmless(system: System) -> None:
    with Load(system, 500) as load:
        sleeper = system.start_worker()
        system.wait_until_working()
        sleeper.pause()
        system.start_worker()
        time.sleep(SESSION_SECONDS + 3)
        sleeper.resume()
        time.sleep(5)
        assert sleeper.is_running
    system.wait_until_applied()
    assert_exactly_once(system, load)


def test_workers_wait_until_the_broker_is_back(system: System, kafka: KafkaBroker) -> None:
    with Load(system, 500) as load:
        workers = [system.start_worker(), system.start_worker()]
        system.wait_until_working()
        kafka.kill()
        time.sleep(3)
        kafka.start()
        time.sleep(5)
    system.wait_until_applied()
    assert all(worker.is_running for worker in workers)
    assert_exactly_once(system, load)


def test_sigterm_ends_a_worker_in_order_and_the_rest_is_done_by_the_next(system: System) -> None:
    with Load(system, 500) as load:
        worker = system.start_worker()
        system.wait_until_working()
        assert worker.terminate() == 0
        system.start_worker()
    system.wait_until_applied()
    assert_exactly_once(system, load)


@pytest.mark.skipif(CHAOS_SECONDS <= 0, reason="set ARREARS_CHAOS_SECONDS to let it rage for so long")
@pytest.mark.timeout(CHAOS_SECONDS + 300)
def test_chaos(system: System, kafka: KafkaBroker) -> None:
    """Everything at random, by ARREARS_CHAOS_SEED."""
    choice = random.Random(CHAOS_SEED)
    deadline = time.monotonic() + CHAOS_SECONDS
    with Load(system, 500) as load:
        workers = [system.start_worker(), system.start_worker(), system.start_worker()]
        while time.monotonic() < deadline:
            time.sleep(choice.uniform(1, 8))
            number = choice.randrange(len(workers))
            action = choice.choices(["kill", "sleep", "terminate", "broker"], [5, 2, 2, 1])[0]
            if action == "kill":
                workers[number].kill()
                workers[number] = system.start_worker()
            elif action == "sleep":
                workers[number].pause()
                time.sleep(SESSION_SECONDS + choice.uniform(0, 5))
                workers[number].resume()
            elif action == "terminate":
                assert workers[number].terminate() == 0
                workers[number] = system.start_worker()
            else:
                kafka.kill()
                time.sleep(choice.uniform(0, 5))
                kafka.start()
    system.wait_until_applied(120)
    assert_exactly_once(system, load)
