"""`arrears snapshot`: tonight's list of open items against last night's, as events into the log."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date, datetime
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
from pipeline.companies import read_companies
from pipeline.errors import Problem
from pipeline.settings import Settings
from pipeline.startup import reach_broker
from sources import Parsed, ParsedEvent, Publisher, SourceError, SourceOptions, find_files
from sources.mapping import load_mapping
from sources.redaction import Redactor
from sources.snapshot import Companion, Night, Nightly, State, read_payments, take, take_up

_SUFFIXES = (".csv", ".tsv", ".txt")

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
    lists = _Lists(context, mapping, company, dry_run=dry_run, as_json=as_json)
    with lists.problems():
        companion = lists.payments(payments, payments_mapping)
        refused = lists.compare(file, state, previous, None if as_of is None else as_of.date(), companion, force=force)
    if refused:
        raise typer.Exit(1)


def compare_lists(
    context: typer.Context, paths: list[str], mapping: Path, company: str | None, *, dry_run: bool, as_json: bool
) -> None:
    """`arrears ingest --as snapshot`: each list, in the order given or of their names, against the one before it."""
    files = [file for file in find_files(paths, _SUFFIXES) if file is not None]
    if not files:
        raise Problem("no list is named", "Give one or more files, or a folder of them")
    lists = _Lists(context, str(mapping), company, dry_run=dry_run, as_json=as_json)
    with lists.problems():
        for file in files:
            lists.compare(file)


class _Lists:
    """One call of the command: lists, one after the other. A dry run remembers them for itself."""

    def __init__(
        self, context: typer.Context, mapping: str, company: str | None, *, dry_run: bool, as_json: bool
    ) -> None:
        self._settings = None if dry_run else _reach(context)
        self._redactor = redactor_of((self._settings or load_own_settings(context)).redaction)
        self._options = SourceOptions(company=company, redactor=self._redactor)
        self._sender = _Sender(self._settings, self._redactor)
        self._as_json = as_json
        self._state: State | None = None
        with self.problems():
            self._nightly = Nightly(self._options, load_mapping(Path(mapping)))

    @contextmanager
    def problems(self) -> Iterator[None]:
        """What a source cannot take, as what a user can act on; a message may quote what stands in a row."""
        try:
            yield
        except SourceError as error:
            raise Problem(self._redactor.message(error.message), error.advice) from None

    def payments(self, file: Path | None, mapping: str | None) -> Companion | None:
        """The list of payments, where one is given."""
        if file is None:
            return None
        if mapping is None:
            raise SourceError("--payments needs a mapping", "Give --payments-mapping NAME")
        return read_payments(self._options, load_mapping(Path(mapping)), file)

    def compare(
        self,
        file: Path,
        state: Path | None = None,
        previous: Path | None = None,
        as_of: date | None = None,
        companion: Companion | None = None,
        *,
        force: bool = False,
    ) -> bool:
        """Compare a list, send and report. Says whether something of the list of payments was refused."""
        state_file = None if previous is not None else self._nightly.state_file(file, state)
        taken_up = False
        with ExitStack() as held:
            if state_file is not None and self._settings is not None:
                held.enter_context(state_file.held())
                taken_up = take_up(state_file, self._sender.send)
            night = self._nightly.compare(
                file,
                state_file=state_file,
                state=self._state,
                previous=previous,
                as_of=as_of,
                companion=companion,
                force=force,
            )
            if self._settings is None:
                _print_events(night.values())
                self._state = night.difference.state
            else:
                _check_company(self._settings, night.extract.company)
                take(night, self._sender.send)
        _report(night, taken_up=taken_up, as_json=self._as_json, dry_run=self._settings is None)
        return bool(night.difference.refused)


class _Sender:
    """Sends values and waits until the broker has acknowledged them; connects when there are some."""

    def __init__(self, settings: Settings | None, redactor: Redactor) -> None:
        self._settings = settings
        self._redactor = redactor
        self._publisher: Publisher | None = None

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
        self._publisher.publish(values)


def _print_events(values: Iterator[Parsed]) -> None:
    for value in values:
        if isinstance(value, ParsedEvent):
            typer.echo(json.dumps(write_event(value.name, value.record), ensure_ascii=False))


def _report(night: Night, *, taken_up: bool, as_json: bool, dry_run: bool) -> None:
    # Events of a dry run have standard output for themselves.
    if as_json:
        typer.echo(json.dumps(_as_document(night, dry_run=dry_run), ensure_ascii=False), err=dry_run)
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


def _as_document(night: Night, *, dry_run: bool) -> dict[str, Any]:
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


def _check_company(settings: Settings, company: str) -> None:
    """The worker would refuse every event of a company that it does not know, and the state would move on without."""
    folder = settings.companies.folder
    if folder.is_dir() and company not in (known := read_companies(folder)):
        raise Problem(
            f"there is no company {company} in {folder}",
            f"Configured are {', '.join(sorted(known))}; correct --company or add {company}.toml",
        )


def _reach(context: typer.Context) -> Settings:
    settings = load_settings(context)
    use_registry(settings)
    reach_broker(settings.kafka.client_config())
    return settings
