"""Which files a run reads, in which order, and standard input."""

import io
from pathlib import Path

import pytest

from sources import Inputs, SourceError, SourceOptions, adapter, find_files
from sources.jsonl import JsonLines

SUFFIXES = (".jsonl", ".ndjson")
LINE = b'{"event":"PaymentPlacedOnAccount","occurred_at":"2026-01-14T09:00:00Z","account_id":"C1","payment_id":"P%d"}\n'


def test_a_folder_gives_its_files_of_the_format_sorted(tmp_path: Path) -> None:
    for name in ("b.jsonl", "a.jsonl", "c.csv", ".hidden.jsonl", "deep/d.NDJSON"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    found = find_files([str(tmp_path)], SUFFIXES)
    assert [file.relative_to(tmp_path).as_posix() for file in found if file] == ["a.jsonl", "b.jsonl", "deep/d.NDJSON"]


def test_files_that_are_named_are_read_in_that_order_whatever_their_suffix(tmp_path: Path) -> None:
    for name in ("b.txt", "a.txt"):
        (tmp_path / name).write_bytes(b"")
    given = [str(tmp_path / "b.txt"), "-", str(tmp_path / "a.txt")]
    assert find_files(given, SUFFIXES) == [tmp_path / "b.txt", None, tmp_path / "a.txt"]


def test_what_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="there is no file"):
        find_files([str(tmp_path / "none.jsonl")], SUFFIXES)
    with pytest.raises(SourceError, match=r"has no .jsonl or .ndjson file"):
        find_files([str(tmp_path)], SUFFIXES)
    with pytest.raises(SourceError, match="standard input is named more than once"):
        find_files(["-", "-"], SUFFIXES)


def test_standard_input_can_be_read_twice_once_it_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_bytes(LINE % 1)
    inputs = Inputs([file, None], io.BytesIO(LINE % 2 + LINE % 3))
    inputs.keep_standard_input()
    reader = JsonLines(SourceOptions(company="FR01"))
    first = [str(value.position) for value in inputs.read(reader)]
    assert first == [f"{file}:1", "<stdin>:1", "<stdin>:2"]
    assert [str(value.position) for value in inputs.read(reader)] == first
    inputs.close()


def test_every_header_is_checked_before_the_first_row_is_read(tmp_path: Path) -> None:
    mapping = tmp_path / "m.toml"
    mapping.write_text(
        'source = "x"\n[[event]]\nevent = "PaymentPlacedOnAccount"\n'
        'fields = { payment_id = "P", account_id = "A", occurred_at = { column = "T", timezone = "UTC" } }\n'
    )
    good, bad = tmp_path / "a.csv", tmp_path / "b.csv"
    good.write_text("P,A,T\n1,C1,2026-01-14T09:00:00\n")
    bad.write_text("P,A\n1,C1\n")
    reader = adapter("csv", SourceOptions(company="FR01"), mapping)
    with pytest.raises(SourceError, match=r"b\.csv has no column 'T'"):
        Inputs([good, bad], io.BytesIO()).check(reader)


def test_formats_say_what_they_need(tmp_path: Path) -> None:
    options = SourceOptions(company="FR01")
    with pytest.raises(SourceError, match=r"there is no format 'xml'\. Known formats: csv, .*jsonl"):
        adapter("xml", options)
    with pytest.raises(SourceError, match="csv needs a mapping"):
        adapter("csv", options)
    with pytest.raises(SourceError, match="jsonl takes no mapping"):
        adapter("jsonl", options, tmp_path / "m.toml")
