"""`arrears bench`: what the system costs on this machine, beside baselines of the same run."""

import json
import shutil
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from pipeline.cli import load_own_settings
from pipeline.cli.benchmarks.measures import Bench
from pipeline.cli.benchmarks.results import Result, table
from pipeline.cli.services import make_stack
from pipeline.cli.up import ending_by_signal, fetch_progress

app = typer.Typer()

BASELINES = ("bare loop", "stock Faust")
_WIDTH = 160  # of output that goes to a file


@app.command()
def bench(
    context: typer.Context,
    quick: Annotated[bool, typer.Option("--quick", help="An eighth of the events: less exact.")] = False,
    door: Annotated[bool, typer.Option("--api", help="Only the HTTP door.")] = False,
    audit: Annotated[bool, typer.Option("--audit", help="Only the hash chain over the raw log.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line, for programs.")] = False,
) -> None:
    """Measure the whole pipeline and its parts on a broker and a ClickHouse of its own, and print ratios.

    Worker, sink, HTTP door and audit: events a second, CPU time an event, latencies at half load, restart and memory;
    beside a bare loop that consumes, decodes and counts, and beside stock Faust. Nothing else should run meanwhile. Its
    data are removed at the end.
    """
    console = Console(highlight=False, stderr=as_json)
    if not console.is_terminal:
        console.width = _WIDTH
    settings = load_own_settings(context)
    folder = Path(tempfile.mkdtemp(prefix="arrears-bench-"))
    own = settings.model_copy(update={"stack": settings.stack.model_copy(update={"folder": folder})})
    try:
        with ending_by_signal(), fetch_progress(console) as progress, make_stack(own, progress) as stack:
            addressed = own.with_addresses(stack.kafka_bootstrap_servers, stack.clickhouse_url)
            measuring = Bench(addressed, folder, lambda words: console.print(f"[dim]{words} …[/dim]"), quick=quick)
            measure = measuring.run_door if door else measuring.run_audit if audit else measuring.run
            _show(measure(), console, as_json=as_json)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _show(results: list[Result], console: Console, *, as_json: bool) -> None:
    if as_json:
        for one in results:
            typer.echo(json.dumps(asdict(one)))
    else:
        console.print(table(results, BASELINES))
