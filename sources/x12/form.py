"""One kind of transaction set as a form of file: envelopes are checked here, sets are read by a reader of their kind.

The file is read the same way twice: to verify it, with what it says thrown away, and to take it.
"""

from collections.abc import Callable, Iterator
from typing import BinaryIO, Protocol

from sources.errors import FileRefusedError
from sources.verified_file import BadEntry, PassedOver, Written
from sources.x12.envelope import TransactionSet, transaction_sets
from sources.x12.segments import Segment

Taken = Written | PassedOver | BadEntry

FORMATS = {"810": "x12-810", "820": "x12-820", "823": "x12-823"}
"""The format that reads a set, as `--as` names it."""

_NAMES = {"810": "invoice", "820": "payment order/remittance advice", "823": "lockbox", "997": "acknowledgement"}


class SetReader(Protocol):
    """Reads one set, segment by segment. It adds up as it goes and raises ``FileRefusedError`` where sums disagree."""

    def take(self, segment: Segment) -> Iterator[Taken]:
        """A segment between ST and SE; gives what it has completed."""

    def end(self) -> Iterator[Taken]:
        """The set has ended, its count agrees; gives what is left."""


class X12Form:
    """The form of files with sets of one kind; others among them are passed over, such as acknowledgements.

    `file_reader` is called once a pass and gives what opens a reader for each set of it.
    """

    source = "x12"

    def __init__(self, kind: str, file_reader: Callable[[], Callable[[TransactionSet], SetReader]]) -> None:
        self._kind = kind
        self._file_reader = file_reader

    def verify(self, stream: BinaryIO) -> None:
        """Raises ``FileRefusedError``, also where no set is of this kind (`wrong_transaction_set`)."""
        for _ in self._sets(stream):
            pass

    def written(self, stream: BinaryIO) -> Iterator[Taken]:
        """What the sets say."""
        return self._sets(stream)

    def _sets(self, stream: BinaryIO) -> Iterator[Taken]:
        open_reader = self._file_reader()
        reader: SetReader | None = None
        others: set[str] = set()
        is_ours = False
        for current, segment in transaction_sets(stream):
            if segment.name == "ST":
                if current.kind == self._kind:
                    is_ours = True
                    reader = open_reader(current)
                else:
                    others.add(current.kind)
                    yield PassedOver(segment.line, f"transaction_set_{current.kind}")
            elif reader is not None and segment.name == "SE":
                yield from reader.end()
                reader = None
            elif reader is not None:
                yield from reader.take(segment)
        if not is_ours:
            raise FileRefusedError("wrong_transaction_set", self._wrong(others))

    def _wrong(self, others: set[str]) -> str:
        found = " and ".join(f"{kind} ({_NAMES.get(kind, 'another set')})" for kind in sorted(others))
        advice = " or ".join(f"--as {FORMATS[kind]}" for kind in sorted(others & FORMATS.keys()))
        message = f"it has sets {found}, and none of the kind {self._kind} ({_NAMES[self._kind]})"
        return f"{message}; use {advice}" if advice else f"{message}; nothing here reads them"
