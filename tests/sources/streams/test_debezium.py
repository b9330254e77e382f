"""Debezium's change events: every form that connectors write, and every kind of record that is no change of a row."""

import json
from pathlib import Path
from typing import Any

import pytest

from sources import SkippedRow, SourceError, SourceReject
from tests.sources.streams.records import (
    INVOICE,
    MAPPING,
    STREAM,
    change,
    decimal_bytes,
    reader,
    record,
    reject,
    written,
)

UNTYPED = STREAM + (
    '[table.types]\nissued = "date_days"\ndue = "date_days"\namount = "decimal(2)"\nentered = "timestamp_micros"\n'
)
BY_OPERATION = (
    MAPPING
    + """
[[event]]
event = "InvoiceAdjusted"
when = { __op = "u", "delta.amount" = { sign = "negative" } }
[event.fields]
adjustment_id = "__position"
invoice_id = "number"
amount = "delta.amount"
currency = "currency"
occurred_at = { column = "__ts_ms", format = "unix_milliseconds" }
[[event]]
event = "InvoiceDueDateChanged"
when = { __op = "u", __changed = { matches = '\\bdue\\b' } }
[event.fields]
invoice_id = "number"
due_date = "due"
occurred_at = { column = "__ts_ms", format = "unix_milliseconds" }
[[event]]
event = "InvoiceCancelled"
when = { __op = "d", "status" = "posted" }
[event.fields]
invoice_id = "number"
occurred_at = { column = "__ts_ms", format = "unix_milliseconds" }
"""
).replace('event = "InvoiceIssued"\n', 'event = "InvoiceIssued"\nwhen = { __op = ["c", "r"] }\n')


def test_an_insert_becomes_the_event_that_an_extract_would_give(tmp_path: Path) -> None:
    (event,) = written(reader(tmp_path).read(record(change("c", INVOICE))))
    assert event == {
        "event": "InvoiceIssued", "event_id": "erp/FR01/InvoiceIssued/invoice/INV-17@9914859bf45b", "company": "FR01",
        "account_id": "C1", "occurred_at": "2026-03-01T08:12:00Z", "recorded_at": "2026-03-01T08:12:00Z", "region": "",
        "invoice_id": "INV-17", "document_type": "invoice", "document_date": "2026-03-01", "due_date": "2026-03-31",
        "amount": "1234.56", "currency": "EUR", "source": "erp", "actor_id": "erp", "actor_role": "system",
    }  # fmt: skip


def test_all_forms_of_a_row_give_the_same_event(tmp_path: Path) -> None:
    """With a schema, without one, unwrapped with and without one, in a snapshot, and after an update of no matter."""
    enveloped = change("c", INVOICE)
    (row,) = [part for part in enveloped["schema"]["fields"] if part["field"] == "after"]
    forms = [
        (reader(tmp_path), record(enveloped)),
        (reader(tmp_path, stream=UNTYPED), record(change("c", INVOICE, schema=False))),
        (reader(tmp_path), record({"schema": row, "payload": {**INVOICE, "__deleted": "false"}})),
        (reader(tmp_path, stream=UNTYPED), record({**INVOICE, "__op": "c", "__source_ts_ms": 5})),
        (reader(tmp_path), record(change("r", INVOICE, lsn=99, ts_ms=1_790_000_000_000), offset=70)),
        (reader(tmp_path), record(change("u", INVOICE, {**INVOICE, "id": 16}, lsn=98), offset=71)),
    ]
    events = [written(form.read(given)) for form, given in forms]
    assert all(len(event) == 1 for event in events)
    assert all(event == events[0] for event in events)


def test_a_changed_amount_under_a_known_number_is_another_event_of_the_same_document(tmp_path: Path) -> None:
    """The worker then refuses it aloud; under the same id it would be taken for a repetition and ignored."""
    read = reader(tmp_path).read
    (first,) = written(read(record(change("c", INVOICE))))
    (second,) = written(read(record(change("u", {**INVOICE, "amount": decimal_bytes(99_900)}, INVOICE))))
    assert first["event_id"] != second["event_id"]
    assert first["invoice_id"] == second["invoice_id"]
    assert second["amount"] == "999.00"


