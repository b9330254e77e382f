"""The format `jsonl`: events in the written form of SCENARIOS §1, one JSON object a line, UTF-8."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, BinaryIO

import msgspec

from sources.intake import Intake, RefusedError, SourceOptions
from sources.lines import LINE_BYTES_MAX, Line, lines, too_long
from sources.values import ParsedEvent, Position, SourceReject

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# Numbers with decimals stay exact, should somebody write an amount without quotes.
_DECODER = msgspec.json.Decoder(float_hook=Decimal)


class JsonLines:
    """The adapter. Every line is an event or a reject; blank lines are passed over."""

    def __init__(self, options: SourceOptions) -> None:
        self._options = options
        self._intake = Intake(options, source="jsonl")

    def check(self, stream: BinaryIO, file: str) -> None:
        """Nothing stands before the events, so there is nothing to refuse a whole file for."""

    def read(
        self, stream: BinaryIO, file: str, line_bytes_max: int = LINE_BYTES_MAX
    ) -> Iterator[ParsedEvent | SourceReject]:
        """The events of a stream in order. Reads on after a bad line; memory is bounded by the line limit."""
        for line in lines(stream, line_bytes_max):
            if line.data.strip():
                yield self._read_line(line, file, line_bytes_max)

    def _read_line(self, line: Line, file: str, line_bytes_max: int) -> ParsedEvent | SourceReject:
        position = Position(file, line.number)
        if not line.is_whole:
            return self._reject(position, "line_too_long", too_long(line, line_bytes_max), line.data)
        data = line.data.removeprefix(_BYTE_ORDER_MARK) if line.number == 1 else line.data
        try:
            document: Any = _DECODER.decode(data)
        except UnicodeDecodeError:
            return self._reject(position, "invalid_encoding", "the line is not UTF-8", line.data)
        except (msgspec.DecodeError, RecursionError) as error:
            return self._reject(position, "malformed_json", f"the line is not JSON: {error}", line.data)
        if not isinstance(document, dict):
            message = 'the line is JSON but not an object; an event is written as {"event": ..., ...}'
            return self._reject(position, "malformed_json", message, line.data)
        try:
            return self._intake.event(document, position)
        except RefusedError as refused:
            place = Position(file, line.number, field=refused.field)
            return self._reject(place, refused.reason, refused.message, line.data, refused.event_type)

    def _reject(
        self, position: Position, reason: str, message: str, original: bytes, event_type: str | None = None
    ) -> SourceReject:
        return SourceReject(position, reason, message, original, self._options.company, event_type)
