"""Law: whatever stands in a topic becomes events, one reject or one skip; nothing stops the stream or is lost."""

import copy
import json
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sources import ParsedEvent, SkippedRow, SourceReject
from sources.streams import StreamRecord
from tests.sources.streams.records import INVOICE, change, reader, record
from tests.sources.streams.test_debezium import BY_OPERATION, UNTYPED
from tests.sources.streams.test_outbox import EVENT, ROW, STREAM

FOLDER = Path(mkdtemp(prefix="streams-"))
READERS = [
    reader(FOLDER, BY_OPERATION),
    reader(FOLDER, BY_OPERATION, UNTYPED),
    reader(FOLDER, stream=STREAM),
]
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
VALID: list[Any] = [
    change("c", INVOICE),
    change("u", INVOICE, {**INVOICE, "amount": "AQ=="}),
    change("d", None, INVOICE),
    change("c", INVOICE, schema=False),
    {**INVOICE, "__op": "u", "__deleted": "false"},
    {"status": "BEGIN", "id": "1", "event_count": None},
    {"ddl": "x", "databaseName": "y"},
    change("c", ROW, schema=False),
    EVENT,
    json.dumps(EVENT),
]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where something stands in a document."""
    inner: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    return [path, *(place for key, part in inner for place in places(part, (*path, key)))]


def replaced(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    """The document with another value at one place."""
    if not path:
        return value
    changed = copy.deepcopy(document)
    target = changed
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = value
    return changed


def check(given_record: StreamRecord) -> None:
    for one in READERS:
        values = list(one.read(given_record))
        assert values
        kinds = {type(value) for value in values}
        assert kinds <= {ParsedEvent} or (len(values) == 1 and kinds <= {SourceReject, SkippedRow})


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(VALID), st.data())
def test_a_change_event_of_which_a_part_is_anything(document: Any, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(places(document)))
    check(record(replaced(document, path, data.draw(anything)), key={"id": 1}))


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=60) | st.sampled_from(VALID).map(lambda one: json.dumps(one).encode()), st.data())
def test_bytes_that_are_anything(value: bytes, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(value)))
    key = data.draw(st.none() | st.binary(max_size=8))
    headers = data.draw(st.dictionaries(st.sampled_from(["id", "eventType", "__op", "__lsn"]), st.binary(max_size=8)))
    check(StreamRecord("erp.public.ar_invoices", 0, 1, key, value[:cut] + value[cut + 1 :], headers))
