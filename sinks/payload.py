"""What the generated transcoders call: Avro numbers in, pieces of JSON and of Avro out, all as bytes."""

import struct
from functools import lru_cache

import msgspec

from avro.amounts import InvalidNumber, exponent, from_scaled
from avro.dates import from_days, from_micros
from sinks.event_row import AMOUNT_BYTES, AMOUNT_DECIMALS

# Bytes that JSON takes as they are; whatever else a text has is escaped by msgspec, which also checks its UTF-8.
PLAIN = bytes(code for code in range(0x20, 0x7F) if code not in b'"\\')
NULL = b"\x00"
NOT_NULL = b"\x02"
SCALE_MAX = 38
read_double = struct.Struct("<d").unpack_from


def long_at(data: bytes, place: int) -> tuple[int, int]:
    """The Avro int or long at a place, and the place after it. Raises IndexError when the data end before."""
    byte = data[place]
    place += 1
    value = byte & 0x7F
    shift = 7
    while byte > 0x7F:
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        shift += 7
    return (value >> 1) ^ -(value & 1), place


def length_at(data: bytes, place: int) -> tuple[int, int]:
    """The length at a place, and the place after it. Raises ValueError when it is negative, which would lead back."""
    length, place = long_at(data, place)
    if length < 0:
        raise ValueError(f"a length of {length} bytes")
    return length, place


def escape(text: bytes) -> bytes:
    """A JSON string. Raises UnicodeDecodeError for bytes that are not UTF-8."""
    return msgspec.json.encode(text.decode())


@lru_cache(maxsize=8192)
def date_text(days: int) -> bytes:
    """An ISO date in quotes; days outside of the calendar as their number."""
    try:
        return b'"%b"' % from_days(days).encode()
    except OverflowError:
        return b"%d" % days


def instant_text(micros: int) -> bytes:
    """An ISO instant in quotes; one outside of the calendar as its number."""
    try:
        return b'"%b"' % from_micros(micros).encode()
    except OverflowError:
        return b"%d" % micros


def number_text(number: float) -> bytes:
    """A JSON number; null for what JSON has no word for."""
    return msgspec.json.encode(number)


@lru_cache(maxsize=512)
def scale_of(currency: bytes) -> int | None:
    """Decimals of a currency; None when ISO 4217 has none for it, so that no amount is guessed."""
    try:
        return exponent(currency.decode())
    except (InvalidNumber, UnicodeDecodeError):
        return None


def amount_text(minor: int, scale: int) -> bytes:
    """A decimal amount in quotes."""
    if 0 < scale < SCALE_MAX and minor >= 0:
        whole, fraction = divmod(minor, 10**scale)
        return b'"%d.%0*d"' % (whole, scale, fraction)
    return b'"%b"' % from_scaled(minor, scale).encode() if abs(scale) <= SCALE_MAX else b'"%de%d"' % (minor, -scale)


def amount_column(minor: int, scale: int) -> bytes:
    """The column `amount`: a Decimal with 4 decimals, or null when the amount has more of them."""
    if scale > AMOUNT_DECIMALS:
        if scale > SCALE_MAX or minor % 10 ** (scale - AMOUNT_DECIMALS):
            return NULL
        value = minor // 10 ** (scale - AMOUNT_DECIMALS)
    else:
        value = minor * 10 ** (AMOUNT_DECIMALS - max(scale, -SCALE_MAX))
    if abs(value) >= 10**SCALE_MAX:
        return NULL
    column: bytes = NOT_NULL + value.to_bytes(AMOUNT_BYTES, "big", signed=True)
    return column
