"""`arrears api keys`: made, listed, replaced, revoked. A running service notices within a second."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from pipeline.cli import load_settings
from pipeline.errors import Problem
from sources.http import SCOPES, ApiKey, KeyFile, SourceError

keys = typer.Typer(add_completion=False, no_args_is_help=True, help="API keys: make, list, replace and revoke them.")
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object or list, for programs.")]


@keys.command()
def create(
    context: typer.Context,
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="Who uses it; the actor of events without one.")],
    company: Annotated[
        list[str],
        typer.Option("--company", metavar="CODE", help="Legal entity it may write for; repeat; * = all."),
    ],
    scope: Annotated[
        list[str], typer.Option("--scope", metavar="SCOPE", help=f"What it may do: {' or '.join(SCOPES)}; repeat.")
    ] = [SCOPES[0]],  # noqa: B006  Typer reads it only
    expires_days: Annotated[
        int | None, typer.Option("--expires-days", metavar="N", min=1, help="Days until it ends by itself.")
    ] = None,
    events_per_second: Annotated[
        float | None,
        typer.Option("--events-per-second", metavar="N", min=0, help="A rate of its own; 0 = no limit."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a key and print it, once: only its hash is kept."""
    now = datetime.now(UTC)
    expires_at = None if expires_days is None else now + timedelta(days=expires_days)
    with _problems():
        key, text = _file(context).create(
            name, scope, company, expires_at=expires_at, events_per_second=events_per_second
        )
    _show_new(key, text, as_json=as_json)


@keys.command("list")
def list_keys(context: typer.Context, as_json: AsJson = False) -> None:
    """All keys and whether they are valid; their texts are not known."""
    with _problems():
        found = _file(context).read()
    now = datetime.now(UTC)
    if as_json:
        typer.echo(json.dumps([_document(key, now) for key in found]))
        return
    table = Table()
    for heading in ("id", "name", "state", "scopes", "companies", "created", "expires"):
        table.add_column(heading, no_wrap=heading == "id")  # what rotate and revoke are given
    for key in found:
        expires = "" if key.expires_at is None else f"{key.expires_at:%Y-%m-%d %H:%M}"
        row = (key.id, key.name, key.state(now), " ".join(key.scopes), " ".join(key.companies))
        table.add_row(*row, f"{key.created_at:%Y-%m-%d %H:%M}", expires)
    Console(highlight=False).print(table)


@keys.command()
def rotate(
    context: typer.Context,
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The id of the key that is replaced.")],
    overlap_days: Annotated[
        float, typer.Option("--overlap-days", metavar="N", min=0, help="How long the old key stays valid beside it.")
    ] = 7.0,
    as_json: AsJson = False,
) -> None:
    """Make a key with the rights of another, which ends after the overlap."""
    with _problems():
        key, text = _file(context).rotate(key_id, timedelta(days=overlap_days))
    _show_new(key, text, as_json=as_json)


@keys.command()
def revoke(
    context: typer.Context,
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The id of the key, as `list` shows it.")],
) -> None:
    """End a key at once."""
    with _problems():
        key = _file(context).revoke(key_id)
    typer.echo(f"the key {key.id} ({key.name}) is revoked")


def _file(context: typer.Context) -> KeyFile:
    return KeyFile(load_settings(context).api.keys_file)


def _show_new(key: ApiKey, text: str, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({**_document(key, datetime.now(UTC)), "key": text}))
        return
    typer.echo(text)
    typer.echo(f"key {key.id} of {key.name}: keep it now, it is not shown again", err=True)


def _document(key: ApiKey, now: datetime) -> dict[str, object]:
    return {
        "id": key.id,
        "name": key.name,
        "state": key.state(now),
        "scopes": list(key.scopes),
        "companies": list(key.companies),
        "created_at": key.created_at.isoformat(),
        "expires_at": None if key.expires_at is None else key.expires_at.isoformat(),
        "events_per_second": key.events_per_second,
    }


@contextmanager
def _problems() -> Iterator[None]:
    try:
        yield
    except SourceError as error:
        raise Problem(error.message, error.advice) from error
