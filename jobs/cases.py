"""Cases that wait for a review and a resolution: the deadlines and alerts of exceptions and disputes (SEMANTICS 5).

Both deadlines are the end of a local day, so many business days after the case was opened; the one that ends sooner
comes first. Missing the first raises the alert; missing the second escalates it where it is still unresolved and
raises a new one otherwise. A review or a resolution resolves it.
"""

from typing import NamedTuple

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


class Deadline(NamedTuple):
    """The last local day that is within a limit of so many business days."""

    last_day: Day
    days: int
    to_review: bool


def reopened(case: Case, day: Day) -> Case:
    """The case begins anew after its resolution; ids of its alerts go on counting."""
    return Case(day, alert_number=case.alert_number)


def next_deadline(step: Step, case: Case) -> Day | None:
    """The local day at whose midnight the next deadline has passed."""
    if case.resolved or case.deadlines_passed >= 2:
        return None
    return Day(_next(step, case).last_day + 1)


def watch(step: Step, subject: Subject, case: Case) -> Case:
    """Raise or escalate what is overdue by the company's local date."""
    while (
        step.today is not None
        and not case.resolved
        and case.deadlines_passed < 2
        and (missed := _next(step, case)).last_day < step.today
    ):
        deadline = step.settings.calendar.midnight(Day(missed.last_day + 1))
        case = msgspec.structs.replace(case, deadlines_passed=case.deadlines_passed + 1)
        if missed.to_review and case.reviewed:
            continue
        status = alerts.ESCALATED if case.alerting else alerts.RAISED
        if status == alerts.RAISED:
            case = msgspec.structs.replace(case, alerting=True, alert_number=case.alert_number + 1)
        alerts.put_out(
            step,
            subject.kind,
            subject.subject_id,
            case.alert_number,
            status,
            f"{subject.subject_id} was not {'reviewed' if missed.to_review else 'resolved'} "
            f"within {missed.days} business days",
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


def _next(step: Step, case: Case) -> Deadline:
    """The deadline that has not passed yet. The caller knows that there is one."""
    settings = step.settings
    last_day = settings.calendar.business_days_after
    deadlines = [
        Deadline(last_day(case.opened_on, settings.review_within_days), settings.review_within_days, to_review=True),
        Deadline(last_day(case.opened_on, settings.resolve_within_days), settings.resolve_within_days, to_review=False),
    ]
    return sorted(deadlines, key=lambda deadline: deadline.last_day)[case.deadlines_passed]
