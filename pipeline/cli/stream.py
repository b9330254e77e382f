"""`arrears stream`: change events of Debezium, or events of an outbox, from Kafka topics into the event log."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli import load_settings
from pipeline.cli.feeds import Ending, Printer, Sender, feed_settings, report
from pipeline.cli.redaction import redactor_of
from pipeline.health import Health, serve_health
from pipeline.settings import Settings
from sources.streams import Follower, StreamConfig, load_stream_config, stream_reader

app = typer.Typer(add_completion=False)


@app.command()
def stream(
    context: typer.Context,
    config: Annotated[Path, typer.Argument(metavar="FILE", help="Configuration of the stream (TOML).")],
    once: Annotated[bool, typer.Option("--once", help="End when the topics have been read to their ends.")] = False,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Read the topics from their beginnings, print one JSON event a line and send nothing."
        ),
    ] = False,
    limit: Annotated[
        int | None, typer.Option("--limit", metavar="N", min=1, help="With --dry-run: stop after the first N events.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON report at the end, for programs.")] = False,
) -> None:
    """Follow topics with change events, and send the events that mappings make of them, until SIGTERM.

    Positions are kept only after the broker has acknowledged the events, and ids derive from the documents, so
    records that are read again change nothing. Start several and they share the partitions. A record that cannot be
    read never stops the stream: it goes to the topic ar.failed with its bytes and its place. With --once the exit
    code is 0 only when no record was bad.
    """
    stream_config = load_stream_config(config)
    if dry_run:
        _print(load_settings(context), stream_config, config.parent, limit, as_json=as_json)
        return
    settings = feed_settings(context, stream_config.company)
    redactor = redactor_of(settings.redaction)
    reader = stream_reader(stream_config, config.parent, redactor)
    health, ending = Health(), Ending()
    sender = Sender(settings, redactor, health, ending, patient=not once)
    follower = Follower(
        settings.kafka.client_config(),
        group_id=group_id(settings, stream_config),
        topics=stream_config.topics,
        reader=reader,
        deliver=sender.deliver,
        batch_records=stream_config.batch_records,
        once=once,
        heartbeat=health.heartbeat,
        set_ready=health.set_ready,
    )
    ending.listen(follower.stop)
    with serve_health(health, settings.service.host, settings.service.port):
        follower.run()
    report(sender.tally, sent=True, as_json=as_json, more={})
    if once and sender.tally.rejected:
        raise typer.Exit(1)


def group_id(settings: Settings, config: StreamConfig) -> str:
    """The consumer group that keeps the stream's position."""
    return f"{settings.kafka.topic_prefix}arrears-stream-{config.name}"


def _print(settings: Settings, config: StreamConfig, folder: Path, limit: int | None, *, as_json: bool) -> None:
    redactor, ending = redactor_of(settings.redaction), Ending()
    printer = Printer(limit, redactor, ending.ask)
    follower = Follower(
        settings.kafka.client_config(),
        # A group of its own: a stream that runs keeps its partitions, and its positions.
        group_id=f"{group_id(settings, config)}.dry-run",
        topics=config.topics,
        reader=stream_reader(config, folder, redactor),
        deliver=printer.deliver,
        batch_records=config.batch_records,
        once=True,
        keep_positions=False,
    )
    ending.listen(follower.stop)
    follower.run()
    report(printer.tally, sent=False, as_json=as_json, more={})
    if printer.tally.rejected:
        raise typer.Exit(1)
