"""Files that are verified as a whole before anything of them is taken: statements, interchanges, invoices.

Documents of a file that does not agree with itself are worse than none, so such a file is refused whole: one reject
with the file's bytes, and no event. The stream must be seekable; the command copies standard input for that.
"""

from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from typing import Any, BinaryIO, Protocol

import msgspec

from sources.errors import FileRefusedError
from sources.intake import Intake, RefusedError, SourceOptions
from sources.lines import KEPT_BYTES_MAX, LINE_BYTES_MAX
from sources.values import Parsed, ParsedEvent, Position, SkippedRow, SourceReject

_CHUNK = 1024 * 1024


class PassedOver(msgspec.Struct, frozen=True, gc=False):
    """What is no receivable or no customer's cash, with the word under which it is counted: debit, fee, …"""

    line: int
    why: str


class BadEntry(msgspec.Struct, frozen=True, gc=False):
    """What cannot be read in a file whose totals agree. `original` are its bytes."""

    line: int
    reason: str
    message: str
    original: bytes


class Written(msgspec.Struct, frozen=True, gc=False):
    """Written events (SCENARIOS §1) that stand or fall together, and the line at which their source begins.

    `documents` are asked for one by one: what comes after one that is refused is never made.
    """

    line: int
    documents: Iterable[Mapping[str, Any]]


class VerifiedForm(Protocol):
    """A pure parser. It holds a bounded part of the file, whatever its size, and resolves nothing outside it."""

    source: str
    """Name of the source in events and ids."""

    def verify(self, stream: BinaryIO) -> None:
        """Read the whole file once: structure, control counts and totals. Raises ``FileRefusedError``."""

    def written(self, stream: BinaryIO) -> Iterator[Written | PassedOver | BadEntry]:
        """What a verified file says, in its order, from the beginning of the stream."""


class VerifiedFile:
    """The adapter of such a form."""

    def __init__(self, options: SourceOptions, form: VerifiedForm) -> None:
        self._options = options
        self._form = form
        self._intake = Intake(options, source=form.source)

    def check(self, stream: BinaryIO, file: str) -> None:
        """Files are verified one by one as they are read: a refused one does not hold up the others."""

    def read(self, stream: BinaryIO, file: str) -> Iterator[Parsed]:
        """The events of a file in its order; or one reject, where the file does not agree with itself."""
        try:
            self._form.verify(stream)
        except FileRefusedError as refused:
            yield self._refused(stream, file, refused)
            return
        stream.seek(0)
        for item in self._form.written(stream):
            if isinstance(item, PassedOver):
                yield SkippedRow(Position(file, item.line), item.why)
            elif isinstance(item, BadEntry):
                yield self._reject(Position(file, item.line), item.reason, item.message, item.original)
            else:
                yield from self._events(item, file)

    def _events(self, written: Written, file: str) -> Iterator[Parsed]:
        position = Position(file, written.line)
        taken: list[ParsedEvent] = []
        document = None
        try:
            for document in written.documents:
                taken.append(self._intake.event(document, position))
        except RefusedError as refused:
            place = Position(file, written.line, field=refused.field)
            # The words of the event that it did not become; the file itself stays with whoever has it.
            yield self._reject(place, refused.reason, refused.message, repr(document).encode(), refused.event_type)
            return
        yield from taken

    def _refused(self, stream: BinaryIO, file: str, refused: FileRefusedError) -> SourceReject:
        """The reject of a whole file: all its bytes where they fit a record, else their beginning and their digest."""
        stream.seek(0)
        original = stream.read(LINE_BYTES_MAX + 1)
        message = refused.message
        if len(original) > LINE_BYTES_MAX:
            digest, size = sha256(original), len(original)
            while piece := stream.read(_CHUNK):
                digest.update(piece)
                size += len(piece)
            original = original[:KEPT_BYTES_MAX]
            message += (
                f"; the file has {size:,} bytes (SHA-256 {digest.hexdigest()}), its first {len(original):,} are kept"
            )
        return self._reject(Position(file, refused.line), refused.reason, f"the file is refused: {message}", original)

    def _reject(
        self, position: Position, reason: str, message: str, original: bytes, event_type: str | None = None
    ) -> SourceReject:
        return SourceReject(position, reason, message, original, self._options.company, event_type)
