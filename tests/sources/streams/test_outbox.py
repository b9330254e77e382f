"""The outbox: events in their written form, routed by Debezium's EventRouter or as changes of the table."""

import json
from pathlib import Path
from typing import Any

import pytest

from sources import SkippedRow, SourceReject
from sources.streams import StreamRecord
from sources.streams.follow import Reader
from tests.sources.streams.records import change, reader, record, reject, written

STREAM = """\
name = "billing"
kind = "outbox"
topics = ["outbox.event.invoice"]
company = "FR01"
source = "billing"
"""
EVENT = {
    "event": "InvoiceIssued", "account_id": "C1", "occurred_at": "2026-03-01T08:12:00Z", "invoice_id": "INV-17",
    "document_date": "2026-03-01", "due_date": "2026-03-31", "amount": "1234.56", "currency": "EUR",
}  # fmt: skip
ID = "4d47e190-0402-4048-bc2c-89dd54343cdc"
ROW = {
    "id": ID,
    "aggregatetype": "invoice",
    "aggregateid": "INV-17",
    "type": "InvoiceIssued",
    "payload": json.dumps(EVENT),
}
COLUMNS = [{"type": "string", "optional": True, "field": name} for name in ROW]
NAMELESS = {name: value for name, value in EVENT.items() if name != "event"}


def routed(value: object, **headers: bytes) -> StreamRecord:
    """What the EventRouter makes of a row."""
    return record(value, topic="outbox.event.invoice", key="INV-17", headers={"id": ID.encode(), **headers})


@pytest.fixture
def outbox(tmp_path: Path) -> Reader:
    """An outbox with the names that the EventRouter has by default."""
    return reader(tmp_path, stream=STREAM)


@pytest.mark.parametrize(
    "given",
    [
        routed(EVENT),  # table.expand.json.payload=true, or a converter that writes texts as they are
        routed(json.dumps(EVENT)),  # the JSON converter writes a text, so the payload is JSON within JSON
        routed({"schema": {"type": "string", "optional": True}, "payload": json.dumps(EVENT)}),
        routed({"schema": {"type": "struct"}, "payload": EVENT}),
        routed(NAMELESS, eventType=b"InvoiceIssued"),
        record(EVENT, topic="t", headers={"id": b'"' + ID.encode() + b'"'}),
        record(EVENT, topic="t", headers={"id": json.dumps({"schema": {}, "payload": ID}).encode()}),
        record(change("c", ROW, fields=COLUMNS)),
        record(change("r", ROW, schema=False, ts_ms=5)),
        record(change("c", {**ROW, "payload": json.dumps(NAMELESS)}, fields=COLUMNS)),
        record(change("c", {**ROW, "payload": EVENT}, schema=False)),
    ],
)
def test_every_form_of_the_outbox_gives_the_same_event(outbox: Reader, given: StreamRecord) -> None:
    (event,) = written(outbox.read(given))
    assert event["event_id"] == f"billing/outbox/{ID}"
    assert (event["event"], event["amount"], event["source"]) == ("InvoiceIssued", "1234.56", "billing")
    assert event["occurred_at"] == "2026-03-01T08:12:00Z"


def test_an_event_that_brings_its_own_id_keeps_it(outbox: Reader) -> None:
    (event,) = written(outbox.read(routed({**EVENT, "event_id": "mine-1"})))
    assert event["event_id"] == "mine-1"


def test_without_an_id_of_the_outbox_it_derives_from_the_document(outbox: Reader) -> None:
    (event,) = written(outbox.read(record(EVENT)))
    assert event["event_id"] == "billing/FR01/InvoiceIssued/invoice/INV-17"


def test_an_event_without_a_time_happened_when_its_row_was_written(outbox: Reader) -> None:
    timeless = {name: value for name, value in EVENT.items() if name != "occurred_at"}
    (of_the_record,) = written(outbox.read(routed(timeless)))
    (of_the_row,) = written(outbox.read(record(change("c", {**ROW, "payload": json.dumps(timeless)}, fields=COLUMNS))))
    assert of_the_record["occurred_at"] == "2026-03-01T09:12:02Z"
    assert of_the_row["occurred_at"] == "2026-03-01T09:12:01Z"


@pytest.mark.parametrize("value", [None, {"schema": None, "payload": None}, change("d", None, ROW), change("t", None)])
def test_rows_that_are_cleared_away_are_passed_over(outbox: Reader, value: object) -> None:
    given = record(value)
    assert list(outbox.read(given)) == [SkippedRow(given.position)]


@pytest.mark.parametrize(
    ("value", "reason", "words"),
    [
        (b"{", "malformed_json", "the record is not JSON"),
        ("hello", "malformed_json", "the payload is not JSON"),
        ([EVENT], "malformed_json", "not an object"),
        ({**EVENT, "amount": "1.234"}, "invalid_amount", "1.234"),
        ({**EVENT, "company": "US01"}, "wrong_company", "US01"),
        (NAMELESS, "missing_field", "name the event"),
        ({**EVENT, "event": "ClockTicked"}, "unknown_event", "a source may not send it"),
        (change("u", ROW, ROW), "outbox_updated", "only insert and delete"),
        (change("c", {"id": ID}), "missing_column", "no column payload; name it in [outbox]"),
        (change("c", {**ROW, "payload": None}), "missing_field", "the payload is empty"),
        (change("c", {**ROW, "payload": "{"}), "malformed_json", "the payload is not JSON"),
    ],
)
def test_what_is_no_event_is_kept_with_its_bytes(outbox: Reader, value: Any, reason: str, words: str) -> None:
    given = record(value)
    refused = reject(outbox.read(given))
    assert isinstance(refused, SourceReject)
    assert refused.reason == reason
    assert words in refused.message
    assert refused.original == given.value


def test_columns_and_headers_may_have_other_names(tmp_path: Path) -> None:
    names = '[outbox]\nid = "event_uuid"\npayload = "body"\ntype = "kind"\ntype_header = "kind"\n'
    outbox = reader(tmp_path, stream=STREAM + names)
    row = {"event_uuid": 7, "kind": "InvoiceIssued", "body": json.dumps(NAMELESS)}
    (event,) = written(outbox.read(record(change("c", row, schema=False))))
    assert event["event_id"] == "billing/outbox/7"
    (event,) = written(outbox.read(record(NAMELESS, headers={"event_uuid": b"7", "kind": b"InvoiceIssued"})))
    assert event["event_id"] == "billing/outbox/7"
