"""`arrears topics plan`, `apply` and `list`: the topics of the broker, as the catalogue wants them."""

from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

import topics
from pipeline.cli import load_settings
from pipeline.errors import Problem
from pipeline.settings import Settings
from pipeline.startup import admin_client
from topics import BrokerError, Change, Plan, Topic, catalogue

app = typer.Typer(no_args_is_help=True, help="Make the topics of the broker what this release needs.")

AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout, for programs.")]

_WORDS = {
    "create": "[green]create[/green]",
    "configure": "[yellow]change[/yellow]",
    "add_partitions": "[yellow]add partitions[/yellow]",
    "leave": "[red]stays[/red]",
}


@app.command("plan")
def show_plan(context: typer.Context, as_json: AsJson = False) -> None:
    """Show what `apply` would do, and what it would leave as it is and why. Changes nothing.

    Nothing is ever deleted: no topic, no record, no partition.
    """
    settings = load_settings(context)
    admin = admin_client(settings.kafka.client_config())
    try:
        found = topics.plan(admin, catalogue(settings.kafka.topic_prefix), _copies(settings))
    except BrokerError as error:
        raise _problem(settings, error) from error
    _print(found, as_json, done=False)


@app.command("apply")
def apply_plan(context: typer.Context, as_json: AsJson = False) -> None:
    """Create the topics that are missing and correct the settings of the others.

    It can be repeated at any time and then does nothing. Settings that would delete records are left, and said. Exit
    code 1 when a topic has another number of partitions than it needs; the rest is done all the same.
    """
    settings = load_settings(context)
    admin = admin_client(settings.kafka.client_config())
    try:
        done = topics.apply(admin, catalogue(settings.kafka.topic_prefix), _copies(settings))
    except BrokerError as error:
        raise _problem(settings, error) from error
    _print(done, as_json, done=True)
    for change in done.left:
        if change.setting == "partitions":
            message = f"{change.topic} has {change.before} partitions instead of {change.after}"
            raise Problem(message, change.reason[0].upper() + change.reason[1:])


@app.command("list")
def list_topics(context: typer.Context, as_json: AsJson = False) -> None:
    """Show the catalogue: every topic with its partitions, retention, records and key. Asks no broker.

    What each is for stands in docs/topics.md, and in the output of --json.
    """
    settings = load_settings(context)
    found = list(catalogue(settings.kafka.topic_prefix).values())
    if as_json:
        typer.echo(msgspec.json.encode([_as_json(topic) for topic in found]).decode())
        return
    table = Table(box=None, header_style="bold")
    table.add_column("topic", no_wrap=True)
    table.add_column("partitions", justify="right")
    for heading in ("kept", "records", "key"):
        table.add_column(heading, overflow="fold")
    for topic in found:
        records = ", ".join(topic.records) if len(topic.records) < 4 else f"{len(topic.records)} events"
        table.add_row(topic.name, str(topic.partitions), topic.kept, records or "not Avro", topic.key)
    Console(highlight=False).print(table)


def _as_json(topic: Topic) -> dict[str, object]:
    return {
        "name": topic.name,
        "key": topic.key,
        "partitions": topic.partitions,
        "config": topic.config(),
        "records": topic.records,
        "purpose": topic.purpose,
    }


def _copies(settings: Settings) -> int | None:
    """The number of copies that somebody asked for; None = as many as the brokers allow."""
    return settings.kafka.replication_factor or None


def _problem(settings: Settings, error: BrokerError) -> Problem:
    return Problem(
        f"the broker at {settings.kafka.bootstrap_servers} does not answer, or refuses: {error}",
        "Start it (`arrears up` starts one on this machine), set kafka.bootstrap_servers and its login, or ask for "
        "the right to manage topics",
    )


def _print(found: Plan, as_json: bool, *, done: bool) -> None:
    if as_json:
        document = {
            "changes": found.changes,
            "unchanged": found.unchanged,
            "replication_factor": found.replication_factor,
        }
        typer.echo(msgspec.json.encode(document).decode())
        return
    console = Console(highlight=False)
    if found.changes:
        console.print(_table(found.changes))
    verb = "done" if done else "to do"
    console.print(f"{len(found.to_do)} {verb}, {len(found.left)} left as they are, {found.unchanged} topics unchanged")


def _table(changes: tuple[Change, ...]) -> Table:
    table = Table(box=None, header_style="bold")
    for heading in ("topic", "", "setting", "now", "wanted", "why it stays"):
        table.add_column(heading)
    for change in changes:
        table.add_row(change.topic, _WORDS[change.action], change.setting, change.before, change.after, change.reason)
    return table
