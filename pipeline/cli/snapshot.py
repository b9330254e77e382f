"""`arrears snapshot`: tonight's list of open items against last night's, as events into the log."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from avro.text import write_event
from pipeline.cli import load_own_settings, load_settings
from pipeline.cli.redaction import redactor_of
from pipeline.cli.registry import use_registry
from pipeline.errors import Problem
from pipeline.settings import Settings
from pipeline.startup import reach_broker
from sources import Parsed, ParsedEvent, Publisher, SourceError, SourceOptions, Tally
from sources.mapping import load_mapping
from sources.redaction import Redactor
from sources.snapshot import Night, Nightly, read_payments, take, take_up

app = typer.Typer(add_completion=False)


@app.command()
def snapshot(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The list of all open items of one company.")],
    mapping: Annotated[
        str, typer.Option("--mapping", metavar="NAME", help="Mapping of the list: a ready one, or a TOML file.")
    ],
    company: Annotated[
        str | None, typer.Option("--company", metavar="CODE", help="Legal entity, where the mapping names none.")
    ] = None,
    state: Annotated[
        Path | None,
        typer.Option("--state", metavar="FILE", help="What the last list said. Default: a hidden file beside FILE."),
    ] = None,
    previous: Annotated[
        Path | None,
        typer.Option("--previous", metavar="FILE", help="Compare with this list instead; no state is read or kept."),
    ] = None,
    as_of: Annotated[
        datetime | None,
        typer.Option("--as-of", formats=["%Y-%m-%d"], metavar="DAY", help="Day of the list. Default: from its name."),
    ] = None,
    payments: Annotated[
        Path | None,
        typer.Option("--payments", metavar="FILE", help="Payments since the last list, which explain what is gone."),
    ] = None,
    payments_mapping: Annotated[
        str | None, typer.Option("--payments-mapping", metavar="NAME", help="Mapping of the list of payments.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Compare a list that looks cut, or is of an earlier day.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print one JSON event a line, send and keep nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON report, for programs.")] = False,
) -> None:
    """Compare a list of all open items with the last one and send what changed as events.

    New items, other amounts, due dates and customers become events; what the lists do not say is inferred and marked.
    A list with a bad row, without its trailer, or much shorter than the last one is refused whole. The state is kept
    only after the broker has acknowledged everything; the same list twice sends nothing.
    """
    settings = None if dry_run else _reach(context)
    redactor = redactor_of((settings or load_own_settings(context)).redaction)
    with _source_errors_as_problems(redactor):
        options = SourceOptions(company=company, redactor=redactor)
        nightly = Nightly(options, load_mapping(Path(mapping)))
        companion = None
        if payments is not None:
            if payments_mapping is None:
                raise SourceError("--payments needs a mapping", "Give --payments-mapping NAME")
            companion = read_payments(options, load_mapping(Path(payments_mapping)), payments)
        state_file = None if previous is not None else nightly.state_file(file, state)
        sender = _Sender(settings, redactor)
        taken_up = state_file is not None and settings is not None and take_up(state_file, sender.send)
        night = nightly.compare(
            file,
            state_file=state_file,
            previous=previous,
            as_of=None if as_of is None else as_of.date(),
            companion=companion,
            force=force,
        )
        if settings is None:
            _print_events(night.values())
        else:
            take(night, sender.send)
    _report(night, sender.tally, taken_up=taken_up, as_json=as_json, dry_run=dry_run)
    if night.difference.refused:
        raise typer.Exit(1)


class _Sender:
    """Sends values and waits until the broker has acknowledged them; connects when there are some."""

    def __init__(self, settings: Settings | None, redactor: Redactor) -> None:
        self._settings = settings
        self._redactor = redactor
        self._publisher: Publisher | None = None
        self.tally = Tally()

    def send(self, values: Iterator[Parsed]) -> None:
        """Send all, or raise ``SourceError``."""
        if self._settings is None:
            return
        if self._publisher is None:
            self._publisher = Publisher(
                self._settings.kafka.client_config(),
                topic_prefix=self._settings.kafka.topic_prefix,
                redactor=self._redactor,
            )
            self._publisher.connect()
        self._publisher.publish(self.tally.watch(values))


def _print_events(values: Iterator[Parsed]) -> None:
    for value in values:
        if isinstance(value, ParsedEvent):
            typer.echo(json.dumps(write_event(value.name, value.record), ensure_ascii=False))


def _report(night: Night, tally: Tally, *, taken_up: bool, as_json: bool, dry_run: bool) -> None:
    # Events of a dry run have standard output for themselves.
    if as_json:
        typer.echo(json.dumps(_as_document(night, tally, dry_run=dry_run), ensure_ascii=False), err=dry_run)
        return
    console = Console(stderr=dry_run, highlight=False, soft_wrap=True)
    if taken_up:
        console.print("the events of a night that was not finished were sent first")
    report = night.difference.report
    found = Table("items", box=None, header_style="bold")
    found.add_column("count", justify="right")
    for what, count in sorted(report.found.items()):
        if count:
            found.add_row(what, f"{count:,}")
    if found.row_count:
        console.print(found)
    for event, count in sorted(report.inferred.items()):
        console.print(f"inferred: {count:,} {event}")
    for application, why in night.difference.refused:
        console.print(f"[red]rejected[/] {escape(application.number)}: {escape(why)}")
    what = "nothing was sent" if dry_run else "sent"
    inferred = report.inferred.total()
    console.print(
        escape(
            f"{len(night.extract.items):,} open items of {night.extract.company} on {night.as_of}: "
            f"{len(night.difference.events):,} events, {inferred:,} of them inferred; {what}"
        )
    )


def _as_document(night: Night, tally: Tally, *, dry_run: bool) -> dict[str, Any]:
    report = night.difference.report
    events: dict[str, int] = {}
    for event in night.difference.events:
        events[event.name] = events.get(event.name, 0) + 1
    return {
        "sent": not dry_run,
        "company": night.extract.company,
        "as_of": night.as_of,
        "open_items": len(night.extract.items),
        "found": dict(sorted(report.found.items())),
        "events": dict(sorted(events.items())),
        "inferred": dict(sorted(report.inferred.items())),
        "rejects": [{"application": one.number, "message": why} for one, why in night.difference.refused],
        "state": None if night.state_file is None else str(night.state_file.path),
    }


def _reach(context: typer.Context) -> Settings:
    settings = load_settings(context)
    use_registry(settings)
    reach_broker(settings.kafka.client_config())
    return settings


@contextmanager
def _source_errors_as_problems(redactor: Redactor) -> Iterator[None]:
    try:
        yield
    except SourceError as error:
        # A message may quote what stands in a row.
        raise Problem(redactor.message(error.message), error.advice) from None
