"""Golden files: what a bank sends, and beside it what becomes of it, one JSON object a line.

`NAME.camt053.xml` is read as camt053; its outcome stands in `NAME.camt053.xml.jsonl`.
"""

import json
from pathlib import Path

import pytest

from tests.sources.bank.camt.reading import outcome

GOLDEN = Path(__file__).parent / "golden"
FILES = sorted(GOLDEN.glob("*.xml"))


def form_of(file: Path) -> str:
    """The format of a golden file, by its name."""
    return file.name.split(".")[1]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_golden_file_becomes_its_events(file: Path) -> None:
    expected = [json.loads(line) for line in Path(f"{file}.jsonl").read_text(encoding="utf-8").splitlines()]
    assert outcome(form_of(file), file.read_bytes(), file.name) == expected


def test_there_are_golden_files_of_every_format() -> None:
    assert {form_of(file) for file in FILES} == {"camt052", "camt053", "camt053-with-camt054", "camt054", "pain002"}
