"""The pages of BAI2, lockbox and SWIFT: their files are those of the examples, and become the events that are shown."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from avro.text import write_event
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
