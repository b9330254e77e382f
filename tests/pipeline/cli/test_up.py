"""`arrears up` as a user runs it: starts, is complete, looks after its parts, ends without a trace, comes back."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from pipeline.cli.preparation import has_companies
from pipeline.local.addresses import read_addresses
from tests.processes import has_ended
from topics import catalogue

pytestmark = [pytest.mark.kafka, pytest.mark.clickhouse]

ROOT = Path(__file__).resolve().parents[3]
READY_SECONDS_MAX = 120.0


def _environment(folder: Path) -> dict[str, str]:
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": str(Path.home()),
        "COLUMNS": "200",
        "ARREARS_STACK__FOLDER": str(folder),
        "ARREARS_STACK__KAFKA_PORT": "0",
        "ARREARS_STACK__CLICKHOUSE_PORT": "0",
        "ARREARS_COMPANIES__FOLDER": str(ROOT / "config" / "companies"),
    }


def _run(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "pipeline.cli", *words],
        env=_environment(folder),
        capture_output=True,
        text=True,
        timeout=READY_SECONDS_MAX,
        check=False,
    )


@contextmanager
def _up(folder: Path) -> "Iterator[tuple[subprocess.Popen[str], dict[str, dict[str, Any]]]]":
    """The running program, and its parts by name as it told them when all were ready."""
    with (folder.parent / "up.err").open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "pipeline.cli", "up", "--json"],
            env=_environment(folder),
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, (folder.parent / "up.err").read_text()
            yield process, {part["name"]: part for part in json.loads(line)}
        finally:
            process.kill()
            process.communicate()


def _eventually(condition: Callable[[], bool], seconds: float = 40.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def _commands_of(folder: Path) -> list[psutil.Process]:
    """Every process that works for this stack."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("ARREARS_STACK__FOLDER") == str(folder):
                found.append(process)
        except psutil.Error:
            continue
    return found


def test_it_starts_ends_and_comes_back_with_everything(tmp_path: Path) -> None:
    folder = tmp_path / "stack"
    with _up(folder) as (process, parts):
        assert {name: part["state"] for name, part in parts.items()} == dict.fromkeys(
            ("kafka", "clickhouse", "worker", "sink"), "ready"
        )
        addresses = read_addresses(folder)
        assert addresses is not None
        assert addresses.kafka_bootstrap_servers == parts["kafka"]["address"]

        # Every other command finds it; the examination finds nothing wrong.
        examined = _run(folder, "doctor", "--json")
        findings = json.loads(examined.stdout)
        assert [finding for finding in findings if finding["status"] == "failed"] == []
        assert examined.returncode == 0

        # What ends by itself is started again.
        psutil.Process(parts["sink"]["pid"]).kill()
        psutil.Process(parts["clickhouse"]["pid"]).kill()
        assert _eventually(lambda: json.loads(_run(folder, "doctor", "--json").stdout)[-1]["status"] == "ok")

        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert f"topics: {len(catalogue())} changes, 0 unchanged" in (tmp_path / "up.err").read_text()
    assert _eventually(lambda: _commands_of(folder) == [])
    assert read_addresses(folder) is None

    with _up(folder) as (process, parts):
        told = (tmp_path / "up.err").read_text()
        assert f"topics: 0 changes, {len(catalogue())} unchanged" in told
        assert "companies: 0 published, 3 unchanged" in told
        assert "tables: 0 migrations applied" in told
        # A second one on the same folder is refused, and harms nothing.
        second = _run(folder, "up")
        assert second.returncode == 1
        assert f"is in use by process {process.pid}" in second.stderr
        assert process.poll() is None
        # However it ends, nothing is left behind.
        process.kill()
        process.wait()
        assert _eventually(lambda: all(has_ended(part["pid"]) for part in parts.values()))
    assert read_addresses(folder) is None


def test_a_service_that_cannot_start_says_why_and_everything_ends(tmp_path: Path) -> None:
    folder = tmp_path / "stack"
    environment = {**_environment(folder), "ARREARS_WORKER__APPLICATION_ID": "w", "ARREARS_SINK__GROUP_ID": "s"}
    environment["ARREARS_COMPANIES__FOLDER"] = str(tmp_path)
    (tmp_path / "FR01.toml").write_text('timezone = "Europe/Pairs"\n')
    assert has_companies(tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "pipeline.cli", "up"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=READY_SECONDS_MAX,
        check=False,
    )
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"arrears: {tmp_path}/FR01.toml: timezone 'Europe/Pairs' is not an IANA time zone")
    assert _commands_of(folder) == []
