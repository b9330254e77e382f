"""What a parser of a bank's format is."""

from collections.abc import Iterator
from typing import BinaryIO, Protocol

import msgspec

from sources.bank.entry import BankEntry
from sources.errors import FileRefusedError

__all__ = ["BadEntry", "BankFormat", "FileRefusedError", "PassedOver"]


class PassedOver(msgspec.Struct, frozen=True, gc=False):
    """An entry that is no customer's cash, with the word under which it is counted: debit, fee, zero_amount, …"""

    line: int
    why: str


class BadEntry(msgspec.Struct, frozen=True, gc=False):
    """An entry that cannot be read in a file whose totals agree. `original` are its bytes."""

    line: int
    reason: str
    message: str
    original: bytes


class BankFormat(Protocol):
    """A pure parser. It holds a bounded part of the file, whatever its size, and resolves nothing outside it."""

    source: str
    """Name of the source in events and ids; the same for all formats that can report the same cash (camt)."""

    def verify(self, stream: BinaryIO) -> None:
        """Read the whole file once: structure, control counts and totals. Raises ``FileRefusedError``."""

    def entries(self, stream: BinaryIO) -> Iterator[BankEntry | PassedOver | BadEntry]:
        """The entries of a verified file, in its order, from the beginning of the stream."""
