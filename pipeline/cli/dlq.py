"""`arrears dlq`: what could not be processed and lies in `ar.failed`."""

import heapq
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console

from avro import contracts
from pipeline.cli import load_settings
from pipeline.cli.dlq_view import document, print_counts, print_letter, print_table
from pipeline.cli.instants import parse_instant
from pipeline.cli.registry import use_registry
from pipeline.dead_letters import (
    DeadLetter,
    LetterFilter,
    Outcome,
    Place,
    Replayer,
    ReplayOptions,
    export,
    obstacle,
    read_letters,
)
from pipeline.errors import Problem
from pipeline.log_reader import LogReader
from pipeline.settings import Settings
from pipeline.startup import admin_client, check_topics
from topics import EVENTS, catalogue

_FAILED, _REFERENCE = "ar.failed", "ar.reference"
_SHOWN = 50

app = typer.Typer(no_args_is_help=True, help="Look at records that failed, and send them again.")

Places = Annotated[
    list[str] | None, typer.Argument(metavar="[PLACE]...", help="Letters by their place, such as 3:17. Default: all.")
]
Reasons = Annotated[list[str] | None, typer.Option("--reason", help="Only with this reason; may be repeated.")]
Stages = Annotated[
    list[str] | None, typer.Option("--stage", help="Only of this stage: decode, route, fold, encode or source.")
]
Sources = Annotated[
    list[str] | None, typer.Option("--source", metavar="PATTERN", help="Only from this file or topic; * for anything.")
]
Companies = Annotated[list[str] | None, typer.Option("--company", metavar="CODE", help="Only of this company.")]
EventTypes = Annotated[list[str] | None, typer.Option("--event", metavar="NAME", help="Only events of this type.")]
Since = Annotated[
    str | None, typer.Option("--since", metavar="TIME", help="Only failed at this UTC time or later, 2026-03-31T08:00.")
]
Until = Annotated[str | None, typer.Option("--until", metavar="TIME", help="Only failed before this UTC time.")]
OfTopic = Annotated[str | None, typer.Option("--topic", help="Only read from this topic; * for anything.")]
Partition = Annotated[int | None, typer.Option("--partition", help="Only read from this partition of its topic.")]
Offset = Annotated[
    int | None, typer.Option("--offset", help="Only read from this offset of its topic, or line of its file.")
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line, for programs.")]


@app.command("list")
def list_letters(
    context: typer.Context,
    places: Places = None,
    reasons: Reasons = None,
    stages: Stages = None,
    sources: Sources = None,
    companies: Companies = None,
    event_types: EventTypes = None,
    since: Since = None,
    until: Until = None,
    topic: OfTopic = None,
    partition: Partition = None,
    offset: Offset = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, help="Most letters to show.")] = _SHOWN,
    as_json: AsJson = False,
) -> None:
    """List failed records, the latest last, and count them by reason.

    The place in the first column names a record for the other commands.
    """
    wanted = _filter(places, reasons, stages, sources, companies, event_types, since, until, topic, partition, offset)
    counts: Counter[tuple[str, str]] = Counter()

    def counted(letters: Iterator[DeadLetter]) -> Iterator[DeadLetter]:
        for letter in letters:
            counts[letter.stage, letter.reason] += 1
            yield letter

    with _letters(load_settings(context)) as read:
        found = heapq.nlargest(limit, counted(read(wanted)), key=lambda letter: letter.age_order)
    found.reverse()
    if as_json:
        for letter in found:
            typer.echo(msgspec.json.encode(document(letter)).decode())
    else:
        print_table(found)
        print_counts(counts)
    if counts.total() > limit:
        typer.echo(f"only the last {limit:,} of {counts.total():,} are shown; --limit shows more", err=True)


