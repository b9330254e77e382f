"""The invoice, 810: what we have billed, as it went to the customer. One set is one document.

The receivable is TDS01, the total with taxes and charges, less allowances, before any discount for early payment. What
its kind is, BIG07 says, and a total below zero is a credit whatever it is called.
"""

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from sources.bank.payers import Payers
from sources.errors import FileRefusedError
from sources.verified_file import BadEntry, PassedOver, Written
from sources.x12.envelope import TransactionSet
from sources.x12.form import Taken
from sources.x12.parties import Parties
from sources.x12.segments import Segment
from sources.x12.terms import Terms
from sources.x12.values import UnreadableError, day, decimal, hundredths, instant

# BIG07, data element 640.
_CREDITS = frozenset({"CC", "CE", "CG", "CN", "CR"})
_DEBIT_MEMOS = frozenset({"CF", "DC", "DR"})
_NO_RECEIVABLE = {"PF": "pro_forma", "FE": "memorandum", "ME": "memorandum"}
_CORRECTED = "CO"
# BIG08, data element 353.
_COPIES = {"06": "confirmation", "22": "information_copy"}
_CANCELLATIONS = frozenset({"01", "03"})
_CHANGES = {"04": "a change", "05": "a replacement"}
_CUSTOMER = ("BT", "BY", "PR", "SO", "ST")
"""N101: bill-to, buyer, payer, sold-to, ship-to; the first that there is owes the money."""

_ORIGINAL_INVOICE = ("OI", "IV", "I5")  # REF01 of a credit memo
_HOME = "USD"


def invoices(payers: Payers) -> Callable[[TransactionSet], "Invoice"]:
    """What opens the readers of one file."""
    return lambda opened: Invoice(opened, payers)


class Invoice:
    """Reads one 810. Of its items it keeps the count and the sum of quantities."""

    def __init__(self, opened: TransactionSet, payers: Payers) -> None:
        self._opened = opened
        self._payers = payers
        self._begin: Segment | None = None
        self._total: Segment | None = None
        self._counts: Segment | None = None
        self._currency: str | None = None
        self._references: dict[str, str] = {}
        self._parties = Parties()
        self._terms = Terms()
        self._items = 0
        self._quantity = Decimal(0)
        self._quantity_digits = 0

    def take(self, segment: Segment) -> Iterator[Taken]:
        """A segment between ST and SE; nothing is complete before the end."""
        match segment.name:
            case "IT1":
                self._item(segment)
            case "TDS":
                self._total = segment
            case "CTT":
                self._counts = segment
            case _ if not self._items:
                self._heading(segment)
        return iter(())

    def _heading(self, segment: Segment) -> None:
        if self._parties.take(segment):
            return
        match segment.name:
            case "BIG":
                self._begin = segment
            case "CUR":
                self._currency = self._currency or segment[2] or None
            case "REF" if segment[1] in _ORIGINAL_INVOICE:
                self._references.setdefault(segment[1], segment[2])
            case "ITD" | "DTM":
                self._terms.take(segment)

    def _item(self, segment: Segment) -> None:
        self._items += 1
        quantity = decimal(segment, 2) or Decimal(0)
        self._quantity += quantity
        self._quantity_digits += int("".join(filter(str.isdecimal, segment[2])) or 0)

    def end(self) -> Iterator[Taken]:
        """The document, once its counts agree."""
        begin, total = self._begin, self._total
        if begin is None:
            raise FileRefusedError("malformed_file", f"{self._opened.name} has no BIG", self._opened.line)
        amount = None if total is None else hundredths(total, 1)
        if amount is None:
            message = f"{self._opened.name} has no total (TDS01)"
            raise FileRefusedError("malformed_file", message, self._opened.line)
        self._check_counts()
        skipped = _NO_RECEIVABLE.get(begin[7]) or _COPIES.get(begin[8])
        if skipped:
            yield PassedOver(self._opened.line, skipped)
            return
        try:
            document = self._document(begin, amount)
        except UnreadableError as error:
            message = f"{self._opened.name}: {error.message}"
            yield BadEntry(self._opened.line, error.reason, message, begin.text.encode())
            return
        yield Written(self._opened.line, (document,))

    def _check_counts(self) -> None:
        counts = self._counts
        if counts is None:
            return
        items, hash_total = decimal(counts, 1), decimal(counts, 2)
        if items is not None and items != self._items:
            message = f"{self._opened.name} counts {counts[1]} items (CTT01), it has {self._items}"
            raise FileRefusedError("control_total_mismatch", message, counts.line)
        # The standard adds up digits without their points, many senders the quantities.
        if hash_total is not None and hash_total not in {self._quantity, self._quantity_digits}:
            message = f"{self._opened.name} has the hash total {counts[2]} (CTT02), its quantities add up to"
            raise FileRefusedError("control_total_mismatch", f"{message} {self._quantity}", counts.line)

    def _document(self, begin: Segment, amount: Decimal) -> dict[str, Any]:
        invoiced_on = day(begin[1], "the date of the invoice (BIG01)")
        if invoiced_on is None:
            raise UnreadableError("missing_date", "it has no date (BIG01)")
        if not begin[2]:
            raise UnreadableError("missing_field", "it has no number (BIG02)")
        if begin[8] in _CHANGES or begin[7] == _CORRECTED:
            what = _CHANGES.get(begin[8], "a correction")
            what = f"it is {what} (BIG07 {begin[7]}, BIG08 {begin[8]}) of what was billed, and would bill it twice"
            raise UnreadableError("unsupported_purpose", f"{what}; send an adjustment or a cancellation")
        envelope = {"occurred_at": instant(invoiced_on), "account_id": self._account()}
        if begin[8] in _CANCELLATIONS:
            return envelope | {"event": "InvoiceCancelled", "invoice_id": begin[2]}
        if begin[7] in _CREDITS or amount < 0:
            return envelope | self._credit_memo(begin, abs(amount), invoiced_on)
        return (
            envelope
            | {
                "event": "InvoiceIssued",
                "invoice_id": begin[2],
                "document_type": "debit_memo" if begin[7] in _DEBIT_MEMOS else "invoice",
                "document_date": invoiced_on.isoformat(),
                "amount": format(amount, "f"),
                "currency": self._currency or _HOME,
                "reference": begin[4] or None,
            }
            | self._terms.fields(invoiced_on, amount)
        )

    def _credit_memo(self, begin: Segment, amount: Decimal, credited_on: date) -> dict[str, Any]:
        original = begin[10] or next(filter(None, map(self._references.get, _ORIGINAL_INVOICE)), None)
        return {
            "event": "CreditMemoIssued",
            "credit_memo_id": begin[2],
            "amount": format(amount, "f"),
            "currency": self._currency or _HOME,
            "document_date": credited_on.isoformat(),
            "invoice_id": original,
        }

    def _account(self) -> str | None:
        """The account that the table has for the customer, else the customer's number, else whom the group is for."""
        customer = self._parties.first(*_CUSTOMER)
        said = [customer.number, *customer.numbers, customer.name] if customer else []
        known = self._payers.account_of([*said, self._opened.group_receiver, self._opened.receiver])
        return known or (customer.number if customer else "") or self._opened.group_receiver or None
