"""Bank entries → events in the written form: payments, what they are for, and payments that went back.

Whose cash it is, a bank does not know: a payment carries no account unless the table of payers names one, and is then
unidentified until somebody or something identifies it (SEMANTICS 4.1). A remittance names its payment and follows it.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, time
from typing import Any

from sources.bank.entry import BankEntry, RemittedInvoice
from sources.bank.payers import Payers

# A booking date without a time: noon UTC is the same date from UTC-12 to UTC+11.
_NOON = time(12, tzinfo=UTC)


def documents(entry: BankEntry, payment_id: str, payers: Payers) -> Iterator[dict[str, Any]]:
    """The written events of an entry, in the order in which they are to be published."""
    moment = entry.occurred_at or datetime.combine(entry.booking_date, _NOON)
    envelope = {
        "occurred_at": moment.isoformat(),
        "account_id": payers.account_of((entry.payer_id, entry.payer_account, entry.payer_name)),
    }
    if entry.kind == "announced":
        yield _announcement(entry, payment_id) | envelope
    elif entry.kind == "returned":
        yield _reversal(entry, payment_id) | envelope
    else:
        yield _payment(entry, payment_id) | envelope
        lines = list(_lines(entry))
        if lines:
            yield {
                "event": "RemittanceReceived",
                "remittance_id": f"{payment_id}/remittance",
                "payment_id": payment_id,
                "payer_reference": entry.payment_reference,
                "currency": entry.currency,
                "lines": lines,
            } | envelope


def _payment(entry: BankEntry, payment_id: str) -> dict[str, Any]:
    return {
        "event": "PaymentReceived",
        "payment_id": payment_id,
        "amount": format(entry.amount, "f"),
        "currency": entry.currency,
        "value_date": entry.value_date.isoformat(),
        "method": entry.method,
        "payer_reference": entry.payment_reference,
        "bank_reference": entry.servicer_reference,
        "end_to_end_id": entry.end_to_end_id,
        "payer_name": entry.payer_name,
        "payer_account": entry.payer_account,
    }


def _reversal(entry: BankEntry, payment_id: str) -> dict[str, Any]:
    """The id is that of the return's own booking: which payment it was, the ledger finds by the reference."""
    return {
        "event": "PaymentReversed",
        "payment_id": payment_id,
        "effective_date": entry.booking_date.isoformat(),
        "reason": entry.return_reason or "recall",
        "reference": entry.original_reference or entry.end_to_end_id,
        "reason_code": entry.reason_code,
    }


def _announcement(entry: BankEntry, payment_id: str) -> dict[str, Any]:
    said = {
        "amount": f"{entry.amount:f} {entry.currency}",
        "value_date": entry.value_date.isoformat(),
        "end_to_end_id": entry.end_to_end_id,
        "payer_reference": entry.payment_reference,
        "payer_name": entry.payer_name,
    }
    return {
        "event": "UserActivityLogged",
        "action": "cash_announced",
        "entity_type": "payment",
        "entity_id": payment_id,
        "changes": {field: {"old": None, "new": value} for field, value in said.items() if value is not None},
        "succeeded": True,
    }


def _lines(entry: BankEntry) -> Iterator[dict[str, Any]]:
    """Lines with amounts. Several invoices without amounts say too little to apply cash; they stay in the reference."""
    if any(invoice.amount is None for invoice in entry.invoices) and len(entry.invoices) > 1:
        return
    for invoice in entry.invoices:
        yield _line(invoice, entry)


def _line(invoice: RemittedInvoice, entry: BankEntry) -> dict[str, Any]:
    amount = entry.amount if invoice.amount is None else invoice.amount
    line = {"invoice_id": invoice.invoice_id, "amount": format(amount, "f")}
    if invoice.deduction_amount:
        line["deduction_amount"] = format(invoice.deduction_amount, "f")
        if invoice.deduction_reason is not None:
            line["deduction_reason"] = invoice.deduction_reason
    return line
