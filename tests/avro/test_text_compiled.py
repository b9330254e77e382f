"""The quick reader of written events says the same as the checked one, or nothing at all."""

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avro import text
from avro.text import InvalidEvent
from avro.written import WrittenField, written_record
from sources.event_fields import event_names
from tests.avro.examples import many
from tests.avro.written_events import DEFAULTS

PLAIN = {"amount": "12.50", "scaled_amount": "12.50", "currency": "EUR", "date": "2026-03-31", "decimal": "1.085",
         "instant": "2026-03-31T09:00:00Z", "integer": 2, "number": 0.5, "boolean": True, "texts": ["I1", "I2"],
         "scalar": "1"}  # fmt: skip
ODD: list[Any] = [
    None, "", " ", "x", "é", "客户", "\x00", "a\x7fb", "\ud800", "EUR", "eur", "XAU", "JPY", "A|B", "12.50", "12.",
    ".5", "9" * 16, "CLF", "-1", "+1", "1e3", "100.00", "1,000", "²", "9" * 40, "12345678901234567", 0, -3, 7,
    2**70, 12.5, True, False, [], ["I1"], [""], {}, {"a": 1}, [{"invoice_id": "I1", "amount": "1.00"}],
    {"limit": {"old": 1, "new": None}}, "2026-03-31", "2026-02-30", "1700-01-01", "2026-03-31T09:00:00Z",
    "2026-03-31T09:00:00.123456+02:00", "2026-03-31T09:00:00", "2026-03-31T25:00:00Z",
]  # fmt: skip


def written(fields: Iterable[WrittenField]) -> dict[str, Any]:
    """A document with every field."""
    return {field.written: value_of(field) for field in fields}


def value_of(field: WrittenField) -> Any:
    if field.kind == "records":
        return [written(field.items)]
    if field.kind == "mapping":
        return {"limit": written(field.items[1:])}
    return field.values[0] if field.values else PLAIN.get(field.kind, "X1")


def document_of(name: str, *, whole: bool) -> dict[str, Any]:
    """A right document: with every field, or only with those that must be there."""
    record = written_record(name)
    left_out = record.exactly_one_of[1:]
    fields = [f for f in record.fields if f.written not in left_out and (whole or f.required or f.written in CHOSEN)]
    return {"event": name, **written(fields), "occurred_at": "2026-03-01T09:00:00Z"}


CHOSEN = {choice for name in event_names() for choice in written_record(name).exactly_one_of[:1]}


def quick(name: str, document: dict[str, Any]) -> dict[str, Any] | None:
    return text._quick(name)(document, DEFAULTS)


def checked(name: str, document: dict[str, Any]) -> dict[str, Any]:
    return text._checked(written_record(name), document, DEFAULTS)


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("name", event_names())
def test_a_right_document_takes_the_quick_way(name: str, whole: bool) -> None:
    document = document_of(name, whole=whole)
    taken = quick(name, document)
    assert taken is not None
    assert list(taken.items()) == list(checked(name, document).items())


@many
@given(st.data())
def test_whatever_a_document_holds_the_quick_reader_agrees_or_leaves_it(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(event_names()))
    document = document_of(name, whole=data.draw(st.booleans()))
    names = [*(field.written for field in written_record(name).fields), "surprise"]
    for _ in range(data.draw(st.integers(1, 3))):
        field = data.draw(st.sampled_from(names))
        if data.draw(st.booleans()):
            document[field] = data.draw(st.sampled_from(ODD))
        else:
            document.pop(field, None)
    taken = quick(name, document)
    if taken is None:
        return
    expected: dict[str, Any] | str
    try:
        expected = checked(name, document)
    except InvalidEvent as refused:
        expected = refused.field
    # Which of two fields is given is looked at after either reader.
    assert taken == expected or expected in written_record(name).exactly_one_of
