"""Logical records of a BAI2 file: a record of two digits, with the 88 records that continue it.

What banks write: records that end with a slash, with a comma and a slash, or with nothing; blanks after it, up to the
physical record length; several records on one line; blocks without line ends; text that goes on in a line without a
code. A record is read into its fields only where it is known what they are, because the last one is free text.
"""

import io
import re
from collections.abc import Iterator
from typing import BinaryIO

import msgspec
from msgspec import structs

from sources.bank.format import FileRefusedError
from sources.bank.plain_text import TextLine, decoded, text_lines

CONTINUATION = "88"
_CODES = "01|02|03|16|49|88|98|99"
_RECORD = re.compile(rf"\s*({_CODES})(?=[,:/]|$)")
# The end of one record and the beginning of the next on one line. A blank must stand between them, for a slash and a
# comma may well stand in a text ("paid 05/16,INV 7").
_SEAM = re.compile(rf"/\s+(?=(?:{_CODES}),)")
_BLOCKED_HEADER = re.compile(rb"\xef?\xbb?\xbf?(01,[^/\r\n]*)/")
_LENGTHS = range(20, 4097)
_LINE_BYTES_MAX = 64 * 1024
_RECORD_CHARACTERS_MAX = 256 * 1024


class Record(msgspec.Struct, frozen=True, gc=False):
    """One logical record. `parts` are the texts of its physical records after the code, without the slash at the end.

    `physical` is how many physical records it has, itself among them.
    """

    line: int
    code: str
    parts: list[str]
    physical: int

    @property
    def fields(self) -> list[str]:
        """All fields of a record that has no free text, without the blanks around them."""
        return [field.strip() for part in self.parts for field in part.split(",")]


def records(stream: BinaryIO) -> Iterator[Record]:
    """The logical records of a file, in order. Raises ``FileRefusedError`` for what is no BAI2 file."""
    current: Record | None = None
    size = 0
    for line, text in _pieces(stream):
        size += len(text)
        found = _RECORD.match(text)
        code = found[1] if found is not None else ""
        if code not in ("", CONTINUATION):
            if current is not None:
                yield current
            current, size = Record(line, code, [_after(text, found)], 1), len(text)
        elif current is None or size > _RECORD_CHARACTERS_MAX or (not code and current.code != "16"):
            raise _not_a_record(text, code, current, line)
        elif code:
            current.parts.append(_after(text, found))
            current = structs.replace(current, physical=current.physical + 1)
        else:
            # Text that a program broke in two; it is no record of its own and counts as none.
            current.parts.append(current.parts.pop() + " " + _body(text))
    if current is not None:
        yield current


def _after(text: str, code: re.Match[str] | None) -> str:
    """What stands behind the code of a record and the comma."""
    return _body(text[code.end() + 1 :] if code is not None else text)


def _not_a_record(text: str, code: str, current: Record | None, line: int) -> FileRefusedError:
    if not code:
        message = f"{text[:40]!r} does not begin with the code of a BAI2 record ({_CODES.replace('|', ', ')})"
    elif current is None:
        message = "a continuation (88) has no record that it continues"
    else:
        message = f"a record has more than {_RECORD_CHARACTERS_MAX:,} characters; is it a BAI2 file?"
    return FileRefusedError("malformed_file", message, line)


def _body(text: str) -> str:
    """What a physical record says: without padding and the slash that ends it."""
    return text.rstrip().removesuffix("/")


def _pieces(stream: BinaryIO) -> Iterator[tuple[int, str]]:
    """Physical records with the numbers of their lines."""
    for line in _lines(stream):
        start = 0
        for seam in _SEAM.finditer(line.text):
            yield line.number, line.text[start : seam.start() + 1]
            start = seam.end()
        yield line.number, line.text[start:]


def _lines(stream: BinaryIO) -> Iterator[TextLine]:
    """Lines; or, where the file is one block, its records of the length that the file header gives."""
    length = _block_length(stream)
    if not length:
        yield from text_lines(stream, "BAI2", _LINE_BYTES_MAX)
        return
    number = 0
    while data := stream.read(length):
        number += 1
        text = decoded(data.strip(b"\xef\xbb\xbf\r\n\x1a\x00"))
        if text.strip():
            yield TextLine(number, text)


def _block_length(stream: BinaryIO) -> int:
    """The physical record length, where records of that length follow each other without line ends; else 0."""
    start = stream.tell()
    head = stream.read(2 * _LENGTHS.stop)
    stream.seek(start, io.SEEK_SET)
    header = _BLOCKED_HEADER.match(head)
    if header is None:
        return 0
    fields = header[1].split(b",")
    stated = fields[6].strip() if len(fields) > 6 else b""
    length = int(stated) if stated.isdigit() and len(stated) < 5 else 0
    is_blocked = length in _LENGTHS and b"\n" not in head[: length + 3] and head[length : length + 3] == b"02,"
    return length if is_blocked else 0
