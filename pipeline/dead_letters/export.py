"""Rejected lines of files handed back: written to a folder, to be mended and ingested again."""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

import msgspec

from pipeline.dead_letters.letter import DeadLetter
from pipeline.errors import Problem

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_NAME_CHARACTERS_MAX = 100


class Exported(msgspec.Struct, frozen=True):
    """A file that was written: of which source, with how many lines; `withheld` lines have no bytes to be written."""

    file: Path
    source: str
    lines: int
    withheld: int


def export(letters: Iterable[DeadLetter], folder: Path) -> list[Exported]:
    """Write the lines of every source file to a file of its own, and a `.json` beside it that says why each is there.

    Of lines that were rejected several times, as by a second run, one is written. Raises ``Problem`` for a folder that
    cannot be written, and before it would replace a file.
    """
    by_source: dict[str, dict[tuple[int, bytes], DeadLetter]] = {}
    for letter in letters:
        by_source.setdefault(letter.topic, {})[letter.offset, letter.value or b""] = letter
    written = []
    names: set[str] = set()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for source, found in sorted(by_source.items()):
            name = _free_name(source, names)
            letters_in_order = sorted(found.values(), key=lambda letter: letter.offset)
            written.append(_write(source, folder / f"{name}.rejected", letters_in_order))
    except FileExistsError as error:
        raise Problem(f"{error.filename} is there already", "Move it away, or name another folder") from error
    except OSError as error:
        raise Problem(f"{folder} cannot be written: {error.strerror}", "Name another folder") from error
    return written


def _write(source: str, file: Path, letters: list[DeadLetter]) -> Exported:
    lines = withheld = 0
    with file.open("xb") as stream, file.with_name(f"{file.name}.json").open("x", encoding="utf-8") as notes:
        for letter in letters:
            number = None
            if letter.value:
                number = lines + 1
                lines += _write_line(stream, letter.value)
            else:
                withheld += 1
            notes.write(json.dumps(_note(letter, number), ensure_ascii=False) + "\n")
    return Exported(file, source, lines, withheld)


def _write_line(stream: BinaryIO, value: bytes) -> int:
    """Write a row with an end of its own; how many lines it has."""
    data = value if value.endswith(b"\n") else value + b"\n"
    stream.write(data)
    return data.count(b"\n")


def _note(letter: DeadLetter, number: int | None) -> dict[str, object]:
    """Why a line is there. `line` is its place in the file beside, null when there is nothing to write of it."""
    return {
        "line": number,
        "source_file": letter.topic,
        "source_line": letter.offset,
        "column": letter.header("source_column"),
        "field": letter.header("source_field"),
        "reason": letter.reason,
        "error": letter.error,
        "company": letter.company,
        "event_type": letter.event_type,
        "place": str(letter.place),
    }


def _free_name(source: str, taken: set[str]) -> str:
    """A file name made of the source's; names come from outside, so nothing in them leads to another folder."""
    base = _UNSAFE.sub("_", source.replace("\\", "/").rsplit("/", 1)[-1]).strip("._")[:_NAME_CHARACTERS_MAX] or "lines"
    name, number = base, 1
    while name in taken:
        number += 1
        name = f"{base}.{number}"
    taken.add(name)
    return name
