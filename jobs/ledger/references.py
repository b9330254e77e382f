"""Payments by the references under which banks name them when they go back.

A bank that returns a direct debit gives its end-to-end id, or its own reference of the booking, not our payment_id.
Cash without an account is found by an index; an account's own receipts are few enough to look through.
"""

from jobs.entities import ReceiptState, Reference, key
from jobs.step import Step
from jobs.verdicts import DUPLICATE, Duplicate, Rejected


def note_references(step: Step, receipt_key: str, receipt: ReceiptState) -> None:
    """Unidentified cash has arrived: it can be found by what the bank calls it."""
    for reference in {receipt.end_to_end_id, receipt.bank_reference} - {None}:
        listing = key("references", step.company, str(reference))
        step.state.put(
            key("reference", step.company, str(reference), receipt.payment_id), Reference(None, listing, receipt_key)
        )


def by_reference(step: Step, account: str | None, reference: str) -> tuple[str, ReceiptState] | Duplicate | Rejected:
    """The one payment of that reference that has not gone back; a duplicate where all of them have."""
    found = [
        (receipt_key, receipt)
        for receipt_key in _candidates(step, account, reference)
        if (receipt := step.receipt(receipt_key)) is not None
        and reference in {receipt.end_to_end_id, receipt.bank_reference}
    ]
    stayed = [(receipt_key, receipt) for receipt_key, receipt in found if receipt.reversed_on is None]
    if len(stayed) == 1:
        return stayed[0]
    if stayed:
        named = f"{len(stayed)} payments have the reference {reference}; send PaymentReversed with the payment_id"
        return Rejected("unknown_payment", named)
    if found:
        return DUPLICATE
    owner = "no unidentified payment" if account is None else f"no payment of account {account}"
    return Rejected("unknown_payment", f"{owner} has the reference {reference}")


def _candidates(step: Step, account: str | None, reference: str) -> list[str]:
    if account is not None:
        return list(step.state.listed(key("receipts", step.company, account)))
    known = (step.state.get(Reference, at) for at in step.state.listed(key("references", step.company, reference)))
    return [entry.receipt for entry in known if entry is not None]
