"""Golden files: a document, and beside it the events that it becomes, one JSON object a line.

A golden file is named after the format that reads it: `NAME.ubl-invoice.xml`; its events stand in
`NAME.ubl-invoice.xml.jsonl`.
"""

import json
from pathlib import Path

import pytest

from avro.text import write_event
from sources import ParsedEvent, SkippedRow, SourceReject, adapter
from tests.sources.ubl.reading import OPTIONS

GOLDEN = Path(__file__).parent / "golden"
FILES = sorted(file for file in GOLDEN.iterdir() if file.suffix != ".jsonl")


def outcome(file: Path) -> list[object]:
    """What a file becomes: events in their written form, and what was passed over or rejected."""
    reader = adapter(Path(file.stem).suffix[1:], OPTIONS)
    said: list[object] = []
    with file.open("rb") as stream:
        for value in reader.read(stream, file.name):
            match value:
                case ParsedEvent():
                    said.append(write_event(value.name, value.record))
                case SkippedRow():
                    said.append({"skipped": value.reason, "line": value.position.line})
                case SourceReject():
                    said.append({"rejected": value.reason, "line": value.position.line, "message": value.message})
    return said


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_golden_file_becomes_its_events(file: Path) -> None:
    expected = [json.loads(line) for line in Path(f"{file}.jsonl").read_text(encoding="utf-8").splitlines()]
    assert outcome(file) == expected


def test_there_are_golden_files_of_every_kind() -> None:
    assert {Path(file.stem).suffix for file in FILES} == {".ubl-invoice", ".ubl-credit-note"}
