"""Where the value of a field comes from, and conditions on rows: the parts that all tables of a mapping share."""

from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator


class Section(BaseModel):
    """A table of the mapping; a key that is not declared is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _one_character(value: str) -> str:
    if len(value) != 1 or value in "\r\n":
        raise ValueError("must be one character; write \\t for a tab")
    return value


def no_or_one_character(value: str) -> str:
    return _one_character(value) if value else value


def _known_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, OSError, ValueError) as error:
        raise ValueError(f"{value!r} is not an IANA time zone such as Europe/Paris") from error
    return value


Character = Annotated[str, AfterValidator(_one_character)]
Zone = Annotated[str, AfterValidator(_known_zone)]


class Indicator(Section):
    """A column that decides the sign of an amount, such as debit/credit or S/H."""

    column: str = Field(description="The column that holds the indicator")
    negative: list[str] = Field(description="Its texts for a negative amount")
    positive: list[str] = Field(description="Its texts for a positive amount; any other text is a bad row")


class Stored(Section):
    """Amounts that a database keeps with one number of decimals for all currencies, as SAP and JD Edwards do."""

    currency: str = Field(description="The column that holds the amount's currency")
    decimals: Annotated[int, Field(ge=0, le=6)] = Field(
        description="Decimals with which the digits are written: in SAP's tables 2, so that 123.45 of JPY are 12345"
    )


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


def as_source(value: object) -> object:
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
    items: list[dict[str, Annotated["FieldSource", BeforeValidator(as_source)]]] | None = Field(
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
    fallback: str | None = Field(default=None, description="Another column, for rows where `column` is empty")
    implied_decimals: Annotated[int, Field(ge=0, le=6)] | None = Field(
        default=None, description="For this amount, instead of that of [values]"
    )
    stored: Stored | None = Field(
        default=None, description="For this amount: its digits are minor units, whatever decimals they are written with"
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
    cut_end: str | None = Field(
        default=None, description="Text cut from the end, e.g. `-1` of `{TRX}-{SEQUENCE}`, where the first is meant"
    )

    @model_validator(mode="after")
    def _has_one_origin(self) -> "FieldSource":
        origins = [self.column, self.template, self.constant, self.items, self.changes]
        if sum(origin is not None for origin in origins) != 1:
            raise ValueError("needs exactly one of column, template, constant, changes, or a list of items")
        return self


Fields = dict[str, Annotated[FieldSource, BeforeValidator(as_source)]]
