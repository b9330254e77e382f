"""`docs/events.md` from the schemas: `python -m avro.document docs/events.md`."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from avro import contracts, types
from avro.schemas import EVENTS, AvroType, Schema
from avro.written import Kind, WrittenField, event_names, written_record

_ENVELOPE = ("event_id", "company", "account_id", "occurred_at", "recorded_at", "region", "source", "actor_id",
             "actor_role", "correlation_id")  # fmt: skip

_HEAD = """\
# Events and output records

<!-- Made from the schemas in avro/ by `python -m avro.document docs/events.md`; edit those, not this page. -->

Every event and every output record is an Avro record with a schema of its own, in `avro/events` and `avro/records`.
This page lists their fields. [topics.md](topics.md) says which topic carries what.

## How an event is written

In files, scenarios, the HTTP API and on the command line an event is a JSON object or a YAML mapping:

```yaml
event: InvoiceIssued
event_id: sap-4711
company: FR01
account_id: C1
occurred_at: 2026-03-01T09:00:00Z
invoice_id: I1
document_date: 2026-03-01
due_date: 2026-03-31
amount: "100.00"
currency: EUR
```

- **Amounts** are decimal texts with a point: `"1000.00"`. They may have as many decimals as the currency has by
  ISO 4217 (JPY 0, USD 2, KWD 3, CLF 4); trailing zeros are fine. A number without quotes is taken when it is exact as
  it is written. Thousands separators and exponents are refused.
- **Dates** are ISO dates, `2026-03-31`, **instants** ISO instants with a time zone, `2026-03-31T09:00:00Z`, at most
  to the microsecond; both between the years 1900 and 2199.
- **Ids** are texts and not empty; write numbers in quotes.
- A field that is left out, or null, has the default of the table, or that of the importing command. Of `occurred_at`
  and `recorded_at` each defaults to the other.
- A field that the event does not have is refused, with the nearest name that it has.

| refused as | when |
|---|---|
| `unknown_event` | there is no such event |
| `unknown_field`, `missing_field` | a field is not one of the event's, or a required one is not there |
| `invalid_amount` | no plain decimal number, too many decimals, beyond 64 bits, or no currency of ISO 4217 |
| `invalid_date` | no day of the calendar, an instant where a date belongs, no time zone, or a year out of range |
| `invalid_value` | any other value that does not fit its field |

In Kafka an event is Avro in Confluent's wire format: a zero byte, four bytes of schema id, the record. There an
amount is an integer in minor units named `<name>_minor`; an event that need not name a currency has the number of its
decimals beside it in `amount_scale`. A date is the days since 1970-01-01, an instant the microseconds.

## The envelope

Fields that every event has.

"""

_SYSTEM = """\
## Events of the pipeline itself

They stand in the log between the others, and no source may send them.

"""

_RECORDS = """\
## Output records

What the workers put out, with the fields as they are in Avro. The order is that of the bytes.

"""

_WORDS: dict[Kind, str] = {
    "text": "text",
    "identifier": "id",
    "currency": "currency",
    "amount": "amount",
    "amounts": "list of amounts",
    "scaled_amount": "amount",
    "decimal": "decimal number",
    "scalar": "text, number or date",
    "date": "date",
    "instant": "instant",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "bytes": "bytes",
    "texts": "list of ids",
    "records": "list",
    "mapping": "mapping",
    "amounts_by_currency": "amounts by currency",
}


def page() -> str:
    """The whole page as Markdown."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield _HEAD.rstrip("\n")
    yield ""
    envelope = written_record("InvoiceIssued").fields
    yield from _written_table(field for field in envelope if field.name in _ENVELOPE)
    yield from ("", "## Events", "")
    system = [name for name in event_names() if _is_of_the_pipeline(name)]
    for name in event_names():
        if name not in system:
            yield from _event(name)
    yield _SYSTEM.rstrip("\n")
    yield ""
    for name in system:
        yield from _event(name)
    yield _RECORDS.rstrip("\n")
    yield ""
    for name in contracts().names:
        schema = contracts().schema(name)
        if schema["namespace"] != EVENTS:
            yield from _record(schema)


def _is_of_the_pipeline(name: str) -> bool:
    return any(field.name == "source" and field.default == "arrears" for field in written_record(name).fields)


def _event(name: str) -> Iterator[str]:
    record = written_record(name)
    yield from (f"### {name}", "", record.doc, "")
    account = next(field for field in record.fields if field.name == "account_id")
    if account.doc != next(field.doc for field in written_record("InvoiceIssued").fields if field.name == "account_id"):
        yield from (f"`account_id`: {account.doc}", "")
    if record.exactly_one_of:
        yield from (f"Exactly one of {' and '.join(f'`{name}`' for name in record.exactly_one_of)} is given.", "")
    payload = [field for field in record.fields if field.name not in _ENVELOPE]
    if payload:
        yield from _written_table(payload)
        yield ""


def _written_table(fields: Iterable[WrittenField]) -> Iterator[str]:
    yield "| field | type | if left out | meaning |"
    yield "|---|---|---|---|"
    for field in fields:
        yield from _written_rows(field, "")


def _written_rows(field: WrittenField, path: str) -> Iterator[str]:
    yield f"| `{path}{field.written}` | {_type_words(field)} | {_if_left_out(field)} | {_cell(field.doc)} |"
    inside = {"records": f"{path}{field.written}[].", "mapping": f"{path}{field.written}.*."}.get(field.kind, "")
    for item in field.items:
        if field.kind == "records" or item is not field.items[0]:
            yield from _written_rows(item, inside)


def _type_words(field: WrittenField) -> str:
    return ", ".join(f"`{value}`" for value in field.values) or _WORDS[field.kind]


def _if_left_out(field: WrittenField) -> str:
    if field.required:
        return "required"
    if field.default is None:
        return ""
    empty = {"": "empty", "[]": "none"}
    return empty.get(str(field.default), f"`{str(field.default).lower()}`")


def _record(schema: Schema) -> Iterator[str]:
    yield from (f"### {schema['name']}", "", schema["doc"], "", "| field | Avro type | meaning |", "|---|---|---|")
    yield from _avro_rows(schema["fields"], "")
    yield ""


def _avro_rows(fields: list[dict[str, Any]], path: str) -> Iterator[str]:
    for field in fields:
        nullable, type_ = types.optional(field["type"])
        words = f"{_avro_words(type_)}{' or null' if nullable else ''}"
        yield f"| `{path}{field['name']}` | {words} | {_cell(_with_values(field))} |"
        if types.base(type_) == "array" and isinstance(type_["items"], dict):
            yield from _avro_rows(type_["items"]["fields"], f"{path}{field['name']}[].")


def _avro_words(type_: AvroType) -> str:
    base = types.base(type_)
    if base == "array":
        return f"array of {type_['items']['name'] if isinstance(type_['items'], dict) else type_['items']}"
    if base == "map":
        return f"map of {type_['values']}"
    logical = type_.get("logicalType") if isinstance(type_, dict) else None
    return f"{base} ({logical})" if logical else base


def _with_values(field: dict[str, Any]) -> str:
    values = field.get("values", ())
    return str(field["doc"]) + (f" One of {', '.join(f'`{value}`' for value in values)}." if values else "")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
