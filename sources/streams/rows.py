"""Changes of one table through a mapping file: the row as it is now, and columns that tell how it came to be so.

Beside the table's own columns a mapping may name `before.COLUMN`, `delta.COLUMN` (after minus before) and those of
``PSEUDO_COLUMNS``. A rule whose `when` does not name `__op` is for rows that were inserted, updated or read by a
snapshot, as if the row stood in an extract; deleted ones must be asked for.
"""

import difflib
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal, InvalidOperation

import msgspec

from sources.errors import UnreadableError
from sources.identity import BUSINESS_KEYS
from sources.intake import SourceOptions
from sources.mapped_rows import MappedRows, check_company
from sources.mapping import MappingText, check_mapping, rules_of
from sources.mapping.load import MappingProblem
from sources.mapping.model import Condition, EventRule, FieldSource, MappingFile
from sources.mapping.purposes import Purpose, purposes
from sources.streams.change import Change
from sources.streams.columns import WHOLE_ROWS, text_of
from sources.streams.connect import ColumnType
from sources.streams.record import StreamRecord
from sources.values import Parsed, ParsedEvent, Position, SkippedRow, SourceReject
from sources.versions import STANDING, versioned

BEFORE, DELTA, OP, CHANGED, TS_MS, POSITION = "before.", "delta.", "__op", "__changed", "__ts_ms", "__position"
PSEUDO_COLUMNS: Mapping[str, Callable[[Change], str]] = {
    OP: lambda change: change.op,
    "__table": lambda change: change.names[0],
    "__topic": lambda change: change.names[-1],
    TS_MS: lambda change: "" if change.ts_ms is None else str(change.ts_ms),
    POSITION: lambda change: change.position,
    CHANGED: lambda change: ",".join(change.changed()),
}
# What an extract of the table would show: rows that are there. An unwrapped record may not tell its operation.
_PRESENT = ["c", "r", "u", ""]
_SNAPSHOT = "r"


class ChangedRows:
    """The changes of one table. `declared` are types of columns for records that come without a schema.

    Raises ``SourceError`` for a mapping that is wrong, or that would make other events of the same rows when the
    connector takes its snapshot again.
    """

    def __init__(self, mapping: MappingText, options: SourceOptions, declared: Mapping[str, ColumnType]) -> None:
        check_mapping(mapping)
        check_company(mapping, options)
        check_snapshots(mapping)
        self._purposes = purposes(mapping.mapping)
        self._columns = list(self._purposes)
        self._declared = declared
        self._needs_before = [name for name in self._columns if name.startswith((BEFORE, DELTA)) or name == CHANGED]
        self._asks_op = OP in self._columns  # before the rules that do not ask are given their condition
        self._company = options.company
        self._columns = list(dict.fromkeys([OP, *self._columns]))
        mapping = msgspec.structs.replace(mapping, mapping=_for_present_rows(mapping.mapping))
        self._rows = MappedRows(mapping, self._columns, options)

    def read(self, change: Change, record: StreamRecord) -> Iterator[Parsed]:
        """The events of a change, a skip, or one reject."""
        position = record.position
        try:
            cells = [self._cell(column, change) for column in self._columns]
        except UnreadableError as error:
            place = Position(position.file, position.line, error.column)
            yield SourceReject(place, error.reason, error.message, record.original, self._company)
            return
        for parsed in self._rows.read(cells, position, record.original):
            if isinstance(parsed, ParsedEvent):
                yield versioned(parsed)
            elif isinstance(parsed, SkippedRow) or parsed.reason != "no_event":
                yield parsed
            else:
                yield SourceReject(position, *_no_event(change), record.original, self._company)

    def _cell(self, column: str, change: Change) -> str:
        pseudo = PSEUDO_COLUMNS.get(column)
        if pseudo is not None:
            self._check_told(column, change)
            return pseudo(change)
        if change.op == "t":
            return ""
        if column.startswith(BEFORE):
            self._check_told(column, change)
            name = column.removeprefix(BEFORE)
            return self._text(change.before, name, change) if change.op == "u" else ""
        if column.startswith(DELTA):
            self._check_told(column, change)
            return self._delta(column.removeprefix(DELTA), change) if change.op == "u" else ""
        return self._text(change.row, column, change)

    def _check_told(self, column: str, change: Change) -> None:
        """What a rule asks for must be known: a change without its former row is refused, not taken for another."""
        if column == OP and self._asks_op and not change.op:
            message = "the unwrapped record does not tell its operation; set add.fields=op in the connector"
            raise UnreadableError("unknown_operation", message, column)
        if change.op == "u" and change.before is None and column in self._needs_before:
            message = f"the update comes without the row before it, of which {column} is made; log whole rows: "
            raise UnreadableError("no_before_image", message + WHOLE_ROWS, column)
        if column == TS_MS and change.ts_ms is None:
            message = "the record does not tell when the change was made; set add.fields=source.ts_ms in the connector"
            raise UnreadableError("unknown_time", message, column)

    def _text(self, row: Mapping[str, object] | None, column: str, change: Change) -> str:
        if row is None or column not in row:
            near = difflib.get_close_matches(column, row or (), n=1, cutoff=0.6)
            message = f"the table {change.names[0]} has no column {column}" + (f"; is it {near[0]}?" if near else "")
            raise UnreadableError("missing_column", message, column)
        return text_of(row[column], self._type(column, row[column], change), column)

    def _type(self, column: str, value: object, change: Change) -> ColumnType:
        if change.has_schema and column in change.types:
            return change.types[column]
        if column in self._declared:
            return self._declared[column]
        uses = self._purposes.get(column, set())
        uses = uses | self._purposes.get(BEFORE + column, set()) | self._purposes.get(DELTA + column, set())
        if value is not None and self._is_ambiguous(value, uses):
            message = (
                f"without a schema {value!r} may mean several things; set value.converter.schemas.enable=true "
                f"in the connector, or give {column} a type in the configuration of the stream"
            )
            raise UnreadableError("untyped_value", message, column)
        return ColumnType("")

    def _is_ambiguous(self, value: object, uses: set[Purpose]) -> bool:
        """A text may be a decimal in base64, a number days or a time in some unit."""
        if "amount" in uses and isinstance(value, str):
            return True
        is_number = isinstance(value, int | Decimal) and not isinstance(value, bool)
        return is_number and ("date" in uses or "instant" in uses)

    def _delta(self, column: str, change: Change) -> str:
        after, before = self._text(change.row, column, change), self._text(change.before, column, change)
        try:
            return format(Decimal(after or 0) - Decimal(before or 0), "f")
        except InvalidOperation as error:
            message = f"{before!r} and {after!r} are no numbers, so there is no delta of {column}"
            raise UnreadableError("invalid_amount", message, DELTA + column) from error


