"""Compression of bodies: HTTP's methods, and ClickHouse's own frames."""

import gzip
import zlib

import lz4.frame
import pytest

from pipeline.local.clickhouse_http.compression import RequestDecoder, response_compressor
from pipeline.local.clickhouse_http.errors import EngineError
from pipeline.local.clickhouse_http.native_frames import NativeCompressor, NativeDecompressor

PLAIN = b"an invoice, and another one; " * 50_000
# One block of a column file that ClickHouse 26.9 wrote for the UInt64 5.
FRAME_OF_CLICKHOUSE = bytes.fromhex("d1632b8afa9f3dcc56c85b9d1468ab67821200000008000000800500000000000000")


@pytest.mark.parametrize("name", ["lz4", "zstd", "gzip", "deflate"])
def test_what_a_response_compresses_a_request_decodes(name: str) -> None:
    chosen, compressor = response_compressor(f"br;q=1.0, {name};q=0.5")
    packed = compressor.compress(PLAIN[:1000]) + compressor.compress(PLAIN[1000:]) + compressor.flush()
    assert chosen == name
    assert len(packed) < len(PLAIN) / 10
    decoder = RequestDecoder(name)
    assert b"".join(decoder.decode(packed[i : i + 777]) for i in range(0, len(packed), 777)) == PLAIN


def test_the_fastest_method_is_preferred_and_plain_text_is_the_last_resort() -> None:
    assert response_compressor("gzip, zstd, lz4")[0] == "lz4"
    name, compressor = response_compressor("br")
    assert (name, compressor.compress(b"x") + compressor.flush()) == ("", b"x")


def test_other_programs_understand_the_result() -> None:
    for name, read in (("gzip", gzip.decompress), ("deflate", zlib.decompress), ("lz4", lz4.frame.decompress)):
        _, compressor = response_compressor(name)
        assert read(compressor.compress(PLAIN) + compressor.flush()) == PLAIN


def test_a_body_that_is_not_what_its_header_says_is_refused() -> None:
    with pytest.raises(EngineError, match="not gzip"):
        RequestDecoder("gzip").decode(b"plain text")
    with pytest.raises(EngineError, match="Unknown compression method 'snappy'"):
        RequestDecoder("snappy")


@pytest.mark.parametrize("name", ["lz4", "zstd", "gzip", "deflate"])
def test_a_body_that_breaks_off_is_refused(name: str) -> None:
    _, compressor = response_compressor(name)
    packed = compressor.compress(PLAIN) + compressor.flush()
    whole, half = RequestDecoder(name), RequestDecoder(name)
    whole.decode(packed)
    whole.finish()
    half.decode(packed[:-10])
    with pytest.raises(EngineError, match="breaks off"):
        half.finish()


def test_frames_are_those_of_clickhouse() -> None:
    assert NativeDecompressor().decompress(FRAME_OF_CLICKHOUSE) == (5).to_bytes(8, "little")
    assert NativeCompressor().compress((5).to_bytes(8, "little")) == FRAME_OF_CLICKHOUSE


def test_frames_may_arrive_in_any_pieces() -> None:
    packed = NativeCompressor().compress(PLAIN)
    reader = NativeDecompressor()
    assert b"".join(reader.decompress(packed[i : i + 999]) for i in range(0, len(packed), 999)) == PLAIN


def test_a_damaged_frame_is_refused() -> None:
    damaged = FRAME_OF_CLICKHOUSE[:-1] + b"\x01"
    with pytest.raises(EngineError, match="Checksum doesn't match"):
        NativeDecompressor().decompress(damaged)
    with pytest.raises(EngineError, match="not made of compressed blocks"):
        NativeDecompressor().decompress(b"INSERT INTO t VALUES (1), (2), (3)")
    reader = NativeDecompressor()
    reader.decompress(FRAME_OF_CLICKHOUSE[:-1])
    with pytest.raises(EngineError, match="breaks off"):
        reader.finish()