@app.command()
def show(
    context: typer.Context,
    place: Annotated[str, typer.Argument(metavar="PLACE", help="Its place, such as 3:17, from `arrears dlq list`.")],
    raw: Annotated[bool, typer.Option("--raw", help="Write the original bytes, and nothing else, to stdout.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show one failed record: whence it came, why it failed, its headers and its original bytes."""
    wanted = LetterFilter(places=frozenset({Place.parse(place)}))
    settings = load_settings(context)
    with _letters(settings) as read:
        letter = next(read(wanted), None)
    if letter is None:
        raise Problem(f"nothing stands in ar.failed at {place}", "`arrears dlq list` shows what does")
    if raw:
        typer.get_binary_stream("stdout").write(letter.value or b"")
    elif as_json:
        typer.echo(msgspec.json.encode(document(letter, whole=True)).decode())
    else:
        print_letter(letter, obstacle(letter, settings.kafka.topic_prefix))


@app.command()
def replay(
    context: typer.Context,
    places: Places = None,
    reasons: Reasons = None,
    stages: Stages = None,
    sources: Sources = None,
    companies: Companies = None,
    event_types: EventTypes = None,
    since: Since = None,
    until: Until = None,
    topic: OfTopic = None,
    partition: Partition = None,
    offset: Offset = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be sent, and send nothing.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Send also what was sent again before.")] = False,
    limit: Annotated[
        int | None, typer.Option("--limit", metavar="N", min=1, help="Send at most N; the next call goes on.")
    ] = None,
    rate: Annotated[float | None, typer.Option("--rate", metavar="N", min=0.01, help="At most N a second.")] = None,
    as_json: AsJson = False,
) -> None:
    """Send failed records again, to the topic they came from: the same bytes, key, headers and event ids.

    Do it when the cause is mended: a schema is known now, a release corrected. A record that was sent again carries the
    header `replayed_from`; a second call passes over it. Lines of files were never in a topic: `arrears dlq export`
    hands them back. The exit code is 0 only when every record that was chosen is sent, now or before.
    """
    wanted = _filter(places, reasons, stages, sources, companies, event_types, since, until, topic, partition, offset)
    settings = load_settings(context)
    prefix = settings.kafka.topic_prefix

    def note(letter: DeadLetter, outcome: Outcome) -> None:
        why = obstacle(letter, prefix)
        told: Outcome | str = "would be sent" if dry_run and outcome == "sent" else outcome
        if as_json:
            line = {"place": str(letter.place), "source": letter.source, "outcome": told, "why": why}
            typer.echo(msgspec.json.encode(line).decode())
        else:
            typer.echo(f"{letter.place} {letter.source} {letter.reason}: {told}{f', {why}' if why else ''}")

    options = ReplayOptions(dry_run=dry_run, again=again, limit=limit, rate=rate)
    replayer = Replayer(settings.kafka.producer_config(), catalogue(prefix), prefix, options, note)
    with _letters(settings) as read:
        found = sorted((letter.without_bytes() for letter in read(wanted)), key=lambda letter: letter.age_order)
        outcomes = replayer.replay(found, read)
    if not as_json:
        sent = f"{outcomes['sent']} {'would be sent' if dry_run else 'sent again'}"
        before, stuck = outcomes["replayed before"], outcomes["not replayable"]
        typer.echo(
            f"{sent}, {before} replayed before{' (--again sends them once more)' if before else ''}, "
            f"{stuck} not replayable"
        )
    if outcomes["not replayable"] and not dry_run:
        raise typer.Exit(1)


@app.command("export")
def export_lines(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where to; it is made if need be.")],
    reasons: Reasons = None,
    sources: Sources = None,
    companies: Companies = None,
    event_types: EventTypes = None,
    since: Since = None,
    until: Until = None,
    as_json: AsJson = False,
) -> None:
    """Write rejected lines of files back to files, to be mended and ingested again.

    Each source file gives NAME.rejected with the lines as they were, and NAME.rejected.json with the reason of each.
    The lines of a CSV extract need its header above them.
    """
    wanted = _filter(None, reasons, ["source"], sources, companies, event_types, since, until, None, None, None)
    with _letters(load_settings(context)) as read:
        written = export((letter for letter in read(wanted) if letter.is_from_file), folder)
    for file in written:
        if as_json:
            typer.echo(msgspec.json.encode({**msgspec.to_builtins(file), "file": str(file.file)}).decode())
        else:
            withheld = f", {file.withheld} without their bytes" if file.withheld else ""
            typer.echo(f"{file.file}: {file.lines} lines of {file.source}{withheld}")
    if not written and not as_json:
        Console(stderr=True).print("no line of a file lies in ar.failed")


def _filter(
    places: list[str] | None,
    reasons: list[str] | None,
    stages: list[str] | None,
    sources: list[str] | None,
    companies: list[str] | None,
    event_types: list[str] | None,
    since: str | None,
    until: str | None,
    topic: str | None,
    partition: int | None,
    offset: int | None,
) -> LetterFilter:
    return LetterFilter(
        places=frozenset(map(Place.parse, places or ())),
        reasons=frozenset(reasons or ()),
        stages=frozenset(stages or ()),
        sources=tuple(sources or ()),
        companies=frozenset(companies or ()),
        event_types=frozenset(event_types or ()),
        since=_instant(since),
        until=_instant(until),
        topic=topic,
        partition=partition,
        offset=offset,
    )


def _instant(text: str | None) -> datetime | None:
    return None if text is None else parse_instant(text)


@contextmanager
def _letters(settings: Settings) -> Iterator[Callable[[LetterFilter], Iterator[DeadLetter]]]:
    """What reads the dead letters of a system that are wanted; one reading at a time."""
    use_registry(settings)
    config: dict[str, Any] = settings.kafka.client_config()
    topics = catalogue(settings.kafka.topic_prefix)
    check_topics(admin_client(config), config, [topics[name] for name in (_FAILED, EVENTS, _REFERENCE)])
    with LogReader(config) as reader:
        yield lambda wanted: read_letters(reader, topics[_FAILED], contracts(), wanted)
