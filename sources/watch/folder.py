"""The watched folder: which files in it are ready, and how each is moved so that nobody takes it twice or over another.

`FOLDER/` is the inbox; `FOLDER/processing/<watcher>/` holds what a watcher has in hand; `FOLDER/processed/` and
`FOLDER/rejected/` hold what is done, with reports. A file is claimed by one rename into a place that is the watcher's
alone. Links are never followed, and nothing outside the folder is read or written.
"""

import errno
import fcntl
import os
import re
import secrets
import socket
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Self

from sources.errors import SourceError
from sources.files import BUFFER_BYTES
from sources.watch.report import FileOutcome

PROCESSING, PROCESSED, REJECTED = "processing", "processed", "rejected"
REPORT_SUFFIX = ".report.json"
ROWS_SUFFIX = ".rejected"
_UNFINISHED = (".tmp", ".part", ".partial", ".filepart", ".crdownload")
_LOCK = ".lock"
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_NAME_BYTES_MAX = 200  # so that suffixes fit into the 255 that file systems allow


class Unsafe(Exception):  # noqa: N818  a verdict on what somebody put there
    """Something in the inbox that is not taken in; the message says why."""


class WatchedFolder:
    """One watcher's view of the folder. Use it as a context: it holds the watcher's own place in `processing`.

    Raises ``SourceError`` when the folder is not there, or cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        try:
            self.folder = folder.resolve(strict=True)
        except OSError as error:
            raise SourceError(f"there is no folder {folder}", "Make it, or correct --watch") from error
        if not self.folder.is_dir():
            raise SourceError(f"{folder} is not a folder", "Name the folder into which files are delivered")
        # Host and process are for people; containers often share both.
        self._own = self.folder / PROCESSING / f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
        self._lock: int | None = None

    def __enter__(self) -> Self:
        with self.clear_errors():
            for name in (PROCESSING, PROCESSED, REJECTED):
                self._make_folder(self.folder / name)
            for name in (PROCESSED, REJECTED):
                self._probe(self.folder / name)
            # Locked before it can be seen: a place without a lock is that of a dead watcher, and is cleared away.
            hidden = self._own.with_name(f".{self._own.name}")
            hidden.mkdir()
            self._lock = _lock(hidden / _LOCK)
            hidden.rename(self._own)
        return self

    def __exit__(self, *_: object) -> None:
        if self._lock is not None:
            _remove_place(self._own, self._lock)
            self._lock = None

    def ready_names(self) -> list[tuple[str, tuple[int, int, int]]]:
        """Names in the inbox that may be taken, sorted, each with what changes while somebody still writes the file."""
        found = []
        with self.clear_errors(), os.scandir(self.folder) as entries:
            for entry in entries:
                name = entry.name
                if name.startswith(".") or name.lower().endswith(_UNFINISHED):
                    continue
                try:
                    status = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue  # another watcher was faster
                if not stat.S_ISDIR(status.st_mode):
                    found.append((name, (status.st_ino, status.st_size, status.st_mtime_ns)))
        return sorted(found)

    def claim(self, name: str) -> Path | None:
        """Move a file of the inbox into the watcher's own place; None when it is gone, to another watcher perhaps."""
        target = self._own / name
        with self.clear_errors():
            try:
                # The place is this watcher's alone, and it has one file in hand: nothing can be there already.
                (self.folder / name).rename(target)
            except FileNotFoundError:
                return None
        return target

    def left_overs(self) -> Iterator[Path]:
        """Files that a watcher had in hand when it died, moved into the own place one by one."""
        with self.clear_errors():
            places = [place for place in sorted((self.folder / PROCESSING).iterdir()) if place != self._own]
        for place in places:
            if place.name.startswith(".") or place.is_symlink() or not place.is_dir():
                continue
            with self.clear_errors():
                lock = _lock(place / _LOCK)
                files = [] if lock is None else _visible(place)
            if lock is None:
                continue  # that watcher is alive, or gone this moment
            try:
                for file in files:
                    with self.clear_errors():
                        file.rename(self._own / file.name)
                    yield self._own / file.name
            finally:
                _remove_place(place, lock)

    def in_hand(self) -> list[Path]:
        """What the watcher claimed and has not finished, such as when the broker was away."""
        with self.clear_errors():
            return _visible(self._own)

    def put_back(self, claimed: Path) -> None:
        """Return a file that somebody still writes; under another name if its own is taken again."""
        with self.clear_errors():
            target = _free(self.folder, safe_name(claimed.name), lambda path: not os.path.lexists(path))
            claimed.rename(target)

    def scratch(self, name: str) -> Path:
        """A file beside the claimed ones, of which nobody else takes notice."""
        return self._own / f".{sha256(os.fsencode(name)).hexdigest()[:16]}"

    def finish(
        self, claimed: Path, outcome: FileOutcome, report: Callable[[str, str | None], bytes], rows: Path | None
    ) -> Path:
        """Put the report, the rejected rows, and then the file into `processed` or `rejected`; where the file is now.

        `report` makes the report for the name that the file gets, and that of its rows. The report is there before the
        file: after a crash in between the file is taken again, and reported as a repetition. No file replaces another.
        """
        folder = self.folder / outcome
        draft = self._own / REPORT_SUFFIX

        def reserve(target: Path) -> bool:
            name = target.name
            if os.path.lexists(target) or os.path.lexists(folder / f"{name}{ROWS_SUFFIX}"):
                return False
            draft.write_bytes(report(name, None if rows is None else f"{name}{ROWS_SUFFIX}"))
            return _name_as(draft, folder / f"{name}{REPORT_SUFFIX}")

        with self.clear_errors():
            target = _free(folder, safe_name(claimed.name), reserve)
            draft.unlink()
            if rows is not None:
                rows.rename(folder / f"{target.name}{ROWS_SUFFIX}")
            claimed.rename(target)
        return target

    def reports(self) -> Iterator[tuple[str, bytes]]:
        """Names and contents of the reports on processed files."""
        with self.clear_errors():
            for file in sorted((self.folder / PROCESSED).glob(f"*{REPORT_SUFFIX}")):
                if file.is_symlink():
                    continue
                with suppress(FileNotFoundError):  # somebody clears the folder this moment
                    yield file.name.removesuffix(REPORT_SUFFIX), file.read_bytes()

    @contextmanager
    def clear_errors(self) -> Iterator[None]:
        """What the file system refuses, as one sentence that says what to do."""
        try:
            yield
        except OSError as error:
            where = error.filename2 or error.filename or self.folder
            if error.errno == errno.ENOSPC:
                advice = "Make room; what is in processing is taken again at the next start"
            elif error.errno == errno.EXDEV:
                advice = "The folder and its processing, processed and rejected must be on one file system"
            else:
                advice = "The watcher must be allowed to read, write and rename in the folder and those below it"
            raise SourceError(f"{_shown(str(where))}: {error.strerror}", advice) from error

    @staticmethod
    def _make_folder(folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        if folder.is_symlink() or not folder.is_dir():
            raise SourceError(
                f"{folder} is a link, or no folder", "Files would leave the watched folder; make it a folder"
            )

    def _probe(self, folder: Path) -> None:
        """See now, and not when the first file is done, that files can be put there."""
        probe = folder / f".{self._own.name}.probe"
        probe.touch()
        probe.unlink()


@contextmanager
def opened(claimed: Path) -> Iterator[BinaryIO]:
    """A claimed file as a stream. Raises ``Unsafe`` for what is no ordinary file, or has a name that cannot be told."""
    name = claimed.name
    if _CONTROL.search(name) or not _is_text(name):
        raise Unsafe("its name holds characters that cannot be shown; rename it")
    try:
        # O_NONBLOCK: a pipe that nobody writes to must not hold up the others.
        number = os.open(claimed, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in {errno.ELOOP, errno.EMLINK}:
            raise Unsafe("it is a symbolic link; links are not followed") from error
        raise Unsafe(f"it cannot be read: {error.strerror}") from error
    with os.fdopen(number, "rb", BUFFER_BYTES) as stream:
        if not stat.S_ISREG(os.fstat(number).st_mode):
            raise Unsafe("it is not an ordinary file")
        yield stream


def safe_name(name: str) -> str:
    """A name that can be shown and takes suffixes: what cannot be told is replaced, what is too long cut."""
    plain = _CONTROL.sub("_", name.encode("utf-8", "replace").decode("utf-8")).lstrip(".") or "file"
    if len(plain.encode()) > _NAME_BYTES_MAX:
        digest = sha256(os.fsencode(name)).hexdigest()[:8]
        plain = plain.encode()[: _NAME_BYTES_MAX - 9].decode("utf-8", "ignore") + "-" + digest
    return plain


def _free(folder: Path, name: str, take: Callable[[Path], bool]) -> Path:
    """The first of NAME, NAME.2, NAME.3, … that can be taken."""
    number = 1
    while not take(target := folder / (name if number == 1 else f"{name}.{number}")):
        number += 1
    return target


def _name_as(draft: Path, target: Path) -> bool:
    """Give a file a second name, at which it is there at once and whole; False when that name is taken."""
    try:
        os.link(draft, target)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP}:
            raise
        # A file system without links, such as a share: the name is still taken once only.
        try:
            with target.open("xb") as stream:
                stream.write(draft.read_bytes())
        except FileExistsError:
            return False
    return True


def _visible(place: Path) -> list[Path]:
    try:
        return sorted(file for file in place.iterdir() if not file.name.startswith("."))
    except FileNotFoundError:
        return []  # another watcher cleared it away


def _lock(file: Path) -> int | None:
    """Hold a lock file; None when another process does, or its folder is gone. It ends with the process in any case."""
    try:
        number = os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(number)
        return None
    return number


def _remove_place(place: Path, lock: int) -> None:
    """Remove an empty place in `processing`; one with a file in it stays, and is found at the next start."""
    try:
        if all(file.name.startswith(".") for file in place.iterdir()):
            for file in place.iterdir():
                file.unlink()
            place.rmdir()
    except OSError:
        pass  # whoever comes next finds the lock free, and tries again
    finally:
        os.close(lock)


def _is_text(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _shown(path: str) -> str:
    return path.encode("utf-8", "replace").decode("utf-8")
