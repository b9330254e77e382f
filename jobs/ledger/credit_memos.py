"""Credit memos: against an invoice, or open until applied (SEMANTICS 2.5, 2.6)."""

from jobs.aging import CREDIT
from jobs.entities import Application, Document, Placement, key
from jobs.events import CreditMemoIssued
from jobs.ledger.amounts import unknown_currency
from jobs.ledger.applications import PARKED, park, settle_application
from jobs.ledger.content import content_of, repeated
from jobs.lines import opened
from jobs.money import exponent
from jobs.step import Step
from jobs.values import Day, Minor
from jobs.verdicts import Rejected, Verdict


def issue(step: Step, event: CreditMemoIssued) -> Verdict:
    """A credit; what it names is reduced up to its open amount, the rest stays an open credit (SEMANTICS 2.6).

    For an invoice that has not arrived the credit waits, open, like any application (SEMANTICS 4.4).
    """
    refused = unknown_currency(event.currency)
    if refused is not None:
        return refused
    if event.account_id is None:
        return Rejected("unknown_document", f"credit memo {event.credit_memo_id} names no account_id; it needs one")
    if event.amount_minor < 0:
        return Rejected(
            "wrong_sign",
            f"credit memo {event.credit_memo_id} is negative; a credit is given as a positive amount",
        )
    if event.amount_minor == 0:
        return None  # SEMANTICS 1.5
    document_key = key("document", step.company, "credit_memo", event.credit_memo_id)
    content = content_of(event)
    known = step.document(document_key)
    if known is not None:
        return repeated("credit memo", event.credit_memo_id, known.content, content)
    found = None if event.invoice_id is None else step.find_document(event.account_id, event.invoice_id)
    if found is not None and found[1].currency != event.currency:
        return Rejected(
            "currency_mismatch",
            f"{event.invoice_id} is in {found[1].currency}, the credit in {event.currency}",
        )
    line, movements = opened(0, Minor(-event.amount_minor), Placement(event.document_date, CREDIT, event.document_date))
    memo = Document(
        wake=None,
        listed_under=key("documents", step.company, event.account_id),
        account=event.account_id,
        document_type="credit_memo",
        document_id=event.credit_memo_id,
        currency=event.currency,
        amount=Minor(-event.amount_minor),
        document_date=event.document_date,
        posting_date=event.document_date,
        region=event.region,
        reference=event.invoice_id,
        content=content,
        lines=(line,),
    )
    step.post_document(memo, 0, movements, "credit_memo", reason=event.reason)
    step.put_document(document_key, memo)
    if event.invoice_id is not None and not (found is not None and found[1].cancelled):
        _reduce(step, event, document_key, found)
    return None


def _reduce(step: Step, event: CreditMemoIssued, memo_key: str, found: tuple[str, Document] | None) -> None:
    application_key = key("application", step.company, f"{event.credit_memo_id}/credit")
    application = Application(
        wake=None,
        listed_under=memo_key,
        account=event.account_id or "",
        source=memo_key,
        invoice_id=event.invoice_id or "",
        target="",
        instalment=None,
        amount=Minor(event.amount_minor),
        scale=exponent(event.currency) or 0,
        currency=event.currency,
        requested=event.document_date,
        effective=Day(0),
        method="credit_memo",
        content=b"",
        state=PARKED,
        event_id=event.event_id,
        up_to=True,
    )
    if found is None:
        park(step, application_key, application)
    elif found[1].document_type != "credit_memo":
        settle_application(step, application_key, application, *found)
