"""Unidentified cash finds its account (SEMANTICS 4.1, 4.2).

Cash without an account lies with the company, under the key of no account. An identification arrives at the account
that was found, asks the company for the receipt, and the receipt moves: the account owns it from its value date on,
recorded at the identification.
"""

import msgspec

from jobs.aging import ON_ACCOUNT
from jobs.collectible import UNAPPLIED
from jobs.effects import Carried, Rejection
from jobs.entities import Placement, ReceiptState, key
from jobs.events import (
    IdentificationRefused,
    IdentificationRequested,
    PaymentIdentified,
    PaymentReceived,
    ReceiptMoved,
)
from jobs.ledger.content import content_of, repeated
from jobs.ledger.deferral import expect, take_up
from jobs.ledger.receipts import receipt_key_of
from jobs.ledger.remittances import join_waiting, send_on
from jobs.lines import opened
from jobs.references import note_references
from jobs.step import Step
from jobs.values import Minor
from jobs.verdicts import Rejected, Verdict


def identify(step: Step, event: PaymentIdentified) -> Verdict:
    """At the account that was found: ask for the receipt."""
    if event.account_id is None:
        return Rejected("unknown_document", f"the identification of {event.payment_id} names no account_id")
    if step.receipt(receipt_key_of(step, event.account_id, event.payment_id)) is None:
        expect(step, event.account_id, event.payment_id)
    step.effects.append(
        Carried(
            event=IdentificationRequested(
                event_id=f"{event.event_id}/requested",
                company=step.company,
                account_id=None,
                occurred_at=event.occurred_at,
                recorded_at=step.recorded_at,
                region=event.region,
                payment_id=event.payment_id,
                identified_account_id=event.account_id,
            )
        )
    )
    return None


def release(step: Step, event: IdentificationRequested) -> Verdict:
    """With the company: hand the receipt over, once."""
    receipt_key = receipt_key_of(step, None, event.payment_id)
    receipt = step.receipt(receipt_key)
    refused = None
    if receipt is None:
        refused = Rejected("unknown_payment", f"there is no unidentified payment {event.payment_id}")
    elif receipt.reversed_on is not None:
        refused = Rejected("unknown_payment", f"payment {event.payment_id} was reversed before it was identified")
    elif receipt.moved_to not in {None, event.identified_account_id}:
        owner = f"payment {event.payment_id} already belongs to account {receipt.moved_to}"
        refused = Rejected("conflicting_duplicate", owner)
    if refused is not None or receipt is None:
        refused = refused or Rejected("unknown_payment", "")
        step.effects.append(_rejection(step, event, event.identified_account_id, refused))
        step.effects.append(_refusal(step, event, refused.reason))
        return None
    if receipt.moved_to is not None:
        return None
    step.put_receipt(receipt_key, msgspec.structs.replace(receipt, moved_to=event.identified_account_id))
    step.effects.append(
        Carried(
            event=ReceiptMoved(
                event_id=f"{event.event_id}/moved",
                company=step.company,
                account_id=event.identified_account_id,
                occurred_at=event.occurred_at,
                recorded_at=step.recorded_at,
                region=receipt.region,
                payment_id=receipt.payment_id,
                amount_minor=receipt.amount,
                refunded_minor=receipt.refunded,
                currency=receipt.currency,
                value_date=receipt.value_date,
                method=receipt.method,
                payer_reference=receipt.payer_reference,
                bank_reference=receipt.bank_reference,
                on_account=receipt.on_account,
                end_to_end_id=receipt.end_to_end_id,
            )
        )
    )
    send_on(step, event.payment_id, event.identified_account_id)
    return None


def refuse(step: Step, event: IdentificationRefused) -> Verdict:
    """At the account: the receipt will not come; what waited for it is judged without."""
    take_up(step, event.payment_id)
    return None


def _refusal(step: Step, event: IdentificationRequested, reason: str) -> Carried:
    return Carried(
        event=IdentificationRefused(
            event_id=f"{event.event_id}/refused",
            company=step.company,
            account_id=event.identified_account_id,
            occurred_at=event.occurred_at,
            recorded_at=step.recorded_at,
            region=event.region,
            payment_id=event.payment_id,
            reason=reason,
        )
    )


def _rejection(step: Step, event: IdentificationRequested | ReceiptMoved, account: str, refused: Rejected) -> Rejection:
    return Rejection(
        event_id=event.event_id.removesuffix("/moved").removesuffix("/requested"),
        event_type="PaymentIdentified",
        company=step.company,
        account_id=account,
        reason=refused.reason,
        message=refused.message,
        recorded_at=step.recorded_at,
        late=True,
    )


def arrive(step: Step, event: ReceiptMoved) -> Verdict:
    """At the account: the receipt is its own, aged from its value date; what waited for it is applied."""
    if event.account_id is None:
        return _take_back(step, event)
    receipt_key = receipt_key_of(step, event.account_id, event.payment_id)
    account = event.account_id
    content = _content(event)
    known = step.receipt(receipt_key)
    if known is not None:
        take_up(step, event.payment_id)
        conflict = repeated("payment", event.payment_id, known.content, content)
        if isinstance(conflict, Rejected):
            step.effects.append(_rejection(step, event, account, conflict))
            step.effects.append(Carried(event=_returned(step, event)))
        return None
    balance_class = ON_ACCOUNT if event.on_account else UNAPPLIED
    amount = Minor(event.amount_minor - event.refunded_minor)
    line, movements = opened(0, Minor(-amount), Placement(event.value_date, balance_class, event.value_date))
    receipt = ReceiptState(
        wake=None,
        listed_under=key("receipts", step.company, account),
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
        refunded=Minor(event.refunded_minor),
    )
    step.post_receipt(receipt, movements, "identification", method=event.method)
    step.put_receipt(receipt_key, receipt)
    note_references(step, receipt_key, receipt)
    join_waiting(step, receipt_key, receipt)
    take_up(step, event.payment_id)
    return None


def _returned(step: Step, event: ReceiptMoved) -> ReceiptMoved:
    """The account has another payment of this id: the cash goes back to the company, or nobody would have it."""
    return msgspec.structs.replace(
        event, event_id=f"{event.event_id}/returned", account_id=None, recorded_at=step.recorded_at
    )


def _take_back(step: Step, event: ReceiptMoved) -> Verdict:
    """With the company: the receipt is unidentified again."""
    receipt_key = receipt_key_of(step, None, event.payment_id)
    receipt = step.receipt(receipt_key)
    if receipt is not None and receipt.moved_to is not None:
        step.put_receipt(receipt_key, msgspec.structs.replace(receipt, moved_to=None))
    return None


def _content(event: ReceiptMoved) -> bytes:
    """The content of the payment as it was received, so that hearing of it once more is a duplicate (SEMANTICS 4.5)."""
    received = PaymentReceived(
        event_id=event.event_id,
        company=event.company,
        account_id=event.account_id,
        occurred_at=event.occurred_at,
        recorded_at=event.recorded_at,
        region=event.region,
        payment_id=event.payment_id,
        amount_minor=event.amount_minor,
        currency=event.currency,
        value_date=event.value_date,
        method=event.method,
        payer_reference=event.payer_reference,
        bank_reference=event.bank_reference,
        on_account=event.on_account,
        end_to_end_id=event.end_to_end_id,
    )
    return content_of(received)
