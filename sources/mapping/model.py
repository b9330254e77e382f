"""The mapping file: how rows of a delimited extract become events. Every key has a sentence; docs are made from them.

Written as TOML. `docs/sources/csv-mapping.md` explains it with examples; `load.py` reads it, `check.py` holds it
against the event contracts, `compile.py` makes functions of it.
"""

import codecs
from collections.abc import Mapping as ReadMapping
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from sources.mapping.amounts import Negative
from sources.mapping.dates import NAMED_DATES, NAMED_TIMESTAMPS, check_format

ENCODINGS = ("utf-8", "utf-8-sig", "latin-1", "cp1252")


class Section(BaseModel):
    """A table of the mapping; a key that is not declared is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _one_character(value: str) -> str:
    if len(value) != 1 or value in "\r\n":
        raise ValueError("must be one character; write \\t for a tab")
    return value


def _no_or_one_character(value: str) -> str:
    return _one_character(value) if value else value


def _known_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, OSError, ValueError) as error:
        raise ValueError(f"{value!r} is not an IANA time zone such as Europe/Paris") from error
    return value


def _known_encoding(value: str) -> str:
    names = {codecs.lookup(name).name: name for name in ENCODINGS}
    try:
        return names[codecs.lookup(value).name]
    except (KeyError, LookupError) as error:
        raise ValueError(f"{value!r} is not one of {', '.join(ENCODINGS)}") from error


Character = Annotated[str, AfterValidator(_one_character)]
Zone = Annotated[str, AfterValidator(_known_zone)]
Encoding = Annotated[str, AfterValidator(_known_encoding)]
DateFormat = Annotated[str, AfterValidator(lambda value: check_format(value, NAMED_DATES))]
TimestampFormat = Annotated[str, AfterValidator(lambda value: check_format(value, NAMED_TIMESTAMPS))]


class FileLayout(Section):
    """How the file is written."""

    encoding: Encoding = Field(default="utf-8", description=f"One of {', '.join(ENCODINGS)}")
    delimiter: Character = Field(default=",", description="The character between two values")
    quote: Annotated[str, AfterValidator(_no_or_one_character)] = Field(
        default='"', description="The character around values; empty = quotes are ordinary characters"
    )
    skip_lines: Annotated[int, Field(ge=0)] = Field(
        default=0, description="Rows before the header that are passed over, such as a report title"
    )
    columns: list[str] = Field(
        default_factory=list, description="Names of the columns, for a file that has no header row"
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
    thousands_separator: Annotated[str, AfterValidator(_no_or_one_character)] = Field(
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


class Indicator(Section):
    """A column that decides the sign of an amount, such as debit/credit or S/H."""

    column: str = Field(description="The column that holds the indicator")
    negative: list[str] = Field(description="Its texts for a negative amount")
    positive: list[str] = Field(description="Its texts for a positive amount; any other text is a bad row")


class Condition(Section):
    """A test of one column. All the keys that are given must hold."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)

    equals: list[str] | None = Field(default=None, alias="is", description="The text is one of these")
    differs: list[str] | None = Field(default=None, alias="not", description="The text is none of these")
    empty: bool | None = Field(default=None, description="true: there is no value; false: there is one")
    matches: str | None = Field(default=None, description="The text holds this regular expression")
    sign: Literal["positive", "negative", "zero"] | None = Field(
        default=None, description="The amount in the column is positive, negative or zero"
    )


class Changes(Section):
    """The change of one field that a row of an audit table tells; rows of a group are one event."""

    field: str = Field(description="Name of the field, as text with columns in braces, e.g. `{TABNAME}.{FNAME}`")
    old: str | None = Field(default=None, description="The column that holds the value before")
    new: str | None = Field(default=None, description="The column that holds the value after")


def _condition(value: object) -> object:
    if isinstance(value, str):
        return {"is": [value]}
    return {"is": value} if isinstance(value, list) else value


def _source(value: object) -> object:
    if isinstance(value, str):
        return {"column": value}
    return {"items": value} if isinstance(value, list) else value


Conditions = dict[str, Annotated[Condition, BeforeValidator(_condition)]]
Constant = str | int | bool


class FieldSource(Section):
    """Where a field's value comes from: one of column, template, constant, changes or a list of items.

    A text alone is short for `{ column = … }`, a list for the items of a list field.
    """

    column: str | None = Field(default=None, description="The column that holds the value")
    template: str | None = Field(
        default=None, description="Text with columns in braces, e.g. `{DATE} {TIME}`; empty when all of them are"
    )
    constant: Constant | None = Field(default=None, description="The same value for every row, in the event's form")
    items: list[dict[str, Annotated["FieldSource", BeforeValidator(_source)]]] | None = Field(
        default=None, description="The elements of a list field; one whose columns are all empty is left out"
    )
    values: dict[str, Constant] | None = Field(
        default=None, description="The source's texts and what each means in the event's form"
    )
    otherwise: Constant | None = Field(
        default=None, description="The meaning of a text that `values` does not list; without it the row is bad"
    )
    default: Constant | None = Field(default=None, description="The value where the source has none")
    format: str | None = Field(default=None, description="Form of this date or time, instead of that of [values]")
    timezone: Zone | None = Field(default=None, description="Time zone of this time, instead of that of [values]")
    implied_decimals: Annotated[int, Field(ge=0, le=6)] | None = Field(
        default=None, description="For this amount, instead of that of [values]"
    )
    sign: Literal["as_written", "reversed", "absolute"] = Field(
        default="as_written", description="What to do with the sign of the amount"
    )
    indicator: Indicator | None = Field(default=None, description="The column that decides the sign of the amount")
    plus_days: list[str] = Field(
        default_factory=list,
        description="Columns with a number of days that is added to this date; the first that is not empty or 0 "
        "counts, e.g. `ZBD3T`, `ZBD2T`, `ZBD1T` beside the baseline date",
    )
    changes: Changes | None = Field(default=None, description="For `changes`: the field that this row says was changed")
    split: Character | None = Field(default=None, description="The character between the elements of a list of texts")
    left_strip: Character | None = Field(
        default=None, description="A character cut from the left, e.g. `0` of `0000104711`"
    )

    @model_validator(mode="after")
    def _has_one_origin(self) -> "FieldSource":
        origins = [self.column, self.template, self.constant, self.items, self.changes]
        if sum(origin is not None for origin in origins) != 1:
            raise ValueError("needs exactly one of column, template, constant, changes, or a list of items")
        return self


Fields = dict[str, Annotated[FieldSource, BeforeValidator(_source)]]


class EventRule(Section):
    """An event that a row yields when its conditions hold. A row may yield several, in the order of the rules."""

    event: str = Field(description="Name of the event, e.g. InvoiceIssued")
    when: Conditions = Field(
        default_factory=dict, description="Column → text, list of texts, or test; none = every row"
    )
    fields: Fields = Field(default_factory=dict, description="Field of the event → where its value comes from")
    open: Annotated[FieldSource, BeforeValidator(_source)] | None = Field(
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


class Clearing(Section):
    """Rows that share a clearing document settle each other, as in SAP: credits are applied to what they cleared."""

    key: str = Field(description="The clearing document, as text with columns in braces; empty = not cleared")
    date: str = Field(description="The column that holds the day of the clearing, written like [values] says")
    reference: str | None = Field(
        default=None,
        description="For credits: the document that the row names, written like its `invoice_id`; it is settled first, "
        "and also while nothing is cleared",
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

    source: str = Field(
        description="Name of the system, e.g. sap; it is the events' `source` and begins their ids", min_length=1
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
