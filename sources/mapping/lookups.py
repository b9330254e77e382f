"""Lookups of a mapping: columns of another file of the same system, found by a key in the row."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from sources.csv_rows import BadRow, Dialect, Row, rows
from sources.errors import SourceError
from sources.lines import LINE_BYTES_MAX
from sources.mapping.cells import PLACEHOLDER, Reading, compile_template
from sources.mapping.load import nearest
from sources.mapping.model import Lookup, MappingFile

Cells = Sequence[str]
_ROWS_MAX = 5_000_000


def lookup_columns(mapping: MappingFile) -> list[str]:
    """The columns that the lookups add to those of a file, as `name.COLUMN`."""
    return [f"{lookup.name}.{column}" for lookup in mapping.lookup for column in lookup.columns]


class Lookups:
    """The lookups of one file that is read, loaded once. Their columns stand behind those of the file.

    Memory: the key and the named columns of every row of the looked-up files. Of rows with one key the last counts.
    Raises ``SourceError`` when a file or a column is missing.
    """

    def __init__(self, mapping: MappingFile, dialect: Dialect, columns: Sequence[str], file: str) -> None:
        self.columns = lookup_columns(mapping)
        self._widths = [len(lookup.columns) for lookup in mapping.lookup]
        index_of = {column: index for index, column in reversed(list(enumerate(columns)))}
        # A key may be taken from a column of a lookup before it.
        index_of |= {column: len(columns) + index for index, column in enumerate(self.columns)}
        reading = Reading(mapping.values, index_of)
        self._keys: list[Callable[[Cells], str]] = []
        self._tables: list[Mapping[str, tuple[str, ...]]] = []
        for lookup in mapping.lookup:
            by = lookup.by or lookup.key
            for column in PLACEHOLDER.findall(by):
                if column not in index_of:
                    message = f"{file} has no column {column!r}{nearest(column, columns)} to look up in {lookup.file}"
                    raise SourceError(message, f"Correct `by` of the lookup {lookup.name}")
            self._keys.append(compile_template(by, reading))
            self._tables.append(_table(lookup, mapping, dialect, Path(file).parent))

    def extended(self, cells: list[str]) -> list[str]:
        """The cells of a row, and behind them what the lookups found for it; empty texts where they found nothing."""
        for key_of, table, width in zip(self._keys, self._tables, self._widths, strict=True):
            cells = [*cells, *table.get(key_of(cells), ("",) * width)]
        return cells


def _table(lookup: Lookup, mapping: MappingFile, dialect: Dialect, folder: Path) -> Mapping[str, tuple[str, ...]]:
    path = folder / lookup.file
    try:
        stream = path.open("rb")
    except FileNotFoundError as error:
        if lookup.optional:
            return {}
        raise SourceError(
            f"there is no {path}, in which {lookup.name} is looked up",
            "Extract it too, and put it beside the file that is read",
        ) from error
    except OSError as error:
        raise SourceError(f"cannot read {path}: {error.strerror}", "Check its permissions") from error
    with stream:
        return _read(lookup, mapping, dialect, stream, path)


def _read(
    lookup: Lookup, mapping: MappingFile, dialect: Dialect, stream: BinaryIO, path: Path
) -> Mapping[str, tuple[str, ...]]:
    every = rows(stream, dialect, LINE_BYTES_MAX)
    header = next(every, None)
    if not isinstance(header, Row):
        raise SourceError(f"{path} has no header that can be read", f"It is the lookup {lookup.name} of the mapping")
    wanted = {column.casefold(): column for column in (*PLACEHOLDER.findall(lookup.key), *lookup.columns)}
    given = [name.strip() for name in header.values]
    columns = [name if name in wanted.values() else wanted.get(name.casefold(), name) for name in given]
    for column in (*PLACEHOLDER.findall(lookup.key), *lookup.columns):
        if column not in columns:
            raise SourceError(
                f"{path} has no column {column!r}{nearest(column, columns)}; it has {', '.join(columns)}",
                f"Correct the lookup {lookup.name} of the mapping",
            )
    index_of = {column: index for index, column in enumerate(columns)}
    key_of = compile_template(lookup.key, Reading(mapping.values, index_of))
    places = [index_of[column] for column in lookup.columns]
    table: dict[str, tuple[str, ...]] = {}
    for row in _whole(every, len(columns), path):
        key = key_of(row)
        if key:
            table[key] = tuple(row[place] for place in places)
        if len(table) > _ROWS_MAX:
            raise SourceError(f"{path} has more than {_ROWS_MAX:,} rows, too many to look up", "Extract fewer rows")
    return table


def _whole(every: Iterator[Row | BadRow], width: int, path: Path) -> Iterator[list[str]]:
    """The rows' cells. A row that cannot be read would leave others without their names: the file is refused."""
    for row in every:
        if isinstance(row, BadRow):
            raise SourceError(f"{path}:{row.line}: {row.message}", "Mend the row; others are looked up in this file")
        if len(row.values) < width:
            raise SourceError(
                f"{path}:{row.line}: the row has {len(row.values)} values, the header {width}",
                "Mend the row; others are looked up in this file",
            )
        yield [value.strip() for value in row.values]