def test_rules_may_ask_for_the_operation_and_for_what_was_before(tmp_path: Path) -> None:
    read = reader(tmp_path, BY_OPERATION).read
    after = {**INVOICE, "amount": decimal_bytes(100_000), "due": 20_550}
    adjusted, moved = written(read(record(change("u", after, INVOICE, lsn=7), key={"id": 17})))
    assert (adjusted["event"], adjusted["amount"], adjusted["adjustment_id"]) == ("InvoiceAdjusted", "-234.56", "7/17")
    assert (moved["event"], moved["due_date"]) == ("InvoiceDueDateChanged", "2026-04-07")
    (cancelled,) = written(read(record(change("d", None, INVOICE))))
    assert (cancelled["event"], cancelled["invoice_id"]) == ("InvoiceCancelled", "INV-17")
    assert cancelled["occurred_at"] == "2026-03-01T09:12:01Z"


def test_the_same_change_read_from_another_place_is_the_same_event(tmp_path: Path) -> None:
    """A connector that restarts writes changes again: other offsets, the same place in the database's log."""
    read = reader(tmp_path, BY_OPERATION).read
    value = change("u", {**INVOICE, "amount": decimal_bytes(1)}, INVOICE, lsn=7)
    key = {"schema": {"type": "struct"}, "payload": {"id": 17}}
    assert written(read(record(value, offset=3, key=key))) == written(read(record(value, offset=900, key=key)))


@pytest.mark.parametrize(
    ("source", "position"),
    [
        ({"lsn": 24_023_128}, "24023128/17"),
        ({"file": "mysql-bin.000003", "pos": 484, "row": 0}, "mysql-bin.000003:484:0/17"),
        ({"commit_lsn": "00:2b", "change_lsn": "00:2a", "event_serial_no": 2}, "00:2b:00:2a:2/17"),
        ({"commit_scn": "5", "scn": "4", "rs_id": "0x1", "ssn": 0}, "5:4:0x1:0/17"),
        ({}, "erp.public.ar_invoices:0:3"),
    ],
)
def test_a_change_has_one_position_whatever_the_database(tmp_path: Path, source: dict[str, Any], position: str) -> None:
    value = change("u", {**INVOICE, "amount": decimal_bytes(1)}, INVOICE, schema=True)
    del value["payload"]["source"]["lsn"]
    value["payload"]["source"] |= source
    (adjusted,) = written(reader(tmp_path, BY_OPERATION).read(record(value, key={"id": 17})))
    assert adjusted["adjustment_id"] == position


@pytest.mark.parametrize(("snapshot", "op"), [(True, "r"), ("last", "r"), ("true", "r"), (False, "c"), ("false", "c")])
def test_rows_that_old_connectors_read_in_a_snapshot_are_known_as_such(tmp_path: Path, snapshot: Any, op: str) -> None:
    """Before 1.0 they were written as inserts."""
    value = change("c", INVOICE)
    value["payload"]["source"]["snapshot"] = snapshot
    mapping = MAPPING.replace('event = "InvoiceIssued"\n', f'event = "InvoiceIssued"\nwhen = {{ __op = "{op}" }}\n')
    assert len(written(reader(tmp_path, mapping).read(record(value)))) == 1


def test_a_deletion_that_no_rule_asks_for_is_refused_and_never_taken_for_a_row(tmp_path: Path) -> None:
    refused = reject(reader(tmp_path).read(record(change("d", None, INVOICE))))
    assert (refused.reason, str(refused.position)) == ("no_event", "erp.public.ar_invoices[0]:3")
    assert refused.message == (
        "no event of the mapping applies to the deletion of the row; add a [[skip]] rule if that is intended"
    )
    unwrapped = record({**INVOICE, "__deleted": "true"})
    assert reject(reader(tmp_path, stream=UNTYPED).read(unwrapped)).reason == "no_event"


def test_deletions_may_be_skipped(tmp_path: Path) -> None:
    mapping = MAPPING + '[[skip]]\nwhen = { __op = ["d", "t"] }\n'
    for value in (change("d", None, INVOICE), change("t", None)):
        assert list(reader(tmp_path, mapping).read(record(value))) == [SkippedRow(record(value).position)]


def test_a_truncated_table_is_told(tmp_path: Path) -> None:
    refused = reject(reader(tmp_path).read(record(change("t", None))))
    assert refused.reason == "table_truncated"
    assert "compare an extract with the open items" in refused.message


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        {"schema": None, "payload": None},
        {"ts_ms": 1_772_356_321_000},
        {"schema": {"type": "struct"}, "payload": {"ts_ms": 1, "ts_us": 1000, "ts_ns": 1_000_000}},
        {"source": {}, "ts_ms": 1, "databaseName": "finance", "ddl": "ALTER TABLE x", "tableChanges": []},
        {"status": "BEGIN", "id": "571", "event_count": None, "data_collections": None, "ts_ms": 1},
        {"op": "m", "ts_ms": 1, "source": {"table": ""}, "message": {"prefix": "p", "content": "YQ=="}},
    ],
)  # fmt: skip
def test_records_that_are_no_changes_are_passed_over(tmp_path: Path, value: object) -> None:
    given = record(value)
    assert list(reader(tmp_path).read(given)) == [SkippedRow(given.position)]


