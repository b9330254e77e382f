"""`arrears alerts tail`: alerts as they are raised."""

import signal
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Annotated, Any

import msgspec
import typer
from confluent_kafka import OFFSET_BEGINNING, OFFSET_END

from avro import contracts
from avro.errors import ContractError
from avro.text import write_event
from avro.written import written_record
from pipeline.cli import load_settings
from pipeline.cli.instants import parse_instant
from pipeline.cli.registry import use_registry
from pipeline.errors import Problem
from pipeline.log_reader import LogReader
from pipeline.outputs import ALERT_TOPICS
from pipeline.startup import admin_client, check_topics
from topics import Topic, catalogue

_ALERT = "Alert"

app = typer.Typer(no_args_is_help=True)


@app.callback()
def alerts() -> None:
    """Look at alerts as the workers raise them."""


@app.command()
def tail(
    context: typer.Context,
    kinds: Annotated[
        list[str] | None,
        typer.Option("--kind", help=f"Only of this kind: {', '.join(ALERT_TOPICS)}; may be repeated."),
    ] = None,
    companies: Annotated[
        list[str] | None, typer.Option("--company", metavar="CODE", help="Only of this company; may be repeated.")
    ] = None,
    from_beginning: Annotated[
        bool, typer.Option("--from-beginning", help="Begin with the first alert that is kept.")
    ] = False,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="TIME", help="Begin with what arrived at this UTC time, 2026-03-31T08:00."),
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", metavar="N", min=1, help="End after N alerts; else on Ctrl-C.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line, for programs.")] = False,
) -> None:
    """Follow the alert topics: one line an alert, from now on, until Ctrl-C.

    Joins no consumer group, so it takes nothing away from subscribers. An alert that is escalated, resolved or
    corrected is a line of its own.
    """
    wanted = _known_kinds(kinds or list(ALERT_TOPICS))
    if from_beginning and since is not None:
        raise Problem("--from-beginning and --since say two things", "Give one of them")
    settings = load_settings(context)
    use_registry(settings)
    config = settings.kafka.client_config()
    every = catalogue(settings.kafka.topic_prefix)
    topics = [every[name] for name in sorted({ALERT_TOPICS[kind] for kind in wanted})]
    check_topics(admin_client(config), config, topics)
    with LogReader(config) as reader, _until_told() as told:
        places = _beginnings(reader, topics, from_beginning=from_beginning, since=since)
        shown = 0
        for message in reader.follow(places):
            if told:
                return
            alert = None if message is None else _alert(message.value())
            if alert is None or alert["kind"] not in wanted or (companies and alert["company"] not in companies):
                continue
            typer.echo(msgspec.json.encode(alert).decode() if as_json else _line(alert))
            shown += 1
            if shown == limit:
                return


def _known_kinds(kinds: Collection[str]) -> Collection[str]:
    for kind in kinds:
        if kind not in ALERT_TOPICS:
            raise Problem(f"there is no kind of alert {kind!r}", f"Kinds are {', '.join(ALERT_TOPICS)}")
    return kinds


def _beginnings(
    reader: LogReader, topics: Collection[Topic], *, from_beginning: bool, since: str | None
) -> Mapping[tuple[str, int], int]:
    """Where reading begins in every partition."""
    if since is not None:
        milliseconds = int(parse_instant(since).timestamp() * 1000)
        return {
            place: offset
            for topic in topics
            for place, offset in reader.positions(topic.name, range(topic.partitions), milliseconds).items()
        }
    first = OFFSET_BEGINNING if from_beginning else OFFSET_END
    return {(topic.name, number): first for topic in topics for number in range(topic.partitions)}


def _alert(value: bytes | None) -> dict[str, Any] | None:
    """The alert as people write it: amounts as decimals, instants as texts; None for what is none."""
    if value is None:
        return None
    try:
        name, record = contracts().decode(value)
    except ContractError as error:
        raise Problem(f"an alert topic holds no alert: {error}", "Somebody else writes into it") from error
    if name != _ALERT:
        return None
    written = write_event(name, record)
    return {field.written: written.get(field.written) for field in written_record(_ALERT).fields}


def _line(alert: Mapping[str, Any]) -> str:
    whose = alert["company"] if alert["account_id"] is None else f"{alert['company']}/{alert['account_id']}"
    amount = "" if alert["amount"] is None else f" {alert['amount']} {alert['currency']}"
    what = f"{alert['raised_at']} {alert['severity']:6} {alert['status']:9} {alert['kind']} {whose}"
    return f"{what} {alert['subject']}{amount}: {alert['message']}"


@contextmanager
def _until_told() -> Iterator[list[int]]:
    """A list that is no longer empty once somebody presses Ctrl-C or sends SIGTERM."""
    told: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        told.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
