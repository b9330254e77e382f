"""Rejected lines of files handed back: written to a folder, to be mended and ingested again."""

import itertools
import json
import re
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from pathlib import Path

import msgspec

from pipeline.dead_letters.letter import DeadLetter
from pipeline.errors import Problem

ROWS_SUFFIX = ".rejected"
NOTES_SUFFIX = ".rejected.json"

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_NAME_CHARACTERS_MAX = 100
_DIGEST_BYTES = 12


class Exported(msgspec.Struct):
    """A file that was written: of which source, with how many lines; `withheld` rows have no bytes to be written."""

    file: Path
    source: str
    lines: int = 0
    withheld: int = 0


def export(letters: Iterable[DeadLetter], folder: Path) -> list[Exported]:
    """Write the lines of every source file to a file of its own, and a `.json` beside it that says why each is there.

    Lines keep the order in which they were rejected. Of one that was rejected several times, as by a second run, one is
    written. Raises ``Problem`` for a folder that cannot be written, and before it would replace a file.
    """
    written: dict[str, Exported] = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Lines of a file lie side by side, so a file is opened once as a rule.
        for source, its_letters in itertools.groupby(_without_repeats(letters), lambda letter: letter.topic):
            if source not in written:
                taken = {exported.file.name for exported in written.values()}
                written[source] = _begin(source, folder, taken)
            _write(written[source], its_letters)
    except FileExistsError as error:
        raise Problem(f"{error.filename} is there already", "Move it away, or name another folder") from error
    except OSError as error:
        raise Problem(f"{folder} cannot be written: {error.strerror}", "Name another folder") from error
    return sorted(written.values(), key=lambda exported: exported.source)


def _begin(source: str, folder: Path, taken: set[str]) -> Exported:
    """The two files of a source, new and empty."""
    exported = Exported(folder / _free_name(source, taken), source)
    for file in (exported.file, _notes(exported)):
        file.open("x").close()
    return exported


def _write(exported: Exported, letters: Iterable[DeadLetter]) -> None:
    with exported.file.open("ab") as stream, _notes(exported).open("a", encoding="utf-8") as notes:
        for letter in letters:
            number = None
            if letter.value:
                number = exported.lines + 1
                # An end of its own for every row; one in quotes may run over several lines.
                data = letter.value if letter.value.endswith(b"\n") else letter.value + b"\n"
                stream.write(data)
                exported.lines += data.count(b"\n")
            else:
                exported.withheld += 1
            notes.write(json.dumps(_note(letter, number), ensure_ascii=False) + "\n")


def _without_repeats(letters: Iterable[DeadLetter]) -> Iterator[DeadLetter]:
    seen: set[bytes] = set()
    for letter in letters:
        digest = _digest(letter)
        if digest not in seen:
            seen.add(digest)
            yield letter


def _notes(exported: Exported) -> Path:
    return exported.file.with_name(exported.file.name.removesuffix(ROWS_SUFFIX) + NOTES_SUFFIX)


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


def _digest(letter: DeadLetter) -> bytes:
    """What makes two rejects one: file, line and content."""
    place = f"{letter.topic}\0{letter.offset}\0".encode()
    return blake2b(place + (letter.value or b""), digest_size=_DIGEST_BYTES).digest()


def _free_name(source: str, taken: set[str]) -> str:
    """A file name made of the source's; names come from outside, so nothing in them leads to another folder."""
    base = _UNSAFE.sub("_", source.replace("\\", "/").rsplit("/", 1)[-1]).strip("._")[:_NAME_CHARACTERS_MAX] or "lines"
    name, number = f"{base}{ROWS_SUFFIX}", 1
    while name in taken:
        number += 1
        name = f"{base}.{number}{ROWS_SUFFIX}"
    return name
