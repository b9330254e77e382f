"""Lines of banks' files: characters, placeholders, lines of any length, parts that are repeated."""

import io
import tracemalloc

import pytest

from sources.bank import BankFormat, FileRefusedError
from sources.bank.bai import Bai2, Lockbox
from sources.bank.plain_text import Repetitions, iban_in, said, text_lines
from sources.bank.swift import Mt940, Mt942
from tests.sources.bank.reading import entries


def texts(data: bytes) -> list[str]:
    return [line.text for line in text_lines(io.BytesIO(data), "a test", 100)]


def test_a_line_is_utf_8_or_else_latin_1() -> None:
    assert texts("Müller\n".encode() + "Müller\n".encode("latin-1")) == ["Müller", "Müller"]
    assert texts(bytes(range(128, 150)) + b"\n") == [bytes(range(128, 150)).decode("latin-1")]


def test_marks_and_ends_are_no_text() -> None:
    assert texts(b"\xef\xbb\xbfA\r\n\r\nB \r\n\x1a\x1a\x00") == ["A", "B "]


@pytest.mark.parametrize("text", ["", "  ", "NONREF", "NON REF", "nonref", "NOTPROVIDED", "0", "0000", "-", "N/A"])
def test_what_says_nothing(text: str) -> None:
    assert said(text) is None


def test_what_says_something() -> None:
    assert said("  INV   7 ") == "INV 7"
    assert iban_in("nl47 ingb 0009 9999 99") == "NL47INGB0009999999"
    assert iban_in("INV-7") is None


@pytest.mark.parametrize("form", [Bai2(), Lockbox(), Mt940(), Mt942()], ids=("bai2", "lockbox", "mt940", "mt942"))
@pytest.mark.parametrize("line", [b"1", b"{4:", b"/ ", b"01,", b":20:", b"EREF+", b"?20"])
def test_a_line_without_end_is_refused_in_bounded_memory(form: BankFormat, line: bytes) -> None:
    stream = io.BytesIO(line * (4_000_000 // len(line)))
    tracemalloc.start()
    try:
        with pytest.raises(FileRefusedError):
            form.verify(stream)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_a_record_that_is_continued_for_ever_is_refused() -> None:
    head = b"01,1,2,261126,0615,1,,,2/\n02,2,1,1,261125,,USD,2/\n03,ACCT,,,,,/\n16,195,100,0,A,B,C\n"
    for more in (b"88," + b"X" * 1000 + b"\n", b"X" * 1000 + b"\n"):
        with pytest.raises(FileRefusedError, match=r"characters|begin"):
            entries(Bai2(), head + more * 1_000)


def test_a_field_that_never_ends_is_refused() -> None:
    head = b":20:A\n:25:B\n:60F:C260101EUR0,\n:61:260102C1,NTRFNONREF\n:86:PAID\n"
    with pytest.raises(FileRefusedError, match="lines"):
        entries(Mt940(), head + b"MORE\n" * 1_000)
    with pytest.raises(FileRefusedError, match="fields"):
        entries(Mt940(), head + b":86:MORE\n" * 1_000)


def test_repeated_parts_are_known_by_what_they_say() -> None:
    seen = Repetitions()
    for ordinal, content in enumerate((b"a", b"b", b"a", b"c", b"b", b"d")):
        seen.note(ordinal, content)
    assert [ordinal for ordinal in range(8) if ordinal in seen] == [2, 4]


def test_repetitions_take_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sources.bank.plain_text._PARTS_REMEMBERED_MIN", 50)
    seen = Repetitions()
    for ordinal in range(1_000):
        seen.note(ordinal, str(ordinal // 2).encode())
    assert len(seen._recent) + len(seen._before) <= 100
    assert sum(ordinal in seen for ordinal in range(1_000)) == 500
