"""Write-offs and recoveries (SEMANTICS 2.8)."""

import msgspec

from jobs.entities import WriteOff, key
from jobs.events import InvoiceWrittenOff, WriteOffRecovered
from jobs.ledger.allocation import oldest_first, part_of
from jobs.ledger.amounts import amount_in
from jobs.ledger.content import content_of, repeated
from jobs.ledger.invoices import post_parts, unknown
from jobs.step import Step
from jobs.values import Minor
from jobs.verdicts import Rejected, Verdict


def write_off(step: Step, event: InvoiceWrittenOff) -> Verdict:
    """The amount leaves the receivables at its effective date."""
    write_off_key = key("writeoff", step.company, event.write_off_id)
    content = content_of(event)
    known = step.state.get(WriteOff, write_off_key)
    if known is not None:
        if event.effective_date not in {None, known.requested}:
            content = b""  # the same write-off on another day is other content
        return repeated("write-off", event.write_off_id, known.content, content)
    found = step.find_document(event.account_id, event.invoice_id)
    if found is None:
        return unknown(event.account_id, event.invoice_id)
    document_key, document = found
    if document.cancelled:
        return Rejected("document_cancelled", f"{event.invoice_id} is cancelled and cannot be written off")
    amount = amount_in(event, document.currency)
    if isinstance(amount, Rejected):
        return amount
    if amount < 0 or document.document_type == "credit_memo":
        return Rejected(
            "wrong_sign",
            f"a write-off of {event.invoice_id} must be above zero; use WriteOffRecovered to take it back",
        )
    if amount == 0:
        return None
    if amount > document.open:
        return Rejected(
            "over_application",
            f"{amount} minor units are more than the {document.open} open on {event.invoice_id}",
        )
    allocation = oldest_first(document.lines, amount)
    requested = step.effective(event, event.effective_date)
    day = max(requested, document.posting_date)
    signed = tuple((number, Minor(-part)) for number, part in allocation)
    post_parts(step, document_key, document, signed, day, "write_off", event.write_off_id, event.reason)
    step.state.put(
        write_off_key, WriteOff(None, "", document_key, amount, Minor(0), day, allocation, content, requested)
    )
    return None


def recover(step: Step, event: WriteOffRecovered) -> Verdict:
    """What was written off is owed again, at most the whole of it, on the lines it came from."""
    write_off_key = key("writeoff", step.company, event.write_off_id)
    known = step.state.get(WriteOff, write_off_key)
    document = None if known is None else step.document(known.target)
    if known is None or document is None or document.account != event.account_id:
        return Rejected("unknown_document", f"account {event.account_id} has no write-off {event.write_off_id}")
    if document.cancelled:
        return Rejected("document_cancelled", f"{document.document_id} is cancelled; its write-off cannot be recovered")
    amount = amount_in(event, document.currency)
    if isinstance(amount, Rejected):
        return amount
    if amount < 0:
        return Rejected("wrong_sign", f"a recovery of {event.write_off_id} must be above zero")
    if amount == 0:
        return None
    if amount > known.amount - known.recovered:
        rest = known.amount - known.recovered
        return Rejected("over_application", f"{amount} minor units are more than the {rest} not yet recovered")
    day = max(step.effective(event, event.effective_date), known.effective)
    done = dict(part_of(known.allocation, known.recovered))
    left = tuple((number, Minor(part - done.get(number, 0))) for number, part in known.allocation)
    post_parts(step, known.target, document, part_of(left, amount), day, "recovery", event.write_off_id, None)
    step.state.put(write_off_key, msgspec.structs.replace(known, recovered=Minor(known.recovered + amount)))
    return None
