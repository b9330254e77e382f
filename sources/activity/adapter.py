"""The format `activity`: what users and systems did, one JSON object or one line of syslog each."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from hashlib import blake2b
from typing import Any, BinaryIO

import msgspec

from sources.activity.record import names_an_action, written_events
from sources.activity.syslog import syslog_line
from sources.intake import Intake, RefusedError, SourceOptions
from sources.lines import LINE_BYTES_MAX, Line, lines, too_long
from sources.values import Parsed, ParsedEvent, Position, SkippedRow, SourceReject

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_DECODER = msgspec.json.Decoder(float_hook=Decimal)
_OTHER_MESSAGE = "other log messages"


class ActivityLines:
    """The adapter. Every line is taken whole, rejected, or, in a log of many programs, passed over and counted.

    A line of syslog whose message is no JSON object, or one without an action, is of another kind; a line that is a
    JSON object by itself is meant to be an activity.
    """

    def __init__(self, options: SourceOptions) -> None:
        self._options = options
        self._intake = Intake(options, source="activity")

    def check(self, stream: BinaryIO, file: str) -> None:
        """Nothing stands before the lines, so there is nothing to refuse a whole file for."""

    def read(self, stream: BinaryIO, file: str, line_bytes_max: int = LINE_BYTES_MAX) -> Iterator[Parsed]:
        """The events of a stream in order. Reads on after a bad line; memory is bounded by the line limit."""
        for line in lines(stream, line_bytes_max):
            if line.data.strip():
                yield from self._read_line(line, file, line_bytes_max)

    def _read_line(self, line: Line, file: str, line_bytes_max: int) -> Iterator[Parsed]:
        position = Position(file, line.number)
        if not line.is_whole:
            yield self._reject(position, "line_too_long", too_long(line, line_bytes_max), line.data)
            return
        data = line.data.removeprefix(_BYTE_ORDER_MARK) if line.number == 1 else line.data
        try:
            text = data.decode().strip()
        except UnicodeDecodeError:
            yield self._reject(position, "invalid_encoding", "the line is not UTF-8", line.data)
            return
        time = app = ""
        is_syslog = False
        if not text.startswith("{"):
            entry = syslog_line(text)
            if entry is None:
                message = "the line is neither a JSON object nor a line of syslog"
                yield self._reject(position, "malformed_line", message, line.data)
                return
            is_syslog, time, app, text = True, entry.time, entry.app, entry.message
            if not text.startswith("{"):
                yield SkippedRow(position, _OTHER_MESSAGE)
                return
        try:
            document: Any = _DECODER.decode(text)
        except (msgspec.DecodeError, RecursionError) as error:
            yield self._reject(position, "malformed_json", f"the message is not JSON: {error}", line.data)
            return
        if is_syslog and not names_an_action(document):
            yield SkippedRow(position, _OTHER_MESSAGE)
            return
        yield from self._take(document, time, "" if self._options.source else app, position, line.data)

    def _take(
        self, document: Mapping[str, Any], time: str, app: str, position: Position, original: bytes
    ) -> Iterator[Parsed]:
        """All events of a line or none."""
        taken: list[ParsedEvent] = []
        try:
            for written in written_events(document, time, app):
                event = self._intake.event(written, position)
                if written.get("event_id") is None:
                    event.record["event_id"] = _event_id(event, document, time)
                taken.append(event)
        except RefusedError as refused:
            place = Position(position.file, position.line, field=refused.field)
            yield self._reject(place, refused.reason, refused.message, original, refused.event_type)
            return
        yield from taken

    def _reject(
        self, position: Position, reason: str, message: str, original: bytes, event_type: str | None = None
    ) -> SourceReject:
        return SourceReject(position, reason, message, original, self._options.company, event_type)


def _event_id(event: ParsedEvent, document: Mapping[str, Any], time: str) -> str:
    """An id of the whole content: what one person did to one thing within a second may be several activities."""
    content = msgspec.json.encode((document, time), order="deterministic")
    digest = blake2b(content, digest_size=12).hexdigest()
    return "/".join((event.record["source"], event.record["company"], event.name, digest))
