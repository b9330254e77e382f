"""The body of a request, with limits that hold before all of it is there, and the items in it.

Sizes are checked as the bytes arrive: by Content-Length, by chunk, and while a gzip body is unpacked.
"""

import asyncio
import zlib
from collections.abc import Mapping
from decimal import Decimal
from functools import cached_property
from typing import Any

import msgspec

from sources.http.limits import Memory
from sources.http.options import ApiOptions
from sources.http.problems import HttpProblem, Receive

# Numbers with decimals stay exact, should somebody write an amount without quotes.
DECODER = msgspec.json.Decoder(float_hook=Decimal)
_RAW_ITEMS = msgspec.json.Decoder(list[msgspec.Raw])
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_GZIP = 31  # zlib's number for a gzip header
_JSON = frozenset({"application/json", ""})
_LINES = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl", "application/json-lines"})


class Body:
    """Bytes and what they count for in `memory`; ``close`` gives them back."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._held = 0
        self.data = b""

    def hold(self, size: int) -> None:
        """Count further bytes. Raises ``HttpProblem`` 503 when too many are under way."""
        self._memory.hold(size)
        self._held += size

    def close(self) -> None:
        """The request is answered."""
        self._memory.release(self._held)
        self._held = 0

    async def read(self, headers: Mapping[bytes, bytes], receive: Receive, options: ApiOptions) -> None:
        """Read and unpack. Raises ``HttpProblem`` 413, 400, 408 or 415."""
        encoding = headers.get(b"content-encoding", b"identity").strip().lower()
        if encoding not in {b"identity", b"gzip", b""}:
            detail = "the content encoding is not understood; send gzip, or none"
            raise HttpProblem(415, "unknown_encoding", detail, closes=True)
        declared = headers.get(b"content-length", b"")
        if declared.isdigit() and int(declared) > options.request_bytes_max:
            raise _too_large(options.request_bytes_max)
        await self._receive_all(receive, options.request_bytes_max, options.request_seconds_max)
        if encoding == b"gzip":
            packed = len(self.data)
            self.data = unpacked(self.data, options.decompressed_bytes_max)
            self.hold(max(0, len(self.data) - packed))

    async def _receive_all(self, receive: Receive, bytes_max: int, seconds_max: float) -> None:
        parts: list[bytes] = []
        size = 0
        more = True
        deadline = asyncio.get_running_loop().time() + seconds_max
        try:
            while more:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
                if message["type"] == "http.disconnect":
                    raise HttpProblem(400, "disconnected", "the client went away", closes=True)
                part: bytes = message.get("body", b"")
                size += len(part)
                if size > bytes_max:
                    raise _too_large(bytes_max)
                self.hold(len(part))
                parts.append(part)
                more = message.get("more_body", False)
        except TimeoutError:
            detail = f"the body was not there within {seconds_max:g} seconds"
            raise HttpProblem(408, "request_timeout", detail, closes=True) from None
        self.data = parts[0] if len(parts) == 1 else b"".join(parts)


def unpacked(data: bytes, bytes_max: int) -> bytes:
    """The content of gzip data, of several members, too; never more than `bytes_max` and one byte are made."""
    parts: list[bytes] = []
    left = bytes_max
    while data:
        unpacking = zlib.decompressobj(_GZIP)
        try:
            part = unpacking.decompress(data, left + 1)
        except zlib.error as error:
            raise HttpProblem(400, "malformed_gzip", f"the body is not gzip: {error}") from error
        left -= len(part)
        if left < 0:
            raise HttpProblem(413, "too_large", f"the body unpacks to more than {bytes_max:,} bytes; send less at once")
        if not unpacking.eof:
            raise HttpProblem(400, "malformed_gzip", "the gzip body ends too early")
        parts.append(part)
        data = unpacking.unused_data
    return b"".join(parts)


class Items:
    """What a body holds: `documents` in order, each any JSON value or the problem of its line."""

    def __init__(self, body: bytes, content_type: bytes, items_max: int) -> None:
        kind = content_type.split(b";", 1)[0].strip().lower().decode("latin-1")
        self._body = body.removeprefix(_BYTE_ORDER_MARK)
        self._lines: list[bytes] | None = None
        self.is_one = False
        if self._body.count(b",") + self._body.count(b"\n") > items_max * _VALUES_PER_EVENT:
            detail = f"the body holds far more values than {items_max:,} events have; send fewer at once"
            raise HttpProblem(413, "too_many_events", detail)
        if kind in _JSON:
            self.documents = self._read_json()
        elif kind in _LINES:
            self.documents = self._read_lines()
        else:
            detail = "send application/json (an event, or a list of them) or application/x-ndjson"
            raise HttpProblem(415, "unknown_content_type", detail)
        if len(self.documents) > items_max:
            detail = f"{len(self.documents):,} events are more than the {items_max:,} of one request; send several"
            raise HttpProblem(413, "too_many_events", detail)
        if not self.documents:
            raise HttpProblem(400, "no_events", "the request holds no event")

    def original(self, index: int) -> bytes:
        """The bytes of an item, as they were sent."""
        if self._lines is not None:
            return self._lines[index]
        return self._body.strip() if self.is_one else bytes(self._raw_items[index])

    @cached_property
    def _raw_items(self) -> list[msgspec.Raw]:
        """The items of a list, unread: looked for once, and only when one of them is bad."""
        return _RAW_ITEMS.decode(self._body)

    def _read_json(self) -> list[Any]:
        try:
            document = DECODER.decode(self._body)
        except _UNREADABLE as error:
            raise HttpProblem(400, "malformed_json", f"the body is not JSON: {_words(error)}") from error
        if isinstance(document, list):
            return document
        self.is_one = True
        return [document]

    def _read_lines(self) -> list[Any]:
        self._lines = [line for line in self._body.split(b"\n") if line.strip()]
        return [_line(line) for line in self._lines]


# What an event has of values at most, on average. More would be memory for nothing: a value costs ten times its bytes.
_VALUES_PER_EVENT = 100
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class BadLine(msgspec.Struct, frozen=True):
    """A line that is not JSON, and why."""

    message: str


def _line(line: bytes) -> Any:  # noqa: ANN401  any JSON value
    try:
        return DECODER.decode(line)
    except _UNREADABLE as error:
        return BadLine(f"the line is not JSON: {_words(error)}")


def _words(error: Exception) -> str:
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)


def _too_large(bytes_max: int) -> HttpProblem:
    detail = f"the body has more than {bytes_max:,} bytes; send fewer events at once"
    return HttpProblem(413, "too_large", detail, closes=True)
