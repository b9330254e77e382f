"""What an adapter could not read is redacted like what it could: messages that quote values, and original bytes."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, Protocol

from sources.errors import SourceError
from sources.redaction import Redactor
from sources.values import Parsed, SourceReject


class _Reader(Protocol):
    def check(self, stream: BinaryIO, file: str) -> None: ...

    def read(self, stream: BinaryIO, file: str) -> Iterator[Parsed]: ...


class RedactedAdapter:
    """An adapter whose rejects and errors are redacted. Events were redacted when they were made (``Intake``)."""

    def __init__(self, adapter: _Reader, redactor: Redactor) -> None:
        self._adapter = adapter
        self._redactor = redactor

    def check(self, stream: BinaryIO, file: str) -> None:
        """As the adapter does."""
        with self._redacted_errors():
            self._adapter.check(stream, file)

    def read(self, stream: BinaryIO, file: str) -> Iterator[Parsed]:
        """The values of the adapter."""
        with self._redacted_errors():
            for value in self._adapter.read(stream, file):
                yield self._redactor.reject(value) if isinstance(value, SourceReject) else value

    @contextmanager
    def _redacted_errors(self) -> Iterator[None]:
        try:
            yield
        except SourceError as error:
            raise SourceError(self._redactor.message(error.message), error.advice) from None
