"""Whether old and new readers and writers understand each other: FULL_TRANSITIVE, by our own rules.

Rules of the Avro spec, "Schema Resolution", in both directions at once: what one version writes the other must read.
Stricter than Avro where a change resolves and yet changes what a value means.
"""

from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from avro import types
from avro.errors import ContractError
from avro.schemas import AvroType, Schema, full_name

Rule = Literal[
    "added_without_default",
    "removed_without_default",
    "renamed",
    "type_changed",
    "union_changed",
    "symbols_changed",
    "meaning_changed",
    "bad_default",
    "record_removed",
    "record_renamed",
    "undocumented",
    "unsupported_type",
]

_PROMOTED = {("int", "long"), ("int", "float"), ("int", "double"), ("long", "float"), ("long", "double"),
             ("float", "double"), ("string", "bytes"), ("bytes", "string")}  # fmt: skip
_MEANING = ("logicalType", "precision", "scale")


class Finding(msgspec.Struct, frozen=True):
    """One rule that a schema breaks. `version` is the released one it was compared with, None for the schema itself."""

    record: str
    version: int | None
    field: str
    rule: Rule
    message: str
    advice: str


def differences(old: Schema, new: Schema, version: int | None = None) -> list[Finding]:
    """What keeps readers of one of the two schemas from what the other has written; empty = fully compatible."""
    record = new["name"]
    if full_name(old) != full_name(new):
        message = f"{full_name(old)} is called {full_name(new)} now"
        return [Finding(record, version, "", "record_renamed", message, "keep the name; add a new record beside it")]
    found = _record(old, new, "")
    return [Finding(record, version, *parts) for parts in found]


def shortcomings(schema: Schema) -> list[Finding]:
    """What is wrong with a schema by itself: documentation, defaults, types that the codec does not have."""
    record = schema["name"]
    return [Finding(record, None, *parts) for parts in _shortcomings(schema, "")]


_Parts = tuple[str, Rule, str, str]


def _record(old: Schema, new: Schema, path: str) -> Iterator[_Parts]:
    before = {field["name"]: field for field in old["fields"]}
    after = {field["name"]: field for field in new["fields"]}
    for name, field in after.items():
        if name in before:
            yield from _type(before[name]["type"], field["type"], path + name)
        elif "default" not in field:
            yield (path + name, "added_without_default", "what was written before lacks the field",
                   'give it a default, such as {"type": ["null", T], "default": null}')  # fmt: skip
    renamed = {alias: name for name, field in after.items() for alias in field.get("aliases", ())}
    for name, field in before.items():
        if name in after:
            continue
        if name in renamed:
            # Avro resolves an alias one way only: readers of the old schema would see nothing but the default.
            yield (path + name, "renamed", f"older readers do not find it under {renamed[name]}",
                   f"keep {name}, and add {renamed[name]} beside it with a default")  # fmt: skip
        elif "default" not in field:
            yield (path + name, "removed_without_default", "older readers need the field and have no default for it",
                   "keep the field; stop filling it only after a release in which it has a default")  # fmt: skip


def _type(old: AvroType, new: AvroType, path: str) -> Iterator[_Parts]:
    if isinstance(old, list) or isinstance(new, list):
        yield from _union(old if isinstance(old, list) else [old], new if isinstance(new, list) else [new], path)
        return
    before, after = _kind(old), _kind(new)
    if before != after:
        one_way = (before, after) in _PROMOTED or (after, before) in _PROMOTED
        why = "; Avro promotes it in one direction only" if one_way else ""
        yield path, "type_changed", f"{before} became {after}{why}", "keep the type; add a new field beside it"
        return
    if not (isinstance(old, dict) and isinstance(new, dict)):
        if _meaning(old) != _meaning(new):
            yield _meaning_changed(old, new, path)
        return
    yield from _complex(before, old, new, path)


