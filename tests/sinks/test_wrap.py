"""Records become rows: fast for those of the current schema, carefully for all others, never lost."""

import json
import random
from typing import Any

import pytest

from avro import Contracts, contracts
from avro.errors import RegistryUnavailable
from avro.schemas import without_documentation
from sinks.errors import RowsRefused, Unavailable
from sinks.positions import Partition
from sinks.wrap import RowWrapper, event_wrapper, record_wrapper
from tests.sinks.samples import any_record, entry, entry_value
from tests.sinks.twins import MemoryRecord, read_container

PLACE = Partition("prefix.ar.ledger", 7)


def records(*values: bytes | None) -> list[MemoryRecord]:
    return [MemoryRecord(PLACE, 1000 + 2 * number, value) for number, value in enumerate(values)]


@pytest.fixture(scope="module")
def ledger() -> RowWrapper:
    return record_wrapper(contracts(), "LedgerEntry")


@pytest.fixture(scope="module")
def events() -> RowWrapper:
    return event_wrapper(contracts(), ["InvoiceIssued", "PaymentReceived", "ClockTicked"])


def test_a_row_is_the_record_behind_its_position(ledger: RowWrapper) -> None:
    wrapped = ledger.wrap([(PLACE, records(entry_value(1), entry_value(2)))], careful=False)
    assert (wrapped.rows, wrapped.failures, wrapped.skipped) == (2, [], 0)
    first, second = read_container(wrapped.container)
    assert (first["_topic"], first["_partition"], first["_offset"]) == ("prefix.ar.ledger", 7, 1000)
    assert second["_offset"] == 1002
    assert str(first["_appended_at"]) == "2026-01-01 00:00:00+00:00"
    assert (first["event_id"], first["delta_minor"]) == ("e1", 100)
    assert set(first) == {*entry(1), "_topic", "_partition", "_offset", "_appended_at"}


def test_a_tombstone_needs_no_row(ledger: RowWrapper) -> None:
    wrapped = ledger.wrap([(PLACE, records(entry_value(1), None))], careful=False)
    assert (wrapped.rows, wrapped.failures, wrapped.skipped) == (1, [], 1)


def test_a_span_without_rows_is_no_container(ledger: RowWrapper) -> None:
    assert ledger.wrap([(PLACE, records(None, None))], careful=False).container == b""


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"", "malformed_record"),
        (b"\x00\x00", "malformed_record"),
        (b'{"json": true}', "malformed_record"),
        (b"\x00\x00\x00\xff\xff" + entry_value(2)[5:], "unknown_schema"),
        (contracts().encode("Account", any_record("Account", random.Random(1))), "unexpected_record"),
    ],
)
def test_what_the_head_tells_already_fails_at_once_and_the_rows_around_it_stay(
    ledger: RowWrapper, value: bytes, reason: str
) -> None:
    wrapped = ledger.wrap([(PLACE, records(entry_value(1), value, entry_value(3)))], careful=False)
    assert [row["event_id"] for row in read_container(wrapped.container)] == ["e1", "e3"]
    assert [(failure.record.offset(), failure.reason) for failure in wrapped.failures] == [(1002, reason)]


def test_a_datum_that_is_cut_off_is_refused_by_the_reader_and_found_by_the_careful_way(ledger: RowWrapper) -> None:
    spoiled = records(entry_value(1), entry_value(2)[:-1], entry_value(3))
    with pytest.raises(RowsRefused):
        read_container(ledger.wrap([(PLACE, spoiled)], careful=False).container)
    wrapped = ledger.wrap([(PLACE, spoiled)], careful=True)
    assert [row["event_id"] for row in read_container(wrapped.container)] == ["e1", "e3"]
    assert [failure.reason for failure in wrapped.failures] == ["malformed_record"]


def test_both_ways_make_the_same_rows_of_good_records(ledger: RowWrapper) -> None:
    good = records(*(entry_value(number) for number in range(20)))
    assert ledger.wrap([(PLACE, good)], careful=False) == ledger.wrap([(PLACE, good)], careful=True)


def test_a_record_of_an_older_version_is_converted() -> None:
    """One container has one schema: what was written with another is decoded and encoded by the current one."""
    known = contracts()
    older: dict[str, Any] = json.loads(json.dumps(without_documentation(known.schema("LedgerEntry"))))
    older["fields"] = [field for field in older["fields"] if field["name"] != "reason"]
    reading = Contracts(
        {name: known.schema_id(name) for name in known.names}, lambda number: older if number == 4711 else None
    )
    value = entry_value(5, reason=None)
    # The field that the older version lacks stands before the last one: a null is one byte.
    region = value.rindex(b"\x08EMEA")
    old_value = b"\x00" + (4711).to_bytes(4, "big") + value[5 : region - 1] + value[region:]
    wrapped = record_wrapper(reading, "LedgerEntry").wrap([(PLACE, records(old_value, value))], careful=False)
    old_row, new_row = read_container(wrapped.container)
    assert {**old_row, "_offset": 0} == {**new_row, "_offset": 0}


def test_a_registry_that_does_not_answer_fails_no_record() -> None:
    known = contracts()

    def fetch(number: int) -> None:
        raise RegistryUnavailable(f"no answer for {number}")

    asking = Contracts({name: known.schema_id(name) for name in known.names}, fetch)
    with pytest.raises(Unavailable):
        record_wrapper(asking, "LedgerEntry").wrap([(PLACE, records(b"\x00\x00\x00\xff\xff1"))], careful=False)


class TestEvents:
    """The event topic: many schemas, one row."""

    def test_events_of_several_types_are_rows_of_one_container(self, events: RowWrapper) -> None:
        draw = random.Random(1)
        names = ["InvoiceIssued", "PaymentReceived", "InvoiceIssued"]
        values = [contracts().encode(name, any_record(name, draw)) for name in names]
        rows = read_container(events.wrap([(PLACE, records(*values))], careful=False).container)
        assert [row["event_type"] for row in rows] == names

    def test_ticks_of_the_clock_are_not_stored(self, events: RowWrapper) -> None:
        tick = contracts().encode("ClockTicked", any_record("ClockTicked", random.Random(1)))
        wrapped = events.wrap([(PLACE, records(tick))], careful=False)
        assert (wrapped.rows, wrapped.skipped, wrapped.container) == (0, 1, b"")

    def test_damage_that_shows_sends_the_whole_span_the_careful_way(self, events: RowWrapper) -> None:
        draw = random.Random(3)
        good = contracts().encode("InvoiceIssued", any_record("InvoiceIssued", draw))
        wrapped = events.wrap([(PLACE, records(good, good[:20], good))], careful=False)
        assert wrapped.rows == 2
        assert [failure.reason for failure in wrapped.failures] == ["malformed_record"]
