"""Documents of a request → records to send and a result for each, in order."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import Any, Literal

import msgspec
from prometheus_client import Counter

from sources import metrics
from sources.failed import failed_event
from sources.http.acknowledge import VALUE_BYTES_MAX, Acknowledged, OutgoingRecord
from sources.intake import Intake, RefusedError
from sources.lines import KEPT_BYTES_MAX, LINE_BYTES_MAX
from sources.redaction import STANDARD, Redactor
from sources.values import Position, SourceReject
from topics import partition_key


class ItemResult(msgspec.Struct, omit_defaults=True, gc=False):
    """What became of one item. `reason` is a code, `message` what to do, `field` where."""

    index: int
    status: Literal["accepted", "rejected"]
    event_id: str | None = None
    reason: str | None = None
    field: str | None = None
    message: str | None = None


class Prepared(msgspec.Struct, frozen=True, gc=False):
    """An event that can be taken."""

    index: int
    name: str
    event_id: str
    company: str
    record: OutgoingRecord


@cache
def _counter_of(event: str) -> Counter:
    """Looked up once: finding a labelled series costs more than counting."""
    return metrics.EVENTS.labels(event)


class Taken:
    """What a request comes to: the records to send, in order, and the results."""

    def __init__(
        self, place: str, now: Callable[[], datetime], acknowledged: Acknowledged, redactor: Redactor = STANDARD
    ) -> None:
        self.records: list[OutgoingRecord] = []
        self.results: list[ItemResult] = []
        self.accepted = 0
        self.events: dict[str, int] = {}
        self.reasons: dict[str, int] = {}
        self._place = place
        self._now = now
        self._acknowledged = acknowledged
        self._redactor = redactor

    def prepare(self, document: Mapping[str, Any], intake: Intake, index: int) -> Prepared:
        """The record of an event, not added yet. Raises ``RefusedError``."""
        event = intake.event(document, Position(self._place, index + 1))
        record = self._acknowledged.record_of(event)
        if len(record.value) > VALUE_BYTES_MAX:
            message = f"the event has {len(record.value):,} bytes, more than the {VALUE_BYTES_MAX:,} of one record"
            raise RefusedError("event_too_large", None, message, event.name)
        return Prepared(index, event.name, event.record["event_id"], event.record["company"], record)

    def add(self, prepared: Prepared) -> None:
        """Add it, and its result."""
        self.records.append(prepared.record)
        self.results.append(ItemResult(prepared.index, "accepted", prepared.event_id))
        self.accepted += 1
        self.events[prepared.name] = self.events.get(prepared.name, 0) + 1

    def reject(self, index: int, refused: RefusedError, original: bytes, company: str | None, event_id: object) -> None:
        """Add the reject of an item: its result, and its bytes for `ar.failed`."""
        kept = original if len(original) <= LINE_BYTES_MAX else original[:KEPT_BYTES_MAX]
        place = Position(self._place, index + 1, field=refused.field)
        reject = self._redactor.reject(
            SourceReject(place, refused.reason, refused.message, kept, company, refused.event_type)
        )
        record = failed_event(reject, self._now())
        self.records.append(self._acknowledged.failed_record(record, partition_key(company or "", None)))
        given = event_id if isinstance(event_id, str) else None
        self.results.append(ItemResult(index, "rejected", given, refused.reason, refused.field, reject.message))
        self.reasons[refused.reason] = self.reasons.get(refused.reason, 0) + 1

    def count(self) -> None:
        """Count what was sent; for when the broker has it."""
        for name, number in self.events.items():
            _counter_of(name).inc(number)
        for reason, number in self.reasons.items():
            metrics.REJECTS.labels(reason).inc(number)
