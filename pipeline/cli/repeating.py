"""Commands that do their work once, or again and again until they are told to end."""

import signal
import threading
from collections.abc import Iterator
from typing import Annotated

import typer

Every = Annotated[
    float | None,
    typer.Option("--every", metavar="SECONDS", min=1, help="Go on until Ctrl-C or SIGTERM, and do it that often."),
]


def rounds(every: float | None) -> Iterator[None]:
    """Once, or with `every` each so many seconds after the last was done, until SIGINT or SIGTERM.

    A signal lets the round that is running end. An error ends all: whoever runs the process starts it again.
    """
    stopped = threading.Event()
    if every is not None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopped.set())
    while not stopped.is_set():
        yield
        if every is None:
            return
        stopped.wait(every)
