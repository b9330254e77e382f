"""What generated codecs call: Avro's variable-length integers and texts, with tables and bounded caches.

Avro spec, "Binary Encoding": an integer is zigzag coded and cut into groups of seven bits, lowest first, with the high
bit set on all but the last byte. A table over two bytes therefore covers 14 bits at once.
"""

from collections.abc import Callable
from struct import Struct
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

CACHE_ENTRIES_MAX = 32_768
CACHED_LENGTH_MAX = 64
"""Longer texts are not remembered: they seldom repeat, and the caches must stay small."""

_LONG_BITS = 64
_INT_LIMIT = 2**31
_FAR = -(2**63)


class Cache(dict[K, V], Generic[K, V]):
    """A dict that makes what it lacks, and forgets everything when it is full. Reading a known key runs no Python."""

    __slots__ = ("_make",)

    def __init__(self, make: Callable[[K], V]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, key: K) -> V:
        value = self._make(key)
        if len(self) >= CACHE_ENTRIES_MAX:
            self.clear()
        if not isinstance(key, str | bytes) or len(key) <= CACHED_LENGTH_MAX:
            self[key] = value
        return value


# Writing


def _varint(zigzag: int) -> bytes:
    groups = bytearray()
    while zigzag > 0x7F:
        groups.append(zigzag & 0x7F | 0x80)
        zigzag >>= 7
    groups.append(zigzag)
    return bytes(groups)


ENDING = (
    *(bytes((bits,)) for bits in range(1 << 7)),
    *(bytes((bits & 0x7F | 0x80, bits >> 7)) for bits in range(1 << 7, 1 << 14)),
)
"""The last one or two bytes of an integer, by their value."""

GOING_ON = tuple(bytes((bits & 0x7F | 0x80, bits >> 7 | 0x80)) for bits in range(1 << 14))
"""Two bytes that are not the last, by their 14 bits."""


def long_bytes(number: int) -> bytes:
    """An Avro long. Raises OverflowError beyond 64 bits, TypeError for what is no integer."""
    zigzag = (number << 1) ^ (number >> 63)
    if zigzag < 1 << 14:
        return ENDING[zigzag]
    if zigzag < 1 << 28:
        return GOING_ON[zigzag & 0x3FFF] + ENDING[zigzag >> 14]
    if zigzag >> _LONG_BITS:
        raise OverflowError(f"{number} does not fit in 64 bits")
    return GOING_ON[zigzag & 0x3FFF] + GOING_ON[zigzag >> 14 & 0x3FFF] + _varint(zigzag >> 28)


def int_bytes(number: int) -> bytes:
    """An Avro int. Raises OverflowError beyond 32 bits, TypeError for what is no integer."""
    if not -_INT_LIMIT <= number < _INT_LIMIT:
        raise OverflowError(f"{number} does not fit in 32 bits")
    return long_bytes(number)


def _rest_of_instant(bits: int) -> bytes:
    # Below, the number would not need the four bytes before these; above, it has more than 64 bits.
    if not 0 < bits < 1 << 36:
        raise OverflowError("not an instant of the common range")
    return _varint(bits)


def text_bytes(text: str) -> bytes:
    """An Avro string. Raises UnicodeEncodeError for half a surrogate pair, AttributeError for what is no text."""
    encoded = text.encode()
    return LENGTHS[len(encoded)] + encoded


def _optional_text_bytes(text: str | None) -> bytes:
    return b"\0" if text is None else b"\2" + text_bytes(text)


def _optional_int_bytes(number: int | None) -> bytes:
    return b"\0" if number is None else b"\2" + int_bytes(number)


REST_OF_INSTANT: Cache[int, bytes] = Cache(_rest_of_instant)
"""An instant's bits from the 29th on, which stay the same for two minutes. OverflowError where it is none of those."""
LENGTHS: Cache[int, bytes] = Cache(long_bytes)
TEXTS: Cache[str, bytes] = Cache(text_bytes)
OPTIONAL_TEXTS: Cache[str | None, bytes] = Cache(_optional_text_bytes)
INTS: Cache[int, bytes] = Cache(int_bytes)
OPTIONAL_INTS: Cache[int | None, bytes] = Cache(_optional_int_bytes)
DOUBLE = Struct("<d")

# Reading


