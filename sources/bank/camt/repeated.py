"""References that a bank gives to several entries of one statement, such as a batch that it books one by one.

Such entries are told apart by their order. Which references are repeated is found in the first pass over a file; a
bitmap of fixed size remembers what was seen. It may take a reference for a repeated one that is not, which costs a
little memory and changes nothing.
"""

from collections import Counter
from hashlib import blake2b

_BITMAP_BYTES = 1024 * 1024
_POSITIONS = 3
_POSITION_BYTES = 4

Key = tuple[int, str]
"""Ordinal of the statement, and the reference with what is told apart anyway (direction, booked or not)."""


class RepeatedReferences:
    """The references of a file that come more than once in a statement, and how often each has come so far."""

    def __init__(self) -> None:
        self._seen = bytearray(_BITMAP_BYTES)
        self._repeated: set[bytes] = set()
        self._used: Counter[bytes] = Counter()

    def note(self, key: Key) -> None:
        """First pass: a reference stands on an entry."""
        digest = _digest(key)
        is_seen = True
        for start in range(0, _POSITIONS * _POSITION_BYTES, _POSITION_BYTES):
            bit = int.from_bytes(digest[start : start + _POSITION_BYTES]) % (_BITMAP_BYTES * 8)
            byte, mask = bit >> 3, 1 << (bit & 7)
            is_seen = is_seen and bool(self._seen[byte] & mask)
            self._seen[byte] |= mask
        if is_seen:
            self._repeated.add(digest)

    def take(self, key: Key, count: int = 1) -> int:
        """Second pass: the place of the first of `count` transactions with a reference, after those that had it."""
        digest = _digest(key)
        if digest not in self._repeated:
            return 0
        place = self._used[digest]
        self._used[digest] += count
        return place


def _digest(key: Key) -> bytes:
    return blake2b(f"{key[0]}\x1f{key[1]}".encode(), digest_size=_POSITIONS * _POSITION_BYTES).digest()
