"""`arrears schemas check`, `list`, `release` and `register`: the contracts, and the registry of those who have one."""

from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from avro import ContractError, registry, release
from avro.compatibility import Finding
from avro.errors import RegistryUnavailable
from pipeline.cli import load_settings
from pipeline.cli.registry import registry_client
from pipeline.errors import Problem
from topics import catalogue, subjects

app = typer.Typer(no_args_is_help=True, help="Check, release and register the schemas of events and output records.")

AsJson = Annotated[bool, typer.Option("--json", help="One JSON list on stdout, for programs.")]


@app.command("check")
def check(as_json: AsJson = False) -> None:
    """Check that every schema is compatible with all its released versions, in both directions.

    Exit code 1 when one is not; each line names the record, the field, the rule, and what to do. Asks no registry.
    """
    try:
        findings = release.check()
        standings = release.standings()
    except ContractError as error:
        raise Problem(str(error)) from error
    if as_json:
        typer.echo(msgspec.json.encode(findings).decode())
    else:
        _print_findings(findings)
        changed = [standing.name for standing in standings if standing.changed]
        console = Console(highlight=False, soft_wrap=True)
        console.print(f"{len(standings)} schemas, {len(findings)} findings, {len(changed)} changed since their release")
        if changed and not findings:
            console.print(f"not released yet: {', '.join(changed)}; run `arrears schemas release`")
    if findings:
        raise typer.Exit(1)


@app.command("list")
def list_schemas(as_json: AsJson = False) -> None:
    """Show every record with its schema id and version, and whether its schema has changed since."""
    try:
        standings = release.standings()
    except ContractError as error:
        raise Problem(str(error)) from error
    rows = [
        {
            "name": standing.name,
            "id": standing.pin.id if standing.pin else None,
            "version": standing.pin.version if standing.pin else None,
            "changed": standing.changed,
        }
        for standing in standings
    ]
    if as_json:
        typer.echo(msgspec.json.encode(rows).decode())
        return
    table = Table(box=None, header_style="bold")
    for heading in ("record", "id", "version", ""):
        table.add_column(heading, justify="right" if heading in {"id", "version"} else "left")
    for row in rows:
        note = "changed, not released" if row["changed"] else ""
        table.add_row(str(row["name"]), str(row["id"] or ""), str(row["version"] or ""), note)
    Console(highlight=False).print(table)


@app.command("release")
def release_schemas(as_json: AsJson = False) -> None:
    """Write a snapshot of every changed schema and pin a new id to it. Refused, whole, when `check` finds anything.

    What a release has written belongs into version control and is never changed again.
    """
    try:
        pins = release.release()
    except release.Incompatible as refused:
        _print_findings(refused.findings)
        raise Problem(str(refused), "Correct the schemas; `arrears schemas check` shows this again") from refused
    except ContractError as error:
        raise Problem(str(error)) from error
    if as_json:
        typer.echo(msgspec.json.encode(pins).decode())
        return
    console = Console(highlight=False, soft_wrap=True)
    for pin in pins:
        console.print(f"{pin.name} version {pin.version} has id {pin.id}")
    console.print(f"{len(pins)} released" if pins else "nothing has changed since the last release")


@app.command("register")
def register(
    context: typer.Context,
    url: Annotated[
        str, typer.Option("--url", help="Address of the schema registry; default: schema_registry.url of the settings.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Register the current schemas at a schema registry, for every topic that carries them.

    Subjects are `<topic>-<full record name>` and are made fully compatible (FULL_TRANSITIVE). It can be repeated; what
    is registered already keeps its id.
    """
    settings = load_settings(context)
    client = registry_client(settings, url)
    try:
        ids = registry.register_all(client, subjects(catalogue(settings.kafka.topic_prefix)))
    except (ContractError, RegistryUnavailable) as error:
        raise Problem(str(error), "Look at schema_registry in the settings, and at the registry's own log") from error
    if as_json:
        typer.echo(msgspec.json.encode([{"subject": name, "id": ids[name]} for name in ids]).decode())
        return
    table = Table(box=None, header_style="bold")
    table.add_column("subject")
    table.add_column("id", justify="right")
    for subject, identifier in ids.items():
        table.add_row(subject, str(identifier))
    console = Console(highlight=False)
    console.print(table)
    console.print(f"{len(ids)} subjects are registered at {client.url}")


def _print_findings(findings: list[Finding]) -> None:
    console = Console(highlight=False, soft_wrap=True)
    for finding in findings:
        place = f"{finding.record}.{finding.field}" if finding.field else finding.record
        against = f" (against version {finding.version})" if finding.version else ""
        console.print(
            f"[red]{escape(place)}[/red]{against}: {finding.rule}: {escape(finding.message)}; {escape(finding.advice)}"
        )
