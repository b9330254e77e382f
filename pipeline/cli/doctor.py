"""`arrears doctor`: every precondition of every guarantee, and what to do about each failure."""

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipeline.cli import load_settings
from pipeline.cli.checks import CHECKS, Finding, examine
from pipeline.errors import Problem

app = typer.Typer()

COLOURS = {"ok": "green", "warning": "yellow", "failed": "red", "skipped": "dim"}


@app.command()
def doctor(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON list on stdout, for programs.")] = False,
) -> None:
    """Check everything that must hold before events are processed exactly once, and say what to do where it does not.

    Looks at Python, settings, companies, the broker and its topics, ClickHouse and its tables, and clocks. Changes
    nothing. Ends with exit code 1 when something has failed.
    """
    try:
        settings = load_settings(context)
    except Problem as problem:
        findings = [Finding("settings", "failed", problem.message, problem.advice)]
    else:
        findings = [Finding("settings", "ok", "can be read"), *examine(settings, CHECKS)]
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        Console(highlight=False).print(_table(findings))
    if any(finding.status == "failed" for finding in findings):
        raise typer.Exit(1)


def _table(findings: list[Finding]) -> Table:
    table = Table(box=None, header_style="bold")
    for heading in ("check", "result", "what was found, and what to do"):
        table.add_column(heading, overflow="fold")
    for finding in findings:
        words = Text(finding.message)
        if finding.advice:
            words.append(f"\n{finding.advice}", style="bold")
        table.add_row(finding.subject, Text(finding.status, style=COLOURS[finding.status]), words)
    return table
