"""`arrears companies plan` and `arrears companies apply`: the companies' settings, from files into the event log."""

from typing import Annotated

import msgspec
import typer
from confluent_kafka import Producer
from rich.console import Console
from rich.table import Table

from avro import contracts
from pipeline.cli import load_settings
from pipeline.cli.registry import use_registry
from pipeline.clock import now_micros
from pipeline.companies import Change, plan, publish, read_companies, read_published
from pipeline.settings import Settings
from pipeline.startup import admin_client, check_topics
from pipeline.worker import STATE
from topics import EVENTS, catalogue

app = typer.Typer(no_args_is_help=True, help="Publish the companies' settings to the workers.")

AsJson = Annotated[bool, typer.Option("--json", help="One JSON list on stdout, for programs.")]


@app.command("plan")
def show_plan(context: typer.Context, as_json: AsJson = False) -> None:
    """Show which companies of the folder are new or differ from what the workers were told, and change nothing."""
    _print(_plan(load_settings(context)), as_json)


@app.command("apply")
def apply_plan(context: typer.Context, as_json: AsJson = False) -> None:
    """Publish new and changed settings into every partition of the event log.

    They hold for all events behind them. Companies that are unchanged are not published again; a company without a
    file keeps the settings it has.
    """
    settings = load_settings(context)
    use_registry(settings)
    changes = _plan(settings)
    topics = catalogue(settings.kafka.topic_prefix)
    publish(
        Producer(settings.kafka.producer_config() | {"enable.idempotence": True}),
        changes,
        events_topic=topics[EVENTS].name,
        state_topic=topics[STATE].name,
        partitions=topics[EVENTS].partitions,
        at_micros=now_micros(),
        encode=contracts().encoder("CompanyConfigured"),
    )
    _print(changes, as_json)


def _plan(settings: Settings) -> list[Change]:
    companies = read_companies(settings.companies.folder)
    client_config = settings.kafka.client_config()
    admin = admin_client(client_config)
    topics = catalogue(settings.kafka.topic_prefix)
    check_topics(admin, client_config, [topics[EVENTS], topics[STATE]])
    return plan(companies, read_published(client_config, topics[STATE].name))


def _print(changes: list[Change], as_json: bool) -> None:
    if as_json:
        rows = [
            {"company": change.company, "status": change.status, "version": change.version, "keys": change.keys}
            for change in changes
        ]
        typer.echo(msgspec.json.encode(rows).decode())
        return
    table = Table(box=None, header_style="bold")
    for heading in ("company", "status", "version", "settings that differ"):
        table.add_column(heading)
    for change in changes:
        table.add_row(change.company, change.status, change.version, ", ".join(change.keys))
    Console(highlight=False).print(table)
