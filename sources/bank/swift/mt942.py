"""The format `mt942`: interim reports of a day. What they report is announced; the statement brings the cash."""

from collections.abc import Iterator
from typing import BinaryIO

from sources.bank.format import BadEntry, PassedOver
from sources.bank.plain_text import Repetitions
from sources.bank.swift.entries import Outcome, outcome
from sources.bank.swift.messages import postings


class Mt942:
    """The parser. It holds one statement line with its details at a time."""

    source = "mt942"

    def __init__(self) -> None:
        self._repeated = Repetitions()

    def verify(self, stream: BinaryIO) -> None:
        """Structure, and counts and sums where the bank gives them. Raises ``FileRefusedError``."""
        self._repeated = Repetitions()
        for _ in postings(stream, "MT942", self._repeated):
            pass

    def entries(self, stream: BinaryIO) -> Iterator[Outcome]:
        """The statement lines in order."""
        for posting in postings(stream, "MT942"):
            if isinstance(posting, BadEntry):
                yield posting
            elif posting.statement.ordinal in self._repeated:
                yield PassedOver(posting.line, "repeated_statement")
            else:
                yield outcome(posting, is_booked=False)
