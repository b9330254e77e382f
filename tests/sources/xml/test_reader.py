"""XML of strangers is read as a stream, and what is dangerous in it is refused."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sources.errors import FileRefusedError
from sources.xml import Limits, child, children, line_of, local_name, namespace, read_xml, source_of, text, texts
from tests.sources.test_memory import Generated

STATEMENT = b"""<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:example">
  <Stmt>
    <Id>S1</Id>
    <Ntry>
      <Ref>1</Ref>
      <TxDtls><Id>a</Id></TxDtls>
      <TxDtls><Id>b</Id></TxDtls>
    </Ntry>
    <Ntry><Ref>2</Ref></Ntry>
  </Stmt>
</Document>
"""


def seen(data: bytes, wanted: tuple[str, ...] = ("Ntry", "TxDtls")) -> list[tuple[str, str, str | None]]:
    return [
        (moment, local_name(element), text(element, "Ref") or text(element, "Id") or text(element))
        for moment, element in read_xml(io.BytesIO(data), wanted)
    ]


def refused(data: bytes, limits: Limits | None = None) -> FileRefusedError:
    with pytest.raises(FileRefusedError) as error:
        list(read_xml(io.BytesIO(data), ("Ntry", "TxDtls"), limits))
    return error.value


def test_wanted_elements_come_whole_and_the_others_at_both_ends() -> None:
    assert seen(STATEMENT) == [
        ("start", "Document", None),
        ("start", "Stmt", "S1"),  # what a start shows beyond name and attributes depends on what was read already
        ("start", "Id", "S1"),
        ("end", "Id", "S1"),
        ("start", "Ntry", "1"),
        ("end", "TxDtls", "a"),
        ("end", "TxDtls", "b"),
        ("end", "Ntry", "1"),
        ("start", "Ntry", "2"),
        ("end", "Ntry", "2"),
        ("end", "Stmt", None),
        ("end", "Document", None),
    ]


def test_the_names_the_lines_and_the_bytes_of_an_element() -> None:
    for moment, element in read_xml(io.BytesIO(STATEMENT), ("Ntry",)):
        if moment == "end" and local_name(element) == "Ntry" and text(element, "Ref") == "1":
            assert namespace(element) == "urn:example"
            assert line_of(element) == 5
            assert [text(details, "Id") for details in children(element, "TxDtls")] == ["a", "b"]
            assert line_of(list(children(element, "TxDtls"))[1]) == 8
            assert child(element, "TxDtls", "None", "Id") is None
            assert texts(child(element, "TxDtls"), "Id") == ["a"]
            assert b"<Ref>1</Ref>" in source_of(element)
            return
    raise AssertionError("no entry")


def test_a_text_of_several_lines_is_one() -> None:
    data = b"<r><Ntry><Ref>  Invoice 1\r\n      and  2\n\n of March </Ref></Ntry></r>"
    assert ("end", "Ntry", "Invoice 1 and  2 of March") in seen(data)


def test_lines_beyond_what_libxml_counts_in_two_bytes() -> None:
    data = b"<r>" + b"\n" * 70_000 + b"<Ntry><Ref>1</Ref></Ntry></r>"
    lines = [line_of(e) for m, e in read_xml(io.BytesIO(data), ("Ntry",)) if local_name(e) == "Ntry" and m == "end"]
    assert lines == [70_001]


@pytest.mark.parametrize(
    "data",
    [
        '<?xml version="1.0" encoding="UTF-8"?><Ntry><Ref>é</Ref></Ntry>'.encode(),
        '\ufeff<?xml version="1.0" encoding="UTF-8"?><Ntry><Ref>é</Ref></Ntry>'.encode(),
        '<?xml version="1.0" encoding="ISO-8859-1"?><Ntry><Ref>é</Ref></Ntry>'.encode("latin-1"),
        '<?xml version="1.0" encoding="windows-1252"?><Ntry><Ref>é</Ref></Ntry>'.encode("cp1252"),
        '<?xml version="1.0" encoding="UTF-16"?><Ntry><Ref>é</Ref></Ntry>'.encode("utf-16"),
        '<?xml version="1.0" encoding="UTF-16"?><Ntry><Ref>é</Ref></Ntry>'.encode("utf-16-le"),
        '<?xml version="1.0" encoding="UTF-16BE"?><Ntry><Ref>é</Ref></Ntry>'.encode("utf-16-be"),
        # a string of a program, saved in another encoding than it says
        '<?xml version="1.0" encoding="utf-16"?><Ntry><Ref>é</Ref></Ntry>'.encode(),
        "<Ntry><Ref>é</Ref></Ntry>".encode(),
        '\r\n \n<?xml version="1.0"?><Ntry><Ref>é</Ref></Ntry>'.encode(),
        "<Ntry><Ref>é</Ref></Ntry>\r\n\x1a".encode(),
        "<Ntry><Ref>é</Ref></Ntry>\x00\x00\x00".encode(),
    ],
)
def test_encodings_and_what_stands_around(data: bytes) -> None:
    assert ("end", "Ntry", "é") in seen(data)


def test_blank_lines_before_the_declaration_are_counted() -> None:
    data = b'\n\n\n<?xml version="1.0"?>\n<r>\n<Ntry/></r>'
    assert [line_of(e) for m, e in read_xml(io.BytesIO(data), ("Ntry",)) if local_name(e) == "Ntry"] == [6, 6]


def test_bytes_that_are_not_of_the_encoding_are_refused() -> None:
    error = refused(b'<?xml version="1.0" encoding="UTF-8"?>\n<Ntry><Ref>\xe9</Ref></Ntry>')
    assert (error.reason, error.line) == ("malformed_file", 2)


def test_the_line_where_xml_is_not_well_formed() -> None:
    error = refused(b"<Document>\n<Stmt>\n</Ntry>\n</Stmt></Document>")
    assert (error.reason, error.line) == ("malformed_file", 3)


@pytest.mark.parametrize("length", [40, 100, 200, len(STATEMENT) - 3])
def test_a_file_that_is_cut_off_is_refused(length: int) -> None:
    assert refused(STATEMENT[:length]).reason == "truncated_file"


@pytest.mark.parametrize(
    "data", [b"", b"  \n", b"\xef\xbb\xbf", b":20:STARTUMS", b"\x00" * 100, b"PK\x03\x04" + b"\x01" * 99]
)
def test_what_is_no_xml_is_refused(data: bytes) -> None:
    assert refused(data).reason == "malformed_file"


def test_concatenated_documents_are_refused() -> None:
    assert refused(STATEMENT + STATEMENT).reason == "malformed_file"


LAUGHS = b"".join(b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 10))


@pytest.mark.parametrize(
    "doctype",
    [
        b"<!DOCTYPE Ntry>",
        b'<!DOCTYPE Ntry SYSTEM "http://127.0.0.1:1/x.dtd">',
        b'<!DOCTYPE Ntry PUBLIC "-//X//Y" "file:///etc/passwd">',
        b'<!DOCTYPE Ntry [<!ENTITY l0 "ha">' + LAUGHS + b"]>",
        b'<!DOCTYPE Ntry [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        b'<!DOCTYPE Ntry [<!ENTITY % p SYSTEM "http://127.0.0.1:1/p"> %p;]>',
        b'<!DOCTYPE Ntry [<!ATTLIST Ntry Ccy CDATA "EUR">]>',
        b"<!--" + b" " * 60_000 + b"--><!DOCTYPE Ntry [" + b'<!ENTITY a "b">' * 50_000 + b"]>",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_document_type_is_refused(doctype: bytes, encoding: str) -> None:
    data = (doctype.decode() + "<Ntry><Ref>&l9;&x;</Ref></Ntry>").encode(encoding)
    assert refused(data).reason in {"forbidden_document_type", "malformed_file"}
    if len(doctype) < 60_000:
        assert refused(data).reason == "forbidden_document_type"


def test_a_document_type_in_an_encoding_that_the_prolog_does_not_know_is_refused() -> None:
    data = '<?xml version="1.0" encoding="cp037"?><!DOCTYPE Ntry [<!ENTITY l "ha">]><Ntry>&l;</Ntry>'.encode("cp037")
    assert refused(data).reason in {"forbidden_document_type", "malformed_file"}


def test_a_document_type_that_only_the_parser_sees_is_refused() -> None:
    """UTF-7 writes < as +ADw- and ! as +ACE-, so that the first look at the bytes finds no DOCTYPE."""
    hidden = b'+ADw-+ACE-DOCTYPE Ntry [+ADw-+ACE-ENTITY x SYSTEM "file:///etc/passwd">]><Ntry>&x;</Ntry>'
    assert refused(b'<?xml version="1.0" encoding="UTF-7"?>' + hidden).reason == "forbidden_document_type"


def test_a_document_type_inside_a_text_or_comment_is_none() -> None:
    assert ("end", "Ref", "<!DOCTYPE x>") in seen(b"<r><!-- <!DOCTYPE x> --><Ref><![CDATA[<!DOCTYPE x>]]></Ref></r>")


@pytest.mark.parametrize("entity", [b"&unknown;", b"&#0;", b"&x"])
def test_entities_that_are_not_of_xml_are_refused(entity: bytes) -> None:
    assert refused(b"<Ntry>" + entity + b"</Ntry>").reason == "malformed_file"


def test_entities_of_xml_are_characters() -> None:
    assert ("end", "Ntry", "M&A <é>") in seen(b"<Ntry><Ref>M&amp;A &lt;&#233;&gt;</Ref></Ntry>")


def test_includes_and_schema_locations_are_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.xml"
    secret.write_text("<secret>s</secret>")
    data = (
        f'<Ntry xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="{secret.as_uri()}"/>'
        f'<xi:include parse="text" href="{secret.as_uri()}"/></Ntry>'
    ).encode()
    for _, element in read_xml(io.BytesIO(data), ("Ntry",)):
        assert not list(element.itertext())


def test_limits() -> None:
    deep = b"<a>" * 200 + b"</a>" * 200
    assert refused(deep).reason == "too_large"
    assert refused(b"<a>" * 5000 + b"</a>" * 5000).reason in {"too_large", "malformed_file"}
    many = b"<Ntry>" + b"<x/>" * 50 + b"</Ntry>"
    assert refused(many, Limits(elements_max=50)).reason == "too_large"
    assert refused(b"<Ntry><x>" + b"y" * 500 + b"</x></Ntry>", Limits(characters_max=499)).reason == "too_large"
    assert refused(b"<Ntry><x y='" + b"y" * 500 + b"'/></Ntry>", Limits(characters_max=499)).reason == "too_large"
    assert refused(b"<Ntry>" + b"y" * 11_000_000 + b"</Ntry>").reason == "malformed_file"


def test_names_that_never_end_are_refused() -> None:
    """They would stay in memory for as long as the process runs."""
    elements = b"<r>" + b"".join(b"<n%d/>" % number for number in range(6_000)) + b"</r>"
    assert refused(elements).reason == "too_large"
    attributes = b"<r>" + b"".join(b'<n a%d=""/>' % number for number in range(6_000)) + b"</r>"
    assert refused(attributes).reason == "too_large"
    assert seen(b"<r>" + b"".join(b"<n%d/>" % (number % 50) for number in range(6_000)) + b"</r>")


def test_inner_wanted_elements_do_not_count_for_the_outer_one() -> None:
    data = b"<Ntry>" + b"<TxDtls><a/><b/></TxDtls>" * 500 + b"<Ref>r</Ref></Ntry>"
    given_ = [local_name(e) for m, e in read_xml(io.BytesIO(data), ("Ntry", "TxDtls"), Limits(elements_max=10))]
    assert given_.count("TxDtls") == 500


def _count(rows: Iterator[bytes]) -> int:
    stream = io.BufferedReader(Generated(rows))
    return sum(1 for moment, _ in read_xml(stream, ("Ntry", "TxDtls")) if moment == "end")


def _resident() -> int:
    """Bytes of this process in memory, by the kernel."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def _entries(count: int) -> Iterator[bytes]:
    yield b"<Document>"
    for number in range(count):
        yield b"\n  <Other>%d</Other>\n  <Ntry><Ref>%d</Ref><D>%s</D></Ntry>" % (number, number, b"x" * 200)
    yield b"</Document>"


def _batch(count: int) -> Iterator[bytes]:
    yield b"<Document><Ntry>"
    for number in range(count):
        yield b"\n   <TxDtls><Ref>%d</Ref><D>%s</D></TxDtls>" % (number, b"x" * 200)
    yield b"</Ntry></Document>"


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the kernel does not tell the resident memory here")
@pytest.mark.parametrize("rows", [_entries, _batch])
def test_memory_does_not_grow_with_the_file(rows: Callable[[int], Iterator[bytes]]) -> None:
    _count(rows(2_000))
    before = _resident()
    assert _count(rows(100_000)) >= 100_000  # more than 25 MB, which would be some 100 MB as a tree
    assert _resident() - before < 15_000_000


@settings(deadline=None)
@given(st.integers(0, len(STATEMENT) - 1), st.binary(min_size=1, max_size=4))
def test_any_byte_may_be_wrong(place: int, other: bytes) -> None:
    damaged = STATEMENT[:place] + other + STATEMENT[place + len(other) :]
    try:
        list(read_xml(io.BytesIO(damaged), ("Ntry", "TxDtls")))
    except FileRefusedError as error:
        assert error.message  # noqa: PT017 - any refusal will do, nothing else may be raised
