"""Holds a mapping against the event contracts, and against the columns that a file has, before any row is read."""

import re
from collections.abc import Iterator, Mapping, Sequence

from avro.written import WrittenField
from sources.event_fields import AMOUNTS, event_names, fields_of, is_required
from sources.mapping.columns import LINE_FIELDS, conditions_of, named_columns
from sources.mapping.dates import NAMED_DATES, NAMED_TIMESTAMPS, check_format, names_offset
from sources.mapping.load import MappingProblem, MappingText, nearest
from sources.mapping.locate import Place
from sources.mapping.model import EventRule, FieldSource, MappingFile, Values, rules_of


def check_mapping(mapping: MappingText) -> None:
    """Raise ``SourceError`` unless every event, field, format and value of the mapping is one that events can have."""
    problems = list(_problems(mapping.mapping))
    if problems:
        raise mapping.error(problems)


def check_columns(mapping: MappingText, columns: Sequence[str], file: str, shown: Sequence[str] | None = None) -> None:
    """Raise ``SourceError`` when the file lacks a column that the mapping names, or has it twice.

    `columns` may hold more than the file does, from lookups or lacking on purpose; `shown` are those of the file.
    """
    problems: list[MappingProblem] = []
    have = set(columns)
    listed = ", ".join(column for column in (columns if shown is None else shown) if column)
    first_places: dict[str, Place] = {}
    for place, column in named_columns(mapping.mapping):
        first_places.setdefault(column, place)
    for column, place in first_places.items():
        if column not in have:
            message = f"{file} has no column {column!r}{nearest(column, columns)}; it has {listed}"
            problems.append(MappingProblem(place, message))
        elif columns.count(column) > 1:
            problems.append(MappingProblem(place, f"{file} has the column {column!r} more than once"))
    if problems:
        raise mapping.error(problems, "Give the file that the mapping is for, or correct the mapping")


def _problems(mapping: MappingFile) -> Iterator[MappingProblem]:
    names = event_names()
    known_somewhere: set[str] = set()
    for number, (rule, fields) in enumerate(rules_of(mapping)):
        place: Place = ("event", number)
        if rule.event not in names:
            yield MappingProblem((*place, "event"), f"there is no event {rule.event}{nearest(rule.event, names)}")
            continue
        known = fields_of(rule.event)
        known_somewhere |= set(known)
        yield from _field_problems((*place, "fields"), rule.fields, known, rule.event, mapping.values)
        yield from _missing(place, rule, fields, known)
        yield from _open_problems((*place, "open"), rule, known, mapping.values)
    envelope_place: Place = ("all",)
    if known_somewhere:
        for name, source in mapping.all.items():
            if name not in known_somewhere:
                message = f"no event of this mapping has a field {name}{nearest(name, known_somewhere)}"
                yield MappingProblem((*envelope_place, name), message)
                continue
            for rule in mapping.event:
                if rule.event in names and name in fields_of(rule.event):
                    field = fields_of(rule.event)[name]
                    yield from _source_problems((*envelope_place, name), source, field, mapping.values)
                    break
    yield from _lookup_problems(mapping)
    yield from _line_problems(mapping)
    yield from _pattern_problems(mapping)


def _line_problems(mapping: MappingFile) -> Iterator[MappingProblem]:
    if mapping.clearing is not None and mapping.clearing.reference is not None:
        field = fields_of("CashApplied")["invoice_id"]
        yield from _source_problems(("clearing", "reference"), mapping.clearing.reference, field, mapping.values)
    if mapping.clearing is None or mapping.clearing.line is None:
        return
    for name, like in LINE_FIELDS.items():
        source = getattr(mapping.clearing.line, name)
        if source is not None:
            field = fields_of("CashApplied")[like]
            yield from _source_problems(("clearing", "line", name), source, field, mapping.values)


def _pattern_problems(mapping: MappingFile) -> Iterator[MappingProblem]:
    for place, conditions in conditions_of(mapping):
        for column, condition in conditions.items():
            if condition.matches is not None:
                try:
                    re.compile(condition.matches)
                except re.error as error:
                    message = f"matches of {column} is not a regular expression: {error}"
                    yield MappingProblem((*place, column), message)


def _field_problems(
    place: Place,
    sources: Mapping[str, FieldSource],
    known: Mapping[str, WrittenField],
    owner: str,
    values: Values,
) -> Iterator[MappingProblem]:
    for name, source in sources.items():
        if name not in known:
            yield MappingProblem((*place, name), f"{owner} has no field {name}{nearest(name, known)}")
            continue
        yield from _source_problems((*place, name), source, known[name], values)


def _open_problems(
    place: Place, rule: EventRule, known: Mapping[str, WrittenField], values: Values
) -> Iterator[MappingProblem]:
    if rule.open is None:
        return
    if "amount" not in known:
        yield MappingProblem(place, f"{rule.event} has no amount, so nothing of it can be open")
        return
    yield from _source_problems(place, rule.open, known["amount"], values)