def test_heartbeats_of_their_own_topic_and_other_tables_are_passed_over(tmp_path: Path) -> None:
    read = reader(tmp_path).read
    given = [record({"ts_ms": 1}, topic="__debezium-heartbeat.erp"), record(change("c", INVOICE))]
    other = change("c", INVOICE)
    other["payload"]["source"]["table"] = "gl_lines"
    given.append(record(other, topic="erp.public.gl_lines"))
    assert [type(value).__name__ for one in given for value in read(one)] == ["SkippedRow", "ParsedEvent", "SkippedRow"]


@pytest.mark.parametrize(
    "name", ["ar_invoices", "finance.ar_invoices", "finance.public.ar_invoices", "erp.public.ar_invoices"]
)
def test_a_table_is_known_by_each_of_its_names(tmp_path: Path, name: str) -> None:
    read = reader(tmp_path, stream=STREAM.replace('"public.ar_invoices"', f'"{name}"')).read
    assert len(written(read(record(change("c", INVOICE))))) == 1


@pytest.mark.parametrize(
    ("value", "reason", "words"),
    [
        (b"{", "malformed_json", "the record is not JSON"),
        (b"\xff{}", "malformed_json", "the record is not JSON"),
        (b"\0\0\0\0\7abc", "malformed_json", "value.converter=org.apache.kafka.connect.json.JsonConverter"),
        ([1], "malformed_change", "neither a change event nor a row"),
        ({"op": "x", "after": {}, "source": {}}, "malformed_change", "'x' is none of c, r, u, d, t"),
        ({"op": "c", "after": None, "source": {}}, "malformed_change", "should hold the row after it"),
        (
            {"op": "c", "after": None, "before": INVOICE, "source": {}},
            "malformed_change",
            "should hold the row after it",
        ),
        ({"op": "d", "after": None, "before": None, "source": {}}, "malformed_change", "should hold the row before it"),
        ({"op": "c", "after": '{"_id": 1}', "source": {}}, "malformed_change", "documents of MongoDB are not read"),
    ],
)
def test_what_is_no_change_event_is_kept_with_its_bytes(tmp_path: Path, value: object, reason: str, words: str) -> None:
    given = record(value)
    refused = reject(reader(tmp_path).read(given))
    assert refused.reason == reason
    assert words in refused.message
    assert refused.original == given.value


@pytest.mark.parametrize(
    ("changes", "reason", "column", "words"),
    [
        ({"amount": "__debezium_unavailable_value"}, "unavailable_value", "amount", "REPLICA IDENTITY FULL"),
        ({"amount": "!!"}, "invalid_value", "amount", "is not a value of the type"),
        ({"issued": 2_147_483_647}, "invalid_value", "issued", "2147483647"),  # 'infinity' in PostgreSQL
        ({"issued": "2026"}, "invalid_value", "issued", "whole number"),
    ],
)
def test_values_that_cannot_be_told_are_refused_with_their_column(
    tmp_path: Path, changes: dict[str, Any], reason: str, column: str, words: str
) -> None:
    refused = reject(reader(tmp_path).read(record(change("c", {**INVOICE, **changes}))))
    assert (refused.reason, refused.position.column) == (reason, column)
    assert words in refused.message


def test_a_misspelt_column_is_answered_with_the_nearest(tmp_path: Path) -> None:
    mapping = MAPPING.replace('due_date = "due"', 'due_date = "duo"')
    refused = reject(reader(tmp_path, mapping).read(record(change("c", INVOICE))))
    assert (refused.reason, refused.message) == (
        "missing_column",
        "the table ar_invoices has no column duo; is it due?",
    )


def test_what_needs_the_row_before_is_refused_without_it(tmp_path: Path) -> None:
    refused = reject(reader(tmp_path, BY_OPERATION).read(record(change("u", INVOICE, None))))
    assert (refused.reason, refused.position.column) == ("no_before_image", "delta.amount")
    assert "REPLICA IDENTITY FULL" in refused.message


