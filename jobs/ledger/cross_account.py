"""A parent pays a child's invoice: the application is carried to the invoice's account (SEMANTICS 4.7).

The origin sets the cash aside and sends the application along in its own commit. The invoice's account checks it and
posts both sides in one commit, or sends it back; neither side is ever missing. An unknown invoice parks: the cash is
free meanwhile, and the application is tried again when the invoice arrives.
"""

import msgspec

from jobs.aging import CREDIT, ON_ACCOUNT
from jobs.collectible import UNAPPLIED
from jobs.effects import Carried, Rejection
from jobs.entities import Application, Document, ForeignSource, ReceiptState, key
from jobs.events import ApplicationCarried, ApplicationRecalled, ApplicationSettled, CashApplied
from jobs.ledger import applications
from jobs.ledger.applications import CARRIED, ELSEWHERE, PARKED, PARKED_ELSEWHERE, RECALLED
from jobs.ledger.content import content_of, repeated
from jobs.ledger.sources import Source, foreign_key, hold, redraw, remainder, settled, source_key, source_of, undraw
from jobs.ledger.sources import value_date as value_date_of
from jobs.ledger.unapplication import take_back
from jobs.money import rescale
from jobs.step import Step
from jobs.values import Day, Minor
from jobs.verdicts import Rejected, Verdict


def apply(step: Step, event: CashApplied) -> Verdict:
    """An application of the account's own, or of another account's invoice."""
    if event.invoice_account_id in {None, event.account_id}:
        return applications.apply(step, event)
    application_key = key("application", step.company, event.application_id)
    content = content_of(event)
    known = step.state.get(Application, application_key)
    if known is not None:
        if event.effective_date not in {None, known.requested}:
            content = b""  # the same application on another day is other content
        return repeated("application", event.application_id, known.content, content)
    at = source_key(step, event.payment_id, event.credit_memo_id)
    source = source_of(step, at)
    if source is None or source.account != event.account_id or isinstance(source, ForeignSource):
        return applications.unknown_source(event)
    if event.amount_minor == 0:
        return None
    if isinstance(source, Document) and source.cancelled:
        return Rejected(
            "document_cancelled", f"credit memo {event.credit_memo_id} is cancelled; nothing can be applied"
        )
    amount = rescale(event.amount_minor, event.amount_scale, source.currency)
    if amount is None:
        return Rejected("invalid_amount", f"the amount has more decimals than {source.currency}")
    objection = _objection(event, source, amount)
    application = Application(
        wake=None,
        listed_under=at,
        account=source.account,
        source=at,
        invoice_id=event.invoice_id,
        target=event.invoice_account_id or "",
        instalment=event.instalment,
        amount=amount if objection is None else Minor(0),
        scale=0,
        currency=source.currency,
        requested=step.effective(event, event.effective_date),
        effective=Day(0),
        method=event.method,
        content=content,
        state=CARRIED,
        event_id=event.event_id,
    )
    _send(step, application_key, application, source, objection)
    return None


def _objection(event: CashApplied, source: Source, amount: Minor) -> str | None:
    """What the paying account has against it, in the order currency, sign, over (SEMANTICS 4.4)."""
    if event.currency not in {None, source.currency}:
        return "currency_mismatch"
    if amount < 0:
        return "wrong_sign"
    return "over_application" if amount > remainder(source) else None


def _send(
    step: Step, application_key: str, application: Application, source: Source, objection: str | None = None
) -> None:
    cash = isinstance(source, ReceiptState)
    on_account = isinstance(source, ReceiptState) and source.on_account
    balance_class = (ON_ACCOUNT if on_account else UNAPPLIED) if cash else CREDIT
    hold(step, application.source, source, application.amount)
    carried = msgspec.structs.replace(application, state=CARRIED, carried_class=balance_class)
    step.state.put(application_key, carried)
    source_id = application.source.rpartition("\x1f")[2]
    step.effects.append(
        Carried(
            event=ApplicationCarried(
                event_id=f"{step.event_id}/{application_key.rpartition(chr(31))[2]}/carried",
                company=step.company,
                account_id=application.target,
                occurred_at=step.recorded_at,
                recorded_at=step.recorded_at,
                region=source.region,
                application_id=application_key.rpartition("\x1f")[2],
                payment_id=source_id if cash else None,
                credit_memo_id=None if cash else source_id,
                invoice_id=application.invoice_id,
                instalment=application.instalment,
                amount_minor=application.amount,
                currency=source.currency,
                effective_date=application.requested,
                value_date=value_date_of(source) or _posting_date(source),
                receipt_amount_minor=abs(source.amount),
                on_account=on_account,
                method=application.method,
                origin_account_id=application.account,
                objection=objection,
            )
        )
    )


def _posting_date(source: Source) -> Day:
    return source.value_date if isinstance(source, ReceiptState | ForeignSource) else source.posting_date


