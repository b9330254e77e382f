"""The format `csv`: delimited extracts of any system, described by a mapping file."""

import itertools
from collections.abc import Iterator, Mapping
from typing import BinaryIO

from sources.csv_rows import BadRow, Dialect, Row, rows
from sources.errors import SourceError
from sources.intake import Intake, RefusedError, SourceOptions
from sources.lines import LINE_BYTES_MAX
from sources.mapping import CellError, MappingText, RowMapper, check_columns, check_mapping, rules_of
from sources.values import Parsed, ParsedEvent, Position, SkippedRow, SourceReject

_UTF_16 = (b"\xff\xfe", b"\xfe\xff")  # byte order marks


class CsvFile:
    """The adapter. A row is taken whole or not at all: if one of its events is bad, none of them is sent."""

    def __init__(self, options: SourceOptions, mapping: MappingText) -> None:
        check_mapping(mapping)
        if options.company is None and not all("company" in fields for _, fields in rules_of(mapping.mapping)):
            raise SourceError(
                f"{mapping.path} maps no company", "Give --company CODE, or map the field company in [all]"
            )
        layout = mapping.mapping.file
        self._options = options
        self._mapping = mapping
        self._dialect = Dialect(layout.delimiter, layout.quote, layout.encoding)
        self._intake = Intake(options, source=mapping.mapping.source)

    def check(self, stream: BinaryIO, file: str) -> None:
        """Read the header. Raises ``SourceError`` when a column that the mapping names is missing."""
        self._open(stream, file, LINE_BYTES_MAX)

    def read(self, stream: BinaryIO, file: str, line_bytes_max: int = LINE_BYTES_MAX) -> Iterator[Parsed]:
        """The events, rejects and skips of a stream in order. Raises ``SourceError`` before the first of them."""
        columns, rest = self._open(stream, file, line_bytes_max)
        mapper = RowMapper(self._mapping.mapping, columns)
        for row in rest:
            if isinstance(row, BadRow):
                yield self._reject(Position(file, row.line), row.reason, row.message, row.original)
            else:
                yield from self._read_row(row, len(columns), mapper, file)

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

    def _read_row(self, row: Row, width: int, mapper: RowMapper, file: str) -> Iterator[Parsed]:
        position = Position(file, row.line)
        cells = [value.strip() for value in row.values]
        if len(cells) > width and not any(cells[width:]):
            cells = cells[:width]  # a delimiter at the end of every row is common and says nothing
        if len(cells) != width:
            message = f"the row has {len(cells)} values, the header {width}; is the delimiter inside a value?"
            yield self._reject(position, "wrong_column_count", message, row.original)
            return
        column_of: Mapping[str, str | None] = {}
        taken: list[ParsedEvent] = []
        try:
            events = mapper.events(cells)
            if events is None:
                yield SkippedRow(position)
                return
            for written in events:
                column_of = written.column_of
                taken.append(self._intake.event(written.document, position))
        except CellError as problem:
            place = Position(file, row.line, problem.column, problem.field)
            yield self._reject(place, problem.reason, problem.message, row.original, problem.event_type)
            return
        except RefusedError as refused:
            place = Position(file, row.line, column_of.get(refused.field or ""), refused.field)
            yield self._reject(place, refused.reason, refused.message, row.original, refused.event_type)
            return
        if not taken:
            message = "no event of the mapping applies to the row; add a [[skip]] rule if that is intended"
            yield self._reject(position, "no_event", message, row.original)
        yield from taken

    def _reject(
        self, position: Position, reason: str, message: str, original: bytes, event_type: str | None = None
    ) -> SourceReject:
        return SourceReject(position, reason, message, original, self._options.company, event_type)
