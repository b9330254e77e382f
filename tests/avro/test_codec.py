"""The compiled codec against fastavro: the same bytes, the same values, for every record and any value."""

import contextlib
import io
from types import SimpleNamespace
from typing import Any

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avro import MalformedRecord, UnknownSchema, contracts
from avro.decoder import DAMAGE, compile_reader
from avro.schemas import AvroType
from tests.avro.examples import few, many, records, reference, reference_bytes, smallest, values

NAMES = contracts().names


def as_object(value: Any) -> Any:
    """A record as an object with attributes, its arrays as tuples, as the jobs have it."""
    if isinstance(value, list):
        return tuple(as_object(item) for item in value)
    if isinstance(value, dict) and all(key.isidentifier() and key.islower() for key in value):
        return SimpleNamespace(**{key: as_object(item) for key, item in value.items()})
    return value


def as_object_of(name: str, record: dict[str, Any]) -> SimpleNamespace:
    # A map stays a mapping; only records become objects.
    maps = {
        field["name"]
        for field in contracts().schema(name)["fields"]
        if isinstance(field["type"], dict) and field["type"]["type"] == "map"
    }
    return SimpleNamespace(**{key: value if key in maps else as_object(value) for key, value in record.items()})


@pytest.mark.parametrize("name", NAMES)
def test_every_record_is_encoded_as_fastavro_does(name: str) -> None:
    encode = contracts().encoder(name)

    @few
    @given(records(name))
    def same_bytes(record: dict[str, Any]) -> None:
        expected = reference_bytes(name, record)
        assert contracts().encode(name, record) == expected
        assert encode(as_object_of(name, record)) == expected

    same_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_every_record_is_decoded_as_fastavro_does(name: str) -> None:
    @few
    @given(records(name))
    def same_values(record: dict[str, Any]) -> None:
        value = reference_bytes(name, record)
        stream = io.BytesIO(value[5:])
        assert contracts().decode(value) == (name, fastavro.schemaless_reader(stream, reference(name), None))
        assert contracts().decode(value) == (name, record)

    same_values()


@pytest.mark.parametrize("name", NAMES)
def test_a_decoder_reads_the_leading_fields_in_the_order_asked_for(name: str) -> None:
    fields = [field["name"] for field in contracts().schema(name)["fields"]]
    plain = smallest(name)
    value = contracts().encode(name, plain)

    @few
    @given(st.lists(st.sampled_from(fields), min_size=1, unique=True))
    def the_values_asked_for(wanted: list[str]) -> None:
        decode = contracts().decoder(name, lambda *read: read, wanted)
        found = [list(item) if isinstance(item, tuple) else item for item in decode(value)]
        assert found == [plain[field] for field in wanted]

    the_values_asked_for()


@pytest.mark.parametrize("name", NAMES)
def test_a_record_cut_off_anywhere_is_malformed(name: str) -> None:
    value = contracts().encode(name, smallest(name))
    fields = [field["name"] for field in contracts().schema(name)["fields"]]
    decode = contracts().decoder(name, lambda *read: read, fields)
    for length in range(len(value)):
        with pytest.raises(MalformedRecord):
            contracts().decode(value[:length])
        with pytest.raises(MalformedRecord):
            decode(value[:length])


@pytest.mark.parametrize("name", NAMES)
def test_bytes_behind_a_record_make_it_malformed(name: str) -> None:
    value = contracts().encode(name, smallest(name))
    for tail in (b"\0", b"\x02", b"more"):
        with pytest.raises(MalformedRecord, match="the value ends at byte"):
            contracts().decode(value + tail)


@pytest.mark.parametrize("name", NAMES)
def test_damaged_bytes_are_read_as_fastavro_does_or_are_malformed(name: str) -> None:
    """Never IndexError or UnicodeDecodeError, never a value that differs from the reference's."""
    value = contracts().encode(name, smallest(name))

    @few
    @given(st.integers(5, len(value) - 1), st.binary(min_size=1, max_size=9))
    def damaged(position: int, damage: bytes) -> None:
        harmed = value[:position] + damage + value[position + len(damage) :]
        try:
            _, record = contracts().decode(harmed)
        except MalformedRecord:
            return
        stream = io.BytesIO(harmed[5:])
        assert repr(record) == repr(fastavro.schemaless_reader(stream, reference(name), None))
        assert stream.read() == b""

    damaged()


@many
@given(st.binary(max_size=200))
def test_noise_is_malformed_or_unknown_and_nothing_else(noise: bytes) -> None:
    with contextlib.suppress(MalformedRecord, UnknownSchema):
        contracts().decode(noise)


@many
@given(st.binary(max_size=120), st.sampled_from(NAMES))
def test_noise_behind_a_known_id_is_malformed_or_a_whole_record(noise: bytes, name: str) -> None:
    value = b"\0" + contracts().schema_id(name).to_bytes(4, "big") + noise
    with contextlib.suppress(MalformedRecord):
        found, record = contracts().decode(value)
        assert found == name
        # What was read can be written again; non-canonical integers may come out shorter.
        assert len(contracts().encode(name, record)) <= len(value)


