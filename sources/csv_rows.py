"""Rows of a delimited file (RFC 4180 and its dialects) with their line numbers and original bytes.

A row may run over several lines inside quotes. A quote that is never closed costs its own line only: the row is bad,
and reading goes on with the next line. Memory is bounded by `bytes_max`, whatever the file holds.
"""

import csv
from collections import deque
from collections.abc import Iterator
from typing import BinaryIO

import msgspec

from sources.lines import LINE_BYTES_MAX, Line, lines, too_long

ROW_LINES_MAX = 200
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_UNFINISHED = "unexpected end of data"  # what the csv module says of an open quote


class Dialect(msgspec.Struct, frozen=True):
    """How values stand in a row. An empty `quote` means that quotes are ordinary characters."""

    delimiter: str = ","
    quote: str = '"'
    encoding: str = "utf-8"


class Row(msgspec.Struct, frozen=True, gc=False):
    """The values of one row and the number of its first line."""

    line: int
    values: list[str]
    original: bytes


class BadRow(msgspec.Struct, frozen=True, gc=False):
    """Bytes that are not a row. `reason` is line_too_long, invalid_encoding or malformed_row."""

    line: int
    reason: str
    message: str
    original: bytes


def rows(stream: BinaryIO, dialect: Dialect, bytes_max: int = LINE_BYTES_MAX) -> Iterator[Row | BadRow]:
    """Every row of the stream in order; blank lines are passed over."""
    source = lines(stream, bytes_max)
    put_back: deque[Line] = deque()
    while True:
        line = put_back.popleft() if put_back else next(source, None)
        if line is None:
            return
        if line.number == 1 and line.data.startswith(_BYTE_ORDER_MARK):
            line = Line(1, line.data[3:], line.length - 3)
        if not line.data.strip():
            continue
        if not line.is_whole:
            yield BadRow(line.number, "line_too_long", too_long(line, bytes_max), line.data)
            continue
        read = _read(line.number, line.data, dialect)
        if read is None:
            read = _read_over_lines(line, source, put_back, dialect, bytes_max)
        yield read


def _read(number: int, data: bytes, dialect: Dialect) -> Row | BadRow | None:
    """One row out of its bytes; None when a quote is still open at their end."""
    try:
        text = data.decode(dialect.encoding)
    except UnicodeDecodeError as error:
        message = (
            f"byte {error.start + 1} (0x{data[error.start]:02x}) is not {dialect.encoding}; "
            "set encoding in the [file] table of the mapping"
        )
        return BadRow(number, "invalid_encoding", message, data)
    text = text.removesuffix("\n").removesuffix("\r")
    if not dialect.quote or dialect.quote not in text:
        return Row(number, text.split(dialect.delimiter), data)
    try:
        # The reader wants to see line ends inside quotes, so the lines are handed over with theirs.
        values = next(csv.reader(_physical(text), delimiter=dialect.delimiter, quotechar=dialect.quote, strict=True))
    except csv.Error as error:
        if str(error) == _UNFINISHED:
            return None
        return BadRow(number, "malformed_row", f"the row cannot be split into values: {error}", data)
    return Row(number, values, data)


def _physical(text: str) -> list[str]:
    pieces = text.split("\n")
    return [piece + "\n" for piece in pieces[:-1]] + [pieces[-1]]


def _read_over_lines(
    first: Line, source: Iterator[Line], put_back: deque[Line], dialect: Dialect, bytes_max: int
) -> Row | BadRow:
    """A row whose quotes run over several lines. What does not become a row is put back but for its first line."""
    quote = dialect.quote.encode(dialect.encoding)
    taken = [first]
    size, quotes = len(first.data), first.data.count(quote)
    while len(taken) < ROW_LINES_MAX:
        line = put_back.popleft() if put_back else next(source, None)
        if line is None:
            break
        taken.append(line)
        size += line.length
        if size > bytes_max:
            break
        quotes += line.data.count(quote)
        if quotes % 2:
            continue  # an odd number of quotes cannot close the row, so the text is not read again for nothing
        data = b"".join(part.data for part in taken)
        read = _read(first.number, data, dialect)
        if isinstance(read, Row):
            return read
        if read is not None:
            break
    put_back.extendleft(reversed(taken[1:]))
    message = "a quoted value that begins here does not end properly; double the quotes that belong to the text"
    return BadRow(first.number, "malformed_row", message, first.data)
