"""A program of the stack as a child process that cannot be left behind."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from pipeline.errors import Problem

LAUNCHER = Path(__file__).with_name("launcher.py")
LOG_BYTES_MAX = 4_194_304
GRACE_SECONDS = 10.0


class ChildProcess:
    """One program, started through ``launcher.py``: it ends when this process ends, also by ``kill -9``.

    ``log`` receives what the program writes. ``held`` are open files, such as a folder's lock, that stay open
    until the program has ended, even when this process ended earlier.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        log: Path,
        environment: Mapping[str, str] | None = None,
        held: Sequence[int] = (),
        grace_seconds: float = GRACE_SECONDS,
    ) -> None:
        self.name = name
        self.log = log
        self.pid = 0
        self._grace_seconds = grace_seconds
        with _open_log(log) as output:
            self._launcher = subprocess.Popen(  # noqa: S603  the command comes from our own code
                [sys.executable, "-I", "-S", str(LAUNCHER), str(grace_seconds), *map(str, command)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                env=None if environment is None else {**os.environ, **environment},
                pass_fds=tuple(held),
                # Ctrl-C in a terminal goes to the stack alone; it then stops its programs in order.
                start_new_session=True,
            )
        if self._launcher.stdout is None or self._launcher.stdin is None:
            raise RuntimeError("the launcher has no pipes")
        self._pipes = (self._launcher.stdin, self._launcher.stdout)
        line = self._launcher.stdout.readline()
        if not line.strip():
            self._wait()
            raise Problem(f"{name} does not start: {self.last_words()}")
        self.pid = int(line)

    def poll(self) -> int | None:
        """The exit code (128 + signal when a signal ended the program), or None while it runs."""
        return self._launcher.poll()

    def stop(self) -> int:
        """Ask the program to end, wait, kill it after the time of grace; returns the exit code."""
        with contextlib.suppress(BrokenPipeError, ValueError):
            self._pipes[0].close()
        return self._wait()

    def kill(self) -> int:
        """``kill -9``: no clean end. For tests of what a crash leaves behind."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
        return self._wait()

    def _wait(self) -> int:
        try:
            code = self._launcher.wait(self._grace_seconds + 5.0)
        except subprocess.TimeoutExpired:
            self._launcher.kill()
            code = self._launcher.wait()
        for pipe in self._pipes:
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
        return code

    def last_words(self, lines: int = 1) -> str:
        """The last lines that the program wrote, joined into one."""
        try:
            written = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        except OSError:
            return "it left no log"
        return " ".join(line.strip() for line in written[-lines:]) or f"see {self.log}"


def _open_log(log: Path) -> BinaryIO:
    """The log for appending; one that has grown large is set aside first, over the one set aside before."""
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > LOG_BYTES_MAX:
        log.replace(log.with_suffix(f"{log.suffix}.1"))
    return log.open("ab")
