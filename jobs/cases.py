"""Cases that wait for a review and a resolution: the deadlines and alerts of exceptions and disputes (SEMANTICS 5).

Both deadlines are the end of a local day, so many business days after the case was opened. Missing the first raises
the alert; missing the second escalates it where it is still unresolved and raises a new one otherwise. A review
resolves the first, a resolution any.
"""

import msgspec

from jobs import alerts
from jobs.entities import Case
from jobs.step import Step
from jobs.values import Day, Minor


class Subject(msgspec.Struct, frozen=True):
    """What the alerts of a case speak of."""

    kind: str
    subject_id: str
    account: str | None
    amount: Minor | None
    currency: str | None


def reopened(case: Case, day: Day) -> Case:
    """The case begins anew after its resolution; ids of its alerts go on counting."""
    return Case(day, alert_number=case.alert_number)


def next_deadline(step: Step, case: Case) -> Day | None:
    """The local day at whose midnight the next deadline has passed."""
    if case.resolved or case.deadlines_passed >= 2:
        return None
    return Day(_last_day(step, case) + 1)


def watch(step: Step, subject: Subject, case: Case) -> Case:
    """Raise or escalate what is overdue by the company's local date."""
    while (
        step.today is not None
        and not case.resolved
        and case.deadlines_passed < 2
        and _last_day(step, case) < step.today
    ):
        deadline = step.settings.calendar.midnight(Day(_last_day(step, case) + 1))
        to_review = case.deadlines_passed == 0
        case = msgspec.structs.replace(case, deadlines_passed=case.deadlines_passed + 1)
        if to_review and case.reviewed:
            continue
        status = alerts.ESCALATED if case.alerting else alerts.RAISED
        if status == alerts.RAISED:
            case = msgspec.structs.replace(case, alerting=True, alert_number=case.alert_number + 1)
        days = step.settings.review_within_days if to_review else step.settings.resolve_within_days
        alerts.put_out(
            step,
            subject.kind,
            subject.subject_id,
            case.alert_number,
            status,
            f"{subject.subject_id} was not {'reviewed' if to_review else 'resolved'} within {days} business days",
            account=subject.account,
            amount=subject.amount,
            currency=subject.currency,
            deadline=deadline,
        )
    return case


def review(step: Step, subject: Subject, case: Case) -> Case:
    """Somebody looked at it: the review deadline is met, or its alert resolved."""
    if case.reviewed or case.resolved:
        return case
    return msgspec.structs.replace(_quieted(step, subject, case, "reviewed"), reviewed=True)


def resolve(step: Step, subject: Subject, case: Case) -> Case:
    """It is settled: any alert is resolved."""
    return msgspec.structs.replace(_quieted(step, subject, case, "resolved"), reviewed=True, resolved=True)


def _quieted(step: Step, subject: Subject, case: Case, how: str) -> Case:
    if not case.alerting:
        return case
    alerts.put_out(
        step,
        subject.kind,
        subject.subject_id,
        case.alert_number,
        alerts.RESOLVED,
        f"{subject.subject_id} was {how}",
        account=subject.account,
        amount=subject.amount,
        currency=subject.currency,
    )
    return msgspec.structs.replace(case, alerting=False)


def _last_day(step: Step, case: Case) -> Day:
    """The last day that is within the next deadline."""
    days = step.settings.review_within_days if case.deadlines_passed == 0 else step.settings.resolve_within_days
    return step.settings.calendar.business_days_after(case.opened_on, days)
