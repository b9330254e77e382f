"""Deliveries that are compressed, and pipes, among the files of a run."""

import gzip
import io
import os
import threading
from pathlib import Path

import pytest

from sources import Inputs, ParsedEvent, SourceError, SourceOptions, adapter, find_files
from tests.sources.watch.inbox import invoice, lines

READER = adapter("jsonl", SourceOptions(company="FR01"))


def events(*paths: Path) -> int:
    """How many events the files have."""
    inputs = Inputs(find_files(map(str, paths), (".jsonl",)), io.BytesIO())
    inputs.check(READER)
    return sum(isinstance(value, ParsedEvent) for value in inputs.read(READER))


def test_a_folder_gives_its_compressed_files_too(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(lines(invoice(1)))
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(lines(invoice(2), invoice(3)).encode()))
    (tmp_path / "c.csv.gz").write_bytes(b"")
    assert events(tmp_path) == 3


def test_several_members_are_one_content(tmp_path: Path) -> None:
    """As `cat a.gz b.gz` makes them, and log rotation."""
    file = tmp_path / "a.jsonl.gz"
    file.write_bytes(b"".join(gzip.compress(lines(invoice(number)).encode()) for number in range(3)))
    assert events(file) == 3


@pytest.mark.parametrize("cut", [1, 8, 12, 40])
def test_nothing_is_read_of_a_file_that_is_cut_off(tmp_path: Path, cut: int) -> None:
    file = tmp_path / "a.jsonl.gz"
    file.write_bytes(gzip.compress(lines(*(invoice(number) for number in range(100))).encode())[:-cut])
    with pytest.raises(SourceError, match="damaged or cut off"):
        events(file)


def test_other_archives_are_named(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_bytes(b"PK\x03\x04 and so on")
    with pytest.raises(SourceError, match="ZIP archive"):
        events(file)


def test_a_pipe_is_read_once(tmp_path: Path) -> None:
    """As a shell's `<(…)` gives it."""
    pipe = tmp_path / "pipe.jsonl"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=(lines(invoice(1), invoice(2)),))
    writer.start()
    assert events(pipe) == 2
    writer.join(10)
