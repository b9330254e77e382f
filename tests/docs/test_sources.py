"""What source teams are told: the mapping makes the events shown, the lines are events, all keys are there."""

import io
import json
import re
from pathlib import Path

import yaml

from avro.text import write_event
from pipeline.scenarios import load, run
from sources import ParsedEvent, SourceOptions, adapter
from sources.mapping.document import replace_in
from tests.docs.pages import DOCS, blocks
from topics import EVENTS, catalogue, partition_of

SOURCES = DOCS / "sources"
CSV = SOURCES / "csv-mapping.md"
OPTIONS = SourceOptions(company="FR01")


def _block(page: Path, language: str) -> str:
    return next(block.text for block in blocks(page) if block.language == language)


def test_the_first_mapping_makes_the_events_that_the_page_shows(tmp_path: Path) -> None:
    mapping = tmp_path / "open-items.toml"
    mapping.write_text(_block(CSV, "toml"), encoding="utf-8")
    reader = adapter("csv", OPTIONS, mapping)
    stream = io.BytesIO(_block(CSV, "csv").encode())
    values = list(reader.read(stream, "open-items.csv"))
    events = [value for value in values if isinstance(value, ParsedEvent)]
    shown = [json.loads(line) for line in _block(CSV, "json").splitlines()]
    made = [write_event(event.name, event.record) for event in events]
    assert made == shown
    assert len(values) == 3  # the total row is skipped, not refused


def test_every_key_of_a_mapping_is_explained() -> None:
    page = CSV.read_text(encoding="utf-8")
    assert replace_in(page) == page, "run `python -m sources.mapping.document docs/sources/csv-mapping.md`"


def test_the_lines_of_the_page_are_events() -> None:
    text = _block(SOURCES / "json-lines.md", "json")
    values = list(adapter("jsonl", OPTIONS).read(io.BytesIO(text.encode()), "events.jsonl"))
    assert [value.name for value in values if isinstance(value, ParsedEvent)] == [
        "InvoiceIssued",
        "PaymentReceived",
        "CashApplied",
    ]
    assert len(values) == 3


def test_the_partitions_of_the_page_are_right() -> None:
    text = (SOURCES / "foreign-producers.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+\\\|\S*)` \| (\d+) \|$", text, re.MULTILINE)
    assert len(rows) >= 4
    partitions = catalogue("")[EVENTS].partitions
    for key, partition in rows:
        assert partition_of(key.replace("\\|", "|").encode(), partitions) == int(partition), key


def test_the_quick_start_ends_where_it_says(tmp_path: Path) -> None:
    """The invoice is 15 days past due on 15 April, the cash lies unapplied, and an alert says so."""
    steps = [json.loads(line) for line in _block(DOCS / "quickstart.md", "json").splitlines()]
    scenario = {
        "name": "the quick start",
        "company": {"code": "FR01", "timezone": "Europe/Paris"},
        "steps": [*({"at": step["occurred_at"], **step} for step in steps), {"clock": "2026-04-15T09:00:00Z"}],
        "expect": [
            {"invoice": "I1", "open": "100.00", "days_past_due": 15},
            {
                "aging": {"account_id": "C1", "currency": "EUR"},
                "1-30": "100.00",
                "unapplied": "40.00",
                "total": "60.00",
            },
            {
                "alerts_of": "unapplied_cash",
                "list": [{"subject": "R1", "status": status} for status in ("raised", "escalated", "escalated")],
            },
        ],
    }
    file = tmp_path / "quickstart.yaml"
    file.write_text(yaml.safe_dump(scenario), encoding="utf-8")
    assert [(failure.expectation, failure.mismatches) for failure in run(load(file))] == []
