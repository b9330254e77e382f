"""Files read by the product's own adapters, and what they come to."""

import io
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from avro.text import write_event
from sources import Parsed, ParsedEvent, SkippedRow, SourceOptions, SourceReject, adapter

OPTIONS = SourceOptions(company="FR01", now=lambda: datetime(2026, 9, 19, tzinfo=UTC))


def values(form: str, data: bytes, name: str = "file.xml") -> list[Parsed]:
    """What the adapter gives."""
    return list(adapter(form, OPTIONS).read(io.BytesIO(data), name))


def outcome(form: str, data: bytes, name: str = "file.xml") -> list[dict[str, Any]]:
    """Events in their written form, and what was passed over or rejected."""
    said: list[dict[str, Any]] = []
    for value in values(form, data, name):
        match value:
            case ParsedEvent():
                said.append(write_event(value.name, value.record))
            case SkippedRow():
                said.append({"skipped": value.reason, "line": value.position.line})
            case SourceReject():
                said.append({"rejected": value.reason, "line": value.position.line, "message": value.message})
    return said


def cash(form: str, data: bytes) -> list[tuple[str, Decimal]]:
    """The payments: id and amount."""
    return [
        (event["payment_id"], Decimal(event["amount"]))
        for event in outcome(form, data)
        if event.get("event") == "PaymentReceived"
    ]
