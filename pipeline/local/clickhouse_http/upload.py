"""The body of a request: the text of a statement in memory, the data of an INSERT in a file."""

import os
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.local.clickhouse_http.errors import QUERY_IS_TOO_LARGE, EngineError
from pipeline.local.clickhouse_http.statement import InsertWithData, find_data

# An INSERT must name its format within so much of its beginning.
HEAD_BYTES = 262_144
QUERY_BYTES_MAX = 67_108_864
# VALUES up to this size stay in the statement, where query parameters reach them.
INLINE_VALUES_BYTES_MAX = 262_144


@dataclass(frozen=True)
class Upload:
    """What a request asks for: a statement, and the file with its data when it is an INSERT with data."""

    text: bytes
    data: Path | None = None

    def discard(self) -> None:
        """Remove the file."""
        if self.data is not None:
            self.data.unlink(missing_ok=True)


async def receive(query: str, pieces: AsyncIterator[bytes], folder: Path) -> Upload:
    """Take in a request whose statement begins in ``query`` and goes on in the body, as ClickHouse reads it.

    Data never stay in memory: they are written to a file of ``folder`` as they come. Raises ``EngineError``.
    """
    text = bytearray(query.encode())
    if text:
        text += b"\n"
    complete = True
    async for piece in pieces:
        text += piece
        if len(text) > HEAD_BYTES:
            complete = False
            break
    insert = find_data(bytes(text[:HEAD_BYTES]))
    if insert is None:
        return Upload(await _rest_of_text(text, pieces))
    if complete and insert.format == "Values" and len(text) <= INLINE_VALUES_BYTES_MAX:
        return Upload(bytes(text))
    return await _save_data(insert, text, pieces, folder)


async def _rest_of_text(text: bytearray, pieces: AsyncIterator[bytes]) -> bytes:
    async for piece in pieces:
        text += piece
        if len(text) > QUERY_BYTES_MAX:
            raise EngineError(QUERY_IS_TOO_LARGE, "The query is too large. (QUERY_IS_TOO_LARGE)")
    return bytes(text)


async def _save_data(insert: InsertWithData, text: bytearray, pieces: AsyncIterator[bytes], folder: Path) -> Upload:
    descriptor, name = tempfile.mkstemp(prefix="insert-", dir=folder)
    upload = Upload(insert.from_file(name), Path(name))
    try:
        with os.fdopen(descriptor, "wb") as data:
            data.write(memoryview(text)[insert.data_start :])
            async for piece in pieces:
                data.write(piece)
    except BaseException:
        upload.discard()
        raise
    return upload
