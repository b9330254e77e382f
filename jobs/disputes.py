"""Disputes: the slice of an invoice that is contested (SEMANTICS 2.7, 5)."""

import msgspec

from jobs import cases
from jobs.effects import DisputeCase
from jobs.entities import SEPARATOR, Case, Dispute, Document, key
from jobs.events import DisputeAssigned, DisputeOpened, DisputeResolved
from jobs.ledger.amounts import amount_in
from jobs.ledger.content import content_of, repeated
from jobs.step import Step
from jobs.values import Day, Minor
from jobs.verdicts import DUPLICATE, Rejected, Verdict

KIND = "dispute_overdue"
UPHELD = "upheld"
OUTCOMES = (UPHELD, "rejected", "withdrawn")


def open_dispute(step: Step, event: DisputeOpened) -> Verdict:
    """The amount is disputed from the day of the event on; an id that was resolved before reopens its case."""
    dispute_key = key("dispute", step.company, event.dispute_id)
    content = content_of(event)
    known = step.state.get(Dispute, dispute_key)
    if known is not None and not known.case.resolved:
        return repeated("dispute", event.dispute_id, known.content, content)
    found = step.find_document(event.account_id, event.invoice_id)
    if found is None:
        return Rejected("unknown_document", f"account {event.account_id} has no document {event.invoice_id}")
    document_key, document = found
    if document.cancelled:
        return Rejected("document_cancelled", f"{event.invoice_id} is cancelled; nothing of it can be disputed")
    amount = amount_in(event, document.currency)
    if isinstance(amount, Rejected):
        return amount
    if amount < 0:
        return Rejected("wrong_sign", f"the disputed amount of {event.dispute_id} must be above zero")
    if amount == 0:
        return None
    day = step.settings.calendar.day(event.occurred_at)
    dispute = Dispute(
        wake=None,
        listed_under=_listing(step, document),
        account=document.account,
        dispute_id=event.dispute_id,
        currency=document.currency,
        target=document_key,
        amount=amount,
        outstanding=amount,
        outcome=None,
        opened_on=day,
        reason_code=event.reason_code,
        content=content,
        case=Case(day) if known is None else cases.reopened(known.case, day),
    )
    still = known.outstanding if known is not None else Minor(0)  # an upheld slice that waits for its credit memo
    if known is not None and known.target != document_key:
        _leave(step, known, day)
        still = Minor(0)
    _put(step, dispute_key, dispute)
    step.post_dispute(document, dispute, Minor(amount - still), day, "opened" if known is None else "reopened")
    _put_disputed(step, document_key, document, Minor(amount - still))
    return None


def _leave(step: Step, dispute: Dispute, day: Day) -> None:
    """The case goes on about another document: nothing of the former one is disputed by it any more."""
    document = step.document(dispute.target)
    if document is not None and dispute.outstanding:
        gone = Minor(-dispute.outstanding)
        step.post_dispute(document, dispute, gone, max(day, dispute.opened_on), "resolved")
        _put_disputed(step, dispute.target, document, gone)


def open_deduction(
    step: Step, dispute_id: str, document_key: str, document: Document, amount: Minor, reason_code: str, day: Day
) -> None:
    """A deduction on a remittance line disputes the deducted amount (SEMANTICS 4.3)."""
    dispute_key = key("dispute", step.company, dispute_id)
    if document.cancelled or step.state.get(Dispute, dispute_key) is not None:
        return
    dispute = Dispute(
        wake=None,
        listed_under=_listing(step, document),
        account=document.account,
        dispute_id=dispute_id,
        currency=document.currency,
        target=document_key,
        amount=amount,
        outstanding=amount,
        outcome=None,
        opened_on=day,
        reason_code=reason_code,
        content=b"",
        case=Case(day),
    )
    _put(step, dispute_key, dispute)
    step.post_dispute(document, dispute, amount, day, "opened")
    _put_disputed(step, document_key, document, amount)


def assign(step: Step, event: DisputeAssigned) -> Verdict:
    """Somebody takes it on, which is its review (SEMANTICS 5)."""
    dispute_key = key("dispute", step.company, event.dispute_id)
    dispute = step.state.get(Dispute, dispute_key)
    if dispute is None or dispute.account != event.account_id:
        return _unknown(event.account_id, event.dispute_id)
    if dispute.case.resolved:
        return DUPLICATE
    case = cases.review(step, _subject(dispute), dispute.case)
    _put(step, dispute_key, msgspec.structs.replace(dispute, case=case, assigned_to=event.assigned_to))
    return None


