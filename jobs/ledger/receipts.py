"""Receipts: received, placed on account, refunded, reversed (SEMANTICS 2.9, 4.1)."""

import msgspec

from jobs.aging import ON_ACCOUNT
from jobs.collectible import UNAPPLIED
from jobs.effects import Carried
from jobs.entities import Placement, ReceiptState, account_key, key
from jobs.events import Event, PaymentPlacedOnAccount, PaymentReceived, PaymentRefunded, PaymentReversed
from jobs.ledger.amounts import amount_in, unknown_currency
from jobs.ledger.content import content_of, repeated
from jobs.ledger.deferral import FORWARDED
from jobs.ledger.remittances import join_waiting
from jobs.ledger.unapplication import take_back
from jobs.lines import cleared, opened, placed, posted
from jobs.references import by_reference, note_references
from jobs.step import Step
from jobs.values import Minor
from jobs.verdicts import DUPLICATE, Rejected, Verdict


def receive(step: Step, event: PaymentReceived) -> Verdict:
    """A negative line from the value date on, until applied. Without an account it is in nobody's balance."""
    refused = unknown_currency(event.currency)
    if refused is not None:
        return refused
    if event.amount_minor < 0:
        return Rejected(
            "wrong_sign",
            f"payment {event.payment_id} is negative; send PaymentReversed or PaymentRefunded instead",
        )
    if event.amount_minor == 0:
        return None  # SEMANTICS 1.5
    receipt_key = receipt_key_of(step, event.account_id, event.payment_id)
    content = content_of(event)
    known = step.receipt(receipt_key)
    if known is not None:
        return repeated("payment", event.payment_id, known.content, content)
    account = event.account_id or ""
    balance_class = ON_ACCOUNT if event.on_account else UNAPPLIED
    line, movements = opened(
        0, Minor(-event.amount_minor), Placement(event.value_date, balance_class, event.value_date)
    )
    receipt = ReceiptState(
        wake=None,
        listed_under=account_key("receipts", step.company, account),
        account=account,
        payment_id=event.payment_id,
        currency=event.currency,
        amount=Minor(event.amount_minor),
        value_date=event.value_date,
        method=event.method,
        payer_reference=event.payer_reference,
        bank_reference=event.bank_reference,
        region=event.region,
        content=content,
        lines=(line,),
        on_account=event.on_account,
        end_to_end_id=event.end_to_end_id,
    )
    step.post_receipt(receipt, movements, "payment", method=event.method)
    step.put_receipt(receipt_key, receipt)
    note_references(step, receipt_key, receipt)
    if event.account_id is not None:
        join_waiting(step, receipt_key, receipt)
    return None


def receipt_key_of(step: Step, account: str | None, payment_id: str) -> str:
    """Where a receipt is kept: with its account, or with the company while it is unidentified."""
    return key("unidentified" if account is None else "receipt", step.company, payment_id)


def place_on_account(step: Step, event: PaymentPlacedOnAccount) -> Verdict:
    """What is unapplied is deliberately parked from the day of the event on."""
    found = _receipt(step, event.account_id, event.payment_id)
    if isinstance(found, Rejected):
        return found
    receipt_key, receipt = found
    if _forwarded(step, event, receipt):
        return None
    if receipt.on_account or receipt.reversed_on is not None:
        return DUPLICATE
    day = step.settings.calendar.day(event.occurred_at)
    line, movements = placed(receipt.lines[0], Placement(day, ON_ACCOUNT, receipt.value_date))
    step.post_receipt(receipt, movements, "on_account", cause=event.event_id)
    step.put_receipt(receipt_key, msgspec.structs.replace(receipt, lines=(line,), on_account=True))
    return None


def refund(step: Step, event: PaymentRefunded) -> Verdict:
    """Money goes back to the payer; at most what is not applied."""
    found = _receipt(step, event.account_id, event.payment_id)
    if isinstance(found, Rejected):
        return found
    receipt_key, receipt = found
    if _forwarded(step, event, receipt):
        return None
    amount = amount_in(event, receipt.currency)
    if isinstance(amount, Rejected):
        return amount
    if amount < 0:
        return Rejected("wrong_sign", f"a refund of {event.payment_id} must be above zero")
    if amount == 0:
        return None
    if amount > receipt.available:
        left = f"{receipt.available} left of {event.payment_id}"
        return Rejected("over_application", f"{amount} minor units are more than the {left}")
    line, movements = posted(receipt.lines[0], amount, step.effective(event, event.effective_date))
    step.post_receipt(receipt, movements, "refund", cause=event.event_id)
    step.put_receipt(
        receipt_key,
        msgspec.structs.replace(receipt, lines=(line,), refunded=Minor(receipt.refunded + amount)),
    )
    return None


def reverse(step: Step, event: PaymentReversed) -> Verdict:
    """The money did not stay: its applications go back, then the receipt itself (SEMANTICS 2.9)."""
    found = _receipt(step, event.account_id, event.payment_id)
    if isinstance(found, Rejected) and event.reference is not None:
        named = by_reference(step, event.account_id, event.reference)
        if not isinstance(named, tuple):
            return named
        found = named
        event = msgspec.structs.replace(event, payment_id=named[1].payment_id)
    if isinstance(found, Rejected):
        return found
    receipt_key, receipt = found
    if _forwarded(step, event, receipt):
        return None
    if receipt.reversed_on is not None:
        return DUPLICATE
    day = max(step.effective(event, event.effective_date), receipt.value_date)
    for application_key in step.state.listed(receipt_key):
        take_back(step, application_key, day, "reversal", event.reason)
    receipt = step.receipt(receipt_key) or receipt
    line, movements = cleared(receipt.lines[0], day)
    step.post_receipt(receipt, movements, "reversal", cause=event.event_id, reason=event.reason)
    step.put_receipt(receipt_key, msgspec.structs.replace(receipt, lines=(line,), reversed_on=day))
    return None


def _receipt(step: Step, account: str | None, payment_id: str) -> tuple[str, ReceiptState] | Rejected:
    receipt_key = receipt_key_of(step, account, payment_id)
    receipt = step.receipt(receipt_key)
    if receipt is None or receipt.account != (account or ""):
        return Rejected("unknown_payment", f"account {account} has no payment {payment_id}")
    return receipt_key, receipt


def _forwarded(step: Step, event: Event, receipt: ReceiptState) -> bool:
    """An event for cash that has been identified meanwhile follows it to its account."""
    if receipt.moved_to is None:
        return False
    moved = msgspec.structs.replace(event, event_id=event.event_id + FORWARDED, account_id=receipt.moved_to)
    step.effects.append(Carried(event=moved))
    return True
