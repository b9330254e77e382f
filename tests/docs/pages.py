"""Markdown as these tests read it: headings, fenced blocks, links."""

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"

_FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^(#{1,4}) (.+)$", re.MULTILINE)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_CODE_SPAN = re.compile(r"`[^`\n]*`")


class Block(NamedTuple):
    """A fenced block: its language, its text, the line at which it begins, the heading above it."""

    language: str
    text: str
    line: int
    heading: str


class Heading(NamedTuple):
    """A heading and its level."""

    level: int
    text: str


def blocks(path: Path) -> list[Block]:
    """The fenced blocks of a page in order."""
    content = path.read_text(encoding="utf-8")
    found = []
    for fence in _FENCE.finditer(content):
        above = [heading[2] for heading in _HEADING.finditer(_without_fences(content[: fence.start()]))]
        line = content.count("\n", 0, fence.start()) + 1
        found.append(Block(fence[1], fence[2], line, above[-1] if above else ""))
    return found


def headings(path: Path) -> list[Heading]:
    """The headings of a page in order; a comment in a block is none."""
    content = _without_fences(path.read_text(encoding="utf-8"))
    return [Heading(len(match[1]), match[2]) for match in _HEADING.finditer(content)]


def links(path: Path) -> list[str]:
    """The targets of a page's links and pictures."""
    content = _CODE_SPAN.sub("", _without_fences(path.read_text(encoding="utf-8")))
    return _LINK.findall(content)


def anchor(heading: str) -> str:
    """The fragment under which a heading can be linked to."""
    kept = "".join(letter for letter in heading.lower() if letter.isalnum() or letter in " -_")
    return kept.replace(" ", "-")


def _without_fences(content: str) -> str:
    return _FENCE.sub("", content)
