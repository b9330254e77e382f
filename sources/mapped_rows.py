"""Rows through a mapping: all events of a row or none, and for what cannot be read a reject that says where and why."""

from collections.abc import Iterator, Mapping, Sequence

from sources.errors import SourceError
from sources.intake import Intake, RefusedError, SourceOptions
from sources.mapping import CellError, MappingText, RowMapper, rules_of
from sources.values import Parsed, ParsedEvent, Position, SkippedRow, SourceReject


def check_company(mapping: MappingText, options: SourceOptions) -> None:
    """Raise ``SourceError`` when neither the run nor the mapping says of which company the events are."""
    if options.company is None and not all("company" in fields for _, fields in rules_of(mapping.mapping)):
        raise SourceError(f"{mapping.path} maps no company", "Give --company CODE, or map the field company in [all]")


class MappedRows:
    """Reads rows whose cells stand in the order of `columns`. The mapping has been checked, and names no others."""

    def __init__(self, mapping: MappingText, columns: Sequence[str], options: SourceOptions) -> None:
        self._mapper = RowMapper(mapping.mapping, columns)
        self._intake = Intake(options, source=mapping.mapping.source)
        self._company = options.company

    def read(self, cells: Sequence[str], position: Position, original: bytes) -> Iterator[Parsed]:
        """The events of one row, a skip, or one reject with the row's `original` bytes. Never nothing."""
        column_of: Mapping[str, str | None] = {}
        taken: list[ParsedEvent] = []
        try:
            events = self._mapper.events(cells)
            if events is None:
                yield SkippedRow(position)
                return
            for written in events:
                column_of = written.column_of
                taken.append(self._intake.event(written.document, position))
        except CellError as problem:
            place = Position(position.file, position.line, problem.column, problem.field)
            yield SourceReject(place, problem.reason, problem.message, original, self._company, problem.event_type)
            return
        except RefusedError as refused:
            place = Position(position.file, position.line, column_of.get(refused.field or ""), refused.field)
            yield SourceReject(place, refused.reason, refused.message, original, self._company, refused.event_type)
            return
        if not taken:
            message = "no event of the mapping applies to the row; add a [[skip]] rule if that is intended"
            yield SourceReject(position, "no_event", message, original, self._company)
        yield from taken
