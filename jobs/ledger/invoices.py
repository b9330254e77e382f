"""Invoices and debit memos: issued, cancelled, adjusted, due later (SEMANTICS 1.5, 2.3, 2.4, 2.11)."""

import msgspec

from jobs.aging import INVOICE
from jobs.entities import Adjustment, Document, Line, Placement, account_key, key
from jobs.events import InvoiceAdjusted, InvoiceCancelled, InvoiceDueDateChanged, InvoiceIssued
from jobs.ledger.allocation import Allocation, last, numbered, oldest_first
from jobs.ledger.amounts import amount_in, unknown_currency
from jobs.ledger.applications import apply_parked
from jobs.ledger.content import content_of, repeated
from jobs.ledger.unapplication import take_back
from jobs.lines import Movement, cleared, opened, placed, posted
from jobs.step import Step
from jobs.values import Day, Minor
from jobs.verdicts import DUPLICATE, Rejected, Verdict

_TYPES = ("invoice", "debit_memo")


def issue(step: Step, event: InvoiceIssued) -> Verdict:
    """A new open item, one line per instalment; then what was parked for it is applied (SEMANTICS 4.4)."""
    refused = unknown_currency(event.currency) or _malformed(event)
    if refused is not None:
        return refused
    if event.amount_minor == 0:
        return None  # SEMANTICS 1.5: logged, changes no state
    posting_date = event.posting_date if event.posting_date is not None else event.document_date
    due_date = step.settings.due_date(event.document_date, event.due_date, event.payment_terms)
    content = content_of(event, posting_date=posting_date, due_date=due_date, instalments=event.instalments or ())
    document_key = key("document", step.company, event.document_type, event.invoice_id)
    known = step.document(document_key)
    if known is not None:
        return repeated(event.document_type, event.invoice_id, known.content, content)
    parts = [(part.number, Minor(part.amount_minor), part.due_date) for part in event.instalments or ()]
    lines: list[Line] = []
    movements: list[tuple[int, list[Movement]]] = []
    for number, amount, due in parts or [(0, Minor(event.amount_minor), due_date)]:
        line, made = opened(number, amount, Placement(posting_date, INVOICE, due))
        lines.append(line)
        movements.append((number, made))
    document = Document(
        wake=None,
        listed_under=account_key("documents", step.company, event.account_id or ""),
        account=event.account_id or "",
        document_type=event.document_type,
        document_id=event.invoice_id,
        currency=event.currency,
        amount=Minor(event.amount_minor),
        document_date=event.document_date,
        posting_date=posting_date,
        region=event.region,
        reference=event.reference,
        content=content,
        lines=tuple(lines),
    )
    for number, made in movements:
        step.post_document(document, number, made, event.document_type)
    step.put_document(document_key, document)
    apply_parked(step, document_key, document)
    return None


def _malformed(event: InvoiceIssued) -> Rejected | None:
    if event.account_id is None:
        return Rejected("unknown_document", f"invoice {event.invoice_id} names no account_id; an invoice needs one")
    if event.document_type not in _TYPES:
        return Rejected("unknown_document", f"document_type {event.document_type!r} is neither invoice nor debit_memo")
    if event.amount_minor < 0:
        return Rejected("wrong_sign", f"invoice {event.invoice_id} is negative; send a CreditMemoIssued instead")
    if event.instalments:
        numbers = {part.number for part in event.instalments}
        if len(numbers) != len(event.instalments) or min(numbers) < 1:
            return Rejected("invalid_amount", "instalment numbers must be different and 1 or more")
        if any(part.amount_minor <= 0 for part in event.instalments):
            return Rejected("wrong_sign", "every instalment must be above zero")
        total = sum(part.amount_minor for part in event.instalments)
        if total != event.amount_minor:
            return Rejected(
                "invalid_amount",
                f"instalments add up to {total}, the invoice to {event.amount_minor} minor units",
            )
    return None


