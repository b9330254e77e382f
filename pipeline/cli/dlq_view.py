"""Dead letters as people and programs see them."""

from base64 import b64encode
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from avro import contracts
from avro.errors import ContractError
from avro.text import write_event
from pipeline.dead_letters import REPLAYED_FROM, DeadLetter

_BYTES_SHOWN_MAX = 4096
_ERROR_CHARACTERS_MAX = 100
_ROW_BYTES = 16


def document(letter: DeadLetter, *, whole: bool = False) -> dict[str, Any]:
    """A letter for programs; `whole` with its bytes in base64."""
    told: dict[str, Any] = {
        "place": str(letter.place),
        "topic": letter.topic,
        "partition": letter.partition,
        "offset": letter.offset,
        "stage": letter.stage,
        "reason": letter.reason,
        "error": letter.error,
        "company": letter.company,
        "event_type": letter.event_type,
        "failed_at": _time(letter),
        "replayed_from": letter.header(REPLAYED_FROM),
        "bytes": None if letter.value is None else len(letter.value),
    }
    if whole:
        told["key_base64"] = None if letter.key is None else b64encode(letter.key).decode()
        told["value_base64"] = None if letter.value is None else b64encode(letter.value).decode()
        told["headers"] = [{"name": name, "value_base64": b64encode(value).decode()} for name, value in letter.headers]
    return told


def print_table(letters: Iterable[DeadLetter]) -> None:
    """One line a letter."""
    table = Table(box=None, header_style="bold")
    for heading in ("place", "failed at", "stage", "reason", "company", "event", "source", "error"):
        table.add_column(heading, overflow="fold")
    for letter in letters:
        error = (
            letter.error if len(letter.error) <= _ERROR_CHARACTERS_MAX else letter.error[:_ERROR_CHARACTERS_MAX] + "…"
        )
        cells = (
            str(letter.place),
            _time(letter),
            letter.stage,
            letter.reason,
            letter.company or "",
            letter.event_type or "",
            letter.source,
            error,
        )
        table.add_row(*map(escape, cells))
    _console().print(table)


def print_counts(counts: Mapping[tuple[str, str], int]) -> None:
    """How many there are, by stage and reason, the most frequent first."""
    total = sum(counts.values())
    parts = [f"{count} {stage}/{reason}" for (stage, reason), count in sorted(counts.items(), key=lambda of: -of[1])]
    typer.echo(f"{total} dead letters{': ' if parts else ''}{', '.join(parts)}")


def print_letter(letter: DeadLetter, obstacle: str | None) -> None:
    """All of a letter."""
    rows = {
        "place": str(letter.place),
        "source": letter.source,
        "failed at": _time(letter),
        "stage": letter.stage,
        "reason": letter.reason,
        "error": letter.error,
        "company": letter.company or "",
        "event": letter.event_type or "",
        "replay": obstacle or "possible: arrears dlq replay " + str(letter.place),
        "key": "none" if letter.key is None else _text(letter.key) or letter.key.hex(" "),
    }
    for name, value in rows.items():
        typer.echo(f"{name:10} {value}")
    for name, header in letter.headers:
        typer.echo(f"{'header':10} {name} = {_text(header) or header.hex(' ')}")
    _print_value(letter.value)


def _print_value(value: bytes | None) -> None:
    if value is None:
        typer.echo("value      none is kept")
        return
    typer.echo(f"value      {len(value):,} bytes")
    shown = value[:_BYTES_SHOWN_MAX]
    text = _text(shown)
    if text is not None:
        typer.echo(text)
    else:
        for start in range(0, len(shown), _ROW_BYTES):
            row = shown[start : start + _ROW_BYTES]
            letters = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)  # printable ASCII
            typer.echo(f"{start:08x}  {row.hex(' '):{_ROW_BYTES * 3}} {letters}")
    if len(shown) < len(value):
        typer.echo(f"only the first {len(shown):,} bytes are shown; --raw writes all")
    if (event := _event(value)) is not None:
        typer.echo(f"which is   {event}")


def _event(value: bytes) -> str | None:
    """The bytes as a written event, where they are one."""
    try:
        name, record = contracts().decode(value)
        return msgspec.json.encode(write_event(name, record)).decode()
    except (ContractError, ValueError, KeyError):
        return None


def _text(data: bytes) -> str | None:
    """The bytes as text, None where they are none; control characters would upset a terminal."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return text if all(character.isprintable() or character in "\r\n\t" for character in text) else None


def _time(letter: DeadLetter) -> str:
    return letter.failed_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _console() -> Console:
    # A file or a pipe has no width; a terminal has its own.
    console = Console(highlight=False)
    return Console(highlight=False, width=None if console.is_terminal else 240)
