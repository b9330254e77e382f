"""The format `csv`: delimited extracts of any system, described by a mapping file."""

import itertools
from collections.abc import Iterator
from typing import BinaryIO

from sources.csv_rows import BadRow, Dialect, Row, rows
from sources.errors import SourceError
from sources.intake import SourceOptions
from sources.lines import LINE_BYTES_MAX
from sources.mapped_rows import MappedRows, check_company
from sources.mapping import MappingText, check_columns, check_mapping
from sources.values import Parsed, Position, SourceReject

_UTF_16 = (b"\xff\xfe", b"\xfe\xff")  # byte order marks


class CsvFile:
    """The adapter. A row is taken whole or not at all: if one of its events is bad, none of them is sent."""

    def __init__(self, options: SourceOptions, mapping: MappingText) -> None:
        check_mapping(mapping)
        check_company(mapping, options)
        layout = mapping.mapping.file
        self._options = options
        self._mapping = mapping
        self._dialect = Dialect(layout.delimiter, layout.quote, layout.encoding)

    def check(self, stream: BinaryIO, file: str) -> None:
        """Read the header. Raises ``SourceError`` when a column that the mapping names is missing."""
        self._open(stream, file, LINE_BYTES_MAX)

    def read(self, stream: BinaryIO, file: str, line_bytes_max: int = LINE_BYTES_MAX) -> Iterator[Parsed]:
        """The events, rejects and skips of a stream in order. Raises ``SourceError`` before the first of them."""
        columns, rest = self._open(stream, file, line_bytes_max)
        mapped = MappedRows(self._mapping, columns, self._options)
        for row in rest:
            if isinstance(row, BadRow):
                yield self._reject(Position(file, row.line), row.reason, row.message, row.original)
            else:
                yield from self._read_row(row, len(columns), mapped, file)

    def _open(self, stream: BinaryIO, file: str, bytes_max: int) -> tuple[list[str], Iterator[Row | BadRow]]:
        """The names of the columns, and the rows after the header."""
        layout = self._mapping.mapping.file
        every = rows(stream, self._dialect, bytes_max)
        rest = itertools.islice(every, layout.skip_lines, None)
        columns = [name.strip() for name in layout.columns]
        if not columns:
            header = next(rest, None)
            if header is None:
                raise SourceError(f"{file} is empty", "A file without a header row needs columns in the [file] table")
            if header.original.startswith(_UTF_16) or b"\0" in header.original:
                raise SourceError(f"{file} is UTF-16, or no text at all", "Save it as UTF-8, or with an 8-bit encoding")
            if isinstance(header, BadRow):
                raise SourceError(f"{file}:{header.line}: the header cannot be read: {header.message}")
            columns = [name.strip() for name in header.values]
        check_columns(self._mapping, columns, file)
        return columns, rest

    def _read_row(self, row: Row, width: int, mapped: MappedRows, file: str) -> Iterator[Parsed]:
        position = Position(file, row.line)
        cells = [value.strip() for value in row.values]
        if len(cells) > width and not any(cells[width:]):
            cells = cells[:width]  # a delimiter at the end of every row is common and says nothing
        if len(cells) != width:
            message = f"the row has {len(cells)} values, the header {width}; is the delimiter inside a value?"
            yield self._reject(position, "wrong_column_count", message, row.original)
            return
        yield from mapped.read(cells, position, row.original)

    def _reject(self, position: Position, reason: str, message: str, original: bytes) -> SourceReject:
        return SourceReject(position, reason, message, original, self._options.company)
