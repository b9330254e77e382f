"""What Kafka Connect's JSON converter writes: a payload alone, or with the schema that says what its values are."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from sources.errors import UnreadableError

# Numbers with decimals stay as they are written.
_DECODER = msgspec.json.Decoder(float_hook=Decimal)


class ColumnType(msgspec.Struct, frozen=True, gc=False):
    """The type of a column: the name of its logical type, else Connect's own; `scale` of a decimal.

    An empty name says that nothing is known of it.
    """

    name: str
    scale: int = 0


UNKNOWN = ColumnType("")


class Message(msgspec.Struct, frozen=True):
    """A payload, and the schema of it where the converter wrote one (`schemas.enable=true`)."""

    payload: Any
    schema: Mapping[str, Any] | None


def read_message(data: bytes) -> Message:
    """The message in a record's key or value. Raises ``UnreadableError``."""
    try:
        document: Any = _DECODER.decode(data)
    except UnicodeDecodeError as error:
        raise UnreadableError("invalid_encoding", _not_json(data, "it is not UTF-8")) from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise UnreadableError("malformed_json", _not_json(data, str(error))) from error
    if isinstance(document, dict) and document.keys() == {"schema", "payload"}:
        return Message(document["payload"], document["schema"])
    return Message(document, None)


def _not_json(data: bytes, words: str) -> str:
    if data[:1] == b"\0":
        return (
            "the record begins like Avro or Protobuf with a schema id; "
            "set value.converter=org.apache.kafka.connect.json.JsonConverter in the connector"
        )
    return f"the record is not JSON: {words}"


def field_schema(schema: Mapping[str, Any] | None, name: str) -> Mapping[str, Any] | None:
    """The schema of one field of a struct; None when it is not known."""
    return next((field for field in _fields(schema) if field.get("field") == name), None)


def column_types(schema: Mapping[str, Any] | None) -> dict[str, ColumnType]:
    """The types of a struct's fields by their names. Raises ``UnreadableError`` for a schema that is none."""
    try:
        return {field["field"]: _type(field) for field in _fields(schema)}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UnreadableError("malformed_schema", f"the schema in the record cannot be read: {error!r}") from error


def _fields(schema: object) -> list[dict[str, Any]]:
    fields = schema.get("fields") if isinstance(schema, dict) else None
    return [field for field in fields if isinstance(field, dict)] if isinstance(fields, list) else []


def _type(field: Mapping[str, Any]) -> ColumnType:
    parameters = field.get("parameters") or {}
    name = field.get("name") or field["type"]
    if not isinstance(name, str):
        raise TypeError(f"{name!r} is no type")
    return ColumnType(name, int(parameters.get("scale", 0)))
