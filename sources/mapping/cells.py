"""Field sources of a mapping → functions from a row's cells to a value in the event's written form."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec

from avro.amounts import InvalidNumber, exponent, from_scaled
from avro.written import WrittenField
from sources.event_fields import AMOUNTS
from sources.mapping.amounts import AmountStyle, amount_reader, with_sign
from sources.mapping.dates import date_reader, timestamp_reader
from sources.mapping.model import Changes, FieldSource, Stored, Values

Cells = Sequence[str]
Cell = Callable[[Cells], Any]
PLACEHOLDER = re.compile(r"\{([^{}]+)\}")


class CellError(Exception):
    """A value of a row that cannot be read. `column` is the source's name, `field` the event's.

    `event_type` is the event it was for, None where a condition could not be tested.
    """

    def __init__(self, reason: str, message: str, column: str | None, field: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.column = column
        self.field = field
        self.event_type: str | None = None


class Reading(msgspec.Struct, frozen=True):
    """What reading a cell needs: the mapping's [values] and the place of each column in a row."""

    values: Values
    index_of: Mapping[str, int]

    def amount_style(self, implied_decimals: int | None = None) -> AmountStyle:
        """How amounts are written, with a field's own number of implied decimals where it has one."""
        values = self.values
        return AmountStyle(
            values.decimal_separator,
            values.thousands_separator,
            values.negative,
            values.implied_decimals if implied_decimals is None else implied_decimals,
        )


def compile_cell(source: FieldSource, field: WrittenField, reading: Reading) -> Cell:
    """A function that gives the field's value for a row, None where there is none. It raises ``CellError``."""
    if source.items is not None:
        return _compile_items(source.items, field, reading)
    if source.changes is not None:
        return _compile_changes(source.changes, reading)
    if source.constant is not None:
        constant = source.constant
        return lambda cells: constant
    text_of = _compile_text(source, reading)
    end = source.cut_end or ""
    convert = _compile_conversion(source, field, reading)
    column = source.column or source.template
    empty = frozenset(reading.values.empty) | {""}
    default = source.default

    def read(cells: Cells) -> object:
        text = text_of(cells).removesuffix(end)
        if text in empty:
            return default
        try:
            return convert(text, cells)
        except ValueError as error:
            raise CellError(_reason(field), str(error), column, field.written) from error

    return read


def columns_of(source: FieldSource) -> list[str]:
    """Every column that a field source looks at."""
    columns = [name for name in (source.column, source.fallback) if name is not None]
    columns += PLACEHOLDER.findall(source.template or "")
    columns += [] if source.indicator is None else [source.indicator.column]
    columns += [] if source.stored is None else [source.stored.currency]
    columns += source.plus_days
    if source.changes is not None:
        columns += PLACEHOLDER.findall(source.changes.field)
        columns += [column for column in (source.changes.old, source.changes.new) if column is not None]
    for item in source.items or ():
        for part in item.values():
            columns += columns_of(part)
    return columns


def _reason(field: WrittenField) -> str:
    if field.kind in AMOUNTS:
        return "invalid_amount"
    return "invalid_date" if field.kind in {"date", "instant"} else "invalid_value"


def _compile_text(source: FieldSource, reading: Reading) -> Callable[[Cells], str]:
    cut = source.left_strip
    if source.column is not None:
        index = reading.index_of[source.column]
        if source.fallback is not None:
            other, empty = reading.index_of[source.fallback], frozenset(reading.values.empty) | {""}
            return lambda cells: (cells[other] if cells[index] in empty else cells[index]).lstrip(cut or "")
        if cut is None:
            return lambda cells: cells[index]
        return lambda cells: cells[index].lstrip(cut)
    return compile_template(source.template or "", reading, cut)


def compile_template(template: str, reading: Reading, cut: str | None = None) -> Callable[[Cells], str]:
    """A function that fills the braces of a text with the columns they name; empty when all of those are.

    `cut` is a character cut from the left of each.
    """
    pieces = PLACEHOLDER.split(template)
    fixed, places = pieces[0::2], [reading.index_of[name] for name in pieces[1::2]]
    empty = frozenset(reading.values.empty) | {""}

    def fill(cells: Cells) -> str:
        if places and all(cells[place] in empty for place in places):
            return ""
        filled = fixed[0]
        for place, following in zip(places, fixed[1:], strict=True):
            filled += (cells[place].lstrip(cut) if cut else cells[place]) + following
        return filled.strip()

    return fill


def _compile_conversion(source: FieldSource, field: WrittenField, reading: Reading) -> Callable[[str, Cells], Any]:
    if source.values is not None:
        return _by_value_map(source)
    if field.kind in AMOUNTS:
        return _by_amount(source, reading)
    values = reading.values
    plain: Callable[[str], Any]
    match field.kind:
        case "date" if source.plus_days:
            return _later(source, reading)
        case "date":
            plain = date_reader(source.format or values.date)
        case "instant":
            # Without a zone every text names its own offset; `check.py` has seen to it.
            zone = source.timezone or values.timezone or "UTC"
            plain = timestamp_reader(source.format or values.timestamp, zone)
        case "decimal":
            plain = amount_reader(reading.amount_style())
        case "number":
            plain = _number(amount_reader(reading.amount_style()))
        case "integer":
            plain = _whole_number
        case "boolean":
            plain = _yes_or_no(values)
        case "texts":
            plain = _split(source.split)
        case _:
            plain = str
    return lambda text, cells: plain(text)


