"""What files of banks become, for the tests of their formats."""

import io
from datetime import UTC, datetime
from pathlib import Path

from avro.text import write_event
from sources import ParsedEvent, SkippedRow, SourceOptions, SourceReject, adapter
from sources.bank import BadEntry, BankEntry, BankFormat, PassedOver

OPTIONS = SourceOptions(company="US01", now=lambda: datetime(2026, 11, 27, tzinfo=UTC))


def outcome(form: str, file: Path) -> list[object]:
    """Events in their written form, and what was passed over or rejected, in the order of the file."""
    said: list[object] = []
    with file.open("rb") as stream:
        for value in adapter(form, OPTIONS).read(stream, file.name):
            match value:
                case ParsedEvent():
                    said.append(write_event(value.name, value.record))
                case SkippedRow():
                    said.append({"skipped": value.reason, "line": value.position.line})
                case SourceReject():
                    said.append({"rejected": value.reason, "line": value.position.line, "message": value.message})
    return said


def entries(form: BankFormat, data: bytes) -> list[BankEntry | PassedOver | BadEntry]:
    """The entries of a file that is verified first. Raises ``FileRefusedError``."""
    form.verify(io.BytesIO(data))
    return list(form.entries(io.BytesIO(data)))


def cash(form: BankFormat, data: bytes) -> list[BankEntry]:
    """The entries that say something of customers' cash."""
    return [entry for entry in entries(form, data) if isinstance(entry, BankEntry)]
