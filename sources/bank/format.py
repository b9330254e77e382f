"""What a parser of a bank's format is."""

from collections.abc import Iterator
from typing import BinaryIO, Protocol

import msgspec

from sources.bank.entry import BankEntry


class FileRefusedError(Exception):
    """A file that cannot be taken at all: its totals disagree, it is cut off, it is of another format.

    `reason` is a code (`control_total_mismatch`, `truncated_file`, `malformed_file`, `unsupported_version`, …),
    `message` a sentence that says what is wrong and what to do, `line` where it shows (0 = the file as a whole).
    """

    def __init__(self, reason: str, message: str, line: int = 0) -> None:
        super().__init__(reason, message, line)
        self.reason = reason
        self.message = message
        self.line = line


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