def long_at(data: bytes, position: int) -> tuple[int, int]:
    """An Avro long and the position behind it. Raises IndexError at the end, ValueError beyond 64 bits."""
    # Unrolled for what amounts and days need; the loop is for the rest.
    zigzag = data[position]
    if zigzag < 0x80:
        return (zigzag >> 1) ^ -(zigzag & 1), position + 1
    byte = data[position + 1]
    zigzag += (byte << 7) - 0x80
    if byte < 0x80:
        return (zigzag >> 1) ^ -(zigzag & 1), position + 2
    byte = data[position + 2]
    zigzag += (byte << 14) - 0x4000
    if byte < 0x80:
        return (zigzag >> 1) ^ -(zigzag & 1), position + 3
    byte = data[position + 3]
    zigzag += (byte << 21) - 0x20_0000
    position += 4
    shift = 28
    while byte > 0x7F:
        # The high bit of the byte before is no part of the number.
        zigzag -= 0x80 << (shift - 7)
        if shift > 63:
            raise ValueError("an integer has more than ten bytes")
        byte = data[position]
        position += 1
        zigzag += byte << shift
        shift += 7
    if zigzag >> _LONG_BITS:
        raise ValueError("an integer has more than 64 bits")
    return (zigzag >> 1) ^ -(zigzag & 1), position


def int_at(data: bytes, position: int) -> tuple[int, int]:
    """An Avro int and the position behind it. Raises as `long_at`, and ValueError beyond 32 bits."""
    number, position = long_at(data, position)
    if not -_INT_LIMIT <= number < _INT_LIMIT:
        raise ValueError(f"{number} does not fit in 32 bits")
    return number, position


def length_at(data: bytes, position: int) -> tuple[int, int]:
    """The length of a text and the position behind it. Raises as `long_at`, and ValueError when it is negative."""
    length, position = long_at(data, position)
    if length < 0:
        raise ValueError("a text has a negative length")
    return length, position


def text_at(data: bytes, position: int) -> tuple[str, int]:
    """An Avro string and the position behind it. Raises as `length_at`, and UnicodeDecodeError."""
    length, position = length_at(data, position)
    return data[position : position + length].decode(), position + length


def bytes_at(data: bytes, position: int) -> tuple[bytes, int]:
    """Avro bytes and the position behind them. Raises as `length_at`."""
    length, position = length_at(data, position)
    return data[position : position + length], position + length


def wrong_branch(byte: int) -> None:
    """Raises ValueError: the byte names no branch of a union of null and another type."""
    raise ValueError(f"the byte {byte:#04x} stands where 0x00 (null) or 0x02 (a value) must")


def block_at(data: bytes, position: int) -> tuple[int, int]:
    """Items of the next block of an array or map, and the position behind its head; 0 ends the array.

    Raises as `long_at`, and ValueError when there cannot be as many: each takes at least one byte.
    """
    count, position = long_at(data, position)
    if count < 0:
        # A negative count is followed by the block's size in bytes, for readers that skip it.
        count = -count
        _, position = length_at(data, position)
    if count > len(data) - position:
        raise ValueError("an array is longer than the record")
    return count, position


def _small(byte: int) -> int:
    return (byte >> 1) ^ -(byte & 1)


SMALL = tuple(_small(byte) for byte in range(128))
"""Integers of one byte."""

TO_NEXT = tuple((byte >> 1) + 1 if byte < 128 and not byte & 1 else _FAR for byte in range(256))
"""From the length byte of a text to what follows the text; far below zero where the length has more bytes."""


def _three_bytes(data: bytes) -> int | None:
    """A day of the years from 1992 on is an integer of three bytes."""
    if len(data) == 3 and data[0] > 0x7F and data[1] > 0x7F and data[2] <= 0x7F:
        return long_at(data, 0)[0]
    return None


def _fourteen_bits(pair: int) -> int:
    """Bits of two bytes, given as a little-endian number."""
    return pair & 0x7F | (pair >> 1) & 0x3F80


def _high_bits(quad: int) -> int:
    return (_fourteen_bits(quad & 0xFFFF) | _fourteen_bits(quad >> 16) << 14) << 27


DAYS: Cache[bytes, int | None] = Cache(_three_bytes)
"""Days by their three bytes; None where it is another number of bytes."""

EIGHT_BYTES = Struct("<Q").unpack_from
"""The next eight bytes as one little-endian number."""

INSTANT_MASK = 0x8080808080808081
INSTANT_MARK = 0x0080808080808080
"""Under the mask, the mark of eight bytes that are one whole integer, not negative: instants from 1979 on."""

_numbers = tuple(range(1 << 14))  # the tables share their integers, which saves 3 MB
PAIRS = tuple([bits for high in range(1 << 8) for bits in _numbers[(high & 0x7F) << 7 : ((high & 0x7F) + 1) << 7] * 2])
PAIRS_HALVED = tuple([_numbers[bits >> 1] for bits in PAIRS])
"""Bits of two bytes, given as a little-endian number; the second table without the lowest bit, which is the sign."""
HIGH_BITS: Cache[int, int] = Cache(_high_bits)
"""What the last four of an instant's eight bytes add; they stay the same for two minutes."""

DECODED_TEXTS: Cache[bytes, str] = Cache(bytes.decode)
