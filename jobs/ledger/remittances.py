"""Remittances: what a payment is for, before or after the payment (SEMANTICS 4.3)."""

from hashlib import blake2b

import msgspec

from jobs import disputes, exceptions
from jobs.effects import Carried, Rejection
from jobs.entities import Application, ReceiptState, Remittance, key
from jobs.events import RemittanceLine, RemittanceReceived
from jobs.ledger.applications import PARKED, park, settle_application
from jobs.ledger.content import content_of, repeated
from jobs.ledger.deferral import FORWARDED
from jobs.money import exponent, rescale
from jobs.step import Step
from jobs.values import Day, Instant, Minor
from jobs.verdicts import Rejected, Verdict


def receive(step: Step, event: RemittanceReceived) -> Verdict:
    """Join the payment it names, else the account's oldest unapplied one of equal total, else the oldest; or wait."""
    if event.account_id is None and event.payment_id is None:
        return Rejected(
            "unknown_payment", f"remittance {event.remittance_id} names neither account_id nor payment_id; give one"
        )
    kind = "unidentified_remittance" if event.account_id is None else "remittance"
    remittance_key = key(kind, step.company, event.remittance_id)
    content = content_of(event)
    known = step.state.get(Remittance, remittance_key)
    if known is not None:
        return repeated("remittance", event.remittance_id, known.content, content)
    if any(line.amount_minor < 0 or (line.deduction_minor or 0) < 0 for line in event.lines):
        return Rejected("wrong_sign", f"remittance {event.remittance_id} has a negative line; amounts are what is paid")
    remittance = Remittance(
        wake=None,
        listed_under=_waiting_under(step, event.account_id or "", event.payment_id),
        account=event.account_id or "",
        remittance_id=event.remittance_id,
        payment_id=event.payment_id,
        payer_reference=event.payer_reference,
        currency=event.currency,
        lines=event.lines,
        received_on=step.settings.calendar.day(event.occurred_at),
        recorded_at=step.recorded_at,
        event_id=event.event_id,
        content=content,
        region=event.region,
    )
    if event.account_id is None:
        _of_unidentified(step, remittance_key, remittance)
        return None
    found = _payment_for(step, remittance)
    if found is None:
        step.state.put(remittance_key, remittance)
    else:
        _join(step, remittance_key, remittance, *found)
    return None


def _of_unidentified(step: Step, remittance_key: str, remittance: Remittance) -> None:
    """What unidentified cash is for waits with the company, or follows the cash to the account that has it."""
    step.state.put(remittance_key, remittance)
    receipt = step.receipt(key("unidentified", step.company, remittance.payment_id or ""))
    if receipt is not None and receipt.moved_to is not None:
        _forward(step, remittance_key, remittance, receipt.moved_to)


def send_on(step: Step, payment_id: str, account: str) -> None:
    """Cash has found its account: what explains it goes along, behind the cash."""
    for _, remittance_key, remittance in _waiting(step, _waiting_under(step, "", payment_id)):
        _forward(step, remittance_key, remittance, account)


def _forward(step: Step, remittance_key: str, remittance: Remittance, account: str) -> None:
    step.state.put(remittance_key, msgspec.structs.replace(remittance, listed_under=""))
    step.effects.append(
        Carried(
            event=RemittanceReceived(
                event_id=remittance.event_id + FORWARDED,
                company=step.company,
                account_id=account,
                occurred_at=step.recorded_at,
                recorded_at=step.recorded_at,
                region=remittance.region,
                remittance_id=remittance.remittance_id,
                payment_id=remittance.payment_id,
                payer_reference=remittance.payer_reference,
                currency=remittance.currency,
                lines=remittance.lines,
            )
        )
    )


def _waiting_under(step: Step, account: str, payment_id: str | None) -> str:
    """Where remittances wait: for the payment they name, else for any payment of the account."""
    return key("remittances", step.company, account, *(() if payment_id is None else (payment_id,)))


def join_waiting(step: Step, receipt_key: str, receipt: ReceiptState) -> None:
    """A payment has arrived: the remittances that name it, else the account's one of equal total, else the oldest."""
    named = _waiting(step, _waiting_under(step, receipt.account, receipt.payment_id))
    for _, remittance_key, remittance in named:
        _join(step, remittance_key, remittance, receipt_key, receipt)
    if named or receipt.on_account:
        return
    waiting = [
        (
            (
                _total(remittance, receipt.currency) != receipt.amount,
                _other_reference(remittance, receipt),
                recorded_at,
            ),
            remittance_key,
            remittance,
        )
        for recorded_at, remittance_key, remittance in _waiting(step, _waiting_under(step, receipt.account, None))
        if remittance.currency in {None, receipt.currency}
    ]
    if waiting:
        _, remittance_key, remittance = min(waiting, key=lambda candidate: candidate[:2])
        _join(step, remittance_key, remittance, receipt_key, receipt)


def _waiting(step: Step, under: str) -> list[tuple[Instant, str, Remittance]]:
    found = []
    for remittance_key in step.state.listed(under):
        remittance = step.state.get(Remittance, remittance_key)
        if remittance is not None:
            found.append((remittance.recorded_at, remittance_key, remittance))
    return sorted(found, key=lambda waiting: waiting[:2])


