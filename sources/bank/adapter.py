"""A bank's format as an adapter: the whole file is verified first, then read again into events."""

from collections.abc import Iterator
from typing import BinaryIO

from sources.bank.cash import documents
from sources.bank.entry import BankEntry
from sources.bank.format import BankFormat
from sources.bank.identity import PaymentIds
from sources.bank.payers import Payers
from sources.intake import SourceOptions
from sources.verified_file import BadEntry, PassedOver, VerifiedFile, Written


class BankFile(VerifiedFile):
    """The adapter of a bank's format. An entry is taken whole or not at all."""

    def __init__(self, options: SourceOptions, form: BankFormat, payers: Payers) -> None:
        super().__init__(options, _BankDocuments(form, payers))


class _BankDocuments:
    """What the entries of a bank's file say, in written events."""

    def __init__(self, form: BankFormat, payers: Payers) -> None:
        self.source = form.source
        self._form = form
        self._payers = payers

    def verify(self, stream: BinaryIO) -> None:
        self._form.verify(stream)

    def written(self, stream: BinaryIO) -> Iterator[Written | PassedOver | BadEntry]:
        ids = PaymentIds()
        for entry in self._form.entries(stream):
            if isinstance(entry, BankEntry):
                yield Written(entry.line, documents(entry, ids.of(entry), self._payers))
            else:
                yield entry
