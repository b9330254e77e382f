"""The format `mt940`: booked statements, with balances that prove them, or do not."""

from collections.abc import Iterator
from typing import BinaryIO

from sources.bank.format import BadEntry, PassedOver
from sources.bank.plain_text import Repetitions
from sources.bank.swift.entries import Outcome, outcome
from sources.bank.swift.messages import postings


class Mt940:
    """The parser. It holds one statement line with its details at a time."""

    source = "mt940"

    def __init__(self) -> None:
        self._repeated = Repetitions()

    def verify(self, stream: BinaryIO) -> None:
        """The structure of all statements. Raises ``FileRefusedError``."""
        self._repeated = Repetitions()
        for _ in postings(stream, "MT940", self._repeated):
            pass

    def entries(self, stream: BinaryIO) -> Iterator[Outcome]:
        """The statement lines in order; behind those of a statement what its balances do not prove."""
        for posting in postings(stream, "MT940"):
            if isinstance(posting, BadEntry):
                yield posting
            elif posting.statement.ordinal in self._repeated:
                yield PassedOver(posting.line, "repeated_statement")
            else:
                yield outcome(posting, is_booked=True)
