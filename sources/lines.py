"""Physical lines of a byte stream, with a limit: a line of any length costs bounded memory."""

from collections.abc import Iterator
from typing import BinaryIO

import msgspec

# A reject carries the original bytes in one Kafka record, and brokers refuse records above 1 MB by default.
LINE_BYTES_MAX = 512 * 1024
KEPT_BYTES_MAX = 4096
_CHUNK = 64 * 1024


class Line(msgspec.Struct, frozen=True, gc=False):
    """One line with its line end. `length` is its full size in bytes; above the limit `data` is only its beginning."""

    number: int
    data: bytes
    length: int

    @property
    def is_whole(self) -> bool:
        """Whether `data` is all of the line."""
        return self.length == len(self.data)


def lines(stream: BinaryIO, bytes_max: int = LINE_BYTES_MAX) -> Iterator[Line]:
    """The lines of a stream, in order, numbered from 1. Never holds more than `bytes_max` and one buffer.

    A line longer than `bytes_max` is read past and given by its first ``KEPT_BYTES_MAX`` bytes.
    """
    number = 0
    while data := stream.readline(bytes_max + 1):
        number += 1
        if len(data) <= bytes_max:
            yield Line(number, data, len(data))
            continue
        length = len(data)
        piece = data
        while not piece.endswith(b"\n") and (piece := stream.readline(_CHUNK)):
            length += len(piece)
        yield Line(number, data[: min(KEPT_BYTES_MAX, bytes_max)], length)


def too_long(line: Line, bytes_max: int) -> str:
    """The sentence for a line past the limit."""
    return (
        f"the line has {line.length:,} bytes, more than the limit of {bytes_max:,}; "
        f"only its first {len(line.data):,} bytes are kept here"
    )