def receive(step: Step, event: ApplicationCarried) -> Verdict:
    """At the invoice's account: check, post both sides and report, or report why not."""
    cash = event.payment_id is not None
    source = ForeignSource(
        wake=None,
        listed_under="",
        account=event.origin_account_id,
        item_type="payment" if cash else "credit_memo",
        item_id=(event.payment_id if cash else event.credit_memo_id) or "",
        invoice_id=event.invoice_id,
        currency=event.currency,
        amount=Minor(event.amount_minor),
        value_date=event.value_date,
        balance_class=(ON_ACCOUNT if event.on_account else UNAPPLIED) if cash else CREDIT,
        region=event.region,
    )
    at = foreign_key(step, event.application_id)
    application_key = key("incoming", step.company, event.application_id)
    application = Application(
        wake=None,
        listed_under=at,
        account=event.account_id or "",
        source=at,
        invoice_id=event.invoice_id,
        target="",
        instalment=event.instalment,
        amount=Minor(event.amount_minor),
        scale=applications.scale_of(event.currency),
        currency=event.currency,
        requested=event.effective_date if event.effective_date is not None else step.effective(event, None),
        effective=Day(0),
        method=event.method,
        content=b"",
        state=PARKED,
        event_id=event.event_id,
    )
    found = step.find_document(event.account_id, event.invoice_id)
    if event.objection is not None:
        cancelled = found is not None and found[1].cancelled
        reason = "document_cancelled" if cancelled else event.objection
        step.effects.append(settled(step, source, event.application_id, "rejected", reason, source.amount, Day(0)))
        return None
    step.state.put(at, source)
    if found is None:
        applications.park(step, application_key, application)
        step.effects.append(settled(step, source, event.application_id, "parked", None, source.amount, Day(0)))
        return None
    verdict = applications.settle_application(step, application_key, application, *found)
    if isinstance(verdict, Rejected):
        step.state.remove(at)
        step.effects.append(
            settled(step, source, event.application_id, "rejected", verdict.reason, source.amount, Day(0))
        )
    return None


def _late_rejection(step: Step, application: Application, reason: str, message: str) -> Rejection:
    """The rejection of an application that its own account had let pass; it names the source's event."""
    return Rejection(
        event_id=application.event_id,
        event_type="CashApplied",
        company=step.company,
        account_id=application.account,
        reason=reason,
        message=f"application to invoice {application.invoice_id} of another account: {message}",
        recorded_at=step.recorded_at,
        late=True,
    )


def settle(step: Step, event: ApplicationSettled) -> Verdict:
    """Back at the origin: the cash is used, free again, or set aside anew."""
    application_key = key("application", step.company, event.application_id)
    application = step.state.get(Application, application_key)
    source = None if application is None else source_of(step, application.source)
    if application is None or source is None:
        return Rejected("unknown_document", f"account {event.account_id} has no application {event.application_id}")
    at = application.source
    recalled = application.state == RECALLED
    if event.outcome == "arrived":
        return _try_again(step, application_key, application, source)
    if event.outcome == "reversed":
        undraw(step, at, source, application.amount)
        step.state.put(application_key, msgspec.structs.replace(application, state=applications.TAKEN_BACK))
        return None
    if event.outcome == "unapplied":
        redraw(step, at, source, Minor(-application.amount), event.effective_date or Day(0), application.carried_class)
        if recalled:  # its cash was free again from the recall on
            hold(step, at, source_of(step, at) or source, application.amount)
        step.state.put(application_key, msgspec.structs.replace(application, state=applications.TAKEN_BACK))
        return None
    if event.outcome == "applied" or not recalled:
        hold(step, at, source, Minor(-application.amount))
        source = source_of(step, at) or source
    if event.outcome == "applied":
        day = event.effective_date or Day(0)
        redraw(step, at, source, application.amount, day, application.carried_class)
        state = RECALLED if recalled else ELSEWHERE
        step.state.put(application_key, msgspec.structs.replace(application, state=state, effective=day))
    elif event.outcome == "parked" and not recalled:
        step.state.put(application_key, msgspec.structs.replace(application, state=PARKED_ELSEWHERE))
    else:
        step.state.remove(application_key)  # a rejected event leaves its key free (SEMANTICS 4.5)
        if event.outcome == "rejected":
            reason = event.reason or "unknown_document"
            refused = f"refused ({reason})"
            step.effects.append(_late_rejection(step, application, reason, refused))
    return None


def _try_again(step: Step, application_key: str, application: Application, source: Source) -> Verdict:
    if application.state != PARKED_ELSEWHERE:
        return None
    if application.amount > remainder(source):
        step.state.remove(application_key)
        left = f"{application.amount} minor units are more than the {remainder(source)} left of the source"
        step.effects.append(_late_rejection(step, application, "over_application", left))
        return None
    _send(step, application_key, application, source)
    return None


def recall(step: Step, event: ApplicationRecalled) -> Verdict:
    """At the invoice's account: take back what is still applied, or drop what is parked."""
    application_key = key("incoming", step.company, event.application_id)
    application = step.state.get(Application, application_key)
    if application is None:
        return None  # rejected before; the origin knows or will know
    if application.state == PARKED:
        step.state.remove(application_key)
        step.state.remove(application.source)
        return None
    take_back(step, application_key, event.effective_date, event.entry_type, event.reason)
    return None