def resolve(step: Step, event: DisputeResolved) -> Verdict:
    """upheld: disputed until its credit memo; rejected or withdrawn: collectible at once (SEMANTICS 2.7).

    A credit memo that came while the dispute was open is its credit memo, too.
    """
    dispute_key = key("dispute", step.company, event.dispute_id)
    dispute = step.state.get(Dispute, dispute_key)
    if dispute is None or dispute.account != event.account_id or event.outcome not in OUTCOMES:
        return _unknown(event.account_id, event.dispute_id)
    if dispute.case.resolved:
        return DUPLICATE
    document = step.document(dispute.target)
    upheld = event.outcome == UPHELD
    released = Minor(min(dispute.credited, dispute.outstanding)) if upheld else dispute.outstanding
    if document is not None and released:
        day = max(step.settings.calendar.day(event.occurred_at), dispute.opened_on)
        step.post_dispute(document, dispute, Minor(-released), day, "credited" if upheld else "resolved")
        _put_disputed(step, dispute.target, document, Minor(-released))
    case = cases.resolve(step, _subject(dispute), dispute.case)
    outstanding = Minor(dispute.outstanding - released)
    _put(step, dispute_key, msgspec.structs.replace(dispute, case=case, outcome=event.outcome, outstanding=outstanding))
    return None


def woken(step: Step, dispute_key: str) -> None:
    """A local midnight at which a deadline has passed."""
    dispute = step.state.get(Dispute, dispute_key)
    if dispute is not None:
        _put(step, dispute_key, dispute)


def credited(step: Step, document_key: str, document: Document, amount: Minor, day: Day) -> Document:
    """A credit on the document settles its upheld disputes, in order of id; returns the document without that slice.

    What is left of it is remembered for the disputes that are still open.
    """
    rest = amount
    disputes = _of(step, document)
    for dispute_key, dispute in disputes:
        settled = Minor(min(rest, dispute.outstanding))
        if dispute.outcome == UPHELD and settled:
            step.post_dispute(document, dispute, Minor(-settled), max(day, dispute.opened_on), "credited")
            _put(step, dispute_key, msgspec.structs.replace(dispute, outstanding=Minor(dispute.outstanding - settled)))
            document = msgspec.structs.replace(document, disputed=Minor(document.disputed - settled))
            rest = Minor(rest - settled)
    for dispute_key, dispute in disputes:
        noted = Minor(min(rest, dispute.outstanding - dispute.credited))
        if not dispute.case.resolved and noted:
            step.state.put(dispute_key, msgspec.structs.replace(dispute, credited=Minor(dispute.credited + noted)))
            rest = Minor(rest - noted)
    step.put_document(document_key, document)
    return document


def credit_taken_back(step: Step, document_key: str, document: Document, amount: Minor, day: Day) -> None:
    """The credit is gone again, and with it the settlement of the disputes that it settled last."""
    rest = amount
    for dispute_key, dispute in reversed(_of(step, document)):
        if not dispute.case.resolved:
            back = Minor(min(rest, dispute.credited))
            step.state.put(dispute_key, msgspec.structs.replace(dispute, credited=Minor(dispute.credited - back)))
        elif dispute.outcome == UPHELD:
            back = Minor(min(rest, dispute.amount - dispute.outstanding))
            if back:
                step.post_dispute(document, dispute, back, max(day, dispute.opened_on), "reopened")
                _put(step, dispute_key, msgspec.structs.replace(dispute, outstanding=Minor(dispute.outstanding + back)))
                document = msgspec.structs.replace(document, disputed=Minor(document.disputed + back))
        else:
            continue
        rest = Minor(rest - back)
    step.put_document(document_key, document)


def _of(step: Step, document: Document) -> list[tuple[str, Dispute]]:
    """The disputes of a document, in order of id."""
    keys = step.state.listed(_listing(step, document))
    found = ((dispute_key, step.state.get(Dispute, dispute_key)) for dispute_key in keys)
    return [(dispute_key, dispute) for dispute_key, dispute in found if dispute is not None]


def _subject(dispute: Dispute) -> cases.Subject:
    currency = dispute.currency
    return cases.Subject(KIND, dispute.dispute_id, dispute.account, dispute.outstanding, currency)


def _put(step: Step, dispute_key: str, dispute: Dispute) -> None:
    case = cases.watch(step, _subject(dispute), dispute.case)
    after = msgspec.structs.replace(dispute, case=case, wake=cases.next_deadline(step, case))
    step.state.put(dispute_key, after)
    _, _, document_type, document_id = after.target.split(SEPARATOR)
    step.effects.append(
        DisputeCase(
            company=step.company,
            account_id=after.account,
            dispute_id=after.dispute_id,
            document_type=document_type,
            document_id=document_id,
            currency=after.currency,
            amount_minor=after.amount,
            outstanding_minor=after.outstanding,
            status=after.status,
            outcome=after.outcome,
            assigned_to=after.assigned_to,
            reason_code=after.reason_code,
            opened_on=after.opened_on,
            recorded_at=step.recorded_at,
            event_id=step.event_id,
        )
    )


def _put_disputed(step: Step, document_key: str, document: Document, delta: Minor) -> None:
    step.put_document(document_key, msgspec.structs.replace(document, disputed=Minor(document.disputed + delta)))


def _listing(step: Step, document: Document) -> str:
    return key("disputes", step.company, document.document_type, document.document_id)


def _unknown(account: str | None, dispute_id: str) -> Rejected:
    return Rejected(
        "unknown_document",
        f"account {account} has no dispute {dispute_id}, or the outcome is not one of {OUTCOMES}",
    )
