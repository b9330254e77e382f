"""Records of any schema for property tests, and fastavro as the reference of the encoding."""

import io
import json
from functools import cache
from typing import Any

import fastavro
from hypothesis import strategies as st

from avro import contracts
from avro.schemas import AvroType
from avro.types import base, is_instant, optional, without_logical_types
from tests.jobs.examples import examples

few = examples(25)
many = examples(200)

HEADER_BYTES = 5
LONGS = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.sampled_from([0, 1, -1, 63, 64, -64, -65, 8191, 8192, 2**27, 2**34, 2**62, 2**63 - 1, -(2**63)]),
)
INTS = st.one_of(st.integers(-(2**31), 2**31 - 1), st.integers(0, 40_000))
INSTANTS = st.one_of(st.integers(0, 2**52), LONGS)
TEXTS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["", "EUR", "é", "客户", "🧾" * 40, "x" * 63, "x" * 64, "\x00", "a" * 9000]),
)


def values(type_: AvroType) -> st.SearchStrategy[Any]:
    """Values of a type, extremes included."""
    nullable, inner = optional(type_)
    if nullable:
        return st.none() | values(inner)
    match base(inner):
        case "record":
            return st.fixed_dictionaries({field["name"]: values(field["type"]) for field in inner["fields"]})
        case "array":
            return st.lists(values(inner["items"]), max_size=3)
        case "map":
            return st.dictionaries(TEXTS, values(inner["values"]), max_size=3)
        case "long":
            return INSTANTS if is_instant(inner) else LONGS
        case kind:
            plain: dict[str, st.SearchStrategy[Any]] = {
                "string": TEXTS,
                "bytes": st.binary(max_size=80),
                "int": INTS,
                "boolean": st.booleans(),
                "double": st.floats(allow_nan=False),
            }
            return plain[kind]


@cache
def records(name: str) -> st.SearchStrategy[dict[str, Any]]:
    """Records of the current schema of that name."""
    return values(contracts().schema(name))


@cache
def reference(name: str) -> AvroType:
    """The schema as fastavro takes it, with days and instants as the integers they are."""
    return fastavro.parse_schema(without_logical_types(json.loads(json.dumps(contracts().schema(name)))))


def reference_bytes(name: str, record: dict[str, Any]) -> bytes:
    """The wire format by fastavro."""
    stream = io.BytesIO()
    stream.write(b"\0" + contracts().schema_id(name).to_bytes(4, "big"))
    fastavro.schemaless_writer(stream, reference(name), record)
    return stream.getvalue()


def smallest(name: str) -> dict[str, Any]:
    """A plain record of that name, the same at every call."""
    return {field["name"]: _plain(field["type"]) for field in contracts().schema(name)["fields"]}


def _plain(type_: AvroType) -> object:
    nullable, inner = optional(type_)
    if nullable:
        return None
    if base(inner) == "record":
        return {field["name"]: _plain(field["type"]) for field in inner["fields"]}
    if base(inner) == "array":
        return [_plain(inner["items"])]
    instant = 1_767_225_600_000_000
    kinds = {"string": "X1", "bytes": b"\x00\xff", "int": 20_000, "long": instant if is_instant(inner) else 1250,
             "boolean": True, "double": 0.5, "map": {"EUR": 5}}  # fmt: skip
    return kinds[base(inner)]
