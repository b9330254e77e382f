"""Golden files: records as connectors of three databases write them, and the events, rejects and skips they become."""

import json
from pathlib import Path
from typing import Any

import pytest

from avro.text import write_event
from sources import Parsed, ParsedEvent, SourceReject
from sources.streams import StreamRecord, load_stream_config, stream_reader

GOLDEN = Path(__file__).with_name("golden")


def _encoded(value: object) -> bytes | None:
    return None if value is None else json.dumps(value).encode()


def records(name: str) -> list[StreamRecord]:
    """The records of a file, in one partition."""
    lines = (GOLDEN / f"{name}.records.jsonl").read_text(encoding="utf-8").splitlines()
    documents = [json.loads(line) for line in lines]
    return [
        StreamRecord(one["topic"], 0, offset, _encoded(one["key"]), _encoded(one["value"]))
        for offset, one in enumerate(documents)
    ]


def shown(value: Parsed) -> dict[str, Any]:
    """A value as the expected file has it."""
    offset = value.position.line
    if isinstance(value, ParsedEvent):
        return {"offset": offset, **write_event(value.name, value.record)}
    if isinstance(value, SourceReject):
        return {"offset": offset, "rejected": value.reason, "column": value.position.column, "message": value.message}
    return {"offset": offset, "passed": True}


@pytest.mark.parametrize("name", ["mysql", "oracle", "sqlserver"])
def test_the_records_of_a_connector_become_what_is_expected(name: str) -> None:
    read = stream_reader(load_stream_config(GOLDEN / f"{name}.stream.toml"), GOLDEN).read
    made = [shown(value) for record in records(name) for value in read(record)]
    expected = (GOLDEN / f"{name}.expected.jsonl").read_text(encoding="utf-8").splitlines()
    assert made == [json.loads(line) for line in expected]
