"""`arrears check`: scenarios, run in process on the pure jobs (SCENARIOS §2)."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from pipeline.scenarios.format import ScenarioError, find, load
from pipeline.scenarios.runner import Failure, run

app = typer.Typer()


@app.command()
def check(
    paths: Annotated[list[Path], typer.Argument(help="Scenario files, or folders that hold them.", metavar="PATH...")],
) -> None:
    """Run scenarios and print every expectation that does not hold.

    A scenario is a YAML file of events, clock steps and expectations; it runs in process on the same jobs as the
    worker, without a broker. The last line counts scenarios; the exit code is 0 only if all pass.
    """
    console = Console(highlight=False, soft_wrap=True)
    try:
        files = find(paths)
    except ScenarioError as error:
        console.print(f"[red]{escape(str(error))}[/]")
        files = []
    passed = failed = 0
    for file in files:
        try:
            failures = run(load(file))
        except ScenarioError as error:
            failures = []
            failed += 1
            console.print(f"[red]FAILED[/] {escape(str(error))}")
            continue
        if failures:
            failed += 1
            _print_failures(console, file, failures)
        else:
            passed += 1
    console.print(f"{passed} passed, {failed} failed")
    if failed or not files:
        raise typer.Exit(1)


def _print_failures(console: Console, file: Path, failures: list[Failure]) -> None:
    console.print(f"[red]FAILED[/] {escape(str(file))}: {escape(failures[0].scenario)}")
    for failure in failures:
        console.print(f"  line {failure.line}, step {failure.step}: {escape(failure.expectation)}")
        for mismatch in failure.mismatches:
            expected, actual = escape(str(mismatch.expected)), escape(str(mismatch.actual))
            console.print(f"    {mismatch.field}: expected {expected}, actual {actual}")
