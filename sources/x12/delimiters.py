"""The four characters that divide an interchange, as its own header declares them (ASC X12.5, X12.6).

The header ISA has a fixed length of 106 bytes: the element separator is its 4th byte, the component separator its
105th, the segment terminator its 106th. Copies of interchanges that passed through a word processor have lost blanks
of the header; there the separators are counted instead. Samples and addenda of ACH payments begin at the group (GS) or
the set (ST); the element separator is then the byte behind the name, and the terminator the first byte after the last
element of that segment that no element of it may have.
"""

import re

import msgspec

from sources.errors import FileRefusedError

HEAD_BYTES = 512
"""As much of an interchange as tells its delimiters, and more."""

_ISA_ELEMENTS = 16
_ISA_BYTES = 106
_BARE_SET = re.compile(rb"ST([^A-Za-z0-9\s])[0-9]{3}\1[A-Za-z0-9]{1,9}(?:\1[A-Za-z0-9]*)?([^A-Za-z0-9])", re.DOTALL)
_BARE_GROUP = re.compile(rb"GS([^A-Za-z0-9\s])(?:[^\r\n]*?\1){7}[A-Za-z0-9]{1,12}([^A-Za-z0-9])", re.DOTALL)
_TEXT = re.compile(rb"[A-Za-z0-9 ]")


class Delimiters(msgspec.Struct, frozen=True, gc=False):
    """Element separator and segment terminator; components and repetitions within elements are not looked into."""

    element: bytes
    segment: bytes

    @property
    def is_line_end(self) -> bool:
        """Whether segments end with the line."""
        return self.segment in {b"\r", b"\n"}


def delimiters_of(head: bytes, line: int) -> Delimiters:
    """The delimiters of the interchange, group or set that begins with these bytes.

    Raises ``FileRefusedError`` where they cannot be told.
    """
    if head.startswith(b"ISA"):
        found = _of_interchange(head)
    else:
        bare = _BARE_SET.match(head) or _BARE_GROUP.match(head)
        found = Delimiters(bare[1], bare[2]) if bare else None
    if found is None or found.element == found.segment or _TEXT.match(found.element) or _TEXT.match(found.segment):
        raise FileRefusedError(
            "malformed_file", "it does not begin as an X12 interchange does, with a header ISA of 106 bytes", line
        )
    return found


def _of_interchange(head: bytes) -> Delimiters | None:
    element = head[3:4]
    # A file that is wrapped may be so within the header.
    for whole in (head, head.replace(b"\r", b"").replace(b"\n", b"")):
        separators = whole.count(element, 0, _ISA_BYTES - 2)
        if separators == _ISA_ELEMENTS and whole[_ISA_BYTES - 3 : _ISA_BYTES].count(element) == 1:
            return Delimiters(element, whole[_ISA_BYTES - 1 : _ISA_BYTES])
    position = 2
    for _ in range(_ISA_ELEMENTS):
        position = head.find(element, position + 1) if element else -1
        if position < 0:
            return None
    component = head[position + 1 : position + 2]
    if component == b"~":  # the usual terminator: the last element has been lost as well
        return Delimiters(element, component)
    return Delimiters(element, head[position + 2 : position + 3])
