"""Adapters: whatever an ERP, a bank, a gateway or a user interface emits becomes events."""

from sources.errors import SourceError
from sources.files import Inputs, find_files
from sources.formats import Adapter, Format, adapter, formats
from sources.intake import SourceOptions
from sources.publisher import Publisher
from sources.tally import Tally, first_events
from sources.values import Parsed, ParsedEvent, Position, SkippedRow, SourceReject

__all__ = [
    "Adapter",
    "Format",
    "Inputs",
    "Parsed",
    "ParsedEvent",
    "Position",
    "Publisher",
    "SkippedRow",
    "SourceError",
    "SourceOptions",
    "SourceReject",
    "Tally",
    "adapter",
    "find_files",
    "first_events",
    "formats",
]
