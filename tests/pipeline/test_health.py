"""What a service says of itself over HTTP."""

import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry, Counter

from pipeline.errors import Problem
from pipeline.health import Health, serve_health
from pipeline.local.ports import free_port


class Clock:
    """A clock that is set by hand; seconds."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def health(clock: Clock) -> Health:
    return Health(stall_seconds_max=60.0, clock=clock)


@pytest.fixture
def address(health: Health) -> Iterator[str]:
    registry = CollectorRegistry()
    Counter("arrears_test_events", "Events of a test.", registry=registry).inc(3)
    with serve_health(health, "127.0.0.1", free_port(), registry) as address:
        assert address is not None
        yield address


def _get(address: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310  an address of this test
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_a_loop_that_comes_around_is_healthy(address: str, health: Health, clock: Clock) -> None:
    clock.now += 59.0
    assert _get(f"{address}/healthz") == (200, "alive, last heartbeat 59.0 s ago\n")
    health.heartbeat()
    clock.now += 60.0
    assert _get(f"{address}/healthz")[0] == 200


def test_a_stalled_loop_is_noticed_also_when_it_never_came_around(address: str, clock: Clock) -> None:
    clock.now += 60.5
    assert _get(f"{address}/healthz") == (503, "stalled, last heartbeat 60.5 s ago\n")


def test_a_service_is_ready_when_it_says_so_and_is_alive(address: str, health: Health, clock: Clock) -> None:
    assert _get(f"{address}/readyz")[0] == 503
    health.set_ready()
    assert _get(f"{address}/readyz")[0] == 200
    clock.now += 61.0
    assert _get(f"{address}/readyz")[0] == 503
    health.heartbeat()
    health.set_ready(False)
    assert _get(f"{address}/readyz")[0] == 503


def test_metrics_are_given_in_the_format_of_prometheus(address: str) -> None:
    status, text = _get(f"{address}/metrics")
    assert status == 200
    assert "# HELP arrears_test_events_total Events of a test.\n" in text
    assert "arrears_test_events_total 3.0\n" in text
    assert "_created" not in text


def test_it_answers_while_the_service_does_not(address: str) -> None:
    """The loop of the service is this very thread: it is busy while the answer is made."""
    with socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2]))) as connection:
        connection.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
        time.sleep(0.3)
        connection.setblocking(False)
        assert connection.recv(100).startswith(b"HTTP/1.0 200")


def test_port_0_means_off() -> None:
    with serve_health(Health(), "127.0.0.1", 0) as address:
        assert address is None


def test_a_taken_address_is_one_clear_line(address: str, health: Health) -> None:
    port = int(address.rpartition(":")[2])
    with (
        pytest.raises(Problem, match=rf"127\.0\.0\.1:{port} cannot be listened on: .*in use.* Set service\.host"),
        serve_health(health, "127.0.0.1", port),
    ):
        pass


def test_the_address_is_free_again_afterwards(health: Health) -> None:
    port = free_port()
    for _ in range(2):
        with serve_health(health, "127.0.0.1", port) as address:
            assert _get(f"{address}/healthz")[0] == 200
