"""Ids and texts that a YAML file has as numbers: `invoice_id: 4711` means the text "4711"."""

from typing import Any

from avro.written import WrittenField, event_names, written_record

_TEXTS = frozenset({"text", "identifier"})


def with_texts(document: dict[str, Any]) -> dict[str, Any]:
    """The document of an event with whole numbers as texts wherever the event has a text or an id."""
    name = str(document.get("event"))
    return _with_texts(written_record(name).fields, document) if name in event_names() else document


def _with_texts(fields: tuple[WrittenField, ...], given: dict[str, Any]) -> dict[str, Any]:
    known = {field.written: field for field in fields}
    return {key: _value(known[key], value) if key in known else value for key, value in given.items()}


def _value(field: WrittenField, value: object) -> object:
    if field.kind in _TEXTS:
        return _text(value)
    if field.kind == "texts" and isinstance(value, list):
        return [_text(item) for item in value]
    if field.kind == "records" and isinstance(value, list):
        return [_with_texts(field.items, item) if isinstance(item, dict) else item for item in value]
    return value


def _text(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value
