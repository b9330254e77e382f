"""The pages of X12 and UBL: their files are those of the examples, and become the events that are shown."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from avro.text import write_event
from pipeline.scenarios import load, run
from sources import ParsedEvent, SourceOptions, SourceReject, adapter
from tests.docs.pages import DOCS, ROOT, blocks

EXAMPLES = ROOT / "examples" / "edi"
X12 = DOCS / "sources" / "x12.md"
UBL = DOCS / "sources" / "ubl.md"
SHOWN = [
    (X12, "remittance.820", "x12-820", "US01", 0),
    (X12, "lockbox.823", "x12-823", "US01", 1),
    (X12, "invoices.810", "x12-810", "US01", 2),
    (UBL, "invoice.xml", "ubl-invoice", "FR01", 0),
    (UBL, "credit-note.xml", "ubl-credit-note", "FR01", 1),
]
ENVELOPE = {"event_id", "company", "recorded_at", "region", "source", "actor_id", "actor_role"}


def written(file: str, form: str, company: str) -> list[dict[str, Any]]:
    """The events of an example, without what a run gives."""
    values = list(adapter(form, SourceOptions(company=company)).read(io.BytesIO((EXAMPLES / file).read_bytes()), file))
    assert [value for value in values if isinstance(value, SourceReject)] == []
    events = [write_event(value.name, value.record) for value in values if isinstance(value, ParsedEvent)]
    return [{field: value for field, value in event.items() if field not in ENVELOPE} for event in events]


@pytest.mark.parametrize(("page", "file", "form", "company", "place"), SHOWN, ids=lambda value: str(value)[-20:])
def test_an_example_becomes_the_events_that_the_page_shows(
    page: Path, file: str, form: str, company: str, place: int
) -> None:
    shown = [block.text for block in blocks(page) if block.language == "json"][place]
    assert written(file, form, company) == [json.loads(line) for line in shown.splitlines()]


@pytest.mark.parametrize("page", [X12, UBL], ids=lambda page: page.name)
def test_the_files_of_a_page_are_those_of_the_examples(page: Path) -> None:
    shown = [block.text for block in blocks(page) if block.language in {"x12", "xml"}]
    files = [file for where, file, *_ in SHOWN if where == page]
    assert shown == [(EXAMPLES / file).read_text(encoding="utf-8") for file in files[: len(shown)]]


def test_advice_joins_its_payment_and_opens_what_the_page_says(tmp_path: Path) -> None:
    """Two invoices, the advice, and the transfer as the statement has it."""
    invoices = [
        {"event": "InvoiceIssued", "account_id": "C-10042", "invoice_id": number, "document_date": "2026-08-18",
         "amount": amount, "currency": "USD"}
        for number, amount in (("INV-10481", "4250.00"), ("INV-10482", "9801.12"))
    ]  # fmt: skip
    (advice,) = written("remittance.820", "x12-820", "US01")
    transfer = {"event": "PaymentReceived", "account_id": "C-10042", "payment_id": "R-1", "amount": "13655.10",
                "currency": "USD", "value_date": "2026-09-21"}  # fmt: skip
    scenario = {
        "name": "an 820 before the transfer",
        "company": {"code": "US01", "timezone": "America/Chicago"},
        "steps": [
            *({"at": "2026-08-18T12:00:00Z", **invoice} for invoice in invoices),
            {"at": "2026-09-18T12:00:00Z", **advice},
            {"at": "2026-09-21T15:00:00Z", **transfer},
        ],
        "expect": [
            {"payment": "R-1", "status": "applied", "applied": "13655.10"},
            {"invoice": "INV-10481", "status": "paid"},
            {"invoice": "INV-10482", "open": "396.02", "disputed": "296.02"},
            {"exception": f"{advice['remittance_id']}/mismatch", "status": "flagged", "amount": "100.00"},
        ],
    }
    file = tmp_path / "advice.yaml"
    file.write_text(yaml.safe_dump(scenario), encoding="utf-8")
    assert [(failure.expectation, failure.mismatches) for failure in run(load(file))] == []
