"""What a caller is told when a request is not taken: problem details (RFC 9457)."""

import logging
import math
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

import msgspec

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

logger = logging.getLogger(__name__)
PROBLEM_TYPE = b"application/problem+json"
JSON_TYPE = b"application/json"
_TITLES = {
    400: "Malformed request",
    401: "Not authenticated",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    408: "Request took too long",
    413: "Request too large",
    415: "Content not understood",
    422: "No event was accepted",
    429: "Too many events",
    431: "Head too large",
    500: "Internal error",
    503: "Not available now",
}


class HttpProblem(Exception):  # noqa: N818  a verdict on a request
    """A request that is not taken. `reason` is a code for programs, `detail` one sentence with what to do.

    `extra` are further members of the problem (RFC 9457 §3.2). `closes` says that the rest of the request is not read.
    """

    def __init__(
        self,
        status: int,
        reason: str,
        detail: str,
        *,
        retry_after_seconds: float | None = None,
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
        closes: bool = False,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.reason = reason
        self.detail = detail
        self.headers = dict(headers or {})
        self.extra = dict(extra or {})
        if retry_after_seconds is not None:
            self.headers["retry-after"] = str(max(1, math.ceil(retry_after_seconds)))
        if closes:
            self.headers["connection"] = "close"

    def document(self) -> dict[str, Any]:
        """The body. `type` is about:blank as the status says what kind of problem it is; `reason` says which."""
        return {
            "type": "about:blank",
            "title": _TITLES.get(self.status, "Error"),
            "status": self.status,
            "detail": self.detail,
            "reason": self.reason,
            **self.extra,
        }

    async def answer(self, send: Send) -> None:
        """Send it."""
        headers = [(name.encode(), value.encode("latin-1", "replace")) for name, value in self.headers.items()]
        await respond(send, self.status, msgspec.json.encode(self.document()), PROBLEM_TYPE, headers)


async def answer_failure(error: Exception, send: Send) -> int:
    """Answer a request that ended with an exception; the status. A defect is logged with its traceback."""
    problem = error if isinstance(error, HttpProblem) else None
    if problem is None:
        logger.error("a request failed", exc_info=error)
        detail = "this is a defect of the service; its log says more"
        problem = HttpProblem(500, "defect", detail, closes=True)
    await problem.answer(send)
    return problem.status


async def respond(
    send: Send,
    status: int,
    body: bytes,
    content_type: bytes = JSON_TYPE,
    headers: list[tuple[bytes, bytes]] | None = None,
) -> None:
    """A whole answer in two messages of ASGI."""
    own = [(b"content-type", content_type), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": own + (headers or [])})
    await send({"type": "http.response.body", "body": body})