@pytest.mark.parametrize("value", [b"", b"\0", b"\0\0\0\0", b"\1\0\0\0\1", b"{}", b'{"event": 1}'])
def test_what_is_not_the_wire_format_is_malformed(value: bytes) -> None:
    with pytest.raises(MalformedRecord, match="zero byte and a schema id"):
        contracts().decode(value)


@pytest.mark.parametrize("identifier", [0, 999_999, 2**32 - 1])
def test_an_unknown_id_is_said_to_be_unknown(identifier: int) -> None:
    with pytest.raises(UnknownSchema, match=f"schema id {identifier} is not known here"):
        contracts().decode(b"\0" + identifier.to_bytes(4, "big") + b"\0")


def test_the_reasons_of_the_errors_fit_a_metric_label() -> None:
    assert MalformedRecord.reason == "malformed_record"
    assert UnknownSchema.reason == "unknown_schema"


def reader_of(*fields: AvroType) -> Any:
    schema = {"name": "E", "fields": [{"name": f"f{n}", "type": type_} for n, type_ in enumerate(fields)]}
    return compile_reader(schema, 0)


ARRAY: AvroType = {"type": "array", "items": "long"}


@pytest.mark.parametrize(
    ("types", "data", "expected"),
    [
        pytest.param([ARRAY], b"\x04\x02\x04\x02\x06\x00", [1, 2, 3], id="several blocks"),
        pytest.param([ARRAY], b"\x03\x04\x02\x04\x00", [1, 2], id="a block with its size"),
        pytest.param(["long"], b"\x80\x00", 0, id="an integer with a needless byte"),
        pytest.param(["string"], b"\x84\x00ok", "ok", id="a length with a needless byte"),
    ],
)
def test_what_other_writers_may_write_is_read(types: list[AvroType], data: bytes, expected: object) -> None:
    assert reader_of(*types)(data) == {"f0": expected}


@pytest.mark.parametrize(
    ("types", "data"),
    [
        pytest.param(["string"], b"\x03ab", id="a negative length"),
        pytest.param(["string"], b"\xff\xff\xff\xff\x0fab", id="a negative length of several bytes"),
        pytest.param(["string"], b"\x0aab", id="a length beyond the end"),
        pytest.param(["string", "string"], b"\x02a\x0a", id="the second text beyond the end"),
        pytest.param(["bytes"], b"\x0aab", id="bytes beyond the end"),
        pytest.param(["string"], b"\x02\xff", id="no UTF-8"),
        pytest.param(["long"], b"\xff" * 10 + b"\x01", id="an integer of eleven bytes"),
        pytest.param(["long"], b"\xff" * 9 + b"\x02", id="an integer of 65 bits"),
        pytest.param(["int"], b"\x80\x80\x80\x80\x10", id="an int of 33 bits"),
        pytest.param(["boolean"], b"\x02", id="neither true nor false"),
        pytest.param([["null", "long"]], b"\x04\x02", id="a third branch"),
        pytest.param([["null", "long"]], b"\x01\x02", id="a negative branch"),
        pytest.param([ARRAY], b"\xfe\xff\xff\xff\xff\xff\xff\x01\x02", id="more items than bytes"),
        pytest.param([ARRAY], b"\x04\x02\x04", id="an array without its end"),
        pytest.param([ARRAY], b"\x03\x03\x02\x04\x00", id="a block of negative size"),
        pytest.param(["double"], b"\0" * 7, id="half a double"),
    ],
)
def test_what_avro_does_not_allow_is_damage(types: list[AvroType], data: bytes) -> None:
    with pytest.raises(DAMAGE):
        reader_of(*types)(data)


@many
@given(st.data())
def test_instants_of_any_length_are_read_wherever_they_stand(data: st.DataObject) -> None:
    """The short way for instants looks at eight bytes at once; near the end of a record there may be fewer."""
    instant = {"type": "long", "logicalType": "timestamp-micros"}
    behind = data.draw(st.integers(0, 9))
    types: list[AvroType] = [instant, *["boolean"] * behind]
    schema = {
        "type": "record",
        "name": "E",
        "fields": [{"name": f"f{n}", "type": type_} for n, type_ in enumerate(types)],
    }
    record = {f"f{n}": data.draw(values(type_)) for n, type_ in enumerate(types)}
    stream = io.BytesIO()
    plain = {**schema, "fields": [{**schema["fields"][0], "type": "long"}, *schema["fields"][1:]]}  # type: ignore[dict-item]
    fastavro.schemaless_writer(stream, fastavro.parse_schema(plain), record)
    assert compile_reader(schema, 0)(stream.getvalue()) == record
