"""An X12 file as a stream of segments. A file of any size costs the memory of one segment and one buffer.

Line ends between segments and within them are none of the data (files are wrapped at 80 columns on some roads).
Several interchanges may follow one another, each with delimiters of its own. Texts are UTF-8; a segment that is not is
taken as Latin-1, which maps every byte.
"""

from collections.abc import Iterator
from typing import BinaryIO

import msgspec

from sources.errors import FileRefusedError
from sources.x12.delimiters import HEAD_BYTES, Delimiters, delimiters_of

SEGMENT_BYTES_MAX = 32 * 1024
"""The longest segments of the standard have a few hundred bytes, a BIN segment apart, which no set here has."""

_CHUNK = 64 * 1024
# Byte order mark, blanks, NUL and SUB (the end-of-file mark of CP/M) around interchanges say nothing.
_AROUND = b" \t\r\n\0\x1a"
_LINE_FEED = 0x0A
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Segment(msgspec.Struct, frozen=True, gc=False):
    """One segment. ``segment[1]`` is its first element, empty where it is left out; blanks around it are cut."""

    name: str
    elements: tuple[str, ...]
    line: int

    def __getitem__(self, position: int) -> str:
        """The element at a position, from 1."""
        return self.elements[position - 1].strip() if position <= len(self.elements) else ""

    @property
    def text(self) -> str:
        """The segment as it is written with the usual delimiters, for messages and rejects."""
        return "*".join((self.name, *self.elements)) + "~"


def segments(stream: BinaryIO) -> Iterator[Segment]:
    """The segments of all interchanges of a stream. Raises ``FileRefusedError`` where it is no X12, or too long."""
    source = _Source(stream)
    while source.skip_to_data():
        yield from _interchange(source, delimiters_of(source.head(), source.line))


def _interchange(source: "_Source", delimiters: Delimiters) -> Iterator[Segment]:
    """The segments up to the end of an interchange, or of the file."""
    while True:
        line, raw = source.take(delimiters)
        if raw is None:
            return
        name, *elements = _decoded(raw).split(delimiters.element.decode("latin-1"))
        if name:
            yield Segment(name.strip(), tuple(elements), line)
        if name == "IEA":
            return


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


class _Source:
    """The stream with a buffer, and the line at which it stands."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._buffer = b""
        self._at = 0
        self.line = 1
        self._fill(len(_BYTE_ORDER_MARK))
        if self._buffer.startswith(_BYTE_ORDER_MARK):
            self._at = len(_BYTE_ORDER_MARK)

    def skip_to_data(self) -> bool:
        """Go to the next byte that says something; False at the end of the file."""
        while True:
            while self._at < len(self._buffer) and self._buffer[self._at] in _AROUND:
                self.line += self._buffer[self._at] == _LINE_FEED
                self._at += 1
            if self._at < len(self._buffer):
                return True
            if not self._more():
                return False

    def head(self) -> bytes:
        """The next bytes, without going on."""
        self._fill(HEAD_BYTES)
        return self._buffer[self._at : self._at + HEAD_BYTES]

    def take(self, delimiters: Delimiters) -> tuple[int, bytes | None]:
        """The next segment without its terminator, and its line; None at the end of the file.

        The very last one may lack its terminator: whether it is whole, its control number tells.
        """
        if not self.skip_to_data():
            return self.line, None
        line = self.line
        searched = 0
        while (end := self._buffer.find(delimiters.segment, self._at + searched)) < 0:
            searched = len(self._buffer) - self._at
            if searched > SEGMENT_BYTES_MAX:
                raise _too_long(line)
            if not self._more():
                end = len(self._buffer)
                break
        if end - self._at > SEGMENT_BYTES_MAX:
            raise _too_long(line)
        raw = self._buffer[self._at : end]
        self.line += self._buffer.count(b"\n", self._at, end + 1)
        self._at = end + 1
        if not delimiters.is_line_end:
            raw = raw.replace(b"\r", b"").replace(b"\n", b"")
        return line, raw.strip(_AROUND)

    def _fill(self, size: int) -> None:
        while len(self._buffer) - self._at < size and self._more():
            pass

    def _more(self) -> bool:
        """Read on; what was taken is let go. False at the end of the stream."""
        piece = self._stream.read(_CHUNK)
        self._buffer = self._buffer[self._at :] + piece
        self._at = 0
        return bool(piece)


def _too_long(line: int) -> FileRefusedError:
    return FileRefusedError(
        "malformed_file", f"a segment has more than {SEGMENT_BYTES_MAX:,} bytes; is it an X12 interchange?", line
    )
