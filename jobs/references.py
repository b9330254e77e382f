"""Payments by the references under which banks name them when they go back.

A bank that returns a direct debit gives its end-to-end id, or its own reference of the booking, not our payment_id.
Cash without an account, and cash that came with an end-to-end id, is found by an index, for as long as it is kept: a
debit may come back when it has long been used up. Of other cash, what is left is looked through.
"""

from jobs.entities import ReceiptState, Reference, key
from jobs.step import Step
from jobs.verdicts import DUPLICATE, Duplicate, Rejected


def note_references(step: Step, receipt_key: str, receipt: ReceiptState) -> None:
    """Cash has arrived: it can be found by what the bank calls it."""
    for reference in _indexed(receipt):
        listing = _listing(step, receipt.account, reference)
        step.state.put(_key(step, receipt, reference), Reference(None, listing, receipt_key))


def forget_references(step: Step, receipt: ReceiptState) -> None:
    """The receipt is kept no longer, nor is the way to it."""
    for reference in _indexed(receipt):
        step.state.remove(_key(step, receipt, reference))


def by_reference(step: Step, account: str | None, reference: str) -> tuple[str, ReceiptState] | Duplicate | Rejected:
    """The one payment of that reference that has not gone back; a duplicate where all of them have."""
    found = [
        (receipt_key, receipt)
        for receipt_key in _candidates(step, account or "", reference)
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


def _indexed(receipt: ReceiptState) -> list[str]:
    """The references of a receipt that are worth an index: those of a bank's own report."""
    if receipt.account and receipt.end_to_end_id is None:
        return []
    named = (receipt.end_to_end_id, receipt.bank_reference)
    return list(dict.fromkeys(reference for reference in named if reference is not None))


def _listing(step: Step, account: str, reference: str) -> str:
    return key("references", step.company, account, reference)


def _key(step: Step, receipt: ReceiptState, reference: str) -> str:
    return key("reference", step.company, receipt.account, reference, receipt.payment_id)


def _candidates(step: Step, account: str, reference: str) -> list[str]:
    known = (step.state.get(Reference, at) for at in step.state.listed(_listing(step, account, reference)))
    found = [entry.receipt for entry in known if entry is not None]
    left = step.state.listed(key("receipts", step.company, account)) if account else ()
    return list(dict.fromkeys([*found, *left]))
