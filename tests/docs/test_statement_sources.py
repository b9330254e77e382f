"""The pages of BAI2, lockbox and SWIFT: their files are those of the examples, and become the events that are shown."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from avro.text import write_event
from pipeline.scenarios import load, run
from sources import ParsedEvent, SourceOptions, SourceReject, adapter
from tests.docs.pages import DOCS, ROOT, blocks

EXAMPLES = ROOT / "examples" / "bank"
SOURCES = DOCS / "sources"
SHOWN = [
    ("bai2.md", "statement.bai2", "bai2", 0),
    ("bai-lockbox.md", "lockbox.lbx", "bai-lockbox", 0),
    ("mt940.md", "statement.sta", "mt940", 0),
    ("mt940.md", "interim.942", "mt942", 1),
]
ENVELOPE = {"event_id", "company", "recorded_at", "region", "source", "actor_id", "actor_role"}


def written(file: Path, form: str) -> list[dict[str, Any]]:
    """The events of an example, without what a run gives."""
    with file.open("rb") as stream:
        values = list(adapter(form, SourceOptions(company="US01")).read(stream, file.name))
    assert [value for value in values if isinstance(value, SourceReject)] == []
    events = [write_event(value.name, value.record) for value in values if isinstance(value, ParsedEvent)]
    return [{field: value for field, value in event.items() if field not in ENVELOPE} for event in events]


@pytest.mark.parametrize(("page", "file", "form", "place"), SHOWN, ids=str)
def test_an_example_becomes_the_events_that_the_page_shows(page: str, file: str, form: str, place: int) -> None:
    shown = [block.text for block in blocks(SOURCES / page) if block.language == "json"][place]
    assert written(EXAMPLES / file, form) == [json.loads(line) for line in shown.splitlines()]


@pytest.mark.parametrize(("page", "file", "form", "place"), SHOWN, ids=str)
def test_the_file_of_a_page_is_that_of_the_examples(page: str, file: str, form: str, place: int) -> None:
    shown = [block.text for block in blocks(SOURCES / page) if block.language in {"bai2", "lockbox", "mt940"}]
    assert shown[place].rstrip("\n") == (EXAMPLES / file).read_text(encoding="utf-8").rstrip("\n")
    assert f"--as {form}" in (SOURCES / page).read_text(encoding="utf-8") or form == "mt942"


def test_the_checks_of_the_lockbox_are_the_deposit_of_the_statement() -> None:
    """Both examples report one deposit: the statement announces it where the lockbox file is taken in too."""
    checks = [
        event for event in written(EXAMPLES / "lockbox.lbx", "bai-lockbox") if event["event"] == "PaymentReceived"
    ]
    (announced,) = [
        event
        for event in written(EXAMPLES / "statement.bai2", "bai2-with-lockbox")
        if event["event"] == "UserActivityLogged"
    ]
    assert sum(Decimal(check["amount"]) for check in checks) == 12_000
    assert announced["changes"]["amount"] == {"new": "12000.00 USD"}


def test_a_returned_collection_reopens_what_it_had_paid_and_a_statement_sent_twice_changes_nothing(
    tmp_path: Path,
) -> None:
    """The collection was taken in before and identified; its return names it by the end-to-end id alone."""
    statement = written(EXAMPLES / "statement.sta", "mt940")
    invoice = {"event": "InvoiceIssued", "account_id": "C1", "invoice_id": "RG-2026-0790", "amount": "119.00",
               "document_date": "2026-11-30", "currency": "EUR"}  # fmt: skip
    collected = {"event": "PaymentReceived", "payment_id": "R1", "amount": "119.00", "currency": "EUR",
                 "value_date": "2026-12-14", "end_to_end_id": "RG-2026-0790"}  # fmt: skip
    applied = {"event": "CashApplied", "account_id": "C1", "application_id": "A1", "payment_id": "R1",
               "invoice_id": "RG-2026-0790", "amount": "119.00", "method": "auto"}  # fmt: skip
    twice = [
        {"at": f"2027-01-{day:02}T08:00:00Z", "event_id": f"{event['event']}/{event['payment_id']}", **event}
        for day in (3, 4)
        for event in statement
    ]
    cash = [
        {"payment": event["payment_id"], "status": "unidentified", "unapplied": event["amount"]}
        for event in statement
        if event["event"] == "PaymentReceived"
    ]
    assert [expected["unapplied"] for expected in cash] == ["1190.00", "500.00", "500.00"]
    scenario = {
        "name": "a collection goes back",
        "company": {"code": "US01", "timezone": "Europe/Berlin"},
        "steps": [
            {"at": "2026-11-30T12:00:00Z", **invoice},
            {"at": "2026-12-14T12:00:00Z", **collected},
            {"at": "2026-12-14T12:01:00Z", "event": "PaymentIdentified", "account_id": "C1", "payment_id": "R1"},
            {"at": "2026-12-14T12:02:00Z", **applied},
            {"expect": [{"invoice": "RG-2026-0790", "status": "paid"}]},
            *twice,
        ],
        "expect": [
            {"invoice": "RG-2026-0790", "status": "open", "open": "119.00"},
            {"payment": "R1", "status": "reversed"},
            *cash,
            {"rejected": []},
        ],
    }
    file = tmp_path / "return.yaml"
    file.write_text(yaml.safe_dump(scenario), encoding="utf-8")
    assert [(failure.expectation, failure.mismatches) for failure in run(load(file))] == []
