"""What `arrears api` takes in, acknowledged by the broker, beside a server that answers and does nothing."""

import socket
import time

from pipeline.cli.benchmarks.history import COMPANY
from pipeline.cli.benchmarks.parts import LOOK_SECONDS, SECONDS_MAX, Process, System
from pipeline.cli.benchmarks.results import Result
from pipeline.errors import Problem
from pipeline.local.ports import LOOPBACK, free_port
from pipeline.settings import variable_name
from sources.http import KeyFile

LOAD = "pipeline.cli.benchmarks.http_load"
BARE = "pipeline.cli.benchmarks.http_bare"
PROCESSES = 2
BATCH = 500
_SINGLE_CONNECTIONS = 128
_CPU, _EVENTS = "process_cpu_seconds_total", "arrears_source_events_total"
_BATCH_CONNECTIONS = 16


def measure_door(system: System, seconds: float) -> list[Result]:
    """Events a second: one a request, and many a request; and what the same server answers without any work."""
    system.prepare()
    keys_file = system.folder / "api-keys.json"
    _, key = KeyFile(keys_file).create("bench", ["events:write"], [COMPANY])
    bare_port, port = free_port(), free_port()
    bare = system.start("bare-http", BARE, str(bare_port))
    _wait_for(bare_port, bare)
    answered, _, _ = _load(system, bare_port, key, _SINGLE_CONNECTIONS, seconds, 1)
    bare.stop()
    environment = {
        variable_name("api", "port"): str(port),
        variable_name("api", "processes"): str(PROCESSES),
        variable_name("api", "keys_file"): str(keys_file),
    }
    door = system.start("api", "pipeline.cli", "api", environment=environment)
    door.wait_until_ready()
    results = [Result("bare HTTP server, one process: one answer a request", answered, "requests/s", None)]
    for name, connections, events in (
        ("HTTP door, one event a request, acknowledged", _SINGLE_CONNECTIONS, 1),
        (f"HTTP door, {BATCH} events a request, acknowledged", _BATCH_CONNECTIONS, BATCH),
    ):
        before = [_sum(door, series) for series in (_CPU, _EVENTS)]
        rate, median, slow = _load(system, port, key, connections, seconds, events)
        cpu, sent = (_sum(door, series) - was for series, was in zip((_CPU, _EVENTS), before, strict=True))
        # Warming up costs and counts, too.
        results.append(Result(name, rate, "events/s", cpu / sent * 1e6))
        results.append(Result(f"{name}: p50", median * 1000, "ms", None))
        results.append(Result(f"{name}: p99", slow * 1000, "ms", None))
    return results


def _load(
    system: System, port: int, key: str, connections: int, seconds: float, events: int
) -> tuple[float, float, float]:
    """Events a second, and the median and the 99th percentile of an answer's time in seconds."""
    clients = system.start("clients", LOAD, str(port), key, str(connections), str(seconds), str(events))
    said = clients.wait(seconds + SECONDS_MAX)
    try:
        acknowledged, taken, _, median, slow = (float(word) for word in said.split())
    except ValueError:
        raise Problem(f"the clients say: {said}", f"See {system.folder}") from None
    return acknowledged / taken, median, slow


def _sum(door: Process, series: str) -> float:
    """A series over all processes."""
    return sum(door.metric(series, offset) for offset in range(PROCESSES))


def _wait_for(port: int, server: Process) -> None:
    deadline = time.monotonic() + SECONDS_MAX
    while time.monotonic() < deadline:
        server.check()
        try:
            socket.create_connection((LOOPBACK, port), 1.0).close()
        except OSError:
            time.sleep(LOOK_SECONDS)
        else:
            return
    raise Problem("the bare server does not listen", "See its log")
