"""Golden files: what a bank sends, and beside it the events that it becomes, one JSON object a line.

`NAME.sta` is read as mt940, `NAME.942` as mt942; the events stand in `NAME.sta.jsonl`.
"""

import json
from pathlib import Path

import pytest

from tests.sources.bank.reading import outcome

GOLDEN = Path(__file__).parent / "golden"
FORMATS = {".sta": "mt940", ".942": "mt942"}
FILES = sorted(file for file in GOLDEN.iterdir() if file.suffix in FORMATS)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_golden_file_becomes_its_events(file: Path) -> None:
    expected = [json.loads(line) for line in Path(f"{file}.jsonl").read_text(encoding="utf-8").splitlines()]
    assert outcome(FORMATS[file.suffix], file) == expected


@pytest.mark.parametrize(
    "file", [file for file in FILES if file.name.startswith("refused-")], ids=lambda file: file.name
)
def test_a_refused_file_gives_one_reject_and_no_cash(file: Path) -> None:
    (reject,) = outcome(FORMATS[file.suffix], file)
    assert isinstance(reject, dict)
    assert set(reject) == {"rejected", "line", "message"}


def test_there_are_golden_files_of_both_formats() -> None:
    assert {file.suffix for file in FILES} == set(FORMATS)
    assert len(FILES) > 15
