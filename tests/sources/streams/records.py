"""Records as connectors write them, built from rows."""

import base64
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from avro.text import write_event
from sources import Parsed, ParsedEvent, SourceReject
from sources.streams import StreamRecord, load_stream_config, stream_reader
from sources.streams.follow import Reader

TOPIC = "erp.public.ar_invoices"
# The table of these tests: PostgreSQL's types as Debezium names them with its default settings.
INVOICE_SCHEMA = (
    {"type": "int32", "optional": False, "field": "id"},
    {"type": "string", "optional": False, "field": "number"},
    {"type": "string", "optional": True, "field": "customer"},
    {"type": "string", "optional": True, "field": "status"},
    {"type": "int32", "optional": True, "name": "io.debezium.time.Date", "version": 1, "field": "issued"},
    {"type": "int32", "optional": True, "name": "io.debezium.time.Date", "version": 1, "field": "due"},
    {"type": "bytes", "optional": True, "name": "org.apache.kafka.connect.data.Decimal", "version": 1,
     "parameters": {"scale": "2", "connect.decimal.precision": "15"}, "field": "amount"},
    {"type": "string", "optional": True, "field": "currency"},
    {"type": "int64", "optional": True, "name": "io.debezium.time.MicroTimestamp", "version": 1, "field": "entered"},
)  # fmt: skip
INVOICE = {
    "id": 17, "number": "INV-17", "customer": "C1", "status": "posted", "issued": 20_513, "due": 20_543,
    "amount": "AeJA", "currency": "EUR", "entered": 1_772_356_320_000_000,
}  # fmt: skip
MAPPING = """\
source = "erp"
[values]
timezone = "Europe/Paris"
[all]
account_id = "customer"
occurred_at = "entered"
recorded_at = "entered"
[[skip]]
when = { status = "draft" }
[[event]]
event = "InvoiceIssued"
[event.fields]
invoice_id = "number"
document_date = "issued"
due_date = "due"
amount = "amount"
currency = "currency"
"""
STREAM = """\
name = "erp"
kind = "debezium"
topics = ["erp.public.ar_invoices"]
company = "FR01"
[[table]]
name = "public.ar_invoices"
mapping = "invoices.toml"
"""


def decimal_bytes(unscaled: int) -> str:
    """Connect's Decimal as the JSON converter writes it."""
    return base64.b64encode(unscaled.to_bytes(unscaled.bit_length() // 8 + 1, "big", signed=True)).decode()


def change(
    op: str,
    after: Mapping[str, Any] | None,
    before: Mapping[str, Any] | None = None,
    *,
    lsn: int = 24_023_128,
    ts_ms: int = 1_772_356_321_000,
    schema: bool = True,
    fields: Iterable[Mapping[str, Any]] = INVOICE_SCHEMA,
) -> dict[str, Any]:
    """The value of a change event of PostgreSQL's connector, with the schema of the converter or without."""
    source = {
        "version": "3.1.0.Final", "connector": "postgresql", "name": "erp", "ts_ms": ts_ms,
        "snapshot": "true" if op == "r" else "false", "db": "finance", "schema": "public", "table": "ar_invoices",
        "txId": 555, "lsn": lsn, "xmin": None,
    }  # fmt: skip
    payload = {"before": before, "after": after, "source": source, "op": op, "ts_ms": ts_ms + 420, "transaction": None}
    if not schema:
        return payload
    row = {"type": "struct", "optional": True, "name": "erp.public.ar_invoices.Value", "fields": list(fields)}
    envelope = [{**row, "field": "before"}, {**row, "field": "after"}]
    return {"schema": {"type": "struct", "optional": False, "fields": envelope}, "payload": payload}


def record(
    value: object,
    *,
    offset: int = 3,
    key: object = None,
    topic: str = TOPIC,
    headers: Mapping[str, bytes] | None = None,
) -> StreamRecord:
    """A record with a value that is written as JSON; bytes stay as they are."""
    data = value if isinstance(value, bytes) or value is None else json.dumps(value).encode()
    own_key = json.dumps(key).encode() if key is not None else None
    return StreamRecord(topic, 0, offset, own_key, data, headers or {}, 1_772_356_322_000)


def reader(folder: Path, mapping: str = MAPPING, stream: str = STREAM) -> Reader:
    """The adapter of a configuration in a folder."""
    (folder / "invoices.toml").write_text(mapping, encoding="utf-8")
    (folder / "stream.toml").write_text(stream, encoding="utf-8")
    return stream_reader(load_stream_config(folder / "stream.toml"), folder)


def written(values: Iterable[Parsed]) -> list[dict[str, Any]]:
    """The events among the values, in their written form; the ids without what tells versions apart."""
    events = [value for value in values if isinstance(value, ParsedEvent)]
    return [write_event(event.name, event.record) for event in events]


def reject(values: Iterable[Parsed]) -> SourceReject:
    """The one value there is, a reject."""
    (value,) = values
    assert isinstance(value, SourceReject), value
    return value
