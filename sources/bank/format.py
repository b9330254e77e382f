"""What a parser of a bank's format is."""

from collections.abc import Iterator
from typing import BinaryIO, Protocol

from sources.bank.entry import BankEntry
from sources.errors import FileRefusedError
from sources.verified_file import BadEntry, PassedOver

__all__ = ["BadEntry", "BankFormat", "FileRefusedError", "PassedOver"]


class BankFormat(Protocol):
    """A pure parser. It holds a bounded part of the file, whatever its size, and resolves nothing outside it."""

    source: str
    """Name of the source in events and ids; the same for all formats that can report the same cash (camt)."""

    def verify(self, stream: BinaryIO) -> None:
        """Read the whole file once: structure, control counts and totals. Raises ``FileRefusedError``."""

    def entries(self, stream: BinaryIO) -> Iterator[BankEntry | PassedOver | BadEntry]:
        """The entries of a verified file, in its order, from the beginning of the stream."""
