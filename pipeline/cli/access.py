"""`arrears access`: who may see what in ClickHouse."""

import os
import tomllib
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli import load_settings
from pipeline.cli.clickhouse import clickhouse_address, clickhouse_problems
from pipeline.errors import Problem
from pipeline.settings import Settings
from sinks.access import AccessRunner, Change, make_wanted, read_access

app = typer.Typer(help="Users, roles, rows and limits of a ClickHouse server, from a file.", no_args_is_help=True)

FILE = typer.Option("--file", metavar="FILE", help="Who may see what; docs/access.md has all keys.")


@app.command()
def plan(context: typer.Context, file: Annotated[Path, FILE] = Path("config/access.toml")) -> None:
    """Print the statements that would bring the server to what the file says, and change nothing.

    Compares roles, grants, row policies, quotas, limits and users with the server's own tables. Passwords are printed
    as hashes.
    """
    settings = load_settings(context)
    with clickhouse_problems():
        steps = _runner(settings, file).plan()
    for change in steps:
        typer.echo(f"-- {change.what}")
        for statement in change.statements:
            typer.echo(f"{statement};")
    if not steps:
        typer.echo("-- nothing to do")


@app.command()
def apply(
    context: typer.Context,
    file: Annotated[Path, FILE] = Path("config/access.toml"),
    passwords: Annotated[
        bool, typer.Option("--passwords", help="Also set the passwords and hosts of users who exist.")
    ] = False,
) -> None:
    """Bring the server to what the file says. Running it twice does nothing.

    What restricts is made before what permits. Things whose names do not begin with arrears_ are left alone; a user
    whom the file does not name loses the roles that it gives, and nothing else.
    """
    settings = load_settings(context)
    with clickhouse_problems():
        runner = _runner(settings, file)
        steps = runner.plan()
        runner.apply(steps, _report)
        if passwords:
            runner.set_passwords(_report)
    if not steps and not passwords:
        typer.echo("nothing to do")


def _runner(settings: Settings, file: Path) -> AccessRunner:
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise Problem(f"{file} cannot be read: {error.strerror}", "Give another one by --file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Problem(f"{file} is no TOML file: {error}", "Correct it") from error
    address = clickhouse_address(settings)
    return AccessRunner(address, make_wanted(read_access(document, file.name), address.database, os.environ))


def _report(change: Change) -> None:
    typer.echo(f"{change.what}: done")
