"""A UBL invoice or credit note → events in the written form. What is owed is PayableAmount, whatever makes it up."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from sources.bank.payers import Payers
from sources.ubl.customer import account_of
from sources.ubl.payment_terms import terms_of, without_zone
from sources.xml import Element, child, children, local_name, text

# Codes of UNTDID 1001, as EN 16931 uses them.
_DEBIT_NOTES = frozenset({"80", "84", "383"})
_CREDIT_NOTES = frozenset({"81", "83", "261", "262", "296", "308", "381", "396", "420", "532"})
_CORRECTED = "384"
_WORDS_MAX = 500
NO_RECEIVABLE = {"325": "pro_forma"}
"""Types that ask for no payment, and the word under which they are passed over."""


def type_code(document: Element) -> str:
    """InvoiceTypeCode or CreditNoteTypeCode, empty where there is none."""
    return text(document, "InvoiceTypeCode") or text(document, "CreditNoteTypeCode") or ""


def documents(document: Element, payable: Decimal, currency: str, payers: Payers) -> Iterator[dict[str, Any]]:
    """The events of a document whose totals agree.

    A credit note is a credit, and so is an invoice below zero; a credit note below zero takes a credit back and is a
    debit memo. A corrected invoice (384) stands in place of the one that it names: that one is cancelled.
    """
    code = type_code(document)
    is_credit = local_name(document) == "CreditNote" or code in _CREDIT_NOTES
    issued_on = without_zone(text(document, "IssueDate") or "")
    envelope = {
        # A date without a time: noon UTC is the same date from UTC-12 to UTC+11.
        "occurred_at": f"{issued_on}T12:00:00Z",
        "account_id": account_of(document, payers),
    }
    number = text(document, "ID")
    if (is_credit and payable >= 0) or (not is_credit and payable < 0):
        yield envelope | {
            "event": "CreditMemoIssued",
            "credit_memo_id": number,
            "amount": format(abs(payable), "f"),
            "currency": currency,
            "document_date": issued_on,
            "invoice_id": _preceding(document),
            "reason": (text(document, "Note") or "")[:_WORDS_MAX] or None,
        }
        return
    preceding = _preceding(document) if code == _CORRECTED else None
    if preceding not in {None, number}:
        yield envelope | {
            "event": "InvoiceCancelled",
            "invoice_id": preceding,
            "effective_date": issued_on,
            "reason": f"corrected by {number}",
        }
    yield (
        envelope
        | {
            "event": "InvoiceIssued",
            "invoice_id": number,
            "document_type": "debit_memo" if is_credit or code in _DEBIT_NOTES else "invoice",
            "document_date": issued_on,
            "amount": format(abs(payable), "f"),
            "currency": currency,
            "reference": text(document, "OrderReference", "ID") or text(document, "BuyerReference"),
        }
        | terms_of(document, payable)
    )


def _preceding(document: Element) -> str | None:
    """The one invoice that a document credits or corrects. Several of them share a credit in no way that is said."""
    named = {
        number
        for reference in children(document, "BillingReference")
        for kind in ("InvoiceDocumentReference", "SelfBilledInvoiceDocumentReference")
        if (number := text(child(reference, kind), "ID")) is not None
    }
    return named.pop() if len(named) == 1 else None
