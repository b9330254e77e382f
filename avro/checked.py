"""The encoder that takes its time: it fills in defaults and says which field does not fit (Avro spec, binary encoding).

It is the reference for the generated encoders, which hand over to it whatever they trip over.
"""

from collections.abc import Mapping
from typing import Any

from avro import primitives, types
from avro.errors import UnwritableRecord
from avro.schemas import AvroType

_MISSING = object()


class CheckedEncoder:
    """Encodes one record type from a mapping or from an object with attributes. Raises UnwritableRecord."""

    def __init__(self, schema: Mapping[str, Any], header: bytes) -> None:
        self._schema = schema
        self._header = header

    def __call__(self, record: object) -> bytes:
        """Header and datum."""
        return self._header + _record(self._schema, record, self._schema["name"])


def _record(schema: Mapping[str, Any], record: object, where: str) -> bytes:
    if isinstance(record, Mapping):
        unknown = sorted(set(record) - {field["name"] for field in schema["fields"]}, key=str)
        if unknown:
            raise UnwritableRecord(f"{where} has no field {unknown[0]}; leave it out")
    return b"".join(_field(field, record, f"{where}.{field['name']}") for field in schema["fields"])


def _field(field: Mapping[str, Any], record: object, where: str) -> bytes:
    name = field["name"]
    value = record.get(name, _MISSING) if isinstance(record, Mapping) else getattr(record, name, _MISSING)
    if value is _MISSING:
        if "default" not in field:
            raise UnwritableRecord(f"{where} is missing; give it a value, it has no default")
        value = field["default"]
    nullable, type_ = types.optional(field["type"])
    if not nullable:
        return _value(type_, value, where)
    return b"\0" if value is None else b"\2" + _value(type_, value, where)


def _value(type_: AvroType, value: object, where: str) -> bytes:
    try:
        return _plain(types.base(type_), value) or _nested(type_, value, where)
    except (OverflowError, UnicodeEncodeError) as error:
        raise UnwritableRecord(f"{where} cannot be written: {error}") from error


def _plain(base: str, value: object) -> bytes | None:
    """The bytes of a plain type; None where the value is not one of it. Python's types are wider: True is no number."""
    match base, value:
        case "boolean", bool():
            return b"\1" if value else b"\0"
        case _, bool():
            return None
        case "string", str():
            return primitives.text_bytes(value)
        case "bytes", bytes():
            return primitives.long_bytes(len(value)) + value
        case "int", int():
            return primitives.int_bytes(value)
        case "long", int():
            return primitives.long_bytes(value)
        case "double", int() | float():
            return primitives.DOUBLE.pack(value)
    return None


def _nested(type_: AvroType, value: object, where: str) -> bytes:
    base = types.base(type_)
    match base, value:
        case "array", list() | tuple():
            return _items([_value(type_["items"], item, f"{where}[{n}]") for n, item in enumerate(value, start=1)])
        case "map", Mapping():
            pairs = [
                _value("string", key, f"{where} (a key)") + _value(type_["values"], item, f"{where}[{key!r}]")
                for key, item in value.items()
            ]
            return _items(pairs)
        case "record", _ if value is not None:
            return _record(type_, value, where)
    raise UnwritableRecord(f"{where} is {value!r}, which is no {base}")


def _items(items: list[bytes]) -> bytes:
    return b"".join((primitives.long_bytes(len(items)), *items, b"\0")) if items else b"\0"