def cancel(step: Step, event: InvoiceCancelled) -> Verdict:
    """Net to zero from the effective date; cash applied to it becomes unapplied at that date (SEMANTICS 1.5)."""
    found = step.find_document(event.account_id, event.invoice_id)
    if found is None:
        return unknown(event.account_id, event.invoice_id)
    document_key, document = found
    if document.cancelled:
        return DUPLICATE
    day = max(step.effective(event, event.effective_date), document.posting_date)
    for application in document.applications:
        take_back(step, application, day, "cancellation", event.reason)
    # What a credit had settled is reopened, as by a payment that bounces, whoever's it is: it is not cancelled itself.
    for application in step.state.listed(document_key):
        take_back(step, application, day, "reversal", event.reason)
    document = step.document(document_key) or document
    lines = []
    for line in document.lines:
        line_after, movements = cleared(line, day)
        step.post_document(document, line.number, movements, "cancellation", cause=event.event_id, reason=event.reason)
        lines.append(line_after)
    step.put_document(
        document_key, msgspec.structs.replace(document, lines=tuple(lines), cancelled=True, closed_on=day)
    )
    return None


def adjust(step: Step, event: InvoiceAdjusted) -> Verdict:
    """A signed correction; below zero it is an over-application (SEMANTICS 2.3)."""
    adjustment_key = key("adjustment", step.company, event.adjustment_id)
    content = content_of(event)
    known = step.state.get(Adjustment, adjustment_key)
    if known is not None:
        if event.effective_date not in {None, known.requested}:
            content = b""  # the same adjustment on another day is other content
        return repeated("adjustment", event.adjustment_id, known.content, content)
    found = step.find_document(event.account_id, event.invoice_id)
    if found is None:
        return unknown(event.account_id, event.invoice_id)
    document_key, document = found
    if document.cancelled:
        return Rejected("document_cancelled", f"{event.invoice_id} is cancelled and cannot be adjusted")
    amount = amount_in(event, document.currency)
    if isinstance(amount, Rejected):
        return amount
    if amount == 0:
        return None
    credit = document.document_type == "credit_memo"
    if (amount < 0 and -amount > document.open) or (credit and amount > -document.open):
        return Rejected(
            "over_application",
            f"the adjustment is larger than the open amount {document.open} of {event.invoice_id}",
        )
    allocation: Allocation = (
        ((last(document.lines).number, amount),) if amount > 0 else oldest_first(document.lines, Minor(-amount))
    )
    signed = allocation if amount > 0 else tuple((number, Minor(-part)) for number, part in allocation)
    day = step.effective(event, event.effective_date)
    post_parts(step, document_key, document, signed, day, "adjustment", event.adjustment_id, event.reason)
    step.state.put(adjustment_key, Adjustment(None, "", content, day))
    return None


def change_due_date(step: Step, event: InvoiceDueDateChanged) -> Verdict:
    """The new due date counts from the day of the event on (SEMANTICS 2.4)."""
    found = step.find_document(event.account_id, event.invoice_id)
    if found is None:
        return unknown(event.account_id, event.invoice_id)
    document_key, document = found
    if document.cancelled:
        return Rejected("document_cancelled", f"{event.invoice_id} is cancelled and has no due date")
    if event.instalment is not None and numbered(document.lines, event.instalment) is None:
        return Rejected("unknown_document", f"{event.invoice_id} has no instalment {event.instalment}")
    day = step.settings.calendar.day(event.occurred_at)
    lines = []
    for line in document.lines:
        line_after = line
        if event.instalment is None or line.number == event.instalment:
            balance_class = line.placements[-1].balance_class
            line_after, movements = placed(line, Placement(day, balance_class, event.due_date))
            step.post_document(document, line.number, movements, "due_date_change", cause=event.event_id)
        lines.append(line_after)
    step.put_document(document_key, msgspec.structs.replace(document, lines=tuple(lines)))
    return None


def post_parts(
    step: Step,
    document_key: str,
    document: Document,
    parts: Allocation,
    day: Day,
    entry_type: str,
    cause: str,
    reason: str | None,
) -> Document:
    """Post signed amounts on lines of a document; a reopened document is no longer closed."""
    lines = {line.number: line for line in document.lines}
    for number, amount in parts:
        lines[number], movements = posted(lines[number], amount, day)
        step.post_document(document, number, movements, entry_type, cause=cause, reason=reason)
    after = msgspec.structs.replace(
        document, lines=tuple(lines.values()), closed_on=None, written_off_last=entry_type == "write_off"
    )
    step.put_document(document_key, after)
    return after


def unknown(account: str | None, document_id: str) -> Rejected:
    """No such document on the account."""
    return Rejected("unknown_document", f"account {account} has no document {document_id}")
