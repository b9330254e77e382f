"""The loop: look, wait until files have settled, take them one by one, report, and begin again."""

import itertools
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event

import msgspec

from sources.errors import SourceError
from sources.watch.folder import WatchedFolder
from sources.watch.report import FileReport
from sources.watch.taking import FileTaker, Guarded, Sender, SendingError


class WatchOptions(msgspec.Struct, frozen=True):
    """All in seconds. A file is taken when it has not changed for `settle`; 0 = at once, for deliveries by rename."""

    settle_seconds: float = 2.0
    interval_seconds: float = 1.0
    retry_seconds: float = 5.0
    once: bool = False


class Watcher:
    """Takes what is put into a folder until `stop` is set.

    `connect` makes a sender, at first and again after the broker did not answer. `tell` is given every report,
    `complain` every reason to wait.
    """

    def __init__(
        self,
        folder: WatchedFolder,
        taker: FileTaker,
        connect: Callable[[], Sender],
        options: WatchOptions,
        tell: Callable[[FileReport], None],
        complain: Callable[[str], None],
        stop: Event,
    ) -> None:
        self._folder = folder
        self._taker = taker
        self._connect = connect
        self._options = options
        self._tell = tell
        self._complain = complain
        self._stop = stop
        self._sender: Guarded | None = None
        self._known: dict[str, str] = {}
        self._settling: dict[str, tuple[tuple[int, int, int], float]] = {}

    def run(self) -> None:
        """Until `stop`, or with `once` until what was there has been taken; the file at hand is always finished.

        Raises ``SourceError`` when the folder cannot be worked in, with `once` also when the broker does not answer.
        """
        self._known = _known_contents(self._folder)
        has_waited = False
        while not self._stop.is_set():
            waiting = self._round()
            if self._options.once and (has_waited or not waiting):
                return  # what is still being written is for the next run
            has_waited = True
            self._stop.wait(self._options.settle_seconds if self._options.once else self._options.interval_seconds)

    def _round(self) -> bool:
        """Take what is ready. True when something is there that has not settled yet."""
        # First what was begun, by this watcher or by one that died: two files of one name are never in one place.
        for claimed in itertools.chain(self._folder.in_hand(), self._folder.left_overs()):
            if not self._try(claimed):
                return True
        now = time.monotonic()
        self._settling = {
            name: seen if (seen := self._settling.get(name)) and seen[0] == state else (state, now)
            for name, state in self._folder.ready_names()
        }
        for name, (_, since) in list(self._settling.items()):
            if now - since >= self._options.settle_seconds:
                del self._settling[name]
                mine = self._folder.claim(name)
                if mine is not None and not self._try(mine):
                    return True
        return bool(self._settling)

    def _try(self, claimed: Path) -> bool:
        """Take one file. False when it stays in hand: the broker does not answer, or the watcher is to stop."""
        if self._stop.is_set():
            return False
        try:
            self._take(claimed)
        except SendingError as error:
            self._sender = None
            if self._options.once:
                raise
            self._complain(f"{error}. Trying again in {self._options.retry_seconds:g} seconds")
            self._stop.wait(self._options.retry_seconds)
            return False
        return True

    def _take(self, claimed: Path) -> None:
        sender = self._sender or self._connected()
        rows = self._folder.scratch(claimed.name)
        shown_as = str(self._folder.folder / claimed.name)
        with self._folder.clear_errors():
            taken = self._taker.take(claimed, shown_as, rows, sender)
        if taken.is_unfinished:
            rows.unlink(missing_ok=True)
            self._complain(f"{claimed.name} was still being written; it is taken again when it has settled")
            self._folder.put_back(claimed)
            return
        reports: list[FileReport] = []

        def report(name: str, rows_name: str | None) -> bytes:
            reports[:] = [self._taker.report(taken, name, rows_name, self._known.get(taken.sha256))]
            return msgspec.json.format(msgspec.json.encode(reports[0]), indent=2) + b"\n"

        with self._folder.clear_errors():
            if not taken.has_rows:
                rows.unlink(missing_ok=True)
        target = self._folder.finish(claimed, taken.outcome, report, rows if taken.has_rows else None)
        if taken.outcome == "processed":
            self._known.setdefault(taken.sha256, target.name)
        self._tell(reports[0])

    def _connected(self) -> Guarded:
        try:
            self._sender = Guarded(self._connect())
        except SourceError as error:
            raise SendingError(error.message, error.advice) from error
        return self._sender


def _known_contents(folder: WatchedFolder) -> dict[str, str]:
    """Digests of processed files, from their reports; one that cannot be read is passed over."""
    known: dict[str, str] = {}
    for name, content in folder.reports():
        try:
            known.setdefault(msgspec.json.decode(content, type=_Digest).sha256, name)
        except msgspec.DecodeError:
            continue
    return known


class _Digest(msgspec.Struct):
    """The part of a report by which a repetition is known."""

    sha256: str
