"""Applications: a receipt or an open credit settles an invoice, and the way back (SEMANTICS 1.3, 4.4, 4.6).

The source is a receipt or a credit memo. An application exists once per id; for an invoice not yet seen it is parked
and judged when the invoice arrives.
"""

import msgspec

from jobs.disputes import credited
from jobs.effects import Rejection
from jobs.entities import AccountState, Application, Document, ReceiptState, key
from jobs.events import CashApplied, CashUnapplied
from jobs.ledger.allocation import Allocation, numbered, oldest_first
from jobs.ledger.content import content_of, repeated
from jobs.lines import posted
from jobs.money import rescale
from jobs.step import Step
from jobs.values import Day, Minor
from jobs.verdicts import DUPLICATE, Rejected, Verdict

APPLIED = "applied"
PARKED = "parked"
TAKEN_BACK = "taken_back"

Source = ReceiptState | Document


def apply(step: Step, event: CashApplied) -> Verdict:
    """Apply, park or reject whole (SEMANTICS 4.4)."""
    application_key = key("application", step.company, event.application_id)
    content = content_of(event)
    known = step.state.get(Application, application_key)
    if known is not None:
        if event.effective_date not in {None, known.requested}:
            content = b""  # the same application on another day is other content
        return repeated("application", event.application_id, known.content, content)
    source_key = _source_key(step, event)
    source = _source(step, source_key)
    if source is None or source.account != event.account_id or source.account == "":
        return _unknown_source(event)
    if event.amount_minor == 0:
        return None
    application = Application(
        wake=None,
        listed_under=source_key,
        account=source.account,
        source=source_key,
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
            return _wrong_sign(application)
        park(step, application_key, application)
        return None
    return settle_application(step, application_key, application, *found)


def _source_key(step: Step, event: CashApplied) -> str:
    if event.payment_id is not None:
        return key("receipt", step.company, event.payment_id)
    return key("document", step.company, "credit_memo", event.credit_memo_id or "")


def _source(step: Step, source_key: str) -> Source | None:
    return step.receipt(source_key) if source_key.startswith("receipt") else step.document(source_key)


def _unknown_source(event: CashApplied) -> Rejected:
    if event.payment_id is not None:
        return Rejected("unknown_payment", f"account {event.account_id} has no payment {event.payment_id}")
    if event.credit_memo_id is not None:
        return Rejected("unknown_document", f"account {event.account_id} has no credit memo {event.credit_memo_id}")
    return Rejected("unknown_payment", "the application names neither payment_id nor credit_memo_id")


def _wrong_sign(application: Application) -> Rejected:
    return Rejected(
        "wrong_sign",
        f"an application must be above zero; take one back with CashUnapplied ({application.invoice_id})",
    )


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
        verdict = settle_application(step, application_key, application, document_key, current)
        if isinstance(verdict, Rejected):
            step.state.remove(application_key)  # a rejected event leaves its key free (SEMANTICS 4.5)
            step.effects.append(
                Rejection(
                    event_id=application.event_id,
                    event_type="CashApplied",
                    company=step.company,
                    account_id=application.account,
                    reason=verdict.reason,
                    message=f"parked application: {verdict.message}",
                    recorded_at=step.recorded_at,
                )
            )


def settle_application(
    step: Step, application_key: str, application: Application, document_key: str, document: Document
) -> Verdict:
    """Check in the order cancelled, currency, sign, over; then post both sides (SEMANTICS 4.4)."""
    source = _source(step, application.source)
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
    remainder = source.remainder if isinstance(source, ReceiptState) else Minor(-source.open)
    if application.up_to:
        amount = Minor(min(amount, remainder, document.open))
        if amount <= 0:
            step.state.remove(application_key)
            return None
    if amount <= 0:
        return _wrong_sign(application)
    lines = document.lines
    if application.instalment is not None:
        line = numbered(lines, application.instalment)
        if line is None:
            return Rejected("unknown_document", f"{document.document_id} has no instalment {application.instalment}")
        lines = (line,)
    open_amount = sum(line.open for line in lines)
    if amount > open_amount or amount > remainder:
        limit = (
            f"{open_amount} open on {document.document_id}"
            if amount > open_amount
            else f"{remainder} left of the source"
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
        return _wrong_sign(application)
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
    available = source.value_date if isinstance(source, ReceiptState) else source.posting_date
    day = max(application.requested, document.posting_date, available)  # SEMANTICS 1.3
    application_id = application_key.rpartition("\x1f")[2]
    value_date = source.value_date if isinstance(source, ReceiptState) else None
    document = _post_lines(
        step, document, allocation, -1, day, "application", application_id, value_date, application.method
    )
    small_balance = _small_balance(step, document, source)
    if small_balance:
        document = _post_lines(
            step, document, small_balance, -1, day, "write_off", application_id, None, "small_balance"
        )
    document = msgspec.structs.replace(
        document,
        applications=(*document.applications, application_key),
        written_off_last=False,
        closed_on=None,
    )
    if isinstance(source, Document):
        document = credited(step, document_key, document, amount, day)
    step.put_document(document_key, document)
    _draw(step, application.source, source, amount, day, "application", application_id, application.method)
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
    if not rest or not isinstance(source, ReceiptState):
        return ()
    if rest > step.settings.amount("small_balance", document.currency) or document.disputed:
        return ()
    return oldest_first(document.lines, rest)


def take_back(step: Step, application_key: str, day: Day, entry_type: str, reason: str | None) -> Day | None:
    """Reverse an application at the later of `day` and its own date; a small balance that came with it goes back too.

    Returns the effective day, None if it was not applied.
    """
    application = step.state.get(Application, application_key)
    if application is None or application.state != APPLIED:
        return None
    document = step.document(application.target)
    source = _source(step, application.source)
    if document is None or source is None:
        return None
    effective = max(day, application.effective)
    application_id = application_key.rpartition("\x1f")[2]
    value_date = source.value_date if isinstance(source, ReceiptState) else None
    document = _post_lines(
        step, document, application.allocation, 1, effective, entry_type, application_id, value_date, reason
    )
    if application.small_balance:
        document = _post_lines(
            step,
            document,
            application.small_balance,
            1,
            effective,
            "recovery",
            application_id,
            None,
            "small_balance",
        )
    remaining = tuple(other for other in document.applications if other != application_key)
    step.put_document(
        application.target,
        msgspec.structs.replace(document, applications=remaining, closed_on=None, written_off_last=False),
    )
    _draw(
        step,
        application.source,
        source,
        Minor(-application.amount),
        effective,
        entry_type,
        application_id,
        reason,
    )
    step.state.put(application_key, msgspec.structs.replace(application, state=TAKEN_BACK, effective=effective))
    return effective


def unapply(step: Step, event: CashUnapplied) -> Verdict:
    """Take an application back; the cash is unapplied again. A parked one is dropped."""
    application_key = key("application", step.company, event.application_id)
    application = step.state.get(Application, application_key)
    if application is None or application.account != event.account_id:
        return Rejected("unknown_document", f"account {event.account_id} has no application {event.application_id}")
    if application.state == TAKEN_BACK:
        return DUPLICATE
    if application.state == PARKED:
        taken = msgspec.structs.replace(application, state=TAKEN_BACK, listed_under=application.source)
        step.state.put(application_key, taken)
        return None
    take_back(step, application_key, step.effective(event, event.effective_date), "unapplication", event.reason)
    return None


def _post_lines(
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


def _draw(
    step: Step,
    source_key: str,
    source: Source,
    amount: Minor,
    day: Day,
    entry_type: str,
    cause: str,
    note: str | None,
) -> None:
    """Take `amount` out of a receipt or an open credit (negative: put it back)."""
    applied = entry_type == "application"
    if isinstance(source, ReceiptState):
        line, movements = posted(source.lines[0], amount, day)
        step.post_receipt(source, movements, entry_type, cause=cause,
                          method=note if applied else None, reason=None if applied else note)  # fmt: skip
        step.put_receipt(
            source_key, msgspec.structs.replace(source, lines=(line,), applied=Minor(source.applied + amount))
        )
        return
    source = step.document(source_key) or source
    line, movements = posted(source.lines[0], amount, day)
    step.post_document(source, 0, movements, entry_type, cause=cause, method=note if applied else None,
                       reason=None if applied else note)  # fmt: skip
    step.put_document(source_key, msgspec.structs.replace(source, lines=(line,), closed_on=None))
