"""Looking into an element by local names: the namespace tells the version of a message, not what a name means."""

import re
from collections.abc import Iterator
from functools import cache

from lxml import etree


def local_name(element: etree._Element) -> str:
    """The name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def namespace(element: etree._Element) -> str:
    """The namespace, empty where there is none."""
    return str(element.tag).rpartition("}")[0].lstrip("{")


def children(element: etree._Element | None, name: str) -> Iterator[etree._Element]:
    """The direct children of this local name, in their order; none of no element."""
    return iter(()) if element is None else element.iterchildren(_any_namespace(name))


_LINE_END = re.compile(r"[ \t\r]*\n\s*")


@cache
def _any_namespace(name: str) -> str:
    """The name as lxml matches it in every namespace. Names are those of our code, so that they are few."""
    return f"{{*}}{name}"


def child(element: etree._Element | None, *path: str) -> etree._Element | None:
    """The first child, or the first of each step on a path of local names; None where a step is missing."""
    for name in path:
        if element is None:
            return None
        element = next(element.iterchildren(_any_namespace(name)), None)
    return element


def text(element: etree._Element | None, *path: str) -> str | None:
    """The text of the element at the end of a path; None where it is missing or empty.

    Blanks around it are taken off, and a line end within, with the indentation around it, is one blank.
    """
    found = child(element, *path)
    said = None if found is None else found.text
    if said is None:
        return None
    said = said.strip()
    return (_LINE_END.sub(" ", said) if "\n" in said else said) or None


def texts(element: etree._Element | None, name: str) -> list[str]:
    """The texts of all children of this name that have one."""
    return [said for found in children(element, name) if (said := text(found)) is not None]


def source_of(element: etree._Element) -> bytes:
    """The element as XML in UTF-8, for a reject: what it says, if not byte by byte how the file wrote it."""
    return etree.tostring(element, encoding="utf-8", with_tail=False)
