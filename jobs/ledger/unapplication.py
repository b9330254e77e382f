"""The way back of an application: unapplied, or reversed with what it came from (SEMANTICS 1.3, 1.5, 4.7)."""

import msgspec

from jobs.disputes import credit_taken_back
from jobs.effects import Carried
from jobs.entities import Application, key
from jobs.events import ApplicationRecalled, CashUnapplied
from jobs.ledger.applications import (
    APPLIED,
    CARRIED,
    ELSEWHERE,
    PARKED,
    PARKED_ELSEWHERE,
    RECALLED,
    TAKEN_BACK,
    post_allocation,
)
from jobs.ledger.sources import draw, hold, source_of
from jobs.ledger.sources import value_date as value_date_of
from jobs.step import CashMovement, Step
from jobs.values import Day, Minor
from jobs.verdicts import DUPLICATE, Rejected, Verdict


def unapply(step: Step, event: CashUnapplied) -> Verdict:
    """Take an application back; the cash is unapplied again. A parked one is dropped."""
    application_key = key("application", step.company, event.application_id)
    application = step.state.get(Application, application_key)
    if application is None or application.account != event.account_id:
        return Rejected("unknown_document", f"account {event.account_id} has no application {event.application_id}")
    if application.state in {TAKEN_BACK, RECALLED}:
        return DUPLICATE
    if application.state == PARKED:
        taken = msgspec.structs.replace(application, state=TAKEN_BACK, listed_under=application.source)
        step.state.put(application_key, taken)
        return None
    take_back(step, application_key, step.effective(event, event.effective_date), "unapplication", event.reason)
    return None


def take_back(step: Step, application_key: str, day: Day, entry_type: str, reason: str | None) -> Day | None:
    """Reverse an application at the later of `day` and its own date; a small balance that came with it goes back too.

    Returns the effective day, None if it was not applied.
    """
    application = step.state.get(Application, application_key)
    if application is not None and application.state in {CARRIED, ELSEWHERE, PARKED_ELSEWHERE}:
        return _recall(step, application_key, application, max(day, application.effective), entry_type, reason)
    if application is None or application.state != APPLIED:
        return None
    document = step.document(application.target)
    source = source_of(step, application.source)
    if document is None or source is None:
        return None
    effective = max(day, application.effective)
    application_id = application_key.rpartition("\x1f")[2]
    value_date = value_date_of(source)
    document = post_allocation(
        step, document, application.allocation, 1, effective, entry_type, application_id, value_date, reason
    )
    if application.small_balance:
        document = post_allocation(
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
    document = msgspec.structs.replace(document, applications=remaining, closed_on=None, written_off_last=False)
    step.put_document(application.target, document)
    if value_date is None:
        credit_taken_back(step, application.target, document, application.amount, effective)
    draw(
        step,
        application.source,
        source,
        Minor(-application.amount),
        effective,
        entry_type,
        application_id,
        reason,
    )
    if value_date is not None:
        step.cash.append(CashMovement(application.target, application_key, Minor(-application.amount), value_date))
    step.state.put(application_key, msgspec.structs.replace(application, state=TAKEN_BACK, effective=effective))
    return effective


def _recall(
    step: Step, application_key: str, application: Application, day: Day, entry_type: str, reason: str | None
) -> Day:
    """The invoice is another account's: ask it to take the application back (SEMANTICS 4.7)."""
    application_id = application_key.rpartition("\x1f")[2]
    state = TAKEN_BACK if application.state == PARKED_ELSEWHERE else RECALLED
    source = source_of(step, application.source)
    if state == RECALLED and source is not None:  # free for another invoice before the other account has answered
        hold(step, application.source, source, Minor(-application.amount))
    step.state.put(application_key, msgspec.structs.replace(application, state=state))
    step.effects.append(
        Carried(
            event=ApplicationRecalled(
                event_id=f"{step.event_id}/{application_id}/recalled",
                company=step.company,
                account_id=application.target,
                occurred_at=step.recorded_at,
                recorded_at=step.recorded_at,
                region="",
                application_id=application_id,
                invoice_id=application.invoice_id,
                entry_type=entry_type,
                effective_date=day,
                reason=reason,
            )
        )
    )
    return day
