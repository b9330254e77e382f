"""UBL 2 documents as a form of file: one document, or several in an envelope (SBDH and the like)."""

from collections.abc import Iterator
from decimal import Decimal
from typing import BinaryIO

from sources.bank.payers import Payers
from sources.errors import FileRefusedError
from sources.ubl.document import NO_RECEIVABLE, documents, type_code
from sources.ubl.totals import Totals, amount_of
from sources.verified_file import BadEntry, PassedOver, Written
from sources.xml import Element, line_of, local_name, namespace, read_xml, text

_NAMESPACE = "urn:oasis:names:specification:ubl:schema:xsd:"
FORMATS = {"Invoice": "ubl-invoice", "CreditNote": "ubl-credit-note"}
_LINES = frozenset({"InvoiceLine", "CreditNoteLine"})
# Lines and attachments are many or large, and are let go as they pass.
_WANTED = FORMATS.keys() | _LINES | {"AdditionalDocumentReference"}


class UblForm:
    """The form of files with documents of one kind, by their root element; the other kind is passed over."""

    source = "ubl"

    def __init__(self, kind: str, payers: Payers) -> None:
        self._kind = kind
        self._payers = payers

    def verify(self, stream: BinaryIO) -> None:
        """Raises ``FileRefusedError``, also where no document is of this kind (`wrong_document`)."""
        for _ in self._documents(stream):
            pass

    def written(self, stream: BinaryIO) -> Iterator[Written | PassedOver | BadEntry]:
        """What the documents say."""
        return self._documents(stream)

    def _documents(self, stream: BinaryIO) -> Iterator[Written | PassedOver | BadEntry]:
        lines: Decimal | None = None
        root = ""
        others: set[str] = set()
        is_ours = False
        for moment, element in read_xml(stream, _WANTED):
            name = local_name(element)
            root = root or name
            if moment == "end" and name in _LINES:
                amount = amount_of(element, "LineExtensionAmount")
                lines = lines if amount is None else (lines or Decimal(0)) + amount
            elif moment == "end" and name in FORMATS:
                self._check_version(element, name)
                if name == self._kind:
                    is_ours = True
                    yield self._document(element, lines)
                else:
                    others.add(name)
                    yield PassedOver(line_of(element), FORMATS[name])
                lines = None
        if not is_ours:
            raise FileRefusedError("wrong_document", self._wrong(others, root))

    def _document(self, document: Element, lines: Decimal | None) -> Written | PassedOver | BadEntry:
        line = line_of(document)
        currency = text(document, "DocumentCurrencyCode") or self._currency_of_total(document)
        totals = Totals(document, currency, lines)
        payable = totals.payable
        totals.check()
        if text(document, "CopyIndicator") in {"true", "1"}:
            return PassedOver(line, "copy")
        skipped = NO_RECEIVABLE.get(type_code(document))
        if skipped is not None:
            return PassedOver(line, skipped)
        for needed in ("ID", "IssueDate"):
            if text(document, needed) is None:
                raise FileRefusedError("malformed_file", f"the {self._kind} has no {needed}", line)
        return Written(line, tuple(documents(document, payable, currency, self._payers)))

    def _currency_of_total(self, document: Element) -> str:
        found = document.find("{*}LegalMonetaryTotal/{*}PayableAmount")
        currency = None if found is None else found.get("currencyID")
        if currency is None:
            raise FileRefusedError("malformed_file", "it says no currency", line_of(document))
        return currency

    def _check_version(self, document: Element, name: str) -> None:
        given = namespace(document)
        if given != f"{_NAMESPACE}{name}-2":
            message = f"its {name} is of {given or 'no namespace'}, not of UBL 2 ({_NAMESPACE}{name}-2)"
            raise FileRefusedError("unsupported_version", message, line_of(document))

    def _wrong(self, others: set[str], root: str) -> str:
        if others:
            advice = " or ".join(f"--as {FORMATS[name]}" for name in sorted(others))
            return f"it has no {self._kind}, but {' and '.join(sorted(others))}; use {advice}"
        if root == "CrossIndustryInvoice":
            return "it is a Cross Industry Invoice (Factur-X, ZUGFeRD, XRechnung CII); ask for the invoice in UBL"
        return f"it has no UBL {self._kind}; its root element is {root}"
