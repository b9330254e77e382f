"""Clients of the HTTP door, as cheap as they can be: ``python -m … PORT KEY CONNECTIONS SECONDS EVENTS``.

Each connection sends a request, waits for its answer, sends the next. Requests are made beforehand, and only the status
and the length of an answer are looked at, so that what is measured is the server. Prints: events acknowledged, seconds,
own CPU seconds, and the 50th and 99th percentile of an answer's time in seconds.
"""

import asyncio
import sys
import time
from typing import cast

import msgspec
import uvloop

from pipeline.cli.benchmarks.history import COMPANY

REQUESTS = 2_000
EVENTS_MADE_MAX = 100_000
WARM_SECONDS = 1.0
_ACCOUNTS = 5_000
_LENGTH = b"content-length: "


class Tally:
    """What came back since the last ``clear``."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.refused: list[bytes] = []

    def clear(self) -> None:
        """Begin to count."""
        self.seconds.clear()


class Client(asyncio.Protocol):
    """One connection."""

    def __init__(self, requests: list[bytes], first: int, tally: Tally) -> None:
        self._requests = requests
        self._next = first
        self._tally = tally
        self._received = b""
        self._sent_at = 0.0
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        self._transport = cast("asyncio.WriteTransport", transport)  # uvloop's is none by inheritance
        self._send()

    def data_received(self, data: bytes) -> None:
        """A piece of an answer; after the last, the next request."""
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        at = head.find(_LENGTH)
        if not found or len(body) < int(head[at + len(_LENGTH) :].partition(b"\r")[0]):
            return
        if head[9:12] == b"202":
            self._tally.seconds.append(time.perf_counter() - self._sent_at)
        else:
            self._tally.refused.append(self._received)
        self._received = b""
        self._send()

    def _send(self) -> None:
        self._next = (self._next + 1) % len(self._requests)
        self._sent_at = time.perf_counter()
        if self._transport is not None:
            self._transport.write(self._requests[self._next])


def requests(key: str, events: int) -> list[bytes]:
    """Requests of so many events each, all with ids of their own."""
    made = []
    number = 0
    for _ in range(max(min(REQUESTS, EVENTS_MADE_MAX // events), 8)):
        batch = [_invoice(number + index) for index in range(events)]
        number += events
        body = msgspec.json.encode(batch[0] if events == 1 else batch)
        head = (
            f"POST /v1/events HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        made.append(head.encode() + body)
    return made


def _invoice(number: int) -> dict[str, str]:
    return {
        "event": "InvoiceIssued",
        "event_id": f"bench/{number}",
        "company": COMPANY,
        "account_id": f"C{number % _ACCOUNTS:06d}",
        "occurred_at": "2026-03-01T09:00:00Z",
        "invoice_id": f"I{number}",
        "document_date": "2026-03-01",
        "due_date": "2026-03-31",
        "amount": "100.00",
        "currency": "EUR",
    }


async def load(port: int, key: str, connections: int, seconds: float, events: int) -> str:
    """Send for so long; the line that ``__main__`` prints."""
    loop = asyncio.get_running_loop()
    made = requests(key, events)
    tally = Tally()
    for number in range(connections):
        first = number * len(made) // connections
        await loop.create_connection(lambda first=first: Client(made, first, tally), "127.0.0.1", port)  # type: ignore[misc]
    await asyncio.sleep(WARM_SECONDS)
    tally.clear()
    started, cpu = time.perf_counter(), time.process_time()
    await asyncio.sleep(seconds)
    taken, spent = time.perf_counter() - started, time.process_time() - cpu
    if tally.refused:
        return f"refused: {tally.refused[0].decode(errors='replace')}"
    if not tally.seconds:
        return "nothing was answered"
    times = sorted(tally.seconds)
    percentiles = [times[int(len(times) * share)] for share in (0.5, 0.99)]
    return f"{len(times) * events} {taken} {spent} {percentiles[0]} {percentiles[1]}"


if __name__ == "__main__":
    port, key, connections, seconds, events = sys.argv[1:]
    sys.stdout.write(uvloop.run(load(int(port), key, int(connections), float(seconds), int(events))) + "\n")