def _by_value_map(source: FieldSource) -> Callable[[str, Cells], Any]:
    known, otherwise = dict(source.values or {}), source.otherwise

    def look_up(text: str, cells: Cells) -> object:
        found = known.get(text, otherwise)
        if found is None:
            raise ValueError(f"{text!r} is not one of {', '.join(known)}; add it to `values` of the field")
        return found

    return look_up


def _by_amount(source: FieldSource, reading: Reading) -> Callable[[str, Cells], str]:
    plain = amount_reader(reading.amount_style(source.implied_decimals))
    stored = None if source.stored is None else _as_stored(source.stored, reading)
    if source.indicator is not None:
        indicator = source.indicator
        index = reading.index_of[indicator.column]
        signs = dict.fromkeys(indicator.positive, False) | dict.fromkeys(indicator.negative, True)

        def read_with_indicator(text: str, cells: Cells) -> str:
            amount = plain(text) if stored is None else stored(plain(text), cells)
            negative = signs.get(cells[index])
            if negative is None:
                raise ValueError(f"{cells[index]!r} in {indicator.column} is not one of {', '.join(signs)}")
            return with_sign(amount, negative)

        signed = read_with_indicator
    else:

        def signed(text: str, cells: Cells) -> str:
            return plain(text) if stored is None else stored(plain(text), cells)

    if source.sign == "as_written":
        return signed
    reverse = source.sign == "reversed"

    def change_sign(text: str, cells: Cells) -> str:
        amount = signed(text, cells)
        return with_sign(amount, reverse and not amount.startswith("-"))

    return change_sign


def _as_stored(stored: Stored, reading: Reading) -> Callable[[str, Cells], str]:
    """The digits of an amount as minor units of the row's currency."""
    place = reading.index_of[stored.currency]

    def read(amount: str, cells: Cells) -> str:
        whole, _, fraction = amount.partition(".")
        if len(fraction.rstrip("0")) > stored.decimals:
            raise ValueError(f"{amount} has more than the {stored.decimals} decimals with which amounts are stored")
        try:
            decimals = exponent(cells[place])
        except InvalidNumber as error:
            raise ValueError(str(error)) from error
        return from_scaled(int(whole + fraction.ljust(stored.decimals, "0")[: stored.decimals]), decimals)

    return read


def _later(source: FieldSource, reading: Reading) -> Callable[[str, Cells], Any]:
    """A date and the days that the first of the columns that says something adds to it."""
    read = date_reader(source.format or reading.values.date)
    places = [reading.index_of[name] for name in source.plus_days]
    empty = frozenset(reading.values.empty) | {""}

    def later(text: str, cells: Cells) -> object:
        for place in places:
            if cells[place] not in empty and (days := _whole_number(_without_zeros(cells[place]))):
                return read(text) + timedelta(days=days)
        return read(text)

    return later


def _compile_changes(changes: Changes, reading: Reading) -> Cell:
    """One change as the written form has it: ``{field: {old, new}}``; a side that is empty is left out."""
    name_of = compile_template(changes.field, reading)
    empty = frozenset(reading.values.empty) | {""}
    sides = [
        (side, reading.index_of[column]) for side, column in (("old", changes.old), ("new", changes.new)) if column
    ]

    def read(cells: Cells) -> dict[str, dict[str, str]] | None:
        name = name_of(cells)
        return {name: {side: cells[place] for side, place in sides if cells[place] not in empty}} if name else None

    return read


def _compile_items(items: Sequence[Mapping[str, FieldSource]], field: WrittenField, reading: Reading) -> Cell:
    by_name = {part.written: part for part in field.items}
    compiled = [{name: compile_cell(source, by_name[name], reading) for name, source in item.items()} for item in items]
    columns = [[reading.index_of[name] for source in item.values() for name in columns_of(source)] for item in items]
    empty = frozenset(reading.values.empty) | {""}

    def read(cells: Cells) -> list[dict[str, Any]] | None:
        elements = [
            {name: value for name, cell in item.items() if (value := cell(cells)) is not None}
            for item, looked_at in zip(compiled, columns, strict=True)
            if not looked_at or any(cells[index] not in empty for index in looked_at)
        ]
        return elements or None

    return read


def _number(read: Callable[[str], str]) -> Callable[[str], Decimal]:
    return lambda text: Decimal(read(text))


def _whole_number(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is not a whole number") from error


def _without_zeros(text: str) -> str:
    """30 for 30.0, as decimal columns are written; what has other decimals stays as it is."""
    whole, _, fraction = text.partition(".")
    return text if fraction.strip("0") else whole or "0"


def _yes_or_no(values: Values) -> Callable[[str], bool]:
    meanings = dict.fromkeys(values.true, True) | dict.fromkeys(values.false, False)

    def read(text: str) -> bool:
        if text not in meanings:
            raise ValueError(f"{text!r} is not one of {', '.join(meanings)}")
        return meanings[text]

    return read


def _split(separator: str | None) -> Callable[[str], list[str]]:
    if separator is None:
        return lambda text: [text]
    return lambda text: [part for piece in text.split(separator) if (part := piece.strip())]
