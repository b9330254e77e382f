"""The HTTP server: takes requests in, has them run, and sends the answers."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from aiohttp import web

from pipeline.local.clickhouse_http.answer import Answer
from pipeline.local.clickhouse_http.call import Call, Credentials, read_call
from pipeline.local.clickhouse_http.compression import Compressor, RequestDecoder, response_compressor
from pipeline.local.clickhouse_http.engine import Engine
from pipeline.local.clickhouse_http.errors import NOT_ENOUGH_SPACE, NOT_IMPLEMENTED, EngineError
from pipeline.local.clickhouse_http.native_frames import NativeCompressor, NativeDecompressor
from pipeline.local.clickhouse_http.upload import QUERY_BYTES_MAX, Upload, receive

# Reads and writes have threads of their own: slow queries never keep an insert waiting for a thread. Most of the time
# of a small insert is waiting for the disk (5 ms without its flushes, 40 ms with), so several wait together.
READERS = 8
WRITERS = 12
# An answer up to this size is complete before its first byte leaves, so that an error still finds a status line.
HELD_BYTES = 1_048_576
MEMORY_BYTES = 16_777_216
PIECE_BYTES = 262_144
SERVER_NAME = "arrears local stack"


class HttpServer:
    """ClickHouse's HTTP interface for one engine. ``folder`` holds the data of inserts while they run."""

    def __init__(self, engine: Engine, credentials: Credentials, folder: Path) -> None:
        self._engine = engine
        self._credentials = credentials
        self._folder = folder
        self._readers = ThreadPoolExecutor(READERS, "read")
        self._writers = ThreadPoolExecutor(WRITERS, "write")

    def application(self) -> web.Application:
        """The routes. Run it with ``auto_decompress=False``: bodies are taken apart here."""
        application = web.Application(client_max_size=QUERY_BYTES_MAX)
        application.router.add_get("/ping", self._ping)
        application.router.add_get("/replicas_status", self._ping)
        application.router.add_route("*", "/", self._handle)
        application.router.add_route("*", "/{other:.*}", self._unknown)
        return application

    async def _ping(self, _: web.Request) -> web.Response:
        return web.Response(text="Ok.\n", content_type="text/html")

    async def _unknown(self, request: web.Request) -> web.Response:
        return web.Response(status=404, text=f"There is no handle {request.path}\n")

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        if not _is_from_here(request):
            return web.Response(status=403, text="Pages of other hosts may not use this server.\n")
        if request.method in {"GET", "HEAD"} and not request.query:
            return await self._ping(request)
        headers = {"X-ClickHouse-Server-Display-Name": SERVER_NAME, "X-ClickHouse-Timezone": self._engine.timezone}
        try:
            values = {**dict(request.query), **await _form(request)}
            self._credentials.check(values, request.headers)
            call = read_call(request.method, values, request.headers)
            headers["X-ClickHouse-Query-Id"] = call.query_id
            headers["X-ClickHouse-Timezone"] = call.settings.get("session_timezone", self._engine.timezone)
            upload = await receive(call.query, _plain_pieces(request, call), self._folder)
            return await self._answer(request, call, upload, headers)
        except EngineError as error:
            return self._error(error, headers)
        except OSError as error:
            words = f"The data of the insert cannot be kept: {error}. (NOT_ENOUGH_SPACE)"
            return self._error(EngineError(NOT_ENOUGH_SPACE, words), headers)

    def _error(self, error: EngineError, headers: Mapping[str, str]) -> web.Response:
        return web.Response(
            status=error.status,
            text=error.text(self._engine.version),
            headers={
                **headers,
                "Content-Type": "text/plain; charset=UTF-8",
                "X-ClickHouse-Exception-Code": str(error.code),
            },
        )

    async def _answer(
        self, request: web.Request, call: Call, upload: Upload, headers: dict[str, str]
    ) -> web.StreamResponse:
        try:
            answer = Answer(self._engine, call, upload)
        except EngineError:
            upload.discard()
            raise
        if answer.statement.is_read:
            headers |= {"X-ClickHouse-Format": answer.format, "Content-Type": answer.content_type}
            return await self._send_rows(request, call, answer, headers)
        # A client that goes away does not stop a write half way.
        running = asyncio.get_running_loop().run_in_executor(self._writers, answer.execute)
        body = await asyncio.shield(running)
        headers["X-ClickHouse-Summary"] = answer.counters.summary()
        if body:
            headers |= {"X-ClickHouse-Format": answer.format, "Content-Type": answer.content_type}
        return web.Response(body=body, headers=headers)

    async def _send_rows(
        self, request: web.Request, call: Call, answer: Answer, headers: dict[str, str]
    ) -> web.StreamResponse:
        """Send the answer of a query: whole when it is small or the client waits for the end, else as it comes."""
        rows = _Pieces(answer.pieces(), self._readers)
        encoding, compressor = _compression(call)
        headers = {**headers, **({"Content-Encoding": encoding} if encoding else {})}
        try:
            with tempfile.SpooledTemporaryFile(MEMORY_BYTES, dir=str(self._folder)) as held:
                while (piece := await rows.next()) is not None:
                    held.write(piece)
                    if held.tell() > HELD_BYTES and not call.waits_for_end:
                        break
                headers["X-ClickHouse-Summary"] = answer.counters.summary()
                size = held.tell()
                held.seek(0)
                if size <= HELD_BYTES:
                    body = compressor.compress(held.read()) + compressor.flush()
                    return web.Response(body=body, headers=headers)
                response = web.StreamResponse(headers=headers)
                await response.prepare(request)
                while block := held.read(PIECE_BYTES):
                    await response.write(compressor.compress(block))
            return await _stream_rest(request, response, rows, compressor)
        except asyncio.CancelledError:
            if call.cancels_on_close:
                self._writers.submit(answer.cancel)
            raise
        finally:
            rows.close()

    def close(self) -> None:
        """Wait for what is running, then let the threads go."""
        self._readers.shutdown()
        self._writers.shutdown()