def _other_reference(remittance: Remittance, receipt: ReceiptState) -> bool:
    names = (receipt.payer_reference, receipt.end_to_end_id, receipt.bank_reference)
    return remittance.payer_reference is None or remittance.payer_reference not in names


def _payment_for(step: Step, remittance: Remittance) -> tuple[str, ReceiptState] | None:
    if remittance.payment_id is not None:
        receipt_key = key("receipt", step.company, remittance.payment_id)
        receipt = step.receipt(receipt_key)
        return None if receipt is None or receipt.account != remittance.account else (receipt_key, receipt)
    found = []
    for receipt_key in step.state.listed(key("receipts", step.company, remittance.account)):
        receipt = step.receipt(receipt_key)
        if receipt is None or receipt.available <= 0 or receipt.on_account:
            continue
        if remittance.currency not in {None, receipt.currency}:
            continue
        unequal = _total(remittance, receipt.currency) != receipt.amount
        begun = receipt.applied > 0  # somebody has said already what it is for
        rank = (begun, unequal, receipt.value_date, _other_reference(remittance, receipt))
        found.append((rank, receipt_key, receipt))
    if not found:
        return None
    _, receipt_key, receipt = min(found, key=lambda candidate: candidate[:2])
    return receipt_key, receipt


def _total(remittance: Remittance, currency: str) -> int | None:
    amounts = [rescale(line.amount_minor, line.amount_scale, currency) for line in remittance.lines]
    return None if None in amounts else sum(amount for amount in amounts if amount is not None)


def _join(step: Step, remittance_key: str, remittance: Remittance, receipt_key: str, receipt: ReceiptState) -> None:
    joined = msgspec.structs.replace(remittance, listed_under="", payment_id=receipt.payment_id)
    step.state.put(remittance_key, joined)
    total = _total(remittance, receipt.currency)
    left = int(receipt.available)
    for number, line in enumerate(remittance.lines, start=1):
        left -= _apply_line(step, joined, number, line, receipt_key, left)
    if total != receipt.amount:
        difference = None if total is None else Minor(abs(receipt.amount - total))
        exceptions.open_case(
            step,
            f"{remittance.remittance_id}/mismatch",
            remittance.account,
            "remittance_mismatch",
            "payment",
            receipt.payment_id,
            difference,
            receipt.currency,
            _day(step, remittance),
            blake2b(f"{remittance.remittance_id}{receipt.payment_id}".encode(), digest_size=12).digest(),
        )


def _day(step: Step, remittance: Remittance) -> Day:
    """The local day on which remittance and payment met."""
    return remittance.received_on if step.today is None else max(step.today, remittance.received_on)


def _apply_line(
    step: Step, remittance: Remittance, number: int, line: RemittanceLine, receipt_key: str, left: int
) -> int:
    """Apply or park a line, at most what the lines before it left of the payment; returns what it takes."""
    receipt = step.receipt(receipt_key)
    if receipt is None:
        return 0
    line_id = f"{remittance.remittance_id}/{number}"
    amount = rescale(line.amount_minor, line.amount_scale, receipt.currency)
    deduction = None
    if line.deduction_minor is not None:
        deduction = rescale(line.deduction_minor, line.amount_scale, receipt.currency)
    if amount is None or (line.deduction_minor is not None and deduction is None):
        _reject_line(
            step, remittance, Rejected("invalid_amount", f"line {number} has more decimals than {receipt.currency}")
        )
        return 0
    amount = Minor(max(0, min(amount, left, receipt.available)))  # lines are applied in order, up to the payment
    found = step.find_document(remittance.account, line.invoice_id)
    if found is not None and deduction:
        disputes.open_deduction(
            step, line_id, *found, deduction, line.deduction_reason or "deduction", _day(step, remittance)
        )
        found = (found[0], step.document(found[0]) or found[1])
    if amount == 0 and (found is not None or not deduction):
        return 0
    application_key = key("application", step.company, line_id)
    application = Application(
        wake=None,
        listed_under=receipt_key,
        account=remittance.account,
        source=receipt_key,
        invoice_id=line.invoice_id,
        target="",
        instalment=None,
        amount=amount,
        scale=exponent(receipt.currency) or 0,
        currency=receipt.currency,
        requested=_day(step, remittance),
        effective=Day(0),
        method="auto",
        content=b"",
        state=PARKED,
        event_id=remittance.event_id,
        deduction=None if found is not None else deduction,
        deduction_reason=line.deduction_reason,
    )
    if found is None:
        park(step, application_key, application)
        return amount
    verdict = settle_application(step, application_key, application, *found)
    if isinstance(verdict, Rejected):
        _reject_line(step, remittance, verdict)
        return 0
    return amount


def _reject_line(step: Step, remittance: Remittance, verdict: Rejected) -> None:
    step.effects.append(
        Rejection(
            event_id=remittance.event_id,
            event_type="RemittanceReceived",
            company=step.company,
            account_id=remittance.account,
            reason=verdict.reason,
            message=f"a line of remittance {remittance.remittance_id}: {verdict.message}",
            recorded_at=step.recorded_at,
            late=True,
        )
    )
