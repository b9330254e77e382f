"""Compression of requests and responses, as HTTP names it."""

import sys
import zlib
from collections.abc import Callable
from typing import Protocol, cast

import lz4.frame

from pipeline.local.clickhouse_http.errors import CANNOT_DECOMPRESS, UNKNOWN_COMPRESSION_METHOD, EngineError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

GZIP_WINDOW = 31  # zlib's way of saying: with gzip's head and foot


class Decompressor(Protocol):
    """Pieces in, pieces out; ``eof`` once the end of the data was seen."""

    @property
    def eof(self) -> bool: ...
    def decompress(self, data: bytes, /) -> bytes: ...


class Compressor(Protocol):
    """Pieces in, pieces out, and the rest at the end."""

    def compress(self, data: bytes, /) -> bytes: ...
    def flush(self) -> bytes: ...


class _Lz4Compressor:
    def __init__(self) -> None:
        self._frame = lz4.frame.LZ4FrameCompressor()
        self._head: bytes = self._frame.begin()

    def compress(self, data: bytes, /) -> bytes:
        head, self._head = self._head, b""
        return head + cast("bytes", self._frame.compress(data))

    def flush(self) -> bytes:
        head, self._head = self._head, b""
        return head + cast("bytes", self._frame.flush())


class _Plain:
    def compress(self, data: bytes, /) -> bytes:
        return data

    def flush(self) -> bytes:
        return b""


# In order of preference: the fastest first, as between two programs of one machine.
_COMPRESSORS: dict[str, Callable[[], Compressor]] = {
    "lz4": _Lz4Compressor,
    "zstd": lambda: zstd.ZstdCompressor(level=1),
    "gzip": lambda: zlib.compressobj(1, wbits=GZIP_WINDOW),
    "deflate": lambda: zlib.compressobj(1),
}
_DECOMPRESSORS: dict[str, Callable[[], Decompressor]] = {
    "lz4": lz4.frame.LZ4FrameDecompressor,
    "zstd": zstd.ZstdDecompressor,
    "gzip": lambda: zlib.decompressobj(GZIP_WINDOW),
    "deflate": zlib.decompressobj,
}


def response_compressor(accepted: str) -> tuple[str, Compressor]:
    """The best method among those of an Accept-Encoding header; without a name for plain text."""
    offered = {part.split(";")[0].strip().lower() for part in accepted.split(",")}
    for name, make in _COMPRESSORS.items():
        if name in offered:
            return name, make()
    return "", _Plain()


class RequestDecoder:
    """Takes the pieces of a body apart by the method of its Content-Encoding header; empty means plain.

    Raises ``EngineError`` for a method that is not known, and for data that are not of the method.
    """

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding.strip().lower()
        self._decompressor: Decompressor | None = None
        self._is_empty = True
        if self._encoding not in {"", "identity"}:
            if self._encoding not in _DECOMPRESSORS:
                raise EngineError(
                    UNKNOWN_COMPRESSION_METHOD,
                    f"Unknown compression method '{encoding}'. (UNKNOWN_COMPRESSION_METHOD)",
                )
            self._decompressor = _DECOMPRESSORS[self._encoding]()

    def decode(self, piece: bytes) -> bytes:
        """The next piece in plain."""
        if self._decompressor is None:
            return piece
        self._is_empty = self._is_empty and not piece
        try:
            return self._decompressor.decompress(piece)
        except (RuntimeError, EOFError, zlib.error, zstd.ZstdError) as error:
            raise EngineError(
                CANNOT_DECOMPRESS, f"The body is not {self._encoding}: {error}. (CANNOT_DECOMPRESS)"
            ) from error

    def finish(self) -> None:
        """Raise ``EngineError`` when the body ended in the middle of its compressed data."""
        if self._decompressor is not None and not self._is_empty and not self._decompressor.eof:
            raise EngineError(CANNOT_DECOMPRESS, f"The {self._encoding} body breaks off. (CANNOT_DECOMPRESS)")
