"""The fields of a record as people write them, derived from its schema (SCENARIOS §1).

`<x>_minor` is written `<x>` as a decimal text, dates and instants are ISO texts, `amount_scale` is not written at all.
Properties of a schema field that Avro does not know say the rest: `written` (another name), `values` (all that is
allowed), `form` (`decimal`, `scalar`, or `mapping`: an array of records as a mapping by their first field). The record
property `exactly_one_of` names fields of which one must be given.
"""

from functools import cache
from typing import Any, Literal

import msgspec

from avro.contracts import contracts
from avro.schemas import EVENTS, AvroType

Kind = Literal["text", "identifier", "currency", "amount", "amounts", "scaled_amount", "decimal", "scalar", "date",
               "instant", "integer", "number", "boolean", "bytes", "texts", "records", "mapping",
               "amounts_by_currency"]  # fmt: skip

SCALE = "amount_scale"
_MINOR = "_minor"
_UNITS_IN_AVRO = (
    " Integer minor units of currency.",
    " Integer of amount_scale decimals.",
    " Days since 1970-01-01.",
    " UTC, microseconds since 1970-01-01.",
)
_MAY_BE_EMPTY = frozenset({"actor_id"})


class WrittenField(msgspec.Struct, frozen=True):
    """One field: `name` in Avro, `written` by people. `items` are the fields of its records.

    `doc` is that of the schema, without the units that hold in Avro only.
    """

    name: str
    written: str
    kind: Kind
    required: bool
    default: Any
    values: tuple[str, ...]
    items: tuple["WrittenField", ...]
    doc: str


class WrittenRecord(msgspec.Struct, frozen=True):
    """An event, or any other record, as people write it. `fields` are in the order of the schema."""

    name: str
    doc: str
    fields: tuple[WrittenField, ...]
    exactly_one_of: tuple[str, ...]


@cache
def written_record(name: str) -> WrittenRecord:
    """The written form of a record. Raises UnknownSchema."""
    schema = contracts().schema(name)
    return WrittenRecord(name, schema["doc"], fields_of(schema), tuple(schema.get("exactly_one_of", ())))


@cache
def event_names() -> tuple[str, ...]:
    """The names of all events, in alphabetical order."""
    known = contracts()
    return tuple(name for name in known.names if known.schema(name)["namespace"] == EVENTS)


def fields_of(schema: dict[str, Any]) -> tuple[WrittenField, ...]:
    """The written fields of a record schema; `amount_scale` is not among them."""
    scaled = any(field["name"] == SCALE for field in schema["fields"])
    return tuple(_field(field, scaled) for field in schema["fields"] if field["name"] != SCALE)


def _field(field: dict[str, Any], scaled: bool) -> WrittenField:
    name: str = field["name"]
    types = field["type"] if isinstance(field["type"], list) else [field["type"]]
    type_ = next(branch for branch in types if branch != "null")
    kind = _kind(name, type_, scaled, field.get("form"))
    items = fields_of(type_["items"]) if kind in {"records", "mapping"} else ()
    return WrittenField(
        name=name,
        written=field.get("written", name.removesuffix(_MINOR) if "amount" in kind else name),
        kind=kind,
        required="default" not in field and "null" not in types,
        default=field.get("default"),
        values=tuple(field.get("values", ())),
        items=items,
        doc=_without_units(field["doc"]),
    )


def _without_units(doc: str) -> str:
    for units in _UNITS_IN_AVRO:
        doc = doc.removesuffix(units)
    return doc


def _kind(name: str, type_: AvroType, scaled: bool, form: Kind | None) -> Kind:
    if form is not None:
        return form
    if name.endswith(_MINOR):
        return "amounts" if type_ != "long" else "scaled_amount" if scaled else "amount"
    if name == "currency" or name.endswith("_currency"):
        return "currency"
    if isinstance(type_, dict):
        if type_["type"] == "array":
            return "records" if isinstance(type_["items"], dict) else "texts"
        logical: dict[str, Kind] = {"date": "date", "timestamp-micros": "instant"}
        return logical[type_["logicalType"]]
    if type_ == "string" and (name == "company" or name.endswith("_id")) and name not in _MAY_BE_EMPTY:
        return "identifier"
    plain: dict[str, Kind] = {"string": "text", "int": "integer", "long": "integer", "double": "number",
                              "boolean": "boolean", "bytes": "bytes"}  # fmt: skip
    return plain[type_]
