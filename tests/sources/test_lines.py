"""Physical lines: whatever stands in the stream, memory is bounded and no byte is miscounted."""

import io
import tracemalloc
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sources.lines import KEPT_BYTES_MAX, lines


@given(st.binary(max_size=400))
def test_lines_joined_are_the_stream(data: bytes) -> None:
    found = list(lines(io.BytesIO(data)))
    assert b"".join(line.data for line in found) == data
    assert [line.number for line in found] == list(range(1, len(found) + 1))


@given(st.lists(st.integers(0, 60), max_size=8), st.integers(1, 30))
def test_a_line_past_the_limit_is_told_by_its_length_and_the_next_one_is_whole(sizes: list[int], limit: int) -> None:
    data = b"".join(b"x" * size + b"\n" for size in sizes)
    found = list(lines(io.BytesIO(data), limit))
    assert [line.length for line in found] == [size + 1 for size in sizes]
    assert [line.is_whole for line in found] == [size + 1 <= limit for size in sizes]


class _Endless(io.RawIOBase):
    """A line of the given size that is made while it is read."""

    def __init__(self, size: int) -> None:
        self._left = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        count = min(len(buffer), self._left)
        buffer[:count] = b"x" * count
        self._left -= count
        return count


def test_a_line_of_a_gigabyte_costs_no_memory() -> None:
    size = 1 << 30
    tracemalloc.start()
    try:
        found = list(lines(io.BufferedReader(_Endless(size), 1 << 16)))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [(line.length, len(line.data)) for line in found] == [(size, KEPT_BYTES_MAX)]
    assert peak < 4 << 20
