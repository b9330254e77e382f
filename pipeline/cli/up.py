"""`arrears up`: the whole system on this machine, until it is stopped."""

import contextlib
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict
from types import FrameType
from typing import Annotated

import typer
from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.table import Table
from rich.text import Text

from pipeline.cli import load_own_settings
from pipeline.cli.services import Installation, Status

app = typer.Typer()

LOOK_SECONDS = 1.0
COLOURS = {"ready": "green", "given": "green", "starting": "yellow"}


@app.command()
def up(
    context: typer.Context,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON line on stdout as soon as all is ready, for programs.")
    ] = False,
) -> None:
    """Start Kafka, ClickHouse and the services on this machine, and keep them running until Ctrl-C.

    The first start fetches the broker's program (45 MB); every other takes seconds. Data stay in .arrears and are
    there again the next time. Parts whose address the settings give are used, not started. A part that ends by itself
    is started again. Everything ends with this command, however it ends.
    """
    settings = load_own_settings(context)
    console = Console(stderr=True, highlight=False)
    with ending_by_signal(), fetch_progress(console) as progress:
        started = time.monotonic()
        with Installation(settings, context.obj, progress) as installation:
            installation.start_stack()
            installation.prepare(lambda words: console.print(f"[dim]{words}[/dim]"))
            installation.start_services()
            installation.wait_until_ready()
            console.print(f"ready after {time.monotonic() - started:.1f} s; Ctrl-C ends it")
            if as_json:
                typer.echo(json.dumps([asdict(line) for line in installation.status()]))
            try:
                show_until_stopped(installation, console)
            finally:
                console.print("stopping; the data stay where they are")


class _Ended(KeyboardInterrupt):
    """A signal asked the command to end."""


@contextlib.contextmanager
def ending_by_signal() -> Iterator[None]:
    """Within the block, Ctrl-C and SIGTERM end it in order; a second one ends it at once, programs and all."""
    asked = False

    def end(*_: int | FrameType | None) -> None:
        nonlocal asked
        if asked:
            os._exit(130)  # the launchers see to the programs
        asked = True
        raise _Ended

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    except _Ended:
        pass
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def fetch_progress(console: Console) -> "Iterator[_Told]":
    """A progress bar for what is done once in the life of a machine; nothing when there is nothing to do."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        yield _Told(bar)


class _Told:
    """Takes progress from any thread: what is being done, how many steps of how many are done."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._tasks: dict[str, TaskID] = {}
        self._guard = threading.Lock()

    def __call__(self, title: str, done: int, total: int) -> None:
        with self._guard:
            if title not in self._tasks:
                self._tasks[title] = self._bar.add_task(title, total=total)
            self._bar.update(self._tasks[title], completed=done, visible=done < total)


def show_until_stopped(installation: Installation, console: Console) -> None:
    """Look after all parts and show how they are, until a signal ends it."""
    if not console.is_terminal:
        console.print(table(installation.status()))
        while True:
            installation.look_after()
            time.sleep(LOOK_SECONDS)
    with Live(console=console, auto_refresh=False) as live:
        while True:
            installation.look_after()
            live.update(Group(table(installation.status()), Text("Ctrl-C ends it", style="dim")), refresh=True)
            time.sleep(LOOK_SECONDS)


def table(lines: list[Status]) -> Table:
    """One row per part."""
    shown = Table(box=None, header_style="bold")
    for heading in ("part", "state", "address", "pid"):
        shown.add_column(heading)
    for line in lines:
        state = f"{line.state}, restarts: {line.restarts}" if line.restarts else line.state
        shown.add_row(line.name, Text(state, style=COLOURS.get(line.state, "red")), line.address, str(line.pid or ""))
    return shown
