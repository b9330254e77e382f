"""Commands as a user calls them, but in the process of the test, which spares each the start of another."""

import io
import logging
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

import pytest

from pipeline.cli import main
from pipeline.settings import Settings, variable_name


class Done(NamedTuple):
    """Exit code and both outputs of a command."""

    code: object
    output: str
    errors: str


def arrears(*words: str, folder: Path, **environment: str) -> Done:
    """Run a command in a folder, with these variables of the environment."""
    output, errors = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(output), redirect_stderr(errors), _as_before():
        for name, value in {"COLUMNS": "300", **environment}.items():
            patch.setenv(name, value)
        patch.setattr(sys, "argv", ["arrears", *words])
        patch.chdir(folder)
        with pytest.raises(SystemExit) as ending:
            main()
    return Done(ending.value.code or 0, output.getvalue(), errors.getvalue())


def addresses(settings: Settings) -> dict[str, str]:
    """The environment in which commands find the system of these settings."""
    return {
        variable_name("kafka", "bootstrap_servers"): settings.kafka.bootstrap_servers,
        variable_name("kafka", "topic_prefix"): settings.kafka.topic_prefix,
        variable_name("clickhouse", "url"): settings.clickhouse.url,
        variable_name("clickhouse", "database"): settings.clickhouse.database,
    }


def assert_one_line(done: Done, *words: str) -> None:
    """A failure that a person can act on: exit code 1, one line on stderr, these words in it."""
    assert done.code == 1, done
    lines = [line for line in done.errors.splitlines() if line.strip()]
    assert len(lines) == 1, done.errors
    assert lines[0].startswith("arrears: ")
    assert lines[0].endswith(".")
    assert len(lines[0]) < 700
    assert "This is a defect" not in lines[0]
    for word in words:
        assert word in lines[0]


@contextmanager
def _as_before() -> Iterator[None]:
    """Services set signal handlers, and all commands the log: both are put back."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    log = logging.getLogger().handlers[:]
    try:
        yield
    finally:
        logging.getLogger().handlers[:] = log
        for number, handler in handlers.items():
            signal.signal(number, handler)
