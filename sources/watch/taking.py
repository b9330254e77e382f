"""One delivered file through its adapter to the broker: what was sent, what was not, and why."""

import logging
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Protocol

import msgspec

from sources.compressed import unpacked
from sources.errors import SourceError
from sources.formats import Adapter
from sources.intake import now_utc
from sources.tally import Tally
from sources.values import Parsed, SourceReject
from sources.watch.folder import Unsafe, opened
from sources.watch.report import FileOutcome, FileReport, Sums, rejected_row, written_time

logger = logging.getLogger(__name__)

_CHUNK = 1024 * 1024


class Sender(Protocol):
    """What takes values and returns when the broker has them (``Publisher``). Raises ``SourceError`` if it has not."""

    def publish(self, values: Iterable[Parsed]) -> int: ...


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a file. `is_unfinished`: somebody still wrote it, so it must be taken again."""

    outcome: FileOutcome
    sha256: str
    bytes: int
    tally: Tally
    sums: Sums
    error: str | None
    has_rows: bool
    taken_at: datetime
    is_unfinished: bool = False


class FileTaker:
    """Takes files in, one after the other.

    `strict`: a file with any bad row is rejected and nothing of it is sent. `now` dates the reports.
    """

    def __init__(
        self,
        form: str,
        adapter: Adapter,
        company: str | None,
        *,
        strict: bool = False,
        now: Callable[[], datetime] = now_utc,
    ) -> None:
        self._form = form
        self._adapter = adapter
        self._company = company
        self._strict = strict
        self._now = now

    def take(self, claimed: Path, shown_as: str, rows: Path, sender: Sender) -> Taken:
        """Read a claimed file and send its events; rows that are bad are written to `rows`, too.

        The file is never at fault for what `sender` raises: it is to be taken again then.
        """
        taken_at = self._now()
        tally, sums = Tally(), Sums()
        try:
            with opened(claimed) as stream:
                before = _state(stream)
                digest = _digest(stream)
                error, has_rows = self._read(stream, shown_as, rows, sender, tally, sums)
                is_unfinished = _state(stream) != before
        except Unsafe as refused:
            before, digest, error, has_rows, is_unfinished = (0, 0), "", str(refused), False, False
        nothing_taken = tally.rejected > 0 and tally.event_count == 0
        return Taken(
            outcome="rejected" if error is not None or nothing_taken else "processed",
            sha256=digest,
            bytes=before[0],
            tally=tally,
            sums=sums,
            error=error,
            has_rows=has_rows and error is None and not nothing_taken,
            taken_at=taken_at,
            is_unfinished=is_unfinished,
        )

    def report(self, taken: Taken, name: str, rows_name: str | None, repeated_of: str | None) -> FileReport:
        """The report on a file, by the name that it has now."""
        skipped = taken.tally.skip_reasons
        plain = taken.tally.skipped - skipped.total()
        return FileReport(
            file=name,
            outcome=taken.outcome,
            format=self._form,
            company=self._company,
            sha256=taken.sha256,
            bytes=taken.bytes,
            repeated_of=repeated_of,
            events=dict(sorted(taken.tally.events.items())),
            sums=taken.sums.written(),
            skipped={**dict(sorted(skipped.items())), **({"by the mapping": plain} if plain else {})},
            rejected=taken.tally.rejected,
            rejects=[rejected_row(reject) for reject in taken.tally.rejects],
            rejected_rows=rows_name,
            error=taken.error,
            taken_at=written_time(taken.taken_at),
            finished_at=written_time(self._now()),
        )

    def _read(
        self, stream: BinaryIO, shown_as: str, rows: Path, sender: Sender, tally: Tally, sums: Sums
    ) -> tuple[str | None, bool]:
        """The error that refuses the whole file, if there is one; and whether there are bad rows."""
        errors: list[SourceError] = []
        has_rows = False
        try:
            with unpacked(stream, shown_as) as content:
                with _refusing(errors):
                    self._adapter.check(content, shown_as)
                content.seek(0)
                if self._strict and not errors:
                    for _ in tally.watch(self._values(content, shown_as, errors)):
                        pass
                    tally.events.clear()  # read, but not sent yet
                    if tally.rejected and not errors:
                        return f"{tally.rejected:,} rows are bad, and nothing is sent while any is (--strict)", False
                    tally.skipped, tally.skip_reasons = 0, Counter()
                if not errors:
                    values = self._values(content, shown_as, errors)
                    with rows.open("wb") as bad_rows:
                        sender.publish(sums.watch(tally.watch(_keeping(values, bad_rows))))
                        has_rows = bad_rows.tell() > 0
        except SendingError:
            raise
        except SourceError as error:
            errors.append(error)
        return (str(errors[0]) if errors else None), has_rows

    def _values(self, content: BinaryIO, shown_as: str, errors: list[SourceError]) -> Iterator[Parsed]:
        content.seek(0)
        return _noting(self._adapter.read(content, shown_as), errors)


class SendingError(SourceError):
    """The broker's, not the file's."""


class Guarded:
    """A sender whose errors can be told from those of a file."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def publish(self, values: Iterable[Parsed]) -> int:
        """As the sender does."""
        try:
            return self._sender.publish(values)
        except SourceError as error:
            raise SendingError(error.message, error.advice) from error


@contextmanager
def _refusing(errors: list[SourceError]) -> Iterator[None]:
    """Whatever goes wrong in an adapter costs the file at hand: one that always fails must not hold up the others."""
    try:
        yield
    except SourceError as error:
        errors.append(error)
    except Exception as error:
        logger.exception("an adapter failed")
        words = f"reading it failed with {type(error).__name__}: {' '.join(str(error).split())}"
        errors.append(SourceError(words, "This is a defect of the program; the log says where"))


def _noting(values: Iterator[Parsed], errors: list[SourceError]) -> Iterator[Parsed]:
    """The values; an error that refuses the file ends them, so that the sender does not take it for its own."""
    with _refusing(errors):
        yield from values


def _keeping(values: Iterable[Parsed], bad_rows: BinaryIO) -> Iterator[Parsed]:
    """The values; bytes of bad rows are written beside."""
    for value in values:
        if isinstance(value, SourceReject) and value.original:
            bad_rows.write(value.original if value.original.endswith(b"\n") else value.original + b"\n")
        yield value


def _digest(stream: BinaryIO) -> str:
    digest = sha256()
    while piece := stream.read(_CHUNK):
        digest.update(piece)
    stream.seek(0)
    return digest.hexdigest()


def _state(stream: BinaryIO) -> tuple[int, int]:
    status = os.fstat(stream.fileno())
    return status.st_size, status.st_mtime_ns
