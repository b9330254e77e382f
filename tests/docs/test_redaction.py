"""The page on redaction: its lines become what it says, its settings are taken."""

import io
import json
import tomllib

from avro.text import write_event
from sources import ParsedEvent, SourceOptions, adapter
from sources.redaction import ACCOUNTS, PROSE, REFERENCES, Redactor
from tests.docs.pages import DOCS, blocks

PAGE = DOCS / "sources" / "redaction.md"
KEY = "a key of the test"


def test_the_lines_of_the_page_become_what_it_shows() -> None:
    given, shown = (block.text for block in blocks(PAGE) if block.language == "json")
    values = adapter("jsonl", SourceOptions(company="FR01")).read(io.BytesIO(given.encode()), "page.jsonl")
    events = [write_event(value.name, value.record) for value in values if isinstance(value, ParsedEvent)]
    expected = [json.loads(line) for line in shown.splitlines()]
    assert [{name: event[name] for name in fields} for event, fields in zip(events, expected, strict=True)] == expected


def test_the_settings_of_the_page_are_taken() -> None:
    (text,) = (block.text for block in blocks(PAGE) if block.language == "toml")
    Redactor(tomllib.loads(text)["redaction"]["fields"], secret=KEY)


def test_the_page_names_every_field_that_is_looked_at() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for field in PROSE | REFERENCES | ACCOUNTS:
        assert f"`{field}`" in text or field in {"old", "new"}, field
