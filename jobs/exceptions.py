"""Exceptions: flagged, reviewed, resolved, overdue (SEMANTICS 5)."""

import msgspec

from jobs import cases
from jobs.effects import ExceptionCase
from jobs.entities import Case, ExceptionState, key
from jobs.events import Event, ExceptionFlagged, ExceptionResolved, ExceptionReviewed, ExceptionRouted
from jobs.ledger.content import content_of, repeated
from jobs.step import Step
from jobs.values import Day, Minor
from jobs.verdicts import DUPLICATE, Rejected, Verdict

KIND = "exception_overdue"


def flag(step: Step, event: ExceptionFlagged) -> Verdict:
    """A new case, or the same one again after its resolution."""
    return open_case(
        step,
        event.exception_id,
        event.account_id,
        event.exception_type,
        event.subject_type,
        event.subject_id,
        None if event.amount_minor is None else Minor(event.amount_minor),
        event.currency,
        step.settings.calendar.day(event.occurred_at),
        content_of(event),
    )


def open_case(
    step: Step,
    exception_id: str,
    account: str | None,
    exception_type: str,
    subject_type: str,
    subject_id: str,
    amount: Minor | None,
    currency: str | None,
    day: Day,
    content: bytes,
) -> Verdict:
    """Open or reopen a case; other jobs flag what they find with it."""
    exception_key = key("exception", step.company, exception_id)
    known = step.state.get(ExceptionState, exception_key)
    if known is not None and not known.case.resolved:
        return repeated("exception", exception_id, known.content, content)
    case = Case(day) if known is None else cases.reopened(known.case, day)
    exception = ExceptionState(
        wake=None,
        listed_under="",
        account=account,
        exception_id=exception_id,
        exception_type=exception_type,
        subject_type=subject_type,
        subject_id=subject_id,
        amount=amount,
        currency=currency,
        content=content,
        case=case,
    )
    _put(step, exception_key, exception)
    return None


def review(step: Step, event: ExceptionReviewed) -> Verdict:
    """Somebody has looked at it."""
    found = _find(step, event, event.exception_id)
    if isinstance(found, Rejected):
        return found
    exception_key, exception = found
    if exception.case.reviewed:
        return DUPLICATE
    case = cases.review(step, _subject(exception), exception.case)
    _put(step, exception_key, msgspec.structs.replace(exception, case=case))
    return None


def resolve(step: Step, event: ExceptionResolved) -> Verdict:
    """It is settled."""
    found = _find(step, event, event.exception_id)
    if isinstance(found, Rejected):
        return found
    exception_key, exception = found
    if exception.case.resolved:
        return DUPLICATE
    case = cases.resolve(step, _subject(exception), exception.case)
    _put(step, exception_key, msgspec.structs.replace(exception, case=case, resolution=event.resolution))
    return None


def route(step: Step, event: ExceptionRouted) -> Verdict:
    """It lies in a queue; that is no review."""
    found = _find(step, event, event.exception_id)
    if isinstance(found, Rejected):
        return found
    exception_key, exception = found
    _put(step, exception_key, msgspec.structs.replace(exception, queue=event.queue, assigned_to=event.assigned_to))
    return None


def woken(step: Step, exception_key: str) -> None:
    """A local midnight at which a deadline has passed."""
    exception = step.state.get(ExceptionState, exception_key)
    if exception is not None:
        _put(step, exception_key, exception)


def _find(step: Step, event: Event, exception_id: str) -> tuple[str, ExceptionState] | Rejected:
    exception_key = key("exception", step.company, exception_id)
    exception = step.state.get(ExceptionState, exception_key)
    if exception is None or exception.account != event.account_id:
        return Rejected("unknown_document", f"account {event.account_id} has no exception {exception_id}")
    return exception_key, exception


def _subject(exception: ExceptionState) -> cases.Subject:
    return cases.Subject(KIND, exception.exception_id, exception.account, exception.amount, exception.currency)


def _put(step: Step, exception_key: str, exception: ExceptionState) -> None:
    case = cases.watch(step, _subject(exception), exception.case)
    wake = cases.next_deadline(step, case)
    after = msgspec.structs.replace(exception, case=case, wake=wake)
    step.state.put(exception_key, after)
    step.effects.append(
        ExceptionCase(
            company=step.company,
            account_id=after.account,
            exception_id=after.exception_id,
            exception_type=after.exception_type,
            subject_type=after.subject_type,
            subject_id=after.subject_id,
            amount_minor=after.amount,
            currency=after.currency,
            status=after.status,
            queue=after.queue,
            assigned_to=after.assigned_to,
            resolution=after.resolution,
            flagged_on=case.opened_on,
            recorded_at=step.recorded_at,
            event_id=step.event_id,
        )
    )