def test_an_unwrapped_record_must_tell_what_the_mapping_asks(tmp_path: Path) -> None:
    read = reader(tmp_path, BY_OPERATION, UNTYPED).read
    assert reject(read(record(INVOICE))).reason == "unknown_operation"
    told = record(INVOICE, headers={"__op": b'"c"', "__source_ts_ms": b"5", "__lsn": b"9"})
    assert [event["event"] for event in written(read(told))] == ["InvoiceIssued"]
    assert reject(read(record({**INVOICE, "__op": "c"}))).reason == "unknown_time"


@pytest.mark.parametrize(
    ("column", "value"), [("amount", "1234"), ("issued", 20_513), ("entered", 1_772_356_320_000_000)]
)
def test_without_a_schema_a_value_that_may_mean_several_things_is_refused(
    tmp_path: Path, column: str, value: object
) -> None:
    """`1234` is a decimal of three bytes in base64, and an amount in words: it is not guessed which."""
    known = {"amount": 5, "issued": "2026-03-01", "due": "2026-03-31", "entered": "2026-03-01T09:12:00"}
    read = reader(tmp_path).read
    assert len(written(read(record(change("c", {**INVOICE, **known}, schema=False))))) == 1
    refused = reject(read(record(change("c", {**INVOICE, **known, column: value}, schema=False))))
    assert (refused.reason, refused.position.column) == ("untyped_value", column)
    assert "schemas.enable=true" in refused.message


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ('adjustment_id = "__position"', "adjustment_id is made of __position"),
        ('adjustment_id = { template = "{number}-{__position}" }', "adjustment_id is made of __position"),
    ],
)
def test_a_rule_that_would_double_with_the_next_snapshot_is_refused_before_anything_is_read(
    tmp_path: Path, fields: str, words: str
) -> None:
    mapping = BY_OPERATION.replace('when = { __op = "u", "delta.amount" = { sign = "negative" } }\n', "")
    mapping = mapping.replace('adjustment_id = "__position"', fields)
    with pytest.raises(SourceError, match=words) as raised:
        reader(tmp_path, mapping)
    assert "invoices.toml:" in raised.value.message
    assert raised.value.advice == 'A snapshot may be taken again; add __op = ["c", "u"] to `when` of the event'


def test_a_refund_of_a_snapshot_needs_a_time_of_its_own(tmp_path: Path) -> None:
    refund = (
        '[[event]]\nevent = "PaymentRefunded"\nwhen = { status = "refunded" }\n[event.fields]\npayment_id = "number"\n'
        'amount = "amount"\noccurred_at = { column = "__ts_ms", format = "unix_milliseconds" }\n'
    )
    with pytest.raises(SourceError, match="PaymentRefunded: occurred_at is part of its id"):
        reader(tmp_path, MAPPING + refund)
    reader(tmp_path, MAPPING + refund.replace('status = "refunded"', '__op = { not = ["r"] }'))
    standing = refund.replace("PaymentRefunded", "AccountHoldPlaced").replace('amount = "amount"\n', "")
    reader(tmp_path, MAPPING + standing.replace('payment_id = "number"\n', ""))


@pytest.mark.parametrize(
    ("stream", "line", "words"),
    [
        (STREAM.replace("topics", "topic"), 3, "unknown key topic (did you mean topics?)"),
        (STREAM.replace('kind = "debezium"', 'kind = "avro"'), 2, "kind: should be 'debezium' or 'outbox'"),
        (STREAM.partition("[[table]]")[0], 1, "a debezium stream needs [[table]]"),
        (STREAM + '[table.types]\namount = "decimal"\n', 9, "'decimal' is not a type"),
        (STREAM.replace('kind = "debezium"', 'kind = "outbox"'), 1, "an outbox has no [[table]]"),
    ],
)
def test_errors_of_the_configuration_name_the_line(tmp_path: Path, stream: str, line: int, words: str) -> None:
    with pytest.raises(SourceError) as raised:
        reader(tmp_path, stream=stream)
    assert f"stream.toml:{line}: " in raised.value.message
    assert words in raised.value.message


def test_a_table_that_is_named_twice_is_refused(tmp_path: Path) -> None:
    table = STREAM[STREAM.index("[[table]]") :]
    with pytest.raises(SourceError, match=r"public\.ar_invoices is named twice"):
        reader(tmp_path, stream=STREAM + table)


def test_of_a_record_that_is_too_large_for_ar_failed_the_beginning_is_kept(tmp_path: Path) -> None:
    value = json.dumps(["x" * 600_000]).encode()
    refused = reject(reader(tmp_path).read(record(value)))
    assert isinstance(refused, SourceReject)
    assert refused.original == value[:4096]
