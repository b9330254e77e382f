"""Applications: a receipt or an open credit settles an invoice (SEMANTICS 1.3, 4.4, 4.6); back: `unapplication`.

The source is a receipt or a credit memo. An application exists once per id; for an invoice not yet seen it is parked
and judged when the invoice arrives.
"""

import msgspec

from jobs.disputes import credited, open_deduction
from jobs.effects import Rejection
from jobs.entities import AccountState, Application, Document, ForeignSource, ReceiptState, key
from jobs.events import CashApplied
from jobs.ledger.allocation import Allocation, numbered, oldest_first
from jobs.ledger.content import content_of, repeated
from jobs.ledger.sources import Source, draw, remainder, settled, source_key, source_of, usable_from
from jobs.ledger.sources import value_date as value_date_of
from jobs.lines import posted
from jobs.money import exponent, rescale
from jobs.step import CashMovement, Step
from jobs.values import Day, Minor
from jobs.verdicts import Rejected, Verdict

APPLIED = "applied"
PARKED = "parked"
TAKEN_BACK = "taken_back"
CARRIED = "carried"
ELSEWHERE = "applied_elsewhere"
PARKED_ELSEWHERE = "parked_elsewhere"
RECALLED = "recalled"


def apply(step: Step, event: CashApplied) -> Verdict:
    """Apply, park or reject whole (SEMANTICS 4.4)."""
    application_key = key("application", step.company, event.application_id)
    content = content_of(event)
    known = step.state.get(Application, application_key)
    if known is not None:
        if event.effective_date not in {None, known.requested}:
            content = b""  # the same application on another day is other content
        return repeated("application", event.application_id, known.content, content)
    at = source_key(step, event.payment_id, event.credit_memo_id)
    source = source_of(step, at)
    if source is None or source.account != event.account_id or (isinstance(source, ReceiptState) and source.moved_to):
        return unknown_source(event)
    if event.amount_minor == 0:
        return None
    application = Application(
        wake=None,
        listed_under=at,
        account=source.account,
        source=at,
        invoice_id=event.invoice_id,
        target="",
        instalment=event.instalment,
        amount=Minor(event.amount_minor),
        scale=event.amount_scale,
        currency=event.currency,
        requested=step.effective(event, event.effective_date),
        effective=Day(0),
        method=event.method,
        content=content,
        state=PARKED,
        event_id=event.event_id,
    )
    found = step.find_document(event.account_id, event.invoice_id)
    if found is None:
        if event.amount_minor < 0:
            return wrong_sign(event.invoice_id)
        park(step, application_key, application)
        return None
    return settle_application(step, application_key, application, *found)


def unknown_source(event: CashApplied) -> Rejected:
    if event.payment_id is not None:
        return Rejected("unknown_payment", f"account {event.account_id} has no payment {event.payment_id}")
    if event.credit_memo_id is not None:
        return Rejected("unknown_document", f"account {event.account_id} has no credit memo {event.credit_memo_id}")
    return Rejected("unknown_payment", "the application names neither payment_id nor credit_memo_id")


def wrong_sign(invoice_id: str) -> Rejected:
    """Applications are positive."""
    return Rejected("wrong_sign", f"an application to {invoice_id} must be above zero; CashUnapplied takes one back")


def scale_of(currency: str) -> int:
    """The scale of an amount that is in minor units of its currency."""
    return exponent(currency) or 0


def park(step: Step, application_key: str, application: Application) -> None:
    """Keep the application until its invoice arrives; the cash is unapplied meanwhile."""
    account_key = key("account", step.company, application.account)
    account = step.state.get(AccountState, account_key) or AccountState(None, "")
    arrival = account.arrivals + 1
    step.state.put(account_key, msgspec.structs.replace(account, arrivals=arrival))
    waiting = msgspec.structs.replace(
        application,
        listed_under=key("parked", step.company, application.account, application.invoice_id),
        arrival=arrival,
    )
    step.state.put(application_key, waiting)


def apply_parked(step: Step, document_key: str, document: Document) -> None:
    """The invoice has arrived: what waited for it is applied in order of arrival, or rejected if it does not fit."""
    waiting = step.state.listed(key("parked", step.company, document.account, document.document_id))
    parked = [(application_key, step.state.get(Application, application_key)) for application_key in waiting]
    for application_key, application in sorted(parked, key=lambda entry: entry[1].arrival if entry[1] else 0):
        current = step.document(document_key)
        if application is None or current is None:
            continue
        source = source_of(step, application.source)
        if isinstance(source, ForeignSource):
            _announce_arrival(step, application_key, application, source)
            continue
        if application.deduction:
            application_id = application_key.rpartition("\x1f")[2]
            reason = application.deduction_reason or "deduction"
            open_deduction(
                step, application_id, document_key, current, application.deduction, reason, application.requested
            )
            current = step.document(document_key) or current
            if not application.amount:
                step.state.remove(application_key)
                continue
        verdict = settle_application(step, application_key, application, document_key, current)
        if isinstance(verdict, Rejected):
            step.state.remove(application_key)  # a rejected event leaves its key free (SEMANTICS 4.5)
            step.effects.append(
                Rejection(
                    event_id=application.event_id,
                    event_type=_came_with(application),
                    company=step.company,
                    account_id=application.account,
                    reason=verdict.reason,
                    message=f"parked application: {verdict.message}",
                    recorded_at=step.recorded_at,
                    late=True,
                )
            )


