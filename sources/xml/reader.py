"""The elements of an XML stream, one by one; what has been read is let go.

1. Bytes go to libxml2 in pieces. No DTD is read, no entity resolved, no address opened; its own limits on depth,
   text and names stay on.
2. Elements outside the wanted ones are given at their start and end, so that a reader knows where it is; their
   children are dropped as they pass.
3. A wanted element is given at its end, with all that is in it, and dropped when its next sibling has ended. One may
   stand in another (a transaction in an entry): the inner one is given first, and dropped the same way.
"""

from collections.abc import Collection, Iterator
from typing import BinaryIO, Literal, cast

import msgspec
from lxml import etree

from sources.errors import FileRefusedError
from sources.xml.content import local_name
from sources.xml.prolog import document_type_refused, encoding_override, pieces

Element = etree._Element  # noqa: SLF001 - lxml publishes its element type under this name only
Moment = Literal["start", "end"]


class Limits(msgspec.Struct, frozen=True):
    """What a file may ask for; beyond, it is refused with the reason `too_large`.

    `depth_max` counts elements within elements. `elements_max` and `characters_max` are the most that is held at once:
    elements, texts and attributes within one wanted element, without those of inner wanted ones that were given.
    `names_max` counts different names of elements and attributes, which libxml2 keeps for as long as the process runs.
    libxml2 refuses a single text of more than 10 million bytes (`malformed_file`).
    """

    depth_max: int = 100
    elements_max: int = 200_000
    characters_max: int = 32_000_000
    names_max: int = 5_000


def read_xml(
    stream: BinaryIO, wanted: Collection[str], limits: Limits | None = None
) -> Iterator[tuple[Moment, Element]]:
    """``("start", element)`` and ``("end", element)`` in the order of the file; `wanted` are local names.

    An element is whole at its end only: at its start it has its name and attributes. It must not be kept beyond the
    next step, for it is emptied. ``line_of`` tells its line.
    Raises ``FileRefusedError``: `malformed_file` and `truncated_file` with the line, `forbidden_document_type`,
    `too_large`. What was given before is then void: a file is taken as a whole or not at all.
    """
    walk = _Walk(frozenset(wanted), limits or Limits())
    parser: etree.XMLPullParser | None = None
    piece = b""
    for piece in pieces(stream):
        parser = parser or _parser(encoding_override(piece))
        try:
            parser.feed(piece)
        except etree.XMLSyntaxError as error:
            raise _malformed(error) from error
        yield from _events(parser, walk)
    if parser is None:
        raise FileRefusedError("malformed_file", "it is empty", 1)
    try:
        parser.close()
    except etree.XMLSyntaxError as error:
        raise (_truncated(error) if _is_cut_off(error, piece) else _malformed(error)) from error
    yield from _events(parser, walk)


class _Walk:
    """Where in the tree the reader is, and what it holds."""

    def __init__(self, wanted: frozenset[str], limits: Limits) -> None:
        self._wanted = wanted
        self._limits = limits
        self._depth = 0
        # For each wanted element that is open, outermost first: its depth, and what was held when it began.
        self._open: list[tuple[int, int, int]] = []
        self._elements = 0
        self._characters = 0
        self._names: set[str | bytes] = set()

    def start(self, element: Element) -> bool:
        """Whether the element is given at its start: it lies in no wanted one."""
        if self._depth == 0 and element.getroottree().docinfo.internalDTD is not None:
            raise document_type_refused()
        self._depth += 1
        if self._depth > self._limits.depth_max:
            raise _too_large(element, f"elements lie within elements deeper than {self._limits.depth_max}")
        self._names.add(element.tag)
        if element.attrib:
            self._names.update(element.keys())
        if len(self._names) > self._limits.names_max:
            raise _too_large(element, f"it has more than {self._limits.names_max:,} different names")
        is_given = not self._open
        if local_name(element) in self._wanted:
            self._open.append((self._depth, self._elements, self._characters))
        return is_given

    def end(self, element: Element) -> bool:
        """Whether the element is given at its end: it is wanted, or lies in no wanted one."""
        if not self._open:
            return True
        self._elements += 1
        self._characters += len(element.text or "")
        if element.attrib:
            self._characters += sum(map(len, element.values()))
        if self._elements > self._limits.elements_max:
            raise _too_large(element, f"one part of it has more than {self._limits.elements_max:,} elements")
        if self._characters > self._limits.characters_max:
            raise _too_large(element, f"one part of it has more than {self._limits.characters_max:,} characters")
        return self._open[-1][0] == self._depth

    def leave(self, element: Element, *, was_given: bool) -> None:
        """Go on to what follows the element. One that was given is emptied, and the one before it taken away.

        The element itself must stay, for the parser still writes the blanks that follow it.
        """
        self._depth -= 1
        if not was_given:
            return
        if self._open:
            _, self._elements, self._characters = self._open.pop()
        element.clear(keep_tail=True)  # type: ignore[call-arg]  # the stubs do not know it
        former = element.getprevious()
        if former is not None and (not self._open or local_name(former) in self._wanted):
            parent = element.getparent()
            assert parent is not None  # noqa: S101 - siblings have a parent
            parent.remove(former)


def line_of(element: Element) -> int:
    """The line on which the element begins, from 1; 0 where the parser does not know it."""
    return cast("int | None", element.sourceline) or 0


def _parser(encoding: str | None) -> etree.XMLPullParser:
    return etree.XMLPullParser(
        events=("start", "end"),
        encoding=encoding,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )


def _events(parser: etree.XMLPullParser, walk: _Walk) -> Iterator[tuple[Moment, Element]]:
    for moment, element in cast("Iterator[tuple[Moment, Element]]", parser.read_events()):
        if moment == "start":
            if walk.start(element):
                yield "start", element
        else:
            was_given = walk.end(element)
            if was_given:
                yield "end", element
            walk.leave(element, was_given=was_given)


def _is_cut_off(error: etree.XMLSyntaxError, last: bytes) -> bool:
    """Whether more bytes were to come: an element was still open, or a tag, or a text."""
    is_open = getattr(error, "code", None) == etree.ErrorTypes.ERR_TAG_NOT_FINISHED  # the stubs do not know `code`
    return is_open or not last.rstrip(b" \t\r\n\0").endswith(b">")


def _malformed(error: etree.XMLSyntaxError) -> FileRefusedError:
    return FileRefusedError(
        "malformed_file", f"its XML is not well-formed: {_said(error)}; ask its sender for another", error.lineno or 0
    )


def _truncated(error: etree.XMLSyntaxError) -> FileRefusedError:
    return FileRefusedError(
        "truncated_file", f"it ends before its XML does: {_said(error)}; fetch it again", error.lineno or 0
    )


def _said(error: etree.XMLSyntaxError) -> str:
    return (error.msg or "not well-formed").partition(", line ")[0].strip()


def _too_large(element: Element, what: str) -> FileRefusedError:
    return FileRefusedError("too_large", f"{what}, more than a message has", line_of(element))