def _complex(kind: str, old: dict[str, Any], new: dict[str, Any], path: str) -> Iterator[_Parts]:
    match kind:
        case "record":
            if old["name"] != new["name"]:
                yield (path, "record_renamed", f"its record {old['name']} is called {new['name']} now",
                       "keep the name of the record")  # fmt: skip
            else:
                yield from _record(old, new, f"{path}.")
        case "array":
            yield from _type(old["items"], new["items"], f"{path}[]")
        case "map":
            yield from _type(old["values"], new["values"], f"{path}{{}}")
        case "enum":
            if old["name"] != new["name"] or set(old["symbols"]) != set(new["symbols"]):
                yield (path, "symbols_changed", "one side knows symbols that the other does not",
                       "keep the symbols; a text field takes new words without a release")  # fmt: skip
        case "fixed":
            if (old["name"], old["size"]) != (new["name"], new["size"]):
                yield path, "type_changed", "its size or name changed", "keep it; add a new field beside it"
        case _:
            if _meaning(old) != _meaning(new):
                yield _meaning_changed(old, new, path)


def _union(old: list[AvroType], new: list[AvroType], path: str) -> Iterator[_Parts]:
    before = {_kind(branch): branch for branch in old}
    after = {_kind(branch): branch for branch in new}
    for kind in before.keys() & after.keys():
        yield from _type(before[kind], after[kind], path)
    if before.keys() != after.keys():
        changed = " and ".join(
            [f"{kind} is new" for kind in after if kind not in before]
            + [f"{kind} is gone" for kind in before if kind not in after]
        )
        yield (path, "union_changed", f"the types it may have differ: {changed}",
               "keep the types; add a new field beside it")  # fmt: skip


def _meaning(type_: AvroType) -> tuple[object, ...]:
    return tuple(type_.get(key) for key in _MEANING) if isinstance(type_, dict) else (None,) * len(_MEANING)


def _meaning_changed(old: AvroType, new: AvroType, path: str) -> _Parts:
    before, after = (
        (type_.get("logicalType") if isinstance(type_, dict) else None) or "a plain value" for type_ in (old, new)
    )
    message = f"the same bytes meant {before} and mean {after}"
    return path, "meaning_changed", message, "keep the logical type; add a new field beside it"


def _kind(type_: AvroType) -> str:
    return str(type_["type"] if isinstance(type_, dict) else type_)


def _shortcomings(schema: Schema, path: str) -> Iterator[_Parts]:
    if not str(schema.get("doc", "")).strip():
        yield path, "undocumented", f"the record {schema['name']} has no doc", "say what it means, with units"
    for field in schema["fields"]:
        where = path + field["name"]
        if not str(field.get("doc", "")).strip():
            yield where, "undocumented", "the field has no doc", "say what it means, with units"
        try:
            nullable, type_ = types.optional(field["type"])
            base = types.base(type_)
        except ContractError as error:
            yield where, "unsupported_type", str(error), "use a type of avro/types.py, or teach the codec another"
            continue
        if "default" in field and not _fits(field["default"], base, nullable=nullable):
            needed = "null" if nullable else base
            yield (
                where,
                "bad_default",
                f"the default {field['default']!r} is no {needed}",
                f"give it one that is {needed}",
            )
        items = type_.get("items") if base == "array" else type_ if base == "record" else None
        if isinstance(items, dict) and items.get("type") == "record":
            yield from _shortcomings(items, f"{where}.")


def _fits(default: object, base: str, *, nullable: bool) -> bool:
    """A default is a value of the first branch of a union (Avro spec, "Complex Types")."""
    if nullable:
        return default is None
    kinds: dict[str, tuple[type, ...]] = {
        "string": (str,), "bytes": (str,), "boolean": (bool,), "int": (int,), "long": (int,), "double": (int, float),
        "array": (list,), "map": (dict,), "record": (dict,),
    }  # fmt: skip
    return isinstance(default, kinds[base]) and (base == "boolean" or not isinstance(default, bool))
