"""Rows: RFC 4180 and its dialects. A bad row costs itself and nothing else."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.csv_rows import BadRow, Dialect, Row, rows

SEMICOLON = Dialect(delimiter=";")


def read(data: bytes, dialect: Dialect = SEMICOLON, bytes_max: int = 1000) -> list[Row | BadRow]:
    return list(rows(io.BytesIO(data), dialect, bytes_max))


def shown(data: bytes, dialect: Dialect = SEMICOLON) -> list[tuple[int, list[str] | str]]:
    """Line and values of good rows, line and reason of bad ones."""
    return [(row.line, row.values if isinstance(row, Row) else row.reason) for row in read(data, dialect)]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"a;b\r\n1;2\r\n", [(1, ["a", "b"]), (2, ["1", "2"])]),
        (b"a;b\n\n   \n1;2", [(1, ["a", "b"]), (4, ["1", "2"])]),
        (b'"x;y";"say ""hi"""\n', [(1, ["x;y", 'say "hi"'])]),
        (b'"two\nlines";b\n1;2\n', [(1, ["two\nlines", "b"]), (3, ["1", "2"])]),
        (b'pipe 5";b\n', [(1, ['pipe 5"', "b"])]),
        (b"\xef\xbb\xbfa;b\n", [(1, ["a", "b"])]),
    ],
)
def test_rows(data: bytes, expected: list[tuple[int, list[str]]]) -> None:
    assert shown(data) == expected


def test_a_quote_that_is_never_closed_costs_its_own_line_only() -> None:
    assert shown(b'a;"b\n1;2\n3;"4"\n') == [(1, "malformed_row"), (2, ["1", "2"]), (3, ["3", "4"])]


def test_an_open_quote_at_the_end_of_the_file_loses_nothing() -> None:
    found = read(b'1;2\n3;"4\n5;6')
    assert [row.original for row in found] == [b"1;2\n", b'3;"4\n', b"5;6"]


def test_a_byte_that_is_not_of_the_encoding_costs_its_row_and_is_named() -> None:
    good, bad, after = read(b"a\ncaf\xe9\nb\n", Dialect(encoding="utf-8"))
    assert isinstance(bad, BadRow)
    assert bad.reason == "invalid_encoding"
    assert "byte 4 (0xe9)" in bad.message
    assert isinstance(good, Row)
    assert isinstance(after, Row)


def test_cp1252_is_read_as_such() -> None:
    assert shown(b"caf\xe9;\x80\n", Dialect(delimiter=";", encoding="cp1252")) == [(1, ["café", "€"])]


def test_without_a_quote_character_quotes_are_text() -> None:
    assert shown(b'"a;b"\n', Dialect(delimiter=";", quote="")) == [(1, ['"a', 'b"'])]


def test_a_line_past_the_limit_is_a_bad_row() -> None:
    found = read(b"a;b\n" + b"x" * 2000 + b"\n1;2\n")
    assert [type(row) for row in found] == [Row, BadRow, Row]


def test_quotes_over_more_lines_than_the_limit_allows_are_a_bad_row() -> None:
    found = read(b'a;"' + b"x\n" * 2000 + b'";b\n1;2\n')
    assert isinstance(found[0], BadRow)
    assert found[-1] == Row(2002, ["1", "2"], b"1;2\n")


VALUES = st.lists(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=8), min_size=2,
                           max_size=4), max_size=6)  # fmt: skip


@given(VALUES)
def test_what_the_csv_module_writes_is_read_back(written: list[list[str]]) -> None:
    text = io.StringIO()
    csv.writer(text, delimiter=";", quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows(written)
    found = read(text.getvalue().encode(), bytes_max=100_000)
    assert [row.values for row in found if isinstance(row, Row)] == written
    assert not [row for row in found if isinstance(row, BadRow)]


@given(st.binary(max_size=300) | st.text('a;"\n\r', max_size=60).map(str.encode))
def test_no_bytes_crash_the_reader_and_none_are_lost(data: bytes) -> None:
    kept = b"".join(row.original for row in read(data))
    expected = data.removeprefix(b"\xef\xbb\xbf")
    blank = [line for line in io.BytesIO(expected) if not line.strip()]
    assert len(kept) >= len(expected) - sum(map(len, blank))
