"""The format `jsonl`: one event a line, in the words of SCENARIOS §1."""

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avro.text import write_event
from sources import ParsedEvent, SourceOptions, SourceReject
from sources.jsonl import JsonLines

NOW = datetime(2026, 10, 1, 12, tzinfo=UTC)
INVOICE = {
    "event": "InvoiceIssued",
    "occurred_at": "2026-01-14T09:00:00Z",
    "account_id": "C1",
    "invoice_id": "I1",
    "document_date": "2026-01-14",
    "amount": "100.00",
    "currency": "EUR",
}


def read(
    *lines: str | bytes, company: str | None = "FR01", source: str | None = None
) -> list[ParsedEvent | SourceReject]:
    adapter = JsonLines(SourceOptions(company=company, source=source, now=lambda: NOW))
    data = b"".join((line.encode() if isinstance(line, str) else line) + b"\n" for line in lines)
    return list(adapter.read(io.BytesIO(data), "a.jsonl"))


def event(**changes: Any) -> ParsedEvent:
    """The one event of a line; a change to None leaves the field out."""
    document = {name: value for name, value in {**INVOICE, **changes}.items() if value is not None}
    (value,) = read(json.dumps(document))
    assert isinstance(value, ParsedEvent), value
    return value


def test_an_event_gets_what_it_does_not_say_from_the_run() -> None:
    record = event().record
    assert record["company"] == "FR01"
    assert record["source"] == "jsonl"
    assert record["event_id"] == "jsonl/FR01/InvoiceIssued/invoice/I1"
    assert record["recorded_at"] == int(NOW.timestamp()) * 1_000_000


def test_what_an_event_says_itself_wins() -> None:
    record = event(event_id="mine", source="lockbox", recorded_at="2026-01-15T00:00:00Z").record
    assert (record["event_id"], record["source"]) == ("mine", "lockbox")
    assert record["recorded_at"] == 1_768_435_200_000_000


def test_the_name_of_the_source_is_a_default() -> None:
    (value,) = read(json.dumps(INVOICE), source="portal")
    assert isinstance(value, ParsedEvent)
    assert value.record["source"] == "portal"


@pytest.mark.parametrize(
    ("line", "reason", "field"),
    [
        ("{", "malformed_json", None),
        ('"text"', "malformed_json", None),
        ("[]", "malformed_json", None),
        ("null", "malformed_json", None),
        (b'{"event": "\xff"}', "invalid_encoding", None),
        ("[" * 100_000, "malformed_json", None),
        ("{}", "missing_field", "occurred_at"),
        (json.dumps({**INVOICE, "event": "InvoiceIsued"}), "unknown_event", "event"),
        (json.dumps({**INVOICE, "event": 5}), "unknown_event", "event"),
        (json.dumps({**INVOICE, "event": "ClockTicked"}), "unknown_event", "event"),
        (json.dumps({**INVOICE, "amout": "1"}), "unknown_field", "amout"),
        (json.dumps({**INVOICE, "amount": "1.234"}), "invalid_amount", "amount"),
        (json.dumps({**INVOICE, "amount": 1e400}), "malformed_json", None),
        (json.dumps({**INVOICE, "document_date": "14.01.2026"}), "invalid_date", "document_date"),
        (json.dumps({**INVOICE, "occurred_at": None}), "missing_field", "occurred_at"),
        (json.dumps({**INVOICE, "company": "US01"}), "wrong_company", "company"),
        (json.dumps({**INVOICE, "account_id": "\ud800"}), "malformed_json", None),
    ],
)
def test_what_is_no_event_is_kept_with_its_reason_and_place(line: str | bytes, reason: str, field: str | None) -> None:
    good_before, reject, good_after = read(json.dumps(INVOICE), line, json.dumps(INVOICE))
    assert isinstance(good_before, ParsedEvent)
    assert isinstance(good_after, ParsedEvent)
    assert isinstance(reject, SourceReject)
    assert (reject.reason, reject.position.line, reject.position.field) == (reason, 2, field)
    assert reject.original == (line.encode() if isinstance(line, str) else line) + b"\n"


def test_without_a_company_an_event_must_name_its_own() -> None:
    (named, unnamed) = read(json.dumps({**INVOICE, "company": "US01"}), json.dumps(INVOICE), company=None)
    assert isinstance(named, ParsedEvent)
    assert isinstance(unnamed, SourceReject)
    assert unnamed.reason == "missing_field"


def test_a_company_that_would_break_the_record_key_is_refused() -> None:
    (value,) = read(json.dumps({**INVOICE, "company": "A|B"}), company=None)
    assert isinstance(value, SourceReject)


def test_a_byte_order_mark_and_blank_lines_are_passed_over() -> None:
    values = read(b"\xef\xbb\xbf" + json.dumps(INVOICE).encode(), "", "  ", json.dumps(INVOICE))
    assert [value.position.line for value in values if isinstance(value, ParsedEvent)] == [1, 4]


def test_a_line_past_the_limit_is_refused_and_the_next_one_is_read() -> None:
    adapter = JsonLines(SourceOptions(company="FR01"))
    data = b'{"event": "' + b"x" * 5000 + b'"}\n' + json.dumps(INVOICE).encode()
    reject, good = adapter.read(io.BytesIO(data), "a.jsonl", line_bytes_max=1000)
    assert isinstance(reject, SourceReject)
    assert reject.reason == "line_too_long"
    assert "5,014 bytes" in reject.message
    assert len(reject.original) == 1000
    assert isinstance(good, ParsedEvent)


def test_every_sample_event_survives_being_written_and_read(repository: Path) -> None:
    for file in sorted((repository / "examples").glob("*/activity.jsonl")):
        adapter = JsonLines(SourceOptions(company=file.parent.name))
        with file.open("rb") as stream:
            for value in adapter.read(stream, file.name):
                assert isinstance(value, ParsedEvent), value
                (again,) = read(json.dumps(write_event(value.name, value.record)), company=file.parent.name)
                assert isinstance(again, ParsedEvent)
                assert (again.name, again.record) == (value.name, value.record)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from([*INVOICE, "instalments", "recorded_at", "x"]), JSON, max_size=9), st.booleans())
def test_any_object_is_an_event_or_a_reject(changes: dict[str, Any], keep_name: bool) -> None:
    document = {**INVOICE, **changes} | ({"event": "InvoiceIssued"} if keep_name else {})
    (value,) = read(json.dumps(document))
    assert isinstance(value, ParsedEvent | SourceReject)


@given(st.lists(st.binary(max_size=60).filter(lambda line: b"\n" not in line), max_size=5))
def test_every_line_of_any_bytes_is_answered(lines: list[bytes]) -> None:
    answered = [value.position.line for value in read(*lines)]
    assert answered == [number for number, line in enumerate(lines, start=1) if line.strip()]
