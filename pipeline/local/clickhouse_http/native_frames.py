"""ClickHouse's own compression of a stream, which JDBC clients ask for by ``compress=1``.

A frame is: checksum (CityHash 1.0.2, 16 bytes) of the rest; method (1 byte); size of what follows the checksum
(4 bytes, little endian); size of the plain data (4 bytes); the data. The same frames are in ClickHouse's own files.
"""

import struct
import sys
from typing import cast

import lz4.block
from clickhouse_cityhash import cityhash

from pipeline.local.clickhouse_http.errors import CANNOT_DECOMPRESS, UNKNOWN_COMPRESSION_METHOD, EngineError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

METHOD_NONE, METHOD_LZ4, METHOD_ZSTD = 0x02, 0x82, 0x90
CHECKSUM = struct.Struct("<QQ")
HEAD = struct.Struct("<BII")
PLAIN_BYTES_MAX = 1_048_576
FRAME_BYTES_MAX = 268_435_456


class NativeCompressor:
    """Plain pieces in, LZ4 frames out."""

    def compress(self, data: bytes, /) -> bytes:
        """One or more frames with these data."""
        slices = (data[start : start + PLAIN_BYTES_MAX] for start in range(0, len(data), PLAIN_BYTES_MAX))
        return b"".join(map(_frame, slices))

    def flush(self) -> bytes:
        """Nothing: every frame is complete in itself."""
        return b""


def _frame(plain: bytes) -> bytes:
    packed = cast("bytes", lz4.block.compress(plain, store_size=False))
    body = HEAD.pack(METHOD_LZ4, HEAD.size + len(packed), len(plain)) + packed
    return _checksum(body) + body


def _checksum(body: bytes) -> bytes:
    first, second = divmod(cityhash.CityHash128(body), 1 << 64)
    return CHECKSUM.pack(first, second)


class NativeDecompressor:
    """Pieces of frames in, plain pieces out. Raises ``EngineError`` for what is not a frame."""

    def __init__(self) -> None:
        self._rest = b""

    def decompress(self, data: bytes, /) -> bytes:
        """The plain data of the frames that are complete by now."""
        self._rest += data
        plain: list[bytes] = []
        while len(self._rest) >= CHECKSUM.size + HEAD.size:
            method, size, plain_size = HEAD.unpack_from(self._rest, CHECKSUM.size)
            if not HEAD.size <= size <= FRAME_BYTES_MAX or plain_size > FRAME_BYTES_MAX:
                raise EngineError(CANNOT_DECOMPRESS, "The body is not made of compressed blocks. (CANNOT_DECOMPRESS)")
            end = CHECKSUM.size + size
            if len(self._rest) < end:
                break
            plain.append(_open(self._rest[:end], method, plain_size))
            self._rest = self._rest[end:]
        return b"".join(plain)

    def finish(self) -> None:
        """Raise ``EngineError`` when the body ended in the middle of a frame."""
        if self._rest:
            raise EngineError(CANNOT_DECOMPRESS, "The last compressed block breaks off. (CANNOT_DECOMPRESS)")


def _open(frame: bytes, method: int, plain_size: int) -> bytes:
    body = frame[CHECKSUM.size :]
    if frame[: CHECKSUM.size] != _checksum(body):
        raise EngineError(CANNOT_DECOMPRESS, "Checksum doesn't match: corrupted data. (CANNOT_DECOMPRESS)")
    packed = body[HEAD.size :]
    if method == METHOD_NONE:
        return packed
    if method == METHOD_LZ4:
        return cast("bytes", lz4.block.decompress(packed, uncompressed_size=plain_size))
    if method == METHOD_ZSTD:
        return zstd.decompress(packed)
    raise EngineError(UNKNOWN_COMPRESSION_METHOD, f"Unknown compression method {method}. (UNKNOWN_COMPRESSION_METHOD)")
