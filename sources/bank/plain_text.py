"""What files of banks that are lines of text have in common: their characters, their placeholders, repeated parts.

Characters: a line is UTF-8 where it can be read as UTF-8, else Latin-1 (ISO 8859-1). Latin-1 has a character for every
byte, so nothing is lost, and one accented name in the one does not spoil a file in the other.
"""

import re
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import BinaryIO

import msgspec

from sources.bank.format import FileRefusedError
from sources.lines import lines

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_END_OF_FILE = b"\x1a\x00"  # what old transfer programs leave at the end of a file or block
_LINE_ENDS = b"\r\n"
_PARTS_REMEMBERED_MIN = 100_000
_PLACEHOLDER = re.compile(r"(?:NON[- ]?REF|NOT ?PROVIDED|NO ?REF|NONE|UNKNOWN|N/A|[0 .*-]*)", re.IGNORECASE)
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")


class TextLine(msgspec.Struct, frozen=True, gc=False):
    """One line without its end. `number` counts from 1."""

    number: int
    text: str


def text_lines(stream: BinaryIO, form: str, bytes_max: int) -> Iterator[TextLine]:
    """The lines of a text file; empty ones and end-of-file characters are passed over.

    Raises ``FileRefusedError`` at a line longer than `bytes_max`: no line of these formats is.
    """
    for line in lines(stream, bytes_max):
        if not line.is_whole:
            message = f"a line has {line.length:,} bytes, far more than a line of {form} has; is it such a file?"
            raise FileRefusedError("malformed_file", message, line.number)
        data = line.data.removeprefix(_BYTE_ORDER_MARK) if line.number == 1 else line.data
        data = data.rstrip(_LINE_ENDS).strip(_END_OF_FILE).rstrip(_LINE_ENDS)
        if data.strip():
            yield TextLine(line.number, decoded(data))


def decoded(data: bytes) -> str:
    """UTF-8, else Latin-1."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def said(text: str | None) -> str | None:
    """What a field says, in single blanks; None for nothing, and for words and zeros that stand for nothing."""
    told = " ".join((text or "").split())
    return None if _PLACEHOLDER.fullmatch(told) else told


def iban_in(text: str) -> str | None:
    """The IBAN that a text is, with or without blanks."""
    number = text.replace(" ", "").upper()
    return number if _IBAN.fullmatch(number) else None


class Repetitions:
    """Which parts of a file say word by word what an earlier part has said: a statement that is in a file twice.

    Two such parts are one: real cash moves a balance, so no second statement is the same. Without this, equal entries
    would be counted on through both.
    """

    def __init__(self) -> None:
        # The last parts, at least so many, and a bit for each part that is repeated: memory stays bounded.
        self._recent: set[bytes] = set()
        self._before: set[bytes] = set()
        self._repeated = bytearray()

    def note(self, ordinal: int, content: bytes) -> None:
        """Remember part number `ordinal` by the digest of its content."""
        if content in self._recent or content in self._before:
            at, bit = divmod(ordinal, 8)
            self._repeated.extend(bytes(max(0, at + 1 - len(self._repeated))))
            self._repeated[at] |= 1 << bit
        self._recent.add(content)
        if len(self._recent) >= _PARTS_REMEMBERED_MIN:
            self._before, self._recent = self._recent, set()

    def __contains__(self, ordinal: int) -> bool:
        at, bit = divmod(ordinal, 8)
        return at < len(self._repeated) and bool(self._repeated[at] >> bit & 1)


def digest(parts: Iterable[str], before: bytes = b"") -> bytes:
    """Digest of texts, on top of the digest of what came before them."""
    return blake2b("\x1f".join(parts).encode("utf-8", "surrogatepass"), key=before, digest_size=12).digest()
