"""The page of ISO 20022: its files are those of the examples, and become the events that are shown."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from avro.text import write_event
from pipeline.scenarios import load, run
from sources import ParsedEvent, SourceOptions, SourceReject, adapter
from sources.bank.reasons import is_return_code, return_reason
from tests.docs.pages import DOCS, ROOT, blocks

EXAMPLES = ROOT / "examples" / "bank"
PAGE = DOCS / "sources" / "iso20022.md"
SHOWN = [("statement.camt053.xml", "camt053", 0), ("rejections.pain002.xml", "pain002", 1)]
ENVELOPE = {"event_id", "company", "recorded_at", "region", "source", "actor_id", "actor_role", "on_account"}


def written(file: str, form: str) -> list[dict[str, Any]]:
    """The events of an example, without what a run gives."""
    stream = io.BytesIO((EXAMPLES / file).read_bytes())
    values = list(adapter(form, SourceOptions(company="FR01")).read(stream, file))
    assert [value for value in values if isinstance(value, SourceReject)] == []
    events = [write_event(value.name, value.record) for value in values if isinstance(value, ParsedEvent)]
    return [{field: value for field, value in event.items() if field not in ENVELOPE} for event in events]


def shown(language: str) -> list[str]:
    return [block.text for block in blocks(PAGE) if block.language == language]


@pytest.mark.parametrize(("file", "form", "place"), SHOWN)
def test_an_example_becomes_the_events_that_the_page_shows(file: str, form: str, place: int) -> None:
    assert written(file, form) == [json.loads(line) for line in shown("json")[place].splitlines()]


def test_the_entries_shown_stand_in_the_example() -> None:
    example = (EXAMPLES / SHOWN[0][0]).read_text(encoding="utf-8")
    assert shown("xml")
    for excerpt in shown("xml"):
        lines = [line.strip() for line in excerpt.splitlines() if line.strip() != "…"]
        assert [line for line in lines if line not in example] == []


def test_the_reasons_of_the_page_are_those_of_the_table() -> None:
    words = ("| `nsf`", "| `chargeback`", "| `recall`", "| `duplicate`")
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    rows = [line.split("|")[1:3] for line in lines if line.startswith(words)]
    assert len(rows) == 4
    for reason, codes in rows:
        for code in codes.replace("…", "").strip(" ,").split(","):
            assert is_return_code(code.strip()), code
            assert return_reason(code) == reason.strip(" `"), code


def test_what_comes_back_reopens_what_it_paid(tmp_path: Path) -> None:
    """Two statements: a collection that pays an invoice, and the debit that takes it back with charges."""
    example = (EXAMPLES / SHOWN[0][0]).read_text(encoding="utf-8")
    collected = [event for event in written(*SHOWN[0][:2]) if event.get("end_to_end_id") == "2026-0390"]
    returned = example.replace("2026-0352", "2026-0390").replace("2026-03-31</Dt>", "2026-04-03</Dt>")
    values = adapter("camt053", SourceOptions(company="FR01")).read(io.BytesIO(returned.encode()), "later.xml")
    back = [value for value in values if isinstance(value, ParsedEvent) and value.name == "PaymentReversed"]
    steps = [
        {"at": "2026-03-01T09:00:00Z", "event": "InvoiceIssued", "account_id": "C1", "invoice_id": "2026-0390",
         "document_date": "2026-03-01", "due_date": "2026-03-31", "amount": "120.00", "currency": "EUR"},
        *({"at": "2026-03-31T20:00:00Z", **event} for event in collected),
        {"at": "2026-03-31T20:01:00Z", "event": "PaymentIdentified", "account_id": "C1",
         "payment_id": collected[0]["payment_id"]},
        {"at": "2026-03-31T20:02:00Z", "event": "CashApplied", "account_id": "C1", "application_id": "A1",
         "payment_id": collected[0]["payment_id"], "invoice_id": "2026-0390", "amount": "120.00", "method": "auto"},
        {"expect": [{"invoice": "2026-0390", "status": "paid"}]},
        *({"at": "2026-04-03T20:00:00Z", **_without_envelope(write_event(event.name, event.record))} for event in back),
    ]  # fmt: skip
    scenario = {
        "name": "a collection comes back",
        "company": {"code": "FR01", "timezone": "Europe/Paris"},
        "steps": steps,
        "expect": [
            {"payment": collected[0]["payment_id"], "status": "reversed"},
            {"invoice": "2026-0390", "open": "120.00", "status": "open"},
            {"rejected": []},
        ],
    }
    file = tmp_path / "return.yaml"
    file.write_text(yaml.safe_dump(scenario), encoding="utf-8")
    assert [(failure.expectation, failure.mismatches) for failure in run(load(file))] == []


def _without_envelope(event: dict[str, Any]) -> dict[str, Any]:
    return {field: value for field, value in event.items() if field not in ENVELOPE}
