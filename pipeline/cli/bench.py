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
from pipeline.cli.benchmarks.tables import TableBench
from pipeline.cli.services import make_stack
from pipeline.cli.up import ending_by_signal, fetch_progress

app = typer.Typer()

BASELINES = ("bare loop", "stock Faust")
# Postings and raw events: of ClickHouse alone, and as a part of the whole; a tenth of them with --quick.
_FULL, _PART, _QUICK = (10_000_000, 100_000_000), (1_000_000, 1_000_000), 10
_WIDTH = 160  # of output that goes to a file


@app.command()
def bench(
    context: typer.Context,
    quick: Annotated[bool, typer.Option("--quick", help="An eighth of the events, a tenth of the rows.")] = False,
    door: Annotated[bool, typer.Option("--api", help="Only the HTTP door.")] = False,
    audit: Annotated[bool, typer.Option("--audit", help="Only the hash chain over the raw log.")] = False,
    clickhouse: Annotated[bool, typer.Option("--clickhouse", help="Only ClickHouse, on years of rows.")] = False,
    entries: Annotated[
        int | None,
        typer.Option("--entries", min=1000, help="Postings in ClickHouse; 10,000,000 with --clickhouse alone."),
    ] = None,
    events: Annotated[
        int | None,
        typer.Option("--events", min=1000, help="Events in ClickHouse; 100,000,000 with --clickhouse alone."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line, for programs.")] = False,
) -> None:
    """Measure the whole pipeline and its parts on a broker and a ClickHouse of its own, and print ratios.

    Worker, sink, HTTP door and audit: events a second, CPU time an event, latencies at half load, restart and memory;
    beside a bare loop that consumes, decodes and counts, and beside stock Faust. ClickHouse: as-of answers over years
    of postings beside the plain sum over all of them, a day of the raw log, bytes a row, inserts. Nothing else should
    run meanwhile. Its data are removed at the end.
    """
    console = Console(highlight=False, stderr=as_json)
    if not console.is_terminal:
        console.width = _WIDTH
    settings = load_own_settings(context)
    folder = Path(tempfile.mkdtemp(prefix="arrears-bench-"))
    own = settings.model_copy(update={"stack": settings.stack.model_copy(update={"folder": folder})})

    def tell(words: str) -> None:
        console.print(f"[dim]{words} …[/dim]")

    full = _FULL if clickhouse else _PART
    share = _QUICK if quick else 1
    tables = TableBench(folder, entries or full[0] // share, events or full[1] // share, tell)
    try:
        with ending_by_signal():
            if clickhouse:
                _show(tables.run(), console, as_json=as_json)
                return
            with fetch_progress(console) as progress, make_stack(own, progress) as stack:
                addressed = own.with_addresses(stack.kafka_bootstrap_servers, stack.clickhouse_url)
                measuring = Bench(addressed, folder, tell, quick=quick)
                measure = measuring.run_door if door else measuring.run_audit if audit else measuring.run
                found = measure()
            if not door and not audit:
                found += tables.run()
            _show(found, console, as_json=as_json)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _show(results: list[Result], console: Console, *, as_json: bool) -> None:
    if as_json:
        for one in results:
            typer.echo(json.dumps(asdict(one)))
    else:
        console.print(table(results, BASELINES))
