"""What a run came to, and the record that keeps a reject."""

from datetime import UTC, datetime

from avro import contracts
from sources import ParsedEvent, Position, SkippedRow, SourceReject, Tally, first_events
from sources.failed import failed_event
from sources.tally import REJECTS_KEPT_MAX

EVENT = ParsedEvent("PaymentReceived", {}, Position("a.csv", 2))
REJECT = SourceReject(
    Position("a.csv", 3, "AMOUNT", "amount"), "invalid_amount", "no", b"1;x\n", "FR01", "PaymentReceived"
)
SKIP = SkippedRow(Position("a.csv", 4))


def test_values_pass_and_are_counted() -> None:
    tally = Tally()
    assert list(tally.watch([EVENT, REJECT, SKIP, EVENT])) == [EVENT, REJECT, SKIP, EVENT]
    assert dict(tally.events) == {"PaymentReceived": 2}
    assert (tally.event_count, tally.rejected, tally.skipped, tally.rejects) == (2, 1, 1, [REJECT])


def test_a_million_rejects_are_counted_but_not_kept() -> None:
    tally = Tally()
    for _ in tally.watch([REJECT] * (REJECTS_KEPT_MAX + 5)):
        pass
    assert (tally.rejected, len(tally.rejects)) == (REJECTS_KEPT_MAX + 5, REJECTS_KEPT_MAX)


def test_a_limit_counts_events_and_stops_right_after_the_last() -> None:
    assert list(first_events([EVENT, REJECT, EVENT, REJECT, EVENT], 2)) == [EVENT, REJECT, EVENT]


def test_a_reject_is_kept_with_its_bytes_its_place_and_its_reason() -> None:
    record = failed_event(REJECT, datetime(2026, 1, 14, 8, tzinfo=UTC))
    assert contracts().decode(contracts().encode("FailedEvent", record)) == ("FailedEvent", record)
    assert (record["topic"], record["partition"], record["offset"]) == ("a.csv", -1, 3)
    assert (record["stage"], record["reason"], record["error"]) == (
        "source",
        "invalid_amount",
        "a.csv:3 (AMOUNT): no",
    )
    assert record["original_value"] == b"1;x\n"
    assert {header["name"]: header["value"] for header in record["headers"]} == {
        "source_file": b"a.csv",
        "source_line": b"3",
        "source_column": b"AMOUNT",
        "source_field": b"amount",
    }
