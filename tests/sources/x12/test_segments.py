"""Delimiters, segments and lines of X12 files as they come."""

import io

import pytest

from sources.errors import FileRefusedError
from sources.x12.segments import SEGMENT_BYTES_MAX, Segment, segments
from tests.sources.x12.interchange import interchange

PLAIN = interchange("820", ["BPR*I*0*C*NON", "NTE*ZZZ*a"])


def read(data: bytes) -> list[Segment]:
    return list(segments(io.BytesIO(data)))


def names(data: bytes) -> list[str]:
    return [segment.name for segment in read(data)]


@pytest.mark.parametrize("end", ["~", "~\n", "~\r\n", "\n", "\r\n", "'", "\x1c", "\x85"])
@pytest.mark.parametrize("element", ["*", "|", "\x1d", "+"])
def test_delimiters_are_those_of_the_header(element: str, end: str) -> None:
    data = interchange("820", ["BPR*I*0*C*NON", "NTE*ZZZ*a"], element=element, end=end)
    if end == "\x85":
        data = data.decode().encode("latin-1")
    assert [(s.name, s.elements) for s in read(data)] == [(s.name, s.elements) for s in read(PLAIN)]


def test_segments_know_the_line_on_which_they_begin() -> None:
    assert [segment.line for segment in read(PLAIN)] == [1, 2, 3, 4, 5, 6, 7, 8]


def test_line_ends_within_a_wrapped_file_are_no_data() -> None:
    flat = PLAIN.replace(b"\n", b"")
    wrapped = b"\r\n".join(flat[at : at + 80] for at in range(0, len(flat), 80))
    assert [s.elements for s in read(wrapped)] == [s.elements for s in read(PLAIN)]


def test_byte_order_mark_blanks_and_the_end_of_file_mark_say_nothing() -> None:
    assert names(b"\xef\xbb\xbf\r\n " + PLAIN + b"\n\x1a\0\0") == names(PLAIN)


def test_several_interchanges_have_delimiters_of_their_own() -> None:
    data = PLAIN + interchange("820", ["BPR|I|0|C|NON"], element="|", end="'") + PLAIN
    assert names(data).count("ISA") == 3
    assert names(data).count("BPR") == 3


def test_the_last_terminator_may_be_missing() -> None:
    assert names(PLAIN.rstrip(b"~\n")) == names(PLAIN)


def test_a_header_that_lost_its_blanks_is_read_by_its_separators() -> None:
    squeezed = b"ISA*00* *00* *ZZ*NORTHWIND *ZZ*BILLINGCO *250401*1200*^*00501*000000001*0*P*:~\n"
    assert names(squeezed + PLAIN[PLAIN.index(b"GS*") :]) == names(PLAIN)
    assert names(squeezed.replace(b"*:~", b"*~") + PLAIN[PLAIN.index(b"GS*") :]) == names(PLAIN)


@pytest.mark.parametrize("end", [b"~", b"~\n", b"\n", b"\\"])
def test_a_file_may_begin_at_the_group_or_the_set(end: bytes) -> None:
    lines = PLAIN.split(b"~\n")[:-1]
    assert names(end.join(lines[1:-1]) + end) == ["GS", "ST", "BPR", "NTE", "SE", "GE"]
    assert names(end.join(lines[2:-2]) + end) == ["ST", "BPR", "NTE", "SE"]


def test_texts_are_utf_8_or_else_latin_1() -> None:
    for encoding in ("utf-8", "latin-1"):
        data = PLAIN.decode().replace("*a", "*Café").encode(encoding)
        assert read(data)[4][2] == "Café"


@pytest.mark.parametrize(
    "data", [b"hello, world", b"ISA", b"ISA*00*", b"ISAAAAAAA" * 30, b"\xff\xfeI\0S\0A\0", b"ST*820"]
)
def test_what_does_not_begin_like_x12_is_refused(data: bytes) -> None:
    with pytest.raises(FileRefusedError) as refused:
        read(data)
    assert refused.value.reason == "malformed_file"


def test_a_segment_without_end_is_refused_in_bounded_memory() -> None:
    with pytest.raises(FileRefusedError, match="more than"):
        read(PLAIN[: PLAIN.index(b"GE*")] + b"NTE*ZZZ*" + b"x" * (20 * SEGMENT_BYTES_MAX))


def test_elements_left_out_are_empty() -> None:
    segment = Segment("BPR", ("I", " 12 "), 1)
    assert (segment[1], segment[2], segment[16]) == ("I", "12", "")
