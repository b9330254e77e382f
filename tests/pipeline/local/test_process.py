"""Programs of the stack: stopped in order, killed when they do not listen, never left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from pipeline.errors import Problem
from pipeline.local.process import ChildProcess
from tests.processes import has_ended

SLEEPER = "import time; print('ready', flush=True); time.sleep(600)"
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(600)"
PARENT = """
import pathlib, sys, time
from pipeline.local.process import ChildProcess
command = [sys.executable, "-c", {program!r}]
child = ChildProcess("sleeper", command, pathlib.Path({log!r}), grace_seconds=0.5)
print(child.pid, flush=True)
time.sleep(600)
"""


def _eventually(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _is_ready(log: Path) -> bool:
    return log.exists() and "ready" in log.read_text()


def _start(log: Path, program: str, grace_seconds: float = 5.0) -> ChildProcess:
    child = ChildProcess("the program", [sys.executable, "-c", program], log, grace_seconds=grace_seconds)
    assert _eventually(lambda: _is_ready(log))
    return child


def test_a_program_is_asked_to_end_and_its_output_is_kept(tmp_path: Path) -> None:
    child = _start(tmp_path / "log", SLEEPER)
    assert child.poll() is None
    assert child.stop() == 128 + signal.SIGTERM
    assert has_ended(child.pid)
    assert (tmp_path / "log").read_text() == "ready\n"
    assert child.stop() == 128 + signal.SIGTERM  # once more does nothing


def test_a_program_that_does_not_listen_is_killed_after_the_time_of_grace(tmp_path: Path) -> None:
    child = _start(tmp_path / "log", DEAF, grace_seconds=0.3)
    assert child.stop() == 128 + signal.SIGKILL
    assert has_ended(child.pid)


def test_kill_leaves_no_time_for_anything(tmp_path: Path) -> None:
    child = _start(tmp_path / "log", DEAF)
    started = time.monotonic()
    assert child.kill() == 128 + signal.SIGKILL
    assert time.monotonic() - started < 1.0


def test_the_exit_code_is_that_of_the_program(tmp_path: Path) -> None:
    child = ChildProcess("the program", [sys.executable, "-c", "import sys; sys.exit(3)"], tmp_path / "log")
    assert _eventually(lambda: child.poll() == 3)
    assert child.stop() == 3


def test_a_program_that_is_not_there_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="the program does not start: /no/such/program cannot be started: No such file"):
        ChildProcess("the program", ["/no/such/program"], tmp_path / "log")


@pytest.mark.parametrize("program", [SLEEPER, DEAF], ids=["listens", "deaf"])
def test_no_program_outlives_a_parent_that_was_killed(tmp_path: Path, program: str) -> None:
    log = tmp_path / "log"
    source = PARENT.format(program=program, log=str(log))
    with subprocess.Popen([sys.executable, "-c", source], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert _eventually(lambda: _is_ready(log))
        launcher = psutil.Process(pid).ppid()
        parent.kill()
    assert _eventually(lambda: has_ended(pid))
    assert _eventually(lambda: has_ended(launcher))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells a child of its parent's death")
def test_no_program_outlives_a_launcher_that_was_killed(tmp_path: Path) -> None:
    child = _start(tmp_path / "log", DEAF)
    os.kill(psutil.Process(child.pid).ppid(), signal.SIGKILL)
    assert _eventually(lambda: has_ended(child.pid))
    child.stop()


def test_a_held_file_stays_open_until_the_program_has_ended(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    child = ChildProcess("the program", [sys.executable, "-c", SLEEPER], tmp_path / "log", held=(writer,))
    os.close(writer)
    with pytest.raises(BlockingIOError):  # somebody could still write
        os.read(reader, 1)
    child.stop()
    assert os.read(reader, 1) == b""  # nobody can
    os.close(reader)


def test_a_log_that_has_grown_large_is_set_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.local.process.LOG_BYTES_MAX", 3)
    (tmp_path / "a.log").write_text("much")
    _start(tmp_path / "a.log", SLEEPER).stop()
    assert (tmp_path / "a.log").read_text() == "ready\n"
    assert (tmp_path / "a.log.1").read_text() == "much"