def _lookup_problems(mapping: MappingFile) -> Iterator[MappingProblem]:
    """Columns that are called `name.COLUMN` of a lookup which does not have them."""
    names = [lookup.name for lookup in mapping.lookup]
    for number, lookup in enumerate(mapping.lookup):
        if names.index(lookup.name) != number:
            yield MappingProblem(("lookup", number, "name"), f"there are two lookups called {lookup.name}")
        if "/" in lookup.file or "\\" in lookup.file or lookup.file.startswith("."):
            message = f"{lookup.file} is not the name of a file beside the one that is read"
            yield MappingProblem(("lookup", number, "file"), message)
    columns = {f"{lookup.name}.{column}" for lookup in mapping.lookup for column in lookup.columns}
    for place, column in named_columns(mapping):
        if column.partition(".")[0] in names and column not in columns:
            yield MappingProblem(place, f"no lookup has {column}{nearest(column, columns)}; add it to its columns")


def _missing(
    place: Place, rule: EventRule, fields: Mapping[str, FieldSource], known: Mapping[str, WrittenField]
) -> Iterator[MappingProblem]:
    missing = [name for name, field in known.items() if is_required(field) and name not in fields]
    if missing:
        yield MappingProblem((*place, "event"), f"{rule.event} needs {', '.join(missing)}; map it in [event.fields]")


def _source_problems(
    place: Place, source: FieldSource, field: WrittenField, values: Values
) -> Iterator[MappingProblem]:
    if (field.kind == "mapping") != (source.changes is not None):
        if field.kind == "mapping":
            message = (
                f"{field.written} cannot be taken from columns; send such events as jsonl, or, from an audit table "
            )
            yield MappingProblem(
                place, message + "with one row a field, as { changes = { field = …, old = …, new = … } }"
            )
        else:
            yield MappingProblem(place, f"{field.written} is no list of changed fields; `changes` is for those")
        return
    if source.changes is not None:
        return
    if source.items is not None:
        if field.kind != "records":
            yield MappingProblem(place, f"{field.written} is one value, not a list of tables")
            return
        parts = {part.written: part for part in field.items}
        for item in source.items:
            yield from _field_problems(place, item, parts, f"an element of {field.written}", values)
            missing = [name for name, part in parts.items() if is_required(part) and name not in item]
            if missing:
                yield MappingProblem(place, f"an element of {field.written} needs {', '.join(missing)}")
        return
    if field.kind == "records":
        yield MappingProblem(place, f"{field.written} is a list; write [ {{ … }}, {{ … }} ], one table an element")
        return
    yield from _value_problems(place, source, field)
    yield from _option_problems(place, source, field)
    yield from _time_problems(place, source, field, values)


def _value_problems(place: Place, source: FieldSource, field: WrittenField) -> Iterator[MappingProblem]:
    """Values that the mapping itself gives, where the contract lists the allowed ones."""
    given = [source.constant, source.default, source.otherwise, *(source.values or {}).values()]
    for value in given:
        if field.values and value is not None and value not in field.values:
            allowed = ", ".join(field.values)
            yield MappingProblem(place, f"{field.written} is never {value!r}; it is one of {allowed}")


def _option_problems(place: Place, source: FieldSource, field: WrittenField) -> Iterator[MappingProblem]:
    """Options that have no meaning for the kind of field they stand at."""
    for_amounts = source.sign != "as_written" or any(
        option is not None for option in (source.indicator, source.implied_decimals, source.stored)
    )
    if for_amounts and field.kind not in AMOUNTS:
        yield MappingProblem(
            place, f"{field.written} is not an amount; sign, indicator, implied_decimals and stored are for amounts"
        )
    if source.fallback is not None and source.column is None:
        yield MappingProblem(place, f"fallback of {field.written} needs `column` beside it")
    if source.plus_days and field.kind != "date":
        yield MappingProblem(place, f"{field.written} is not a date; plus_days is for dates")
    if source.split is not None and field.kind != "texts":
        yield MappingProblem(place, f"{field.written} is not a list of texts; split is for lists")
    if source.timezone is not None and field.kind != "instant":
        yield MappingProblem(place, f"{field.written} is not a time; timezone is for times")
    if source.otherwise is not None and source.values is None:
        yield MappingProblem(place, f"otherwise of {field.written} needs `values` beside it")


def _time_problems(place: Place, source: FieldSource, field: WrittenField, values: Values) -> Iterator[MappingProblem]:
    if source.format is not None:
        named = {"date": NAMED_DATES, "instant": NAMED_TIMESTAMPS}.get(field.kind)
        if named is None:
            yield MappingProblem(place, f"{field.written} is neither a date nor a time; format is for those")
            return
        try:
            check_format(source.format, named)
        except ValueError as error:
            yield MappingProblem((*place, "format"), f"format of {field.written}: {error}")
            return
    needs_zone = field.kind == "instant" and source.constant is None and source.values is None
    if needs_zone and not (source.timezone or values.timezone or names_offset(source.format or values.timestamp)):
        message = f"times of {field.written} may name no offset; set timezone in [values], e.g. Europe/Paris"
        yield MappingProblem(place, message)