def _came_with(application: Application) -> str:
    """The event that asked for it: a credit memo or a remittance was taken, whatever becomes of what it asks for."""
    if application.up_to:
        return "CreditMemoIssued"
    return "CashApplied" if application.content else "RemittanceReceived"


def _announce_arrival(step: Step, application_key: str, application: Application, source: ForeignSource) -> None:
    """The invoice that another account's application waited for is here: that account tries again (SEMANTICS 4.7)."""
    application_id = application_key.rpartition("\x1f")[2]
    step.state.remove(application_key)
    step.state.remove(application.source)
    step.effects.append(settled(step, source, application_id, "arrived", None, source.amount, Day(0)))


def settle_application(
    step: Step, application_key: str, application: Application, document_key: str, document: Document
) -> Verdict:
    """Check in the order cancelled, currency, sign, over; then post both sides (SEMANTICS 4.4)."""
    source = source_of(step, application.source)
    if source is None:
        return Rejected(
            "unknown_payment", f"the source of the application to {document.document_id} is no longer known"
        )
    refused = _unfit(application, source, document)
    if refused is not None:
        return refused
    amount = rescale(application.amount, application.scale, document.currency)
    if amount is None:
        return Rejected("invalid_amount", f"the amount has more decimals than {document.currency}")
    left = remainder(source)
    if application.up_to:
        amount = Minor(min(amount, left, document.open))
        if amount <= 0:
            step.state.remove(application_key)
            return None
    if amount <= 0:
        return wrong_sign(application.invoice_id)
    lines = document.lines
    if application.instalment is not None:
        line = numbered(lines, application.instalment)
        if line is None:
            return Rejected("unknown_document", f"{document.document_id} has no instalment {application.instalment}")
        lines = (line,)
    open_amount = sum(line.open for line in lines)
    if amount > open_amount or amount > left:
        limit = (
            f"{open_amount} open on {document.document_id}" if amount > open_amount else f"{left} left of the source"
        )
        return Rejected("over_application", f"{amount} minor units are more than the {limit}")
    _post_application(
        step,
        application_key,
        application,
        document_key,
        document,
        source,
        oldest_first(lines, amount),
        amount,
    )
    return None


def _unfit(application: Application, source: Source, document: Document) -> Rejected | None:
    if document.cancelled or (isinstance(source, Document) and source.cancelled):
        return Rejected(
            "document_cancelled", f"{document.document_id} or the credit is cancelled; nothing can be applied"
        )
    currencies = {document.currency, source.currency, application.currency or document.currency}
    if len(currencies) > 1:
        return Rejected(
            "currency_mismatch",
            f"{document.document_id} is in {document.currency}, the source in {source.currency}",
        )
    if application.amount < 0 or document.document_type == "credit_memo":
        return wrong_sign(application.invoice_id)
    return None


def _post_application(
    step: Step,
    application_key: str,
    application: Application,
    document_key: str,
    document: Document,
    source: Source,
    allocation: Allocation,
    amount: Minor,
) -> None:
    day = max(application.requested, document.posting_date, usable_from(source))  # SEMANTICS 1.3
    application_id = application_key.rpartition("\x1f")[2]
    value_date = value_date_of(source)
    document = post_allocation(
        step, document, allocation, -1, day, "application", application_id, value_date, application.method
    )
    small_balance = _small_balance(step, document, source)
    if small_balance:
        document = post_allocation(
            step, document, small_balance, -1, day, "write_off", application_id, None, "small_balance"
        )
    document = msgspec.structs.replace(
        document,
        applications=(*document.applications, application_key),
        written_off_last=False,
        closed_on=None,
    )
    if value_date is None:
        document = credited(step, document_key, document, amount, day)
    step.put_document(document_key, document)
    draw(step, application.source, source, amount, day, "application", application_id, application.method)
    if value_date is not None:
        step.cash.append(CashMovement(document_key, application_key, amount, value_date))
    step.state.put(
        application_key,
        msgspec.structs.replace(
            application,
            listed_under=application.source,
            target=document_key,
            amount=amount,
            effective=day,
            state=APPLIED,
            allocation=allocation,
            small_balance=small_balance,
        ),
    )


def _small_balance(step: Step, document: Document, source: Source) -> Allocation:
    """A short payment within the company's tolerance closes the invoice (SEMANTICS 4.6)."""
    rest = document.open
    if not rest or value_date_of(source) is None:
        return ()
    if rest > step.settings.amount("small_balance", document.currency) or document.disputed:
        return ()
    return oldest_first(document.lines, rest)


def post_allocation(
    step: Step,
    document: Document,
    allocation: Allocation,
    sign: int,
    day: Day,
    entry_type: str,
    cause: str,
    value_date: Day | None,
    note: str | None,
) -> Document:
    """Post an allocation on the lines of a document; `note` is the method of an application, else the reason."""
    lines = {line.number: line for line in document.lines}
    applied = entry_type == "application"
    for number, amount in allocation:
        lines[number], movements = posted(lines[number], Minor(sign * amount), day)
        step.post_document(
            document, number, movements, entry_type, cause=cause, value_date=value_date,
            method=note if applied else None, reason=None if applied else note,
        )  # fmt: skip
    return msgspec.structs.replace(document, lines=tuple(lines.values()))
