"""`arrears reconcile`: does everything add up?"""

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from pipeline.cli import load_settings
from pipeline.cli.reconciliation import Line
from pipeline.cli.reconciliation import reconcile as run
from pipeline.cli.registry import use_registry

app = typer.Typer()


@app.command()
def reconcile(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line, for programs.")] = False,
) -> None:
    """Count both sides of everything that must agree, and print the gaps.

    Events in the log against their outcomes, every topic against its table, live totals and open items against the
    ledger. Reads whole topics. The system may go on meanwhile: each comparison is made up to where the log ended when
    it began, and what is under way gets a few seconds to arrive. The exit code is 0 only when there is no gap.
    """
    settings = load_settings(context)
    use_registry(settings)
    lines = run(settings)
    if as_json:
        for line in lines:
            typer.echo(json.dumps({**asdict(line), "holds": line.holds}))
    else:
        Console(highlight=False).print(table(lines))
    if not all(line.holds for line in lines):
        raise typer.Exit(1)


def table(lines: list[Line]) -> Table:
    """The comparisons, gaps in red."""
    shown = Table(title="Reconciliation", title_justify="left")
    for column in ("check", "of", "one side", "other side"):
        shown.add_column(column, overflow="fold")
    shown.add_column("gap", justify="right")
    for line in lines:
        gap = "0" if line.holds else f"[red]{line.gap:,}[/]"
        shown.add_row(line.check, line.of, line.left, line.right, gap)
    return shown
