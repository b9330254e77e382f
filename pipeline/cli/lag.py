"""`arrears lag`: how far the workers are."""

from datetime import UTC, datetime
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from pipeline.cli import load_settings
from pipeline.lag import GroupReader, PartitionLag, read_exact_lag
from pipeline.startup import admin_client, check_topics
from pipeline.worker import STATE
from topics import EVENTS, catalogue

app = typer.Typer()


@app.command()
def lag(
    context: typer.Context,
    exact: Annotated[
        bool,
        typer.Option("--exact", help="Read the positions from the state topic itself; takes as long as a restart."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON list on stdout, for programs.")] = False,
) -> None:
    """Show, per partition, how many records wait to be applied, the clock, and what became of the events so far.

    Positions come from the consumer group, to which workers commit about every second.
    """
    settings = load_settings(context)
    client_config = settings.kafka.client_config()
    topics = catalogue(settings.kafka.topic_prefix)
    events = topics[EVENTS]
    check_topics(admin_client(client_config), client_config, [events, topics[STATE]])
    if exact:
        lags = read_exact_lag(client_config, events.name, topics[STATE].name, events.partitions)
    else:
        group_id = settings.kafka.topic_prefix + settings.worker.application_id
        with GroupReader(client_config, group_id) as group:
            lags = group.lag(events.name, events.partitions)
    if as_json:
        typer.echo(msgspec.json.encode(lags).decode())
    else:
        Console(highlight=False).print(_table(lags))


def _table(lags: list[PartitionLag]) -> Table:
    table = Table(box=None, header_style="bold")
    for heading in ("partition", "position", "end", "lag", "clock"):
        table.add_column(heading, justify="right")
    for heading in ("applied", "rejected", "duplicates", "failed", "logged", "expired"):
        table.add_column(heading, justify="right")
    for line in lags:
        progress = line.progress
        counters = (
            [
                progress.applied,
                progress.rejected,
                progress.duplicates,
                progress.failed,
                progress.logged,
                progress.expired,
            ]
            if progress is not None
            else [""] * 6
        )
        clock = progress.clock_micros if progress is not None else None
        table.add_row(
            str(line.partition),
            "-" if line.position is None else str(line.position),
            str(line.end),
            "-" if line.lag is None else str(line.lag),
            "-" if clock is None else datetime.fromtimestamp(clock / 1_000_000, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            *map(str, counters),
        )
    total = sum(line.lag or 0 for line in lags)
    table.add_section()
    table.add_row("all", "", "", str(total))
    return table
