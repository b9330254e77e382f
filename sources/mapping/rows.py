"""A mapping and a file's columns → the written events of a row."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from sources.event_fields import fields_of
from sources.mapping.amounts import amount_reader
from sources.mapping.cells import Cell, CellError, Reading, compile_cell, compile_template
from sources.mapping.cleared import Cleared, compile_clearing
from sources.mapping.conditions import Test, compile_conditions
from sources.mapping.model import Conditions, EventRule, MappingFile, rules_of

Cells = Sequence[str]


class _Rule(msgspec.Struct, frozen=True):
    event: str
    applies: Test
    cells: tuple[tuple[str, Cell], ...]
    column_of: Mapping[str, str | None]
    open_of: Cell
    group_of: Callable[[Cells], str]


class WrittenEvent(msgspec.Struct, frozen=True):
    """An event of a row in the written form, and which column each of its fields came from.

    `open` is what is still open of the document, where the mapping says so. Events with the same `group` that follow
    each other are one event, whose changes are those of all.
    """

    document: dict[str, Any]
    column_of: Mapping[str, str | None]
    open: str | None = None
    group: str = ""


class RowMapper:
    """Compiled once per file; pure. The mapping has been checked, and `columns` hold all that it names."""

    def __init__(self, mapping: MappingFile, columns: Sequence[str]) -> None:
        index_of = {column: index for index, column in reversed(list(enumerate(columns)))}
        self._reading = Reading(mapping.values, index_of)
        self._read_amount = amount_reader(self._reading.amount_style())
        self._empty = frozenset(mapping.values.empty) | {""}
        trailer = [mapping.snapshot.trailer] if mapping.snapshot.trailer else []
        self._skips = [self.test(conditions) for conditions in (*(rule.when for rule in mapping.skip), *trailer)]
        self._rules = [
            _Rule(
                rule.event,
                self.test(rule.when),
                tuple(
                    (name, compile_cell(source, fields_of(rule.event)[name], self._reading))
                    for name, source in fields.items()
                    if name in fields_of(rule.event)
                ),
                {name: source.column or source.template for name, source in fields.items()},
                self._open(rule),
                compile_template(rule.group or "", self._reading),
            )
            for rule, fields in rules_of(mapping)
        ]
        self._clearing = compile_clearing(mapping, self._reading, self.test)
        self._clearing_key = compile_template(mapping.clearing.key if mapping.clearing else "", self._reading)

    def _open(self, rule: EventRule) -> Cell:
        amount = fields_of(rule.event).get("amount")
        if rule.open is None or amount is None:
            return lambda cells: None
        return compile_cell(rule.open, msgspec.structs.replace(amount, written="open"), self._reading)

    def clearing(self, cells: Cells) -> Cleared | None:
        """What the row says of its clearing; None where the mapping has no such rule. Raises ``CellError``."""
        if self._clearing is None:
            return None
        return self._clearing(cells)

    def clearing_key(self, cells: Cells) -> str:
        """The clearing document of a row of which nothing else can be read."""
        return self._clearing_key(cells)

    def group(self, cells: Cells) -> str:
        """The group of a row, whether or not its values can be read; empty where it belongs to none."""
        return next((group for rule in self._rules if (group := rule.group_of(cells))), "")

    def test(self, conditions: Conditions) -> Test:
        """A function that is true for rows of which the conditions hold; it raises ``ValueError``."""
        is_empty: Callable[[str], bool] = self._empty.__contains__
        return compile_conditions(conditions, self._reading.index_of, is_empty, self._read_amount)

    def events(self, cells: Cells) -> list[WrittenEvent] | None:
        """The events of a row in the order of the rules; None for a row to skip, empty when no rule applies.

        Raises ``CellError`` for a value that cannot be read.
        """
        try:
            if any(skip(cells) for skip in self._skips):
                return None
            applying = [rule for rule in self._rules if rule.applies(cells)]
        except ValueError as error:
            raise CellError("invalid_amount", str(error), None, "when") from error
        return [
            WrittenEvent(self._document(rule, cells), rule.column_of, rule.open_of(cells), rule.group_of(cells))
            for rule in applying
        ]

    def _document(self, rule: _Rule, cells: Cells) -> dict[str, Any]:
        document: dict[str, Any] = {"event": rule.event}
        try:
            for name, cell in rule.cells:
                value = cell(cells)
                if value is not None:
                    document[name] = value
        except CellError as error:
            error.event_type = rule.event
            raise
        return document