async def _stream_rest(
    request: web.Request, response: web.StreamResponse, rows: "_Pieces", compressor: Compressor
) -> web.StreamResponse:
    try:
        while (piece := await rows.next()) is not None:
            await response.write(compressor.compress(piece))
    except EngineError:
        # The status line is long gone. An answer that breaks off is the one sign left that it is not whole.
        if request.transport:
            request.transport.abort()
        return response
    await response.write(compressor.flush())
    await response.write_eof()
    return response


class _Pieces:
    """A blocking iterator, taken piece by piece in the threads of an executor."""

    def __init__(self, pieces: Generator[bytes], threads: ThreadPoolExecutor) -> None:
        self._pieces = pieces
        self._threads = threads
        self._running: asyncio.Future[bytes | None] | None = None

    async def next(self) -> bytes | None:
        """The next piece, None after the last. A caller that is cancelled leaves the thread at its work."""
        self._running = asyncio.get_running_loop().run_in_executor(self._threads, next, self._pieces, None)
        return await asyncio.shield(self._running)

    def close(self) -> None:
        """Close the iterator, at once or when the thread that is in it comes out."""
        if self._running is None or self._running.done():
            self._threads.submit(self._pieces.close)
        else:
            self._running.add_done_callback(self._close_after)

    def _close_after(self, running: "asyncio.Future[bytes | None]") -> None:
        if not running.cancelled():
            running.exception()  # it was of interest to nobody
        self._threads.submit(self._pieces.close)


def _is_from_here(request: web.Request) -> bool:
    """False for what a web page of another host makes a browser send."""
    origin = request.headers.get("Origin")
    return origin is None or origin.split("://", 1)[-1] == request.host


def _compression(call: Call) -> tuple[str, Compressor]:
    """How the answer is to be compressed, and the name that HTTP has for it."""
    if call.native_compression:
        return "", NativeCompressor()
    return response_compressor(call.accepted_encodings)


async def _plain_pieces(request: web.Request, call: Call) -> AsyncIterator[bytes]:
    """The body of the request as it comes, decompressed."""
    if request.content_type.startswith("multipart/"):
        return
    decoder = RequestDecoder(call.content_encoding)
    blocks = NativeDecompressor() if call.native_decompression else None
    async for piece in request.content.iter_any():
        plain = decoder.decode(piece)
        yield blocks.decompress(plain) if blocks else plain
    decoder.finish()
    if blocks:
        blocks.finish()


async def _form(request: web.Request) -> dict[str, str]:
    """Parameters that a client sends as a form, because they are long."""
    if request.content_type != "multipart/form-data":
        return {}
    values: dict[str, str] = {}
    for name, value in (await request.post()).items():
        if not isinstance(value, str):
            raise EngineError(NOT_IMPLEMENTED, "External tables are not supported here. (NOT_IMPLEMENTED)")
        values[name] = value
    return values
