"""Line numbers of keys in a TOML text, so that an error names the line. The standard reader does not keep them."""

import re
from collections.abc import Iterator

Place = tuple[str | int, ...]

_HEADER = re.compile(r"\s*(\[\[?)\s*(?P<name>[^\]]+?)\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(
    r"""\s*(?P<key>(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'))*)\s*=(?P<rest>.*)$"""
)
_PART = re.compile(r"""[A-Za-z0-9_-]+|"[^"]*"|'[^']*'""")
_TEXT = re.compile(r'''"""|\'\'\'|"(?:\\.|[^"\\])*"|'[^']*'|#.*|[\[\]{}]''')


def line_of(text: str, place: Place) -> int:
    """The line (from 1) that holds the key at `place`, e.g. ``("event", 1, "fields", "amount")``.

    Of a key inside an inline value the line of the nearest key around it is given; 1 when there is none.
    """
    best, depth = 1, 0
    for found, number in _keys(text):
        shared = len(found)
        if shared > depth and place[:shared] == found:
            best, depth = number, shared
    return best


def has_key(text: str, place: Place) -> bool:
    """Whether the text itself has the key or table at `place`."""
    return any(found == place for found, _ in _keys(text))


def _keys(text: str) -> Iterator[tuple[Place, int]]:
    table: Place = ()
    counts: dict[Place, int] = {}
    open_brackets, open_string = 0, ""
    for number, line in enumerate(text.splitlines(), start=1):
        if open_string or open_brackets:
            open_brackets, open_string = _advance(line, open_brackets, open_string)
        elif header := _HEADER.match(line):
            names = _parts(header["name"])
            table = _resolve(names, counts)
            if header[1] == "[[":
                counts[table] = counts.get(table, -1) + 1
                table = (*table, counts[table])
            yield table, number
        elif key := _KEY.match(line):
            yield (*table, *_parts(key["key"])), number
            open_brackets, open_string = _advance(key["rest"], 0, "")


def _parts(name: str) -> Place:
    return tuple(part.strip("\"'") for part in _PART.findall(name))


def _resolve(names: Place, counts: dict[Place, int]) -> Place:
    """A table name as a place: names of arrays of tables are followed by the number of their latest element."""
    place: Place = ()
    for position, name in enumerate(names):
        place = (*place, name)
        if place in counts and position < len(names) - 1:
            place = (*place, counts[place])
    return place


def _advance(line: str, open_brackets: int, open_string: str) -> tuple[int, str]:
    """Brackets and multi-line strings that are still open at the end of a line."""
    for found in _TEXT.finditer(line):
        mark = found[0]
        if open_string:
            open_string = "" if mark == open_string else open_string
        elif mark in ('"""', "'''"):
            open_string = mark
        elif mark in "[{":
            open_brackets += 1
        elif mark in "]}":
            open_brackets -= 1
    return open_brackets, open_string
