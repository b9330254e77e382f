"""`arrears migrate`: bring the ClickHouse database to what this release says."""

from typing import Annotated

import typer

from pipeline.cli import load_settings
from pipeline.cli.clickhouse import clickhouse_address, clickhouse_problems
from sinks.migrations import Engines, Plan, PlannedStep, Runner

app = typer.Typer()


@app.command()
def migrate(
    context: typer.Context,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the statements and change nothing.")] = False,
    to: Annotated[
        int | None,
        typer.Option("--to", metavar="N", min=0, help="Number of a migration; 0 takes all back. Default: the last."),
    ] = None,
    allow_data_loss: Annotated[
        bool, typer.Option("--allow-data-loss", help="Carry out steps after which rows are gone.")
    ] = False,
) -> None:
    """Create or change tables and views by numbered migrations, forward or, with --to, back.

    What was applied is remembered with a checksum; a migration that was changed afterwards is refused, and so are
    steps that drop rows. Running it twice does nothing.
    """
    settings = load_settings(context)
    runner = Runner(clickhouse_address(settings), Engines(settings.clickhouse.cluster))
    with clickhouse_problems():
        plan = runner.plan(to)
        if dry_run:
            _print(plan)
            return
        if not plan.steps:
            typer.echo("nothing to do")
            return
        runner.run(plan, allow_data_loss=allow_data_loss, report=_report)


def _report(step: PlannedStep) -> None:
    done = "applied" if step.direction == "forward" else "taken back"
    typer.echo(f"{step.migration.number} {step.migration.title}: {done}")


def _print(plan: Plan) -> None:
    for step in plan.steps:
        loss = ", rows are lost" if step.loses_data else ""
        typer.echo(f"-- migration {step.migration.number}, {step.migration.title}, {step.direction}{loss}")
        for statement in step.statements:
            typer.echo(f"{statement};\n")
    if not plan.steps:
        typer.echo("-- nothing to do")
