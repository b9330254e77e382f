"""`arrears ingest`: files of an ERP, a bank or a user interface, through an adapter, into the event log."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.status import Status
from rich.table import Table

from avro.text import write_event
from pipeline.cli import load_own_settings, load_settings
from pipeline.cli.erp_set import ingest_set, is_erp
from pipeline.cli.ingest_watch import check_words, watch_folder
from pipeline.cli.redaction import redactor_of
from pipeline.cli.registry import use_registry
from pipeline.cli.snapshot import compare_lists
from pipeline.companies import read_companies
from pipeline.errors import Problem
from pipeline.settings import Settings
from pipeline.startup import reach_broker
from sources import (
    Adapter,
    Inputs,
    Parsed,
    ParsedEvent,
    Publisher,
    SourceError,
    SourceOptions,
    Tally,
    adapter,
    find_files,
    first_events,
    formats,
)
from sources.redaction import Redactor
from sources.watch import FileTaker

REJECTS_SHOWN_MAX = 20

app = typer.Typer(add_completion=False)


@app.command()
def ingest(
    context: typer.Context,
    paths: Annotated[
        list[str] | None,
        typer.Argument(metavar="PATH...", help="Files (.gz too), folders (sorted by name), or - for standard input."),
    ] = None,
    *,
    form: Annotated[
        str,
        typer.Option(
            "--as",
            metavar="FORMAT",
            help="; ".join(f"{f.name}: {f.purpose}" for f in formats().values())
            + "; snapshot: lists of all open items, compared as `arrears snapshot` does",
        ),
    ],
    mapping: Annotated[
        Path | None,
        typer.Option(
            "--mapping", metavar="NAME", help="Mapping of a csv extract: a TOML file, or `sap/bsid`, or `sap`."
        ),
    ] = None,
    company: Annotated[
        str | None,
        typer.Option("--company", metavar="CODE", help="Legal entity of all events; another one in a row is refused."),
    ] = None,
    payers: Annotated[
        Path | None,
        typer.Option("--payers", metavar="FILE", help="CSV payer,account_id: whose bank accounts these are."),
    ] = None,
    source: Annotated[
        str | None, typer.Option("--source", metavar="NAME", help="Name of the source, where an event gives none.")
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Read everything first and send nothing if any row is bad.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print one JSON event a line and send nothing.")] = False,
    limit: Annotated[
        int | None, typer.Option("--limit", metavar="N", min=1, help="Stop after the first N events.")
    ] = None,
    watch: Annotated[
        Path | None,
        typer.Option("--watch", metavar="FOLDER", help="Take every file that is put into this folder, until SIGTERM."),
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="With --watch: take what is there, and end.")] = False,
    settle: Annotated[
        float,
        typer.Option(
            "--settle",
            metavar="SECONDS",
            min=0,
            help="With --watch: take a file when it has not changed for so long; 0 where files are moved in whole.",
        ),
    ] = 2.0,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON report, for programs; with --watch one a file.")
    ] = False,
) -> None:
    """Read files through an adapter and send their events.

    A row that cannot be read never stops the file: it goes to the topic ar.failed with its bytes and its place, and
    stands in the report. Ids of events derive from the documents, so the same file sent twice changes nothing. The
    exit code is 0 only when no row was bad and the broker acknowledged everything.

    With --watch each file is moved to `processed` or `rejected` below the folder, with a report beside it.
    """
    if form == "snapshot":
        if watch is not None or limit is not None or strict or mapping is None:
            raise Problem(
                "--as snapshot needs a mapping, and takes no --watch, --limit or --strict",
                "A list is always taken whole or not at all; `arrears snapshot` has its own options",
            )
        compare_lists(context, paths or [], mapping, company, dry_run=dry_run, as_json=as_json)
        return
    check_words(paths or [], watch, dry_run=dry_run, limit=limit, once=once)
    if form == "csv" and watch is None and mapping is not None and is_erp(mapping):
        words: dict[str, Any] = {"strict": strict, "dry_run": dry_run, "limit": limit, "as_json": as_json}

        def ingest_one(file: Path, known: Path) -> None:
            ingest(context, [str(file)], form=form, mapping=known, company=company, source=source, **words)

        ingest_set(paths or [], mapping.as_posix(), ingest_one)
        return
    run = _Run(strict=strict, dry_run=dry_run, limit=limit, as_json=as_json)
    with _source_errors_as_problems():
        settings = None if dry_run else _settings(context, company)
        redactor = redactor_of((settings or load_own_settings(context)).redaction)
        options = SourceOptions(company=company, source=source, payers=payers, redactor=redactor)
        reader = adapter(form, options, mapping)
        if watch is not None and settings is not None:
            taker = FileTaker(form, reader, company, strict=strict)
            watch_folder(watch, taker, settings, redactor, once=once, settle_seconds=settle, as_json=as_json)
            return
        inputs = Inputs(find_files(paths or [], formats()[form].suffixes), sys.stdin.buffer)
        try:
            if formats()[form].two_passes:
                inputs.keep_standard_input()
            inputs.check(reader)
            run.ingest(inputs, reader, settings, redactor)
        finally:
            inputs.close()
    if run.tally.rejected:
        raise typer.Exit(1)


class _Run:
    """One call of the command, and what it came to."""

    def __init__(self, *, strict: bool, dry_run: bool, limit: int | None, as_json: bool) -> None:
        self.tally = Tally()
        self._strict = strict
        self._limit = limit
        self._as_json = as_json
        self._dry_run = dry_run
        self._sent = False
        self._seconds = 0.0

    def ingest(self, inputs: Inputs, reader: Adapter, settings: Settings | None, redactor: Redactor) -> None:
        """Read and send, or without settings read and print; then report."""
        started = time.monotonic()
        if not (self._strict and self._has_rejects(inputs, reader)):
            if settings is None:
                self._print(inputs, reader)
            else:
                self._send(inputs, reader, settings, redactor)
        self._seconds = time.monotonic() - started
        self._report()

    def _values(self, inputs: Inputs, reader: Adapter) -> Iterator[Parsed]:
        values = inputs.read(reader)
        return self.tally.watch(values if self._limit is None else first_events(values, self._limit))

    def _has_rejects(self, inputs: Inputs, reader: Adapter) -> bool:
        """The first of the two passes of ``--strict``."""
        inputs.keep_standard_input()
        for _ in self._values(inputs, reader):
            pass
        if self.tally.rejected:
            return True
        self.tally = Tally()
        return False

    def _print(self, inputs: Inputs, reader: Adapter) -> None:
        for value in self._values(inputs, reader):
            if isinstance(value, ParsedEvent):
                typer.echo(json.dumps(write_event(value.name, value.record), ensure_ascii=False))

    def _send(self, inputs: Inputs, reader: Adapter, settings: Settings, redactor: Redactor) -> None:
        with Console(stderr=True).status("connecting to the broker") as status:
            publisher = Publisher(
                settings.kafka.client_config(),
                topic_prefix=settings.kafka.topic_prefix,
                heartbeat=lambda: self._show_progress(status),
                redactor=redactor,
            )
            publisher.connect()
            publisher.publish(self._values(inputs, reader))
            self._sent = True

    def _show_progress(self, status: Status) -> None:
        status.update(f"{self.tally.event_count:,} events read, {self.tally.rejected:,} rows rejected")

    def _report(self) -> None:
        # Events of a dry run have standard output for themselves.
        if self._as_json:
            typer.echo(json.dumps(self._as_document(), ensure_ascii=False), err=self._dry_run)
            return
        console = Console(stderr=self._dry_run, highlight=False, soft_wrap=True)
        if self.tally.events:
            console.print(_table(self.tally))
        for reject in self.tally.rejects[:REJECTS_SHOWN_MAX]:
            console.print(f"[red]rejected[/] {escape(str(reject.position))} {reject.reason}: {escape(reject.message)}")
        unseen = self.tally.rejected - min(len(self.tally.rejects), REJECTS_SHOWN_MAX)
        if unseen:
            console.print(f"[red]rejected[/] {unseen:,} more rows; --json lists the first {len(self.tally.rejects):,}")
        console.print(escape(self._summary()))

    def _summary(self) -> str:
        tally = self.tally
        rate = tally.event_count / self._seconds if self._seconds else 0.0
        skipped = f", {tally.skipped:,} rows skipped" if tally.skipped else ""
        if tally.skip_reasons:
            skipped += " (" + ", ".join(f"{count:,} {why}" for why, count in tally.skip_reasons.most_common()) + ")"
        if self._sent:
            kept = " and kept in ar.failed" if tally.rejected else ""
            return (
                f"{tally.event_count:,} events sent in {self._seconds:.1f} s ({rate:,.0f} a second), "
                f"{tally.rejected:,} rows rejected{kept}{skipped}"
            )
        return f"{tally.event_count:,} events read, {tally.rejected:,} rows rejected{skipped}; nothing was sent"

    def _as_document(self) -> dict[str, Any]:
        tally = self.tally
        return {
            "sent": self._sent,
            "events": dict(sorted(tally.events.items())),
            "rejected": tally.rejected,
            "skipped": tally.skipped,
            "skipped_by_reason": dict(sorted(tally.skip_reasons.items())),
            "seconds": round(self._seconds, 3),
            "rejects": [
                {
                    "file": reject.position.file,
                    "line": reject.position.line,
                    "column": reject.position.column,
                    "field": reject.position.field,
                    "reason": reject.reason,
                    "message": reject.message,
                }
                for reject in tally.rejects
            ],
        }


@contextmanager
def _source_errors_as_problems() -> Iterator[None]:
    try:
        yield
    except SourceError as error:
        raise Problem(error.message, error.advice) from error


def _settings(context: typer.Context, company: str | None) -> Settings:
    """The settings; a company that is not among the configured ones would be rejected event by event later."""
    settings = load_settings(context)
    use_registry(settings)
    reach_broker(settings.kafka.client_config())
    folder = settings.companies.folder
    if company is not None and folder.is_dir():
        known = read_companies(folder)
        if company not in known:
            raise Problem(
                f"there is no company {company} in {folder}",
                f"Configured are {', '.join(sorted(known))}; correct --company or add {company}.toml",
            )
    return settings


def _table(tally: Tally) -> Table:
    table = Table("event", box=None, header_style="bold")
    table.add_column("count", justify="right")
    for name, count in sorted(tally.events.items()):
        table.add_row(name, f"{count:,}")
    return table
