"""Rows of a database through a mapping file, and the digests by which a version of a row is known again."""

import json
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import Any

import msgspec

from sources.errors import SourceError, UnreadableError
from sources.identity import BUSINESS_KEYS
from sources.intake import SourceOptions
from sources.lines import KEPT_BYTES_MAX, LINE_BYTES_MAX
from sources.mapped_rows import MappedRows, check_company
from sources.mapping import MappingText, check_columns, check_mapping, rules_of
from sources.mapping.load import MappingProblem
from sources.mapping.purposes import purposes
from sources.sql.cells import text_of
from sources.sql.config import PollConfig
from sources.sql.watermark import Value, watermark_of
from sources.values import Parsed, ParsedEvent, Position, SourceReject
from sources.versions import STANDING, versioned


class TableRow(msgspec.Struct, frozen=True):
    """A row with what a poll needs of it. `identity` is a digest of its key, `content` one of what the mapping sees."""

    watermark: Value
    key: tuple[Any, ...]
    identity: int
    content: int
    cells: list[str] | UnreadableError
    values: Sequence[Any]


class TableRows:
    """Reads rows whose values stand in the order of `columns`, the names that the database gave them.

    Raises ``SourceError`` when the rows lack a column, with the mapping's line. Names are found in any case, for
    databases spell them as they like.
    """

    def __init__(
        self, mapping: MappingText, config: PollConfig, options: SourceOptions, columns: Sequence[str]
    ) -> None:
        named = list(purposes(mapping.mapping))
        own = [*named, config.watermark, *config.key]
        by_folded = {name.casefold(): name for name in own}
        spelt = [name if name in own else by_folded.get(name.casefold(), name) for name in columns]
        check_columns(mapping, spelt, config.name)
        missing = [name for name in (config.watermark, *config.key) if name not in spelt]
        if missing:
            raise SourceError(
                f"the rows of {config.name} have no column {', '.join(missing)}; they have {', '.join(columns)}",
                "Correct watermark and key",
            )
        self._config = config
        self._company = options.company
        self._columns = columns
        self._places = [(name, spelt.index(name)) for name in named]
        self._watermark = spelt.index(config.watermark)
        self._key = [spelt.index(name) for name in config.key]
        self._rows = MappedRows(mapping, named, options)

    def row(self, values: Sequence[Any]) -> TableRow:
        """A row as the database gave it. Raises ``SourceError`` for a watermark or key that orders nothing."""
        key = tuple(values[place] for place in self._key)
        if any(part is None for part in key):
            names = ", ".join(self._config.key)
            raise SourceError(f"a row of {self._config.name} has an empty key ({names})", "Name columns never empty")
        cells: list[str] | UnreadableError
        try:
            cells = [text_of(values[place], name) for name, place in self._places]
        except UnreadableError as error:
            cells = error
        return TableRow(
            watermark=watermark_of(values[self._watermark], self._config.watermark),
            key=key,
            identity=_digest(key),
            content=_digest(values if isinstance(cells, UnreadableError) else cells),
            cells=cells,
            values=values,
        )

    def read(self, row: TableRow) -> Iterator[Parsed]:
        """The events of a row, a skip, or one reject that holds the row as JSON. Never nothing."""
        position = Position(self._config.name, 0)
        if isinstance(row.cells, UnreadableError):
            error = row.cells
            place = Position(position.file, 0, error.column)
            yield self._named(SourceReject(place, error.reason, error.message, self._original(row), self._company), row)
            return
        for parsed in self._rows.read(row.cells, position, self._original(row)):
            if isinstance(parsed, ParsedEvent):
                yield versioned(parsed)
            else:
                yield self._named(parsed, row) if isinstance(parsed, SourceReject) else parsed

    def _named(self, reject: SourceReject, row: TableRow) -> SourceReject:
        """A reject that names its row: rows have no lines, and all those of a poll are kept under its name."""
        key = ", ".join(f"{name} {part}" for name, part in zip(self._config.key, row.key, strict=True))
        return msgspec.structs.replace(reject, message=f"row {key}: {reject.message}")

    def _original(self, row: TableRow) -> bytes:
        named = dict(zip(self._columns, row.values, strict=True))
        original = json.dumps(named, default=str, ensure_ascii=False).encode("utf-8", "replace")
        return original if len(original) <= LINE_BYTES_MAX else original[:KEPT_BYTES_MAX]


def check_poll(mapping: MappingText, config: PollConfig, options: SourceOptions) -> None:
    """Raise ``SourceError`` for a mapping that is wrong, or that would do a thing again whenever its row is touched."""
    check_mapping(mapping)
    check_company(mapping, options)
    MappedRows(mapping, list(purposes(mapping.mapping)), options)
    problems = [
        MappingProblem(
            ("event", number, "fields", "occurred_at"),
            f"{rule.event}: occurred_at is part of its id, and {config.watermark} changes whenever the row is touched",
        )
        for number, (rule, fields) in enumerate(rules_of(mapping.mapping))
        if rule.event not in STANDING and "occurred_at" in BUSINESS_KEYS.get(rule.event, ())
        if (source := fields.get("occurred_at")) is not None and source.column == config.watermark
    ]
    if problems:
        raise mapping.error(problems, "Take the column that says when it happened, not when the row was changed")


def _digest(parts: Sequence[Any]) -> int:
    text = "\x1f".join(f"{type(part).__name__}:{part}" for part in parts)
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).digest(), "big")
