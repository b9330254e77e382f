"""Rows through a mapping: all events of a row or none, and for what cannot be read a reject that says where and why."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from sources.errors import SourceError
from sources.intake import Intake, RefusedError, SourceOptions
from sources.mapped_groups import Groups
from sources.mapping import CellError, Cleared, Clearings, MappingText, RowMapper, rules_of
from sources.values import Parsed, ParsedEvent, Position, SkippedRow, SourceReject

# A row that says how much was settled is no event by itself; its clearing is, at the end of the file.
_LATER = "settled together with others"


class TakenEvent(msgspec.Struct, frozen=True):
    """An event of a row, and what is still open of its document, as a decimal text, where the mapping says so."""

    event: ParsedEvent
    open: str | None


def check_company(mapping: MappingText, options: SourceOptions) -> None:
    """Raise ``SourceError`` when neither the run nor the mapping says of which company the events are."""
    if options.company is None and not all("company" in fields for _, fields in rules_of(mapping.mapping)):
        raise SourceError(f"{mapping.path} maps no company", "Give --company CODE, or map the field company in [all]")


class MappedRows:
    """Reads rows whose cells stand in the order of `columns`. The mapping has been checked, and names no others.

    A mapping with `[clearing]` or a `group` looks at several rows: it is only taken with `whole_files`, and the caller
    ends each file with ``finish``. Raises ``SourceError`` otherwise, for a stream of rows has no end.
    """

    def __init__(
        self, mapping: MappingText, columns: Sequence[str], options: SourceOptions, *, whole_files: bool = False
    ) -> None:
        file = mapping.mapping
        is_grouped = any(rule.group for rule in file.event)
        if not whole_files and (is_grouped or file.clearing is not None or file.lookup):
            raise SourceError(
                f"{mapping.path} looks at several rows ([clearing], group or [[lookup]]), which needs whole files",
                "Ingest extracts with it, or copy it without those parts",
            )
        self._mapper = RowMapper(file, columns)
        self._intake = Intake(options, source=file.source)
        self._company = options.company
        self._groups = Groups() if is_grouped else None
        self._cleared: Cleared | None = None  # what the row that was taken last says of its clearing
        self._clearings = None if file.clearing is None else Clearings(file.clearing, file.values.timezone)

    def read(self, cells: Sequence[str], position: Position, original: bytes) -> Iterator[Parsed]:
        """The events of one row, a skip, or one reject with the row's `original` bytes.

        Rows of a group are held back until another row follows it, or the end.
        """
        taken = self.take(cells, position, original)
        if self._groups is not None:
            yield from self._groups.take(self._mapper.group(cells), self._parsed(taken), position, original)
        else:
            yield from self._parsed(taken) or [SkippedRow(position, _LATER)]
        if self._clearings is not None:
            yield from self._settle(self._clearings, taken, cells, position)

    def finish(self) -> Iterator[Parsed]:
        """What the end of a file brings about: the last group, and clearings whose other side is not in the file."""
        if self._groups is not None:
            yield from self._groups.finish()
        if self._clearings is not None:
            for document, position in self._clearings.finish():
                yield self._settlement(document, position)

    def take(
        self, cells: Sequence[str], position: Position, original: bytes
    ) -> SkippedRow | SourceReject | list[TakenEvent]:
        """The events of one row by themselves; or why there is none. A settled line alone is no event yet."""
        column_of: Mapping[str, str | None] = {}
        taken: list[TakenEvent] = []
        try:
            events = self._mapper.events(cells)
            if events is None:
                return SkippedRow(position)
            # What a clearing cannot be read from is a bad row, too.
            cleared = self._cleared = self._mapper.clearing(cells)
            for written in events:
                column_of = written.column_of
                taken.append(TakenEvent(self._intake.event(written.document, position), written.open))
        except CellError as problem:
            place = Position(position.file, position.line, problem.column, problem.field)
            return SourceReject(place, problem.reason, problem.message, original, self._company, problem.event_type)
        except RefusedError as refused:
            place = Position(position.file, position.line, column_of.get(refused.field or ""), refused.field)
            return SourceReject(place, refused.reason, refused.message, original, self._company, refused.event_type)
        if not taken and (cleared is None or cleared.line is None):
            message = "no event of the mapping applies to the row; add a [[skip]] rule if that is intended"
            return SourceReject(position, "no_event", message, original, self._company)
        return taken

    def _settlement(self, document: Mapping[str, Any], position: Position) -> Parsed:
        """The event of a clearing. It stands in no row, so what is refused is kept in its written form."""
        try:
            return self._intake.event(document, position)
        except RefusedError as refused:
            place = Position(position.file, position.line, None, refused.field)
            original = msgspec.json.encode(document)
            return SourceReject(place, refused.reason, refused.message, original, self._company, refused.event_type)

    @staticmethod
    def _parsed(taken: SkippedRow | SourceReject | list[TakenEvent]) -> list[Parsed]:
        return [one.event for one in taken] if isinstance(taken, list) else [taken]

    def _settle(
        self,
        clearings: Clearings,
        taken: SkippedRow | SourceReject | list[TakenEvent],
        cells: Sequence[str],
        position: Position,
    ) -> Iterator[Parsed]:
        if isinstance(taken, SkippedRow):
            return
        if isinstance(taken, SourceReject):
            clearings.spoil(self._mapper.clearing_key(cells))
            return
        cleared = self._cleared
        if cleared is not None:
            clearings.take_line(cleared, position)
            for document, place in clearings.take((one.event for one in taken), cleared):
                yield self._settlement(document, place)
