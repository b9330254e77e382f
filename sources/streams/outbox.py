"""The outbox pattern: a program writes its events into a table in the transaction that makes them true.

Two forms reach Kafka: what Debezium's EventRouter makes of the rows (the payload is the record, the id a header), and
the change events of the table itself. Either way the payload is an event in its written form (SCENARIOS §1).
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from sources import feed_metrics as metrics
from sources.errors import UnreadableError
from sources.intake import Intake, RefusedError, SourceOptions
from sources.streams.change import Change, read_change
from sources.streams.config import StreamConfig
from sources.streams.connect import read_message
from sources.streams.record import StreamRecord
from sources.streams.rows import unreadable
from sources.values import Parsed, Position, SkippedRow, SourceReject

_DECODER = msgspec.json.Decoder(float_hook=Decimal)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Outbox:
    """Pure: a record in, values out."""

    def __init__(self, config: StreamConfig, options: SourceOptions) -> None:
        self._source = config.source or ""
        self._columns = config.outbox
        self._company = options.company
        self._intake = Intake(options, source=self._source)

    def read(self, record: StreamRecord) -> Iterator[Parsed]:
        """The event of one record, a skip, or a reject with the reason. Never nothing."""
        try:
            yield self._read(record)
        except UnreadableError as error:
            yield unreadable(record, error, self._company)

    def _read(self, record: StreamRecord) -> Parsed:
        if not record.value:
            return _passed(record, "tombstone")
        payload = read_message(record.value).payload
        if isinstance(payload, dict) and "op" in payload and "source" in payload:
            change = read_change(record)
            return self._of_the_table(record, change) if isinstance(change, Change) else _passed(record, change)
        if payload is None:
            return _passed(record, "tombstone")
        headers = {name: _plain(value) for name, value in record.headers.items()}
        kind = headers.get(self._columns.type_header)
        return self._event(record, _document(payload), headers.get(self._columns.id), kind, record.timestamp_ms)

    def _of_the_table(self, record: StreamRecord, change: Change) -> Parsed:
        if change.op in {"d", "t"}:  # a row that has been sent may go: that is how outboxes are kept short
            return _passed(record, "outbox_deleted")
        if change.op == "u":
            message = "a row of the outbox was changed after it was written; only insert and delete rows of an outbox"
            raise UnreadableError("outbox_updated", message)
        for column in (self._columns.id, self._columns.payload):
            if column not in change.row:
                message = f"the table {change.names[0]} has no column {column}; name it in [outbox]"
                raise UnreadableError("missing_column", message, column)
        payload = change.row[self._columns.payload]
        if payload is None:
            raise UnreadableError("missing_field", "the payload is empty", self._columns.payload)
        kind = change.row.get(self._columns.type)
        return self._event(record, _document(payload), _id_text(change.row[self._columns.id]), kind, change.ts_ms)

    def _event(
        self, record: StreamRecord, document: dict[str, Any], own_id: str | None, kind: object, at_ms: int | None
    ) -> Parsed:
        if document.get("event") is None and kind:
            document["event"] = kind
        if document.get("event_id") is None and own_id:
            document["event_id"] = f"{self._source}/outbox/{own_id}"
        if document.get("occurred_at") is None and document.get("recorded_at") is None and at_ms:
            document["occurred_at"] = (_EPOCH + timedelta(milliseconds=at_ms)).isoformat()
        position = record.position
        try:
            return self._intake.event(document, position)
        except RefusedError as refused:
            place = Position(position.file, position.line, field=refused.field)
            return SourceReject(
                place, refused.reason, refused.message, record.original, self._company, refused.event_type
            )


def _document(payload: object) -> dict[str, Any]:
    """The event in a payload, which converters may have written as a text within JSON."""
    if isinstance(payload, str):
        try:
            payload = _DECODER.decode(payload)
        except (msgspec.DecodeError, RecursionError) as error:
            raise UnreadableError("malformed_json", f"the payload is not JSON: {error}", "payload") from error
    if not isinstance(payload, dict):
        message = 'the payload is JSON but not an object; an event is written as {"event": ..., ...}'
        raise UnreadableError("malformed_json", message, "payload")
    return dict(payload)


def _id_text(value: object) -> str | None:
    return str(value) if isinstance(value, str | int) and value != "" else None


def _plain(value: bytes) -> str:
    """A header as text. The JSON converter puts quotes around it, or a schema beside it."""
    text = value.decode("utf-8", "replace")
    if text.startswith(("{", '"')):
        try:
            payload = read_message(value).payload
        except UnreadableError:
            return text
        return payload if isinstance(payload, str) else text
    return text


def _passed(record: StreamRecord, kind: str) -> SkippedRow:
    metrics.PASSED_RECORDS.labels(kind).inc()
    return SkippedRow(record.position)
