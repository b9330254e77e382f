"""Rows that come again change nothing, and rows that changed are refused aloud: shown on the ledger itself."""

import json
from pathlib import Path
from typing import Any

import pytest

from sources import ParsedEvent, Position
from sources.event_fields import event_names
from sources.intake import Intake, SourceOptions
from sources.streams import StreamRecord, load_stream_config, stream_reader
from sources.versions import KEYED_DOCUMENTS, versioned
from tests.sources.streams.records import INVOICE, change, decimal_bytes, reader, record
from tests.sources.streams.test_golden import GOLDEN, records
from tests.sources.test_examples import folded

ENVELOPE = {"account_id": "C1", "occurred_at": "2026-03-01T08:00:00Z", "recorded_at": "2026-03-01T08:00:00Z"}
ISSUED = {"event": "InvoiceIssued", "invoice_id": "I1", "document_date": "2026-03-01", "due_date": "2026-03-31",
          "amount": "100.00", "currency": "EUR"}  # fmt: skip
RECEIVED = {"event": "PaymentReceived", "payment_id": "P1", "amount": "50.00", "currency": "EUR",
            "value_date": "2026-03-01"}  # fmt: skip
# Each keyed document, and the field whose change makes another version of it.
DOCUMENTS: dict[str, tuple[dict[str, Any], str, Any]] = {
    "InvoiceIssued": ({**ISSUED, "invoice_id": "I2"}, "amount", "99.00"),
    "CreditMemoIssued": (
        {"credit_memo_id": "K1", "amount": "5.00", "currency": "EUR", "document_date": "2026-03-01"}, "amount", "6.00",
    ),
    "PaymentReceived": ({**RECEIVED, "payment_id": "P2"}, "value_date", "2026-03-02"),
    "CashApplied": (
        {"application_id": "A1", "payment_id": "P1", "invoice_id": "I1", "amount": "10.00", "method": "auto"},
        "amount", "11.00",
    ),
    "InvoiceAdjusted": (
        {"adjustment_id": "J1", "invoice_id": "I1", "amount": "-1.00", "currency": "EUR"}, "amount", "-2.00",
    ),
    "InvoiceWrittenOff": (
        {"write_off_id": "W1", "invoice_id": "I1", "amount": "1.00", "currency": "EUR"}, "amount", "2.00",
    ),
    "NoticeSent": (
        {"notice_id": "N1", "kind": "reminder", "channel": "email", "invoice_ids": ["I1"]}, "channel", "letter",
    ),
    "PromiseMade": (
        {"promise_id": "Z1", "invoice_ids": ["I1"], "amount": "9.00", "currency": "EUR", "promised_date": "2026-03-20"},
        "promised_date", "2026-03-21",
    ),
    "RemittanceReceived": (
        {"remittance_id": "R1", "lines": [{"invoice_id": "I1", "amount": "3.00"}]},
        "lines", [{"invoice_id": "I1", "amount": "4.00"}],
    ),
}  # fmt: skip


def taken(document: dict[str, Any], **changes: Any) -> ParsedEvent:
    """The event of a row at one of its versions."""
    intake = Intake(SourceOptions(company="FR01", source="erp"), "erp")
    return versioned(intake.event({**ENVELOPE, **document, **changes}, Position("row", 1)))


@pytest.mark.parametrize("name", sorted(KEYED_DOCUMENTS))
def test_a_version_that_comes_again_is_known_and_another_one_is_refused_aloud(name: str, repository: Path) -> None:
    document, changed, value = DOCUMENTS[name]
    document = {"event": name, **document}
    history = [taken(ISSUED), taken(RECEIVED), taken(document)]
    once, refused = folded("FR01", history, repository, ticking=False)
    assert refused == []
    later = {"occurred_at": "2026-03-05T08:00:00Z", "recorded_at": "2026-03-05T08:00:00Z"}
    again = [taken(document), taken(document, **later), taken(document, **{changed: value}, **later)]
    assert [event.record["event_id"] == history[2].record["event_id"] for event in again] == [True, True, False]
    twice, refused = folded("FR01", history + again, repository, ticking=False)
    assert [rejection.reason for rejection in refused] == ["conflicting_duplicate"]
    assert twice == once


def test_all_documents_are_shown() -> None:
    assert DOCUMENTS.keys() == KEYED_DOCUMENTS
    assert set(event_names()) >= KEYED_DOCUMENTS


def test_a_field_that_is_not_given_has_no_part_in_the_id() -> None:
    """A later release may add fields: ids of the same rows stay as they are."""
    event = taken(ISSUED)
    longer = ParsedEvent(event.name, {**event.record, "added_later": None, "list_added_later": []}, event.position)
    plain = ParsedEvent(event.name, {**event.record, "event_id": "x"}, event.position)
    digest = event.record["event_id"].rpartition("@")[2]
    assert versioned(plain).record["event_id"] == f"x@{digest}"
    assert versioned(longer).record["event_id"].endswith(f"@{digest}")


def test_a_changed_row_of_a_stream_is_refused_and_a_second_snapshot_is_not(tmp_path: Path, repository: Path) -> None:
    read = reader(tmp_path).read
    values = [
        change("r", INVOICE, lsn=1),
        change("u", {**INVOICE, "status": "printed"}, INVOICE, lsn=2),
        change("r", INVOICE, lsn=90, ts_ms=1_790_000_000_000),
        change("u", {**INVOICE, "amount": decimal_bytes(99_900)}, INVOICE, lsn=91),
    ]
    events = [event for value in values for event in read(record(value)) if isinstance(event, ParsedEvent)]
    entries, refused = folded("FR01", events, repository, ticking=False)
    assert [entry.delta_minor for entry in entries] == [123_456]
    assert [rejection.reason for rejection in refused] == ["conflicting_duplicate"]


def test_a_snapshot_of_a_payment_that_was_identified_meanwhile_doubles_nothing(repository: Path) -> None:
    """Its row names the payer now: another content of the row, but the same payment of the account."""
    read = stream_reader(load_stream_config(GOLDEN / "mysql.stream.toml"), GOLDEN).read
    history = records("mysql")[:4]

    def events(given: list[StreamRecord]) -> list[ParsedEvent]:
        return [value for one in given for value in read(one) if isinstance(value, ParsedEvent)]

    once, refused = folded("FR01", events(history), repository, ticking=False)
    assert refused == []
    identified = json.loads(history[3].value or b"")
    identified["payload"] |= {"op": "r", "before": None}
    identified["payload"]["source"] |= {"snapshot": "true", "pos": 9000, "ts_ms": 1_775_000_000_000}
    snapshot = [history[0], StreamRecord(history[3].topic, 0, 99, history[3].key, json.dumps(identified).encode())]
    twice, refused = folded("FR01", events(history + snapshot), repository, ticking=False)
    assert refused == []
    assert twice == once
