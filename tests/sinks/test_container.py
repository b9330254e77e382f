"""Avro containers around datums that are encoded already."""

import io
from typing import Any

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinks.container import (
    encode_length,
    encode_long,
    encode_offset,
    encode_string,
    frame,
    write_container,
    write_header,
)
from sinks.errors import RowsRefused
from tests.sinks.twins import read_container

SCHEMA = {"type": "record", "name": "Row", "fields": [{"name": "n", "type": "long"}, {"name": "s", "type": "string"}]}


def datum(type_: str | list[Any] | dict[Any, Any], value: object) -> bytes:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(type_), value)
    return out.getvalue()


@given(st.integers(-(2**63), 2**63 - 1))
def test_a_long_is_written_as_avro_writes_it(value: int) -> None:
    assert encode_long(value) == datum("long", value)


@given(st.integers(0, 2**62))
def test_an_offset_is_a_long(offset: int) -> None:
    assert encode_offset(offset) == encode_long(offset)


@given(st.integers(0, 100_000))
def test_a_length_is_a_long(length: int) -> None:
    assert encode_length(length) == encode_long(length)


@given(st.text())
def test_a_string_is_written_as_avro_writes_it(text: str) -> None:
    assert encode_string(text) == datum("string", text)


@given(st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), st.text())))
def test_what_is_framed_is_read_back(rows: list[tuple[int, str]]) -> None:
    container = write_container(
        write_header(SCHEMA), [frame(encode_long(number) + encode_string(text)) for number, text in rows]
    )
    assert read_container(container) == [{"n": number, "s": text} for number, text in rows]


def test_a_row_that_is_cut_off_is_not_read_on_into_the_next() -> None:
    rows = [encode_long(number) + encode_string("some text") for number in range(3)]
    rows[1] = rows[1][:-4]
    with pytest.raises(RowsRefused):
        read_container(write_container(write_header(SCHEMA), map(frame, rows)))
