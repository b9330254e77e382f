"""The mapping file: how rows of a delimited extract become events. Every key has a sentence; docs are made from them.

Written as TOML. `docs/sources/csv-mapping.md` explains it with examples; `load.py` reads it, `check.py` holds it
against the event contracts, `compile.py` makes functions of it.
"""

import codecs
from collections.abc import Mapping as ReadMapping
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from sources.mapping.amounts import Negative
from sources.mapping.dates import NAMED_DATES, NAMED_TIMESTAMPS, check_format
from sources.mapping.field_source import (
    Changes,
    Character,
    Condition,
    Conditions,
    Constant,
    Fields,
    FieldSource,
    Indicator,
    Section,
    Stored,
    Zone,
    as_source,
    no_or_one_character,
)

__all__ = [
    "Changes", "Clearing", "Condition", "Conditions", "Constant", "EventRule", "FieldSource", "Fields", "FileLayout",
    "Indicator", "Lookup", "MappingFile", "Section", "SettledLine", "SkipRule", "Snapshot", "Stored", "Values",
    "rules_of",
]  # fmt: skip

ENCODINGS = ("utf-8", "utf-8-sig", "latin-1", "cp1252")


def _known_encoding(value: str) -> str:
    names = {codecs.lookup(name).name: name for name in ENCODINGS}
    try:
        return names[codecs.lookup(value).name]
    except (KeyError, LookupError) as error:
        raise ValueError(f"{value!r} is not one of {', '.join(ENCODINGS)}") from error


Encoding = Annotated[str, AfterValidator(_known_encoding)]
DateFormat = Annotated[str, AfterValidator(lambda value: check_format(value, NAMED_DATES))]
TimestampFormat = Annotated[str, AfterValidator(lambda value: check_format(value, NAMED_TIMESTAMPS))]


class FileLayout(Section):
    """How the file is written."""

    encoding: Encoding = Field(default="utf-8", description=f"One of {', '.join(ENCODINGS)}")
    delimiter: Character = Field(default=",", description="The character between two values")
    quote: Annotated[str, AfterValidator(no_or_one_character)] = Field(
        default='"', description="The character around values; empty = quotes are ordinary characters"
    )
    skip_lines: Annotated[int, Field(ge=0)] = Field(
        default=0, description="Rows before the header that are passed over, such as a report title"
    )
    columns: list[str] = Field(
        default_factory=list, description="Names of the columns, for a file that has no header row"
    )
    optional: list[str] = Field(
        default_factory=list, description="Columns that a file may lack; they are then empty in every row"
    )


class Values(Section):
    """How values are written in all columns; a field may say otherwise."""

    date: DateFormat = Field(
        default="iso", description=f"Form of dates: strptime such as `%d.%m.%Y`, or {', '.join(NAMED_DATES)}"
    )
    timestamp: TimestampFormat = Field(
        default="iso", description=f"Form of times: strptime, or {', '.join(NAMED_TIMESTAMPS)}"
    )
    timezone: Zone | None = Field(
        default=None, description="IANA time zone of times that name no offset; needed where there are any"
    )
    decimal_separator: Character = Field(default=".", description="The character before the decimals")
    thousands_separator: Annotated[str, AfterValidator(no_or_one_character)] = Field(
        default="", description="The character between groups of digits; a space stands for every kind of space"
    )
    negative: Negative = Field(
        default="leading_minus",
        description="How negative amounts are written besides a leading minus: trailing_minus `12-`, "
        "parentheses `(12)`, trailing_cr `12 CR`",
    )
    implied_decimals: Annotated[int, Field(ge=0, le=6)] = Field(
        default=0, description="Number of last digits that are decimals, for amounts without a separator"
    )
    empty: list[str] = Field(
        default_factory=lambda: [""], description="Texts that mean: no value, e.g. `00000000` for a date"
    )
    true: list[str] = Field(default_factory=lambda: ["true", "1", "X", "Y", "yes"], description="Texts for yes")
    false: list[str] = Field(default_factory=lambda: ["false", "0", "N", "no"], description="Texts for no")


class EventRule(Section):
    """An event that a row yields when its conditions hold. A row may yield several, in the order of the rules."""

    event: str = Field(description="Name of the event, e.g. InvoiceIssued")
    when: Conditions = Field(
        default_factory=dict, description="Column → text, list of texts, or test; none = every row"
    )
    fields: Fields = Field(default_factory=dict, description="Field of the event → where its value comes from")
    open: Annotated[FieldSource, BeforeValidator(as_source)] | None = Field(
        default=None,
        description="What is still open of the document, above zero; snapshots compare it. Without it, `amount`",
    )
    group: str | None = Field(
        default=None,
        description="Text with columns in braces; rows that follow each other and share it are one event, whose "
        "`changes` are those of all of them",
    )


