"""What a mapping does with each column: sources whose values have types must know it before they make text of them."""

from collections.abc import Iterator, Mapping
from typing import Literal

from avro.written import WrittenField
from sources.event_fields import AMOUNTS, fields_of
from sources.mapping.cells import columns_of
from sources.mapping.model import FieldSource, MappingFile, Values, rules_of

Purpose = Literal["amount", "date", "instant", "text"]


def purposes(mapping: MappingFile) -> dict[str, set[Purpose]]:
    """What each column that conditions and fields name is used for, in the order of the file.

    A condition on the sign of a column takes it for an amount. Dates and times are those that should be written as
    ISO has them; a form of its own says itself what a number means.
    """
    found: dict[str, set[Purpose]] = {}
    for conditions in (*(skip.when for skip in mapping.skip), *(rule.when for rule in mapping.event)):
        for column, condition in conditions.items():
            found.setdefault(column, set()).add("text" if condition.sign is None else "amount")
    for rule, fields in rules_of(mapping):
        known = fields_of(rule.event)
        for name, source in fields.items():
            for column, purpose in _purposes(source, known[name], mapping.values) if name in known else ():
                found.setdefault(column, set()).add(purpose)
        for column in columns_of(rule.open) if rule.open else ():
            found.setdefault(column, set()).add("amount")
    return found


def _purposes(source: FieldSource, field: WrittenField, values: Values) -> Iterator[tuple[str, Purpose]]:
    if source.items is not None:
        parts: Mapping[str, WrittenField] = {part.written: part for part in field.items}
        for item in source.items:
            for name, part in item.items():
                yield from _purposes(part, parts[name], values)
        return
    own: Purpose = "text"
    if source.values is not None:
        pass  # the texts are listed
    elif field.kind in AMOUNTS or field.kind in {"decimal", "number"}:
        own = "amount"
    elif field.kind == "date" and (source.format or values.date) == "iso":
        own = "date"
    elif field.kind == "instant" and (source.format or values.timestamp) == "iso":
        own = "instant"
    indicator = source.indicator.column if source.indicator else None
    for column in columns_of(source):
        yield column, "text" if column == indicator else own
