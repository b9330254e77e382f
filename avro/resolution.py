"""Reading what another version of a schema wrote (Avro spec, "Schema Resolution"), by fastavro.

Rare: only what lies in the log from before a release, or comes from a producer that is a release ahead.
"""

import io
from collections.abc import Callable
from typing import Any

import fastavro

from avro import types
from avro.errors import MalformedRecord
from avro.schemas import Schema, full_name


def resolver(writer: Schema, reader: Schema, start: int) -> Callable[[bytes], dict[str, Any]]:
    """A function that reads what `writer` wrote from byte `start` on, as a record of `reader`.

    It raises MalformedRecord for bytes that are not one whole record, and for schemas that do not resolve.
    """
    name = full_name(reader)
    # Hints in the parsed schema would make fastavro take one of these for the other: they share their name.
    written = fastavro.parse_schema(types.without_logical_types(writer), _write_hint=False)
    wanted = fastavro.parse_schema(types.without_logical_types(reader), _write_hint=False)

    def read(value: bytes) -> dict[str, Any]:
        stream = io.BytesIO(value)
        stream.seek(start)
        try:
            record = fastavro.schemaless_reader(stream, written, wanted)
        except Exception as error:
            raise MalformedRecord(f"{name}: {type(error).__name__}: {error}") from error
        if stream.tell() != len(value):
            raise MalformedRecord(f"{name}: the record ends at byte {stream.tell()}, the value at {len(value)}")
        return dict(record) if isinstance(record, dict) else {}

    return read