class Lookup(Section):
    """Another file of the same system, of which a row is found by its key; its columns are then `name.COLUMN`."""

    name: str = Field(description="What its columns are called by: `name.COLUMN`", pattern="^[A-Za-z][A-Za-z0-9_]*$")
    file: str = Field(description="Name of the file; it lies beside the one that is read, and is written like it")
    key: str = Field(description="Its key, as text with columns in braces, e.g. `{CUSTOMER_TRX_ID}`")
    by: str | None = Field(
        default=None, description="The same key in the row that is read; without it, `key` with the row's own columns"
    )
    columns: list[str] = Field(description="Columns of the file that the mapping uses", min_length=1)
    optional: bool = Field(
        default=False, description="Whether the file may be missing; its columns are then empty, as for a key not found"
    )


class SettledLine(Section):
    """A row that says how much of which document a payment or a worksheet settled, as JD Edwards and PeopleSoft do."""

    document: Annotated[FieldSource, BeforeValidator(as_source)] = Field(
        description="The document, written like its `invoice_id` or `credit_memo_id`"
    )
    account: Annotated[FieldSource, BeforeValidator(as_source)] = Field(description="The account of the document")
    amount: Annotated[FieldSource, BeforeValidator(as_source)] = Field(
        description="Above zero: so much of an invoice was settled; below zero: so much of a credit was used"
    )
    currency: Annotated[FieldSource, BeforeValidator(as_source)] = Field(description="Its currency")
    payment: Annotated[FieldSource, BeforeValidator(as_source)] = Field(
        description="The payment that settles what the credits of the clearing do not; empty = there is none"
    )
    payment_account: Annotated[FieldSource, BeforeValidator(as_source)] | None = Field(
        default=None, description="The payer's account; without it, that of the document"
    )
    when: Conditions = Field(default_factory=dict, description="Rows that are such lines; none = every row")


class Clearing(Section):
    """Rows that share a clearing document settle each other, as in SAP: credits are applied to what they cleared."""

    key: str = Field(description="The clearing document, as text with columns in braces; empty = not cleared")
    date: str = Field(description="The column that holds the day of the clearing, written like [values] says")
    reference: Annotated[FieldSource, BeforeValidator(as_source)] | None = Field(
        default=None,
        description="For credits: the document that the row names, written like its `invoice_id`; it is settled first, "
        "and also while nothing is cleared",
    )
    line: SettledLine | None = Field(
        default=None, description="For files whose rows are not the documents, but what was settled of them"
    )
    method: Literal["auto", "manual"] = Field(
        default="manual", description="Whether a program or a person did the clearing, where the file does not say"
    )


class Snapshot(Section):
    """What a list of all open items must be, before it is compared with the one before it."""

    share_percent_min: Annotated[int, Field(ge=0, le=100)] = Field(
        default=50, description="Fewer items than this share of the former list's look like a cut file: it is refused"
    )
    trailer: Conditions = Field(
        default_factory=dict, description="The row that ends a whole file; without it the file is refused"
    )
    trailer_count: str | None = Field(
        default=None, description="The column of the trailer that holds the number of rows before it"
    )


class SkipRule(Section):
    """Rows that are no events, such as totals. They are counted in the report."""

    when: Conditions = Field(description="Column → text, list of texts, or test", min_length=1)


class MappingFile(Section):
    """A mapping file."""

    extends: str | None = Field(
        default=None,
        description="A ready mapping, or a file beside this one: what this one does not say is as there; tables are "
        "joined key by key, lists such as [[event]] are replaced as a whole",
    )
    source: str = Field(
        description="Name of the system, e.g. sap; it is the events' `source` and begins their ids", min_length=1
    )
    names: dict[str, str] = Field(
        default_factory=dict, description="Columns as this mapping calls them → their names in the file"
    )
    file: FileLayout = Field(default_factory=FileLayout, description="How the file is written")
    values: Values = Field(default_factory=Values, description="How values are written")
    all: Fields = Field(default_factory=dict, description="Fields of every event, such as the envelope")
    skip: list[SkipRule] = Field(default_factory=list, description="Rows that are no events")
    lookup: list[Lookup] = Field(default_factory=list, description="Other files of which a row is found by a key")
    clearing: Clearing | None = Field(default=None, description="Rows that settle each other")
    snapshot: Snapshot = Field(default_factory=Snapshot, description="For lists of open items that are compared")
    event: list[EventRule] = Field(description="The events of a row", min_length=1)


def rules_of(mapping: MappingFile) -> list[tuple[EventRule, ReadMapping[str, FieldSource]]]:
    """Each event rule with all its fields: its own win over those of ``[all]``."""
    return [(rule, {**mapping.all, **rule.fields}) for rule in mapping.event]
