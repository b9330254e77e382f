"""What a payment is for (`RmtInf`): references and text for people and matching, invoices with amounts for application.

Structured remittance names documents (`RfrdDocInf`) and amounts (`RfrdDocAmt`). `RmtdAmt` is what is paid of a
document; what stands between it and the amount due is deducted. A credit note that the payer takes off is a deduction
from the invoices of the same payment, for no cash comes with it.
"""

from collections.abc import Iterator
from decimal import Decimal

import msgspec

from sources.bank.camt.tagged_text import tagged
from sources.bank.camt.values import EntryFaultError, amount_of, reference
from sources.bank.entry import RemittedInvoice
from sources.xml import Element, child, children, text, texts

_CREDIT_NOTES = frozenset({"CREN", "CNFA"})
# Documents that are named but not paid: orders, bills of lading, dispatch advices, statements of account.
_NO_INVOICES = frozenset({"PUOR", "BOLD", "DISP", "VCHR", "CMCN", "SOAC"})
_ZERO = Decimal(0)


class Remittance(msgspec.Struct, frozen=True, gc=False):
    """`payment_reference` is all that the payer wrote, creditor references first; `end_to_end_id` one within a text."""

    payment_reference: str | None = None
    end_to_end_id: str | None = None
    invoices: tuple[RemittedInvoice, ...] = ()


class _Document(msgspec.Struct, gc=False):
    """One referred document. Amounts are None where they are not said, or in another currency than the payment's."""

    number: str
    is_credit_note: bool
    amount: Decimal | None
    deduction: Decimal
    reason: str | None


def remittance(transaction: Element, currency: str, paid: Decimal) -> Remittance:
    """What a transaction of an amount says about what it is for."""
    references: list[str] = []
    documents: list[_Document] = []
    remarks: list[str] = []
    written: list[str] = []
    for information in children(transaction, "RmtInf"):
        written += texts(information, "Ustrd")
        for structured in children(information, "Strd"):
            if said := reference(text(structured, "CdtrRefInf", "Ref") or text(structured, "CdtrRefInf", "CdtrRef")):
                references.append(said)
            remarks += _other_numbers(structured)
            documents += _documents(structured, currency)
            remarks += texts(structured, "AddtlRmtInf")
    parts = tagged(" ".join(written))
    if parts is not None:
        written = [parts.remittance] if parts.remittance else []
    invoices = _invoices(documents, paid)
    # Numbers of documents that become no line must not be lost.
    lines = {invoice.invoice_id for invoice in invoices}
    numbers = [document.number for document in documents if document.number not in lines]
    said_all = list(dict.fromkeys(filter(None, (*references, *numbers, *written, *remarks))))
    return Remittance(" ".join(said_all) or None, None if parts is None else reference(parts.end_to_end_id), invoices)


def _documents(structured: Element, currency: str) -> Iterator[_Document]:
    named = [
        (number, _type(document) in _CREDIT_NOTES)
        for document in children(structured, "RfrdDocInf")
        if _type(document) not in _NO_INVOICES
        and (number := text(document, "Nb") or text(document, "RfrdDocNb")) is not None
    ]
    amounts = child(structured, "RfrdDocAmt")
    if len(named) != 1 or amounts is None:
        # One amount for several documents cannot be told apart.
        for number, is_credit_note in named:
            yield _Document(number, is_credit_note, None, _ZERO, None)
        return
    number, is_credit_note = named[0]
    yield _with_amounts(number, is_credit_note, amounts, currency)


def _other_numbers(structured: Element) -> Iterator[str]:
    for document in children(structured, "RfrdDocInf"):
        if _type(document) in _NO_INVOICES and (number := text(document, "Nb")) is not None:
            yield number


def _type(document: Element) -> str:
    kind = child(document, "Tp")
    if kind is None:
        kind = child(document, "RfrdDocTp")  # version 01
    return text(kind, "CdOrPrtry", "Cd") or text(kind, "Cd") or ""


def _with_amounts(number: str, is_credit_note: bool, amounts: Element, currency: str) -> _Document:
    due = _amount(child(amounts, "DuePyblAmt"), currency)
    remitted = _amount(child(amounts, "RmtdAmt"), currency)
    if is_credit_note:
        taken = _amount(child(amounts, "CdtNoteAmt"), currency)
        return _Document(
            number, True, taken if taken is not None else remitted if remitted is not None else due, _ZERO, None
        )
    kept, reason = _deductions(amounts, currency)
    if due is not None and remitted is not None:
        kept = max(due - remitted, _ZERO)
    paid = remitted if remitted is not None else due - kept if due is not None and due > kept else None
    return _Document(number, False, paid, kept, reason if kept else None)


def _deductions(amounts: Element, currency: str) -> tuple[Decimal, str | None]:
    """Σ of discounts and of adjustments that take something off, and the first reason."""
    kept, reason = _ZERO, None
    for discount in children(amounts, "DscntApldAmt"):  # a list with types since version 04
        inner = child(discount, "Amt")
        if said := _amount(discount if inner is None else inner, currency):
            kept += said
            reason = reason or text(discount, "Tp", "Cd") or text(discount, "Tp", "Prtry") or "discount"
    for adjustment in children(amounts, "AdjstmntAmtAndRsn"):
        if (said := _amount(child(adjustment, "Amt"), currency)) and text(adjustment, "CdtDbtInd") != "CRDT":
            kept += said
            reason = text(adjustment, "Rsn") or text(adjustment, "AddtlInf") or reason
    return kept, reason


def _amount(element: Element | None, currency: str) -> Decimal | None:
    """An amount in the payment's currency. One in another currency, or no number, says nothing that can be applied."""
    if element is None or (element.get("Ccy") or currency) != currency:
        return None
    try:
        return amount_of(element)
    except EntryFaultError:
        return None


def _invoices(documents: list[_Document], paid: Decimal) -> tuple[RemittedInvoice, ...]:
    """The invoices, less the credit notes where these are taken off the payment.

    None where what is said is not enough to apply cash.
    """
    invoices = [document for document in documents if not document.is_credit_note]
    notes = [document for document in documents if document.is_credit_note]
    is_unclear = any(document.amount is None for document in documents) and len(documents) > 1
    if not invoices or is_unclear:
        return ()
    if _total(invoices) - _total(notes) == paid:
        for note in notes:
            _take_off(note, invoices)
    return tuple(
        RemittedInvoice(document.number, document.amount, document.deduction or None, document.reason)
        for document in invoices
        if document.amount is None or document.amount > 0
    )


def _take_off(note: _Document, invoices: list[_Document]) -> None:
    left = note.amount or _ZERO
    for invoice in invoices:
        taken = min(left, invoice.amount or _ZERO)
        if taken and invoice.amount is not None:
            invoice.amount -= taken
            invoice.deduction += taken
            invoice.reason = ", ".join(filter(None, (invoice.reason, f"credit note {note.number}")))
            left -= taken


def _total(documents: list[_Document]) -> Decimal:
    return sum((document.amount or _ZERO for document in documents), _ZERO)