def _no_event(change: Change) -> tuple[str, str]:
    if change.op == "t":
        message = (
            "the table was emptied, and nothing tells what was in it; compare an extract with the open items, "
            'and add a [[skip]] rule for __op = "t" where it is intended'
        )
        return "table_truncated", message
    kind = {"d": "the deletion of the row", "u": "the update of the row"}.get(change.op, "the row")
    return "no_event", f"no event of the mapping applies to {kind}; add a [[skip]] rule if that is intended"


def _for_present_rows(mapping: MappingFile) -> MappingFile:
    """The mapping with `__op` in the conditions of the rules that do not name it."""
    present = Condition.model_validate({"is": _PRESENT})
    rules = [
        rule if OP in rule.when else rule.model_copy(update={"when": {OP: present, **rule.when}})
        for rule in mapping.event
    ]
    return mapping.model_copy(update={"event": rules})


def check_snapshots(mapping: MappingText) -> None:
    """Raise ``SourceError`` where a snapshot that is taken again would give its rows other ids than before."""
    problems = []
    for number, (rule, fields) in enumerate(rules_of(mapping.mapping)):
        if not _takes_snapshots(rule):
            continue
        for name, source in fields.items():
            why = _differs_by_snapshot(rule.event, name, source)
            if why:
                problems.append(MappingProblem(("event", number, "fields", name), f"{rule.event}: {why}"))
    if problems:
        raise mapping.error(problems, 'A snapshot may be taken again; add __op = ["c", "u"] to `when` of the event')


def _takes_snapshots(rule: EventRule) -> bool:
    condition = rule.when.get(OP)
    if condition is None:
        return True
    if condition.equals is not None:
        return _SNAPSHOT in condition.equals
    return condition.differs is None or _SNAPSHOT not in condition.differs


def _differs_by_snapshot(event: str, field: str, source: FieldSource) -> str:
    columns = {source.column, *(source.template or "").replace("}", "{").split("{")[1::2]}
    if POSITION in columns:
        return f"{field} is made of __position, which is another one in every snapshot"
    if TS_MS in columns and field == "occurred_at" and field in BUSINESS_KEYS.get(event, ()) and event not in STANDING:
        return "occurred_at is part of its id, and __ts_ms of a row is another one in every snapshot"
    return ""


def unreadable(record: StreamRecord, error: UnreadableError, company: str | None) -> SourceReject:
    """The reject of a record that is no change at all."""
    place = Position(record.position.file, record.position.line, error.column)
    return SourceReject(place, error.reason, error.message, record.original, company)
