"""Extracts that were cut or garbled: no crash, no silence, and a list of open items that was cut is never compared."""

import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sources import ParsedEvent, SkippedRow, SourceError, SourceOptions, SourceReject
from sources.csv_file import CsvFile
from sources.mapping import load_mapping
from sources.snapshot import read_extract
from tests.sources.erp.extracts import SAMPLES, all_extracts

_EXTRACTS = [extract for extract in all_extracts() if extract.erp != "oracle-fusion"]


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_whatever_happens_to_an_extract_every_row_is_answered(data: st.DataObject) -> None:
    extract = data.draw(st.sampled_from(_EXTRACTS))
    content = bytearray(extract.file.read_bytes())
    # Behind the header, the first line with many columns; what is damaged before it is told as a whole.
    columns_min = 5 if extract.file.suffix == ".txt" else 2
    lines = content.split(b"\n")
    before = next(index for index, line in enumerate(lines) if sum(map(line.count, (b",", b";", b"\t"))) >= columns_min)
    header = sum(len(line) + 1 for line in lines[: before + 1])
    for _ in range(data.draw(st.integers(0, 6))):
        content[data.draw(st.integers(header, len(content) - 1))] = data.draw(st.integers(0, 255))
    content = content[: data.draw(st.integers(header, len(content)))]
    try:
        values = list(extract.adapter().read(io.BytesIO(bytes(content)), str(extract.file)))
    except SourceError:
        return
    assert values or not bytes(content[header:]).strip()
    for value in values:
        assert isinstance(value, ParsedEvent | SourceReject | SkippedRow)
        if isinstance(value, SourceReject):
            assert value.original in bytes(content)


@pytest.fixture(scope="module")
def folder() -> Path:
    """The sample of two nights."""
    return SAMPLES / "snapshots"


def test_the_trailer_of_a_list_is_no_document_for_any_reader(folder: Path) -> None:
    adapter = CsvFile(SourceOptions(company="FR01"), load_mapping(folder / "open-items.toml"))
    with (folder / "open-items-2026-03-02.csv").open("rb") as stream:
        values = list(adapter.read(stream, "l.csv"))
    assert [type(value) for value in values] == [ParsedEvent] * 6 + [SkippedRow]


def test_a_list_that_was_cut_anywhere_is_refused(folder: Path) -> None:
    mapping = load_mapping(folder / "open-items.toml")
    adapter = CsvFile(SourceOptions(company="FR01"), mapping)
    whole = (folder / "open-items-2026-03-02.csv").read_bytes()
    assert len(read_extract(adapter, mapping, io.BytesIO(whole), "l.csv").items) == 6
    taken = []
    for length in range(len(whole)):
        try:
            read_extract(adapter, mapping, io.BytesIO(whole[:length]), "l.csv")
        except SourceError:
            continue
        taken.append(whole[length:])
    # All that may be missing are delimiters behind the trailer and its line end.
    assert all(not rest.strip(b";\n") for rest in taken)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 255))
def test_a_garbled_byte_never_makes_an_item_disappear(position: int, byte: int) -> None:
    folder = SAMPLES / "snapshots"
    mapping = load_mapping(folder / "open-items.toml")
    adapter = CsvFile(SourceOptions(company="FR01"), mapping)
    content = bytearray((folder / "open-items-2026-03-02.csv").read_bytes())
    content[position % len(content)] = byte
    try:
        extract = read_extract(adapter, mapping, io.BytesIO(bytes(content)), "l.csv")
    except SourceError:
        return
    assert len(extract.items) == 6
