"""Rejected lines written back to files: whatever a source is called, nothing leaves the folder or replaces a file."""

import json
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.dead_letters import DeadLetter, Place, export
from pipeline.dead_letters.export import _free_name
from pipeline.errors import Problem

LETTER = DeadLetter(
    place=Place(3, 17),
    topic="in/a.csv",
    partition=-1,
    offset=3,
    stage="source",
    reason="invalid_amount",
    error="in/a.csv:3 (AMOUNT): no",
    company="FR01",
    event_type="InvoiceIssued",
    key=None,
    value=b"A1;1,00\n",
    headers=(("source_column", b"AMOUNT"),),
    failed_at=datetime(2026, 3, 31, tzinfo=UTC),
    arrived_milliseconds=0,
)


def letter(**changes: object) -> DeadLetter:
    """The letter above, with these things different."""
    return msgspec.structs.replace(LETTER, **changes)


def test_rows_are_written_with_their_reasons_beside(tmp_path: Path) -> None:
    rows = [
        letter(),
        letter(offset=4, value=b'A2;"two\nlines"'),
        letter(offset=7, value=b"A3"),
        letter(offset=8, value=b""),
    ]
    (written,) = export(rows, tmp_path / "back")
    assert (written.source, written.lines, written.withheld) == ("in/a.csv", 4, 1)
    assert written.file.read_bytes() == b'A1;1,00\nA2;"two\nlines"\nA3\n'
    notes = [json.loads(line) for line in (tmp_path / "back" / "a.csv.rejected.json").read_text().splitlines()]
    assert [(note["line"], note["source_line"]) for note in notes] == [(1, 3), (2, 4), (4, 7), (None, 8)]
    assert notes[0] == {
        "line": 1,
        "source_file": "in/a.csv",
        "source_line": 3,
        "column": "AMOUNT",
        "field": None,
        "reason": "invalid_amount",
        "error": "in/a.csv:3 (AMOUNT): no",
        "company": "FR01",
        "event_type": "InvoiceIssued",
        "place": "3:17",
    }


def test_a_row_that_was_rejected_twice_is_written_once(tmp_path: Path) -> None:
    (written,) = export([letter(), letter(place=Place(3, 99)), letter(value=b"A1;2,00\n")], tmp_path)
    assert written.lines == 2


def test_no_file_is_replaced(tmp_path: Path) -> None:
    export([letter()], tmp_path)
    with pytest.raises(Problem, match=r"a\.csv\.rejected is there already"):
        export([letter(offset=4)], tmp_path)
    assert (tmp_path / "a.csv.rejected").read_bytes() == LETTER.value


@pytest.mark.parametrize(
    "source", ["../../etc/passwd", "/etc/passwd", "..", "a/../..", "C:\\temp\\..\\x", "\0", ".bashrc", ""]
)
def test_a_name_does_not_lead_out_of_the_folder(tmp_path: Path, source: str) -> None:
    folder = tmp_path / "a" / "b" / "back"
    (written,) = export([letter(topic=source)], folder)
    assert written.file.parent == folder
    assert {file for file in tmp_path.rglob("*") if file.is_file()} == set(folder.iterdir())


@given(st.lists(st.text(max_size=300), max_size=5, unique=True))
def test_every_source_has_a_file_of_its_own(sources: list[str]) -> None:
    taken: set[str] = set()
    for source in sources:
        name = _free_name(source, taken)
        assert name not in taken
        assert not name.startswith(".")
        assert "/" not in name
        assert len(name) < 200
        taken.add(name)


def test_a_folder_that_cannot_be_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Problem, match=r"cannot be written|is there already"):
        export([letter()], tmp_path / "file" / "back")
