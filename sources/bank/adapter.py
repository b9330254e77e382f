"""A bank's format as an adapter: the whole file is verified first, then read again into events.

Cash of a file that does not agree with itself is worse than no cash, so such a file is refused whole: one reject with
the file's bytes, and no event. The stream must be seekable; the command copies standard input for that.
"""

from collections.abc import Iterator
from hashlib import sha256
from typing import BinaryIO

from sources.bank.cash import documents
from sources.bank.entry import BankEntry
from sources.bank.format import BadEntry, BankFormat, FileRefusedError, PassedOver
from sources.bank.identity import PaymentIds
from sources.bank.payers import Payers
from sources.intake import Intake, RefusedError, SourceOptions
from sources.lines import KEPT_BYTES_MAX, LINE_BYTES_MAX
from sources.values import Parsed, ParsedEvent, Position, SkippedRow, SourceReject

_CHUNK = 1024 * 1024


class BankFile:
    """The adapter of a bank's format. An entry is taken whole or not at all."""

    def __init__(self, options: SourceOptions, form: BankFormat, payers: Payers) -> None:
        self._options = options
        self._form = form
        self._payers = payers
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
        ids = PaymentIds()
        for entry in self._form.entries(stream):
            if isinstance(entry, PassedOver):
                yield SkippedRow(Position(file, entry.line), entry.why)
            elif isinstance(entry, BadEntry):
                yield self._reject(Position(file, entry.line), entry.reason, entry.message, entry.original)
            else:
                yield from self._events(entry, ids, file)

    def _events(self, entry: BankEntry, ids: PaymentIds, file: str) -> Iterator[Parsed]:
        position = Position(file, entry.line)
        taken: list[ParsedEvent] = []
        document = None
        try:
            for document in documents(entry, ids.of(entry), self._payers):
                taken.append(self._intake.event(document, position))
        except RefusedError as refused:
            place = Position(file, entry.line, field=refused.field)
            # The entry in the words of the event that it did not become; the file itself stays with whoever has it.
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
