"""The page of ISO 20022: its files are those of the examples, and become the events that are shown."""

import io
import json
from typing import Any

import pytest

from avro.text import write_event
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
