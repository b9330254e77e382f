"""uvicorn's protocol with limits on what comes before a request's body: a head that is endless, or never ends.

uvicorn bounds neither; a client without any key could hold memory and connections with either.
"""

import asyncio

import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from sources.http.problems import PROBLEM_TYPE, HttpProblem

HEAD_BYTES_MAX = 64 * 1024
"""Request line and headers, and what of a body came along with their last piece."""


def _refusal(status: int, phrase: str, reason: str, detail: str) -> bytes:
    body = msgspec.json.encode(HttpProblem(status, reason, detail).document())
    head = (
        f"HTTP/1.1 {status} {phrase}\r\ncontent-type: {PROBLEM_TYPE.decode()}\r\n"
        f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    )
    return head.encode() + body


_REFUSALS = {
    408: _refusal(408, "Request Timeout", "request_timeout", "the head of the request was not there in time"),
    431: _refusal(431, "Request Header Fields Too Large", "head_too_large", "the head of the request is too large"),
}


class LimitedProtocol(HttpToolsProtocol):
    """One connection. A head may take ``head_seconds_max`` from the connection on, or from its first byte."""

    head_seconds_max = 30.0
    _head_timer: asyncio.TimerHandle | None = None
    _head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client is there, and has to say what it wants."""
        super().connection_made(transport)
        self._begin_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self._end_head()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """A piece of a request."""
        super().data_received(data)
        if self._head_timer is not None:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES_MAX:
                self._refuse(431)

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        if self._head_timer is None:
            self._begin_head()

    def on_headers_complete(self) -> None:
        """The head is there."""
        self._end_head()
        super().on_headers_complete()

    def _begin_head(self) -> None:
        self._head_bytes = 0
        self._head_timer = self.loop.call_later(self.head_seconds_max, self._refuse, 408)

    def _end_head(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _refuse(self, status: int) -> None:
        self._end_head()
        if self.transport.is_closing():
            return
        if self._head_bytes:  # who has asked nothing gets no answer, which would be taken for that of a later request
            self.transport.write(_REFUSALS[status])
        self.transport.close()


def limited_protocol(head_seconds_max: float) -> type[LimitedProtocol]:
    """The protocol with a time of one's own, for ``uvicorn.Config(http=…)``."""
    return type("LimitedProtocol", (LimitedProtocol,), {"head_seconds_max": head_seconds_max})
