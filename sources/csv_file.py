"""The format `csv`: delimited extracts of any system, described by a mapping file."""

import itertools
from collections.abc import Iterator
from typing import BinaryIO

import msgspec

from sources.csv_rows import BadRow, Dialect, Row, rows
from sources.errors import SourceError
from sources.intake import SourceOptions
from sources.lines import LINE_BYTES_MAX
from sources.mapped_rows import MappedRows, TakenEvent, check_company
from sources.mapping import Lookups, MappingText, called, check_columns, check_mapping, lookup_columns
from sources.values import Parsed, Position, SkippedRow, SourceReject

_UTF_16 = (b"\xff\xfe", b"\xfe\xff")  # byte order marks


class _Opened(msgspec.Struct, frozen=True):
    """A file whose header was read. Of the columns the first `given` stand in it; those behind may be lacking."""

    columns: list[str]
    given: int
    rest: Iterator[Row | BadRow]


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
        """Read the header and the files of lookups. Raises ``SourceError`` when a column or a file is missing."""
        opened = self._open(stream, file, LINE_BYTES_MAX)
        Lookups(self._mapping.mapping, self._dialect, opened.columns, file)

    def read(self, stream: BinaryIO, file: str, line_bytes_max: int = LINE_BYTES_MAX) -> Iterator[Parsed]:
        """The events, rejects and skips of a stream in order. Raises ``SourceError`` before the first of them."""
        opened = self._open(stream, file, line_bytes_max)
        lookups = Lookups(self._mapping.mapping, self._dialect, opened.columns, file)
        mapped = MappedRows(self._mapping, [*opened.columns, *lookups.columns], self._options, whole_files=True)
        for row, bad in self._cells(opened, file):
            if bad is not None:
                yield bad
            else:
                yield from mapped.read(lookups.extended(row.values), Position(file, row.line), row.original)
        yield from mapped.finish()

    def rows(
        self, stream: BinaryIO, file: str, line_bytes_max: int = LINE_BYTES_MAX
    ) -> Iterator[tuple[Row, SkippedRow | SourceReject | list[TakenEvent]]]:
        """Every row with what it yields by itself, for those who look at documents and not at events.

        The values of the row stand in the order of ``columns``; a row that cannot be split has none, one that is too
        short is filled up, beside its reject.
        """
        opened = self._open(stream, file, line_bytes_max)
        lookups = Lookups(self._mapping.mapping, self._dialect, opened.columns, file)
        mapped = MappedRows(self._mapping, [*opened.columns, *lookups.columns], self._options, whole_files=True)
        for row, bad in self._cells(opened, file):
            if bad is not None:
                yield row, bad
            else:
                extended = lookups.extended(row.values)
                taken = mapped.take(extended, Position(file, row.line), row.original)
                yield Row(row.line, extended, row.original), taken

    def columns(self, stream: BinaryIO, file: str) -> list[str]:
        """The columns of a file, then those of the lookups."""
        opened = self._open(stream, file, LINE_BYTES_MAX)
        return [*opened.columns, *lookup_columns(self._mapping.mapping)]

    def _open(self, stream: BinaryIO, file: str, bytes_max: int) -> _Opened:
        """Read the header."""
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
        given = len(columns)
        columns = called(self._mapping.mapping, columns)
        every_column = [*columns, *lookup_columns(self._mapping.mapping)]
        check_columns(self._mapping, every_column, file, columns[:given])
        return _Opened(columns, given, rest)

    def _cells(self, opened: _Opened, file: str) -> Iterator[tuple[Row, SourceReject | None]]:
        """The rows with as many values as the header has, without spaces around them; beside a bad one its reject."""
        width = opened.given
        lacking = [""] * (len(opened.columns) - width)
        for row in opened.rest:
            position = Position(file, row.line)
            if isinstance(row, BadRow):
                bad = self._reject(position, row.reason, row.message, row.original)
                yield Row(row.line, [], row.original), bad
                continue
            cells = [value.strip() for value in row.values]
            if len(cells) > width and not any(cells[width:]):
                cells = cells[:width]  # a delimiter at the end of every row is common and says nothing
            if len(cells) == width:
                yield Row(row.line, cells + lacking, row.original), None
                continue
            message = f"the row has {len(cells)} values, the header {width}; is the delimiter inside a value?"
            filled = cells + [""] * (len(opened.columns) - len(cells)) if len(cells) < width else []
            yield (
                Row(row.line, filled, row.original),
                self._reject(position, "wrong_column_count", message, row.original),
            )

    def _reject(self, position: Position, reason: str, message: str, original: bytes) -> SourceReject:
        return SourceReject(position, reason, message, original, self._options.company)
