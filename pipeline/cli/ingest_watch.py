"""`arrears ingest --watch`: a folder into which others put files."""

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import msgspec
import typer

from pipeline.errors import Problem
from pipeline.settings import Settings
from sources import Publisher
from sources.redaction import Redactor
from sources.watch import FileReport, FileTaker, WatchedFolder, Watcher, WatchOptions


def check_words(paths: Sequence[str], watch: Path | None, *, dry_run: bool, limit: int | None, once: bool) -> None:
    """See that the words of the command fit together. Raises ``Problem``."""
    if watch is None:
        if not paths:
            raise Problem("nothing to read is named", "Give files, folders, - for standard input, or --watch FOLDER")
        if once:
            raise Problem("--once is for a watched folder", "Give --watch FOLDER, or leave it out")
    elif paths:
        raise Problem("files and --watch are named", "Give either files or --watch FOLDER")
    elif dry_run or limit is not None:
        raise Problem("--dry-run and --limit are for files that stay where they are", "Give them without --watch")


def watch_folder(
    folder: Path,
    taker: FileTaker,
    settings: Settings,
    redactor: Redactor,
    *,
    once: bool,
    settle_seconds: float,
    as_json: bool,
) -> None:
    """Take files until SIGTERM, Ctrl-C, or with `once` until all are taken. Raises ``SourceError``.

    With `once` the command ends with exit code 1 when a file or a row was rejected, as it does for named files.
    """
    rejected = 0

    def tell(report: FileReport) -> None:
        nonlocal rejected
        rejected += report.rejected + (report.outcome == "rejected")
        typer.echo(msgspec.json.encode(report).decode() if as_json else report.summary())

    def connect() -> Publisher:
        publisher = Publisher(
            settings.kafka.client_config(), topic_prefix=settings.kafka.topic_prefix, redactor=redactor
        )
        publisher.connect()
        return publisher

    options = WatchOptions(settle_seconds=settle_seconds, once=once)
    with _stop_signal() as stop, WatchedFolder(folder) as watched:
        Watcher(watched, taker, connect, options, tell, lambda why: typer.echo(why, err=True), stop).run()
    if once and rejected:
        raise typer.Exit(1)


@contextmanager
def _stop_signal() -> Iterator[Event]:
    """Set once somebody presses Ctrl-C or sends SIGTERM; the file at hand is finished then."""
    stop = Event()
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
