"""What goes to `ar.failed`: the original record with its position, the same bytes every time."""

from avro import contracts
from sinks.failures import failed_event
from sinks.positions import Partition
from sinks.wrap import Failure
from tests.sinks.twins import MemoryRecord

RECORD = MemoryRecord(
    Partition("ar.ledger", 4),
    99,
    b"\x00rest",
    b"FR01|C1",
    (("event_type", b"LedgerEntry"), ("company", b"FR01"), ("trace", b"\xff\x00")),
    1_767_225_600_123,
)


def test_the_record_is_kept_whole() -> None:
    event = failed_event(Failure(RECORD, "malformed_record", "cut off"))
    assert (event["topic"], event["partition"], event["offset"]) == ("ar.ledger", 4, 99)
    assert (event["original_key"], event["original_value"]) == (b"FR01|C1", b"\x00rest")
    assert (event["event_type"], event["company"]) == ("LedgerEntry", "FR01")
    assert {"name": "trace", "value": b"\xff\x00"} in event["headers"]  # type: ignore[operator]
    assert event["failed_at"] == 1_767_225_600_123_000, "the record's own time, in microseconds"


def test_a_replay_gives_the_same_bytes() -> None:
    first, second = (
        contracts().encode("FailedEvent", failed_event(Failure(RECORD, "malformed_record", "cut off")))
        for _ in range(2)
    )
    assert first == second


def test_a_record_without_key_and_headers_is_kept_as_well() -> None:
    event = failed_event(Failure(MemoryRecord(Partition("ar.ledger", 4), 1, b"x", None), "unknown_schema", "id 7"))
    assert contracts().decode(contracts().encode("FailedEvent", event))[1]["original_key"] is None
