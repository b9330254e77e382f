"""Runs bytes through an X12 adapter, and tells what became of them."""

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from avro.text import write_event
from sources import Parsed, ParsedEvent, SourceOptions, SourceReject, adapter

NOW = datetime(2026, 9, 19, tzinfo=UTC)


def read(data: bytes, form: str, payers: Path | None = None) -> list[Parsed]:
    """All values of a file."""
    options = SourceOptions(company="US01", now=lambda: NOW, payers=payers)
    return list(adapter(form, options).read(io.BytesIO(data), "file.x12"))


def events(data: bytes, form: str, payers: Path | None = None) -> list[dict[str, Any]]:
    """The events of a file in their written form; nothing of it may be rejected."""
    values = read(data, form, payers)
    assert [value for value in values if isinstance(value, SourceReject)] == []
    return [write_event(value.name, value.record) for value in values if isinstance(value, ParsedEvent)]


def reject(data: bytes, form: str) -> SourceReject:
    """The reject of a file of which nothing else is taken."""
    values = read(data, form)
    assert len(values) == 1
    assert isinstance(values[0], SourceReject)
    return values[0]
