"""The columns that a mapping names, and where it names them."""

from collections.abc import Iterator, Sequence

from sources.mapping.cells import PLACEHOLDER, columns_of
from sources.mapping.locate import Place
from sources.mapping.model import Conditions, FieldSource, MappingFile

# What a line of a clearing says, and the field of CashApplied that it is written like.
LINE_FIELDS = {
    "document": "invoice_id",
    "account": "account_id",
    "amount": "amount",
    "currency": "currency",
    "payment": "payment_id",
    "payment_account": "account_id",
}


def conditions_of(mapping: MappingFile) -> Iterator[tuple[Place, Conditions]]:
    """Every `when`, and the trailer of a snapshot."""
    for number, rule in enumerate(mapping.event):
        yield ("event", number, "when"), rule.when
    for number, skip in enumerate(mapping.skip):
        yield ("skip", number, "when"), skip.when
    yield ("snapshot", "trailer"), mapping.snapshot.trailer
    if mapping.clearing is not None and mapping.clearing.line is not None:
        yield ("clearing", "line", "when"), mapping.clearing.line.when


def named_columns(mapping: MappingFile) -> Iterator[tuple[Place, str]]:
    """Every column that the mapping names, with the place where it does; those of lookups as `name.COLUMN`."""
    for place, conditions in conditions_of(mapping):
        for column in conditions:
            yield (*place, column), column
    for place, source in _sources(mapping):
        for column in columns_of(source):
            yield place, column
    for place, template in _templates(mapping):
        for column in PLACEHOLDER.findall(template or ""):
            yield place, column
    if mapping.clearing is not None:
        yield ("clearing", "date"), mapping.clearing.date
    if mapping.snapshot.trailer_count is not None:
        yield ("snapshot", "trailer_count"), mapping.snapshot.trailer_count


def _sources(mapping: MappingFile) -> Iterator[tuple[Place, FieldSource]]:
    for name, source in mapping.all.items():
        yield ("all", name), source
    for number, rule in enumerate(mapping.event):
        for name, source in rule.fields.items():
            yield ("event", number, "fields", name), source
        if rule.open is not None:
            yield ("event", number, "open"), rule.open
    if mapping.clearing is not None and mapping.clearing.reference is not None:
        yield ("clearing", "reference"), mapping.clearing.reference
    if mapping.clearing is not None and mapping.clearing.line is not None:
        line = mapping.clearing.line
        for name in LINE_FIELDS:
            if (source := getattr(line, name)) is not None:
                yield ("clearing", "line", name), source


def _templates(mapping: MappingFile) -> Iterator[tuple[Place, str | None]]:
    for number, rule in enumerate(mapping.event):
        yield ("event", number, "group"), rule.group
    for number, lookup in enumerate(mapping.lookup):
        yield ("lookup", number, "by" if lookup.by else "key"), lookup.by or lookup.key
    if mapping.clearing is not None:
        yield ("clearing", "key"), mapping.clearing.key


def called(mapping: MappingFile, columns: Sequence[str]) -> list[str]:
    """The columns of a file by the names that the mapping calls them, then those that it lacks and may lack.

    A name that only differs in upper and lower case is the same: some tools write all names in one of them.
    """
    of_file = {name: column for column, name in mapping.names.items()}
    renamed = [of_file.get(name, name) for name in columns]
    wanted = {column for _, column in named_columns(mapping)} - set(renamed)
    by_folded: dict[str, list[str]] = {}
    for column in wanted:
        by_folded.setdefault(column.casefold(), []).append(column)
    found = []
    for name in renamed:
        likely = by_folded.get(name.casefold(), [])
        is_only = len(likely) == 1 and sum(other.casefold() == name.casefold() for other in renamed) == 1
        found.append(likely[0] if is_only else name)
    return found + [column for column in mapping.file.optional if column not in found]
