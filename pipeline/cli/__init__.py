"""The command line: ``arrears COMMAND``.

A command lives in its own module and is registered by one line of ``COMMANDS``. The module has a name
``app``: a ``typer.Typer()`` with one ``@app.command()`` (then ``arrears NAME`` runs it) or with several
(then they are ``arrears NAME SUBCOMMAND``). Modules are imported when their command is called, so that a
service does not pay for the imports of another.

A command takes ``context: typer.Context`` and calls ``load_settings(context)``; ``--config`` and ``--debug``
belong to the whole program and may stand before or after the command. A command raises
``pipeline.errors.Problem`` for what the user can act on; ``raise typer.Exit(1)`` when it did its work
and the answer is no.
"""

import os
import sys
from importlib import import_module, metadata
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer
from typer.core import TyperGroup

from pipeline.errors import Problem
from pipeline.local.addresses import read_addresses
from pipeline.logs import configure_logging
from pipeline.settings import Settings
from pipeline.settings_sources import load

if TYPE_CHECKING:
    from typer._click.core import Command, Context

COMMANDS: dict[str, str] = {
    "up": "pipeline.cli.up",
    "check": "pipeline.cli.check",
    "topics": "pipeline.cli.topics",
    "schemas": "pipeline.cli.schemas",
    "demo": "pipeline.cli.demo",
    "reconcile": "pipeline.cli.reconcile",
    "doctor": "pipeline.cli.doctor",
    "worker": "pipeline.cli.worker",
    "sink": "pipeline.cli.sink",
    "migrate": "pipeline.cli.migrate",
    "query": "pipeline.cli.query",
    "rollup": "pipeline.cli.rollup",
    "close": "pipeline.cli.close",
    "forecast": "pipeline.cli.forecast",
    "companies": "pipeline.cli.companies",
    "ingest": "pipeline.cli.ingest",
    "snapshot": "pipeline.cli.snapshot",
    "mappings": "pipeline.cli.mappings",
    "stream": "pipeline.cli.stream",
    "poll": "pipeline.cli.poll",
    "api": "pipeline.cli.api",
    "dlq": "pipeline.cli.dlq",
    "alerts": "pipeline.cli.alerts",
    "lag": "pipeline.cli.lag",
    "audit": "pipeline.cli.audit",
    "retention": "pipeline.cli.retention",
    "access": "pipeline.cli.access",
    "bench": "pipeline.cli.bench",
}
_COMPLETION = frozenset({"install_completion", "show_completion"})
# Commands that run until they are stopped, for compose and Kubernetes.
SERVICES = frozenset({"worker", "sink", "api", "stream", "poll"})


class Commands(TyperGroup):
    """The commands of ``COMMANDS``, imported on demand, with ``--config`` and ``--debug`` at any place."""

    def list_commands(self, ctx: "Context") -> list[str]:
        """Names in the order of registration."""
        return list(COMMANDS)

    def get_command(self, ctx: "Context", cmd_name: str) -> "Command | None":
        """The command of this name, its module imported; None when there is none."""
        if cmd_name not in COMMANDS:
            return None
        command = typer.main.get_command(import_module(COMMANDS[cmd_name]).app)
        command.name = cmd_name
        # Typer offers completion of the program with each command that is a Typer of its own.
        command.params = [parameter for parameter in command.params if parameter.name not in _COMPLETION]
        options = {option for parameter in command.params for option in parameter.opts}
        if taken := options & {"--config", "--debug"}:
            raise TypeError(f"arrears {cmd_name} declares {', '.join(sorted(taken))}, which belong to arrears")
        return command

    def parse_args(self, ctx: "Context", args: list[str]) -> list[str]:
        """Move the program's own options in front of the command, then parse as usual."""
        front: list[str] = []
        rest: list[str] = []
        pending = iter(args)
        for argument in pending:
            if argument == "--":
                rest += [argument, *pending]
            elif argument == "--config":
                front += [argument, *(value for value in [next(pending, None)] if value is not None)]
            elif argument == "--debug" or argument.startswith("--config="):
                front.append(argument)
            else:
                rest.append(argument)
        return super().parse_args(ctx, front + rest)

    def resolve_command(self, ctx: "Context", args: list[str]) -> "tuple[str | None, Command | None, list[str]]":
        """Find the command; a misspelt one is answered with the nearest names."""
        # Only the names are read, for the suggestion.
        self.commands = cast("dict[str, Command]", dict.fromkeys(COMMANDS))
        return super().resolve_command(ctx, args)


app = typer.Typer(
    name="arrears",
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"arrears {metadata.version('arrears')}")
        raise typer.Exit


@app.callback()
def arrears(
    context: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            metavar="FILE",
            envvar="ARREARS_CONFIG",
            help="Settings file (TOML). Default: arrears.toml in the current directory, when there is one.",
        ),
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    """Accounts receivable as a stream: events in; aging, promise breaches, unapplied-cash alerts out."""
    context.obj = config


def load_settings(context: typer.Context) -> Settings:
    """The settings of this call: defaults, then the file of ``--config``, then the environment.

    An address that neither gives is that of the local stack that runs in the stack's folder. Log lines are written
    as the settings say from here on. Raises ``Problem`` naming the key that is wrong, where it stands and what is
    allowed.
    """
    settings = load_own_settings(context)
    if running := read_addresses(settings.stack.folder):
        settings = settings.with_addresses(running.kafka_bootstrap_servers, running.clickhouse_url)
    return settings


def load_own_settings(context: typer.Context) -> Settings:
    """As ``load_settings``, but without a look at the local stack: for commands that start one, or check all."""
    settings = load(context.obj)
    # A command that a person waits for says itself what it does; services tell it in their log.
    is_told = context.info_name in SERVICES or settings.logging.is_set("level")
    configure_logging(settings.logging.format, settings.logging.level if is_told else "warning")
    return settings


def main() -> None:
    """Run the command line; a ``Problem``, and whatever else ends it, becomes one line on stderr and exit code 1."""
    debug = "--debug" in sys.argv[1:]
    try:
        app()
    except BrokenPipeError:
        # The reader of our output is gone, as in `arrears ... | head`; nothing is left to say.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        if debug:
            raise
        sys.stderr.write(f"arrears: {_line(error)}\n")
        sys.exit(1)


def _line(error: Exception) -> str:
    """One line for the user. The rooms below this one have problems of their own, with the same two sentences."""
    message, advice = getattr(error, "message", None), getattr(error, "advice", None)
    if isinstance(message, str) and isinstance(advice, str):
        return str(Problem(message, advice))
    words = " ".join(str(error).split())
    return f"{type(error).__name__}: {words}. This is a defect: --debug shows where"
