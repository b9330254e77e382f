"""A data folder that belongs to one running program at a time."""

import errno
import fcntl
import os
import time
from pathlib import Path

from pipeline.errors import Problem

STOPPING_SECONDS = 15.0
SPACE_BYTES_MIN = 256 * 1024 * 1024


class Folder:
    """A folder with a lock that ends with its holder, so that a crash leaves nothing to clean up.

    The lock is handed on to the program that works in the folder (``ChildProcess(held=…)``): after a
    ``kill -9`` of the stack it stays taken until that program, too, has ended.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._lock: int | None = None

    def acquire(self) -> int:
        """Create the folder and take its lock; returns the open lock file.

        Raises ``Problem`` when the folder cannot be written, is full, or belongs to a running stack.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                self._take(lock)
                os.ftruncate(lock, 0)
                os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
                self._check_space()
            except BaseException:
                os.close(lock)
                raise
        except OSError as error:
            raise folder_problem(self.path, error) from error
        self._lock = lock
        return lock

    def release(self) -> None:
        """Give the lock back; harmless when it is not held."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _take(self, lock: int) -> None:
        deadline = time.monotonic() + STOPPING_SECONDS
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                owner = os.pread(lock, 32, 0).decode(errors="replace").strip()
                # A dead owner means that its program is just being stopped: that takes seconds.
                if is_alive(owner) or time.monotonic() > deadline:
                    raise Problem(
                        f"the folder {self.path} is in use by process {owner or 'unknown'}",
                        "Stop that stack first, or give another folder by stack.folder",
                    ) from None
                time.sleep(0.1)
            else:
                return

    def _check_space(self) -> None:
        space = os.statvfs(self.path)
        if space.f_bavail * space.f_frsize < SPACE_BYTES_MIN:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def folder_problem(path: Path, error: OSError) -> Problem:
    """An operating system error about a folder, as one line that says what to do."""
    if error.errno == errno.ENOSPC:
        return Problem(
            f"the disk of {path} is full",
            f"Free at least {SPACE_BYTES_MIN // 1024**2} MiB, or give another folder by stack.folder",
        )
    return Problem(
        f"the folder {path} cannot be written: {error.strerror or error}", "Give another folder by stack.folder"
    )


def is_alive(pid: str) -> bool:
    """Whether a process of this number is there."""
    try:
        os.kill(int(pid), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True
