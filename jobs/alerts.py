"""Alerts: deterministic ids, so that a replay raises nothing new (SEMANTICS 3.13).

An alert keeps its id through raised, escalated and resolved; a judgement that replaces an earlier one has a new id and
says what it supersedes.
"""

from typing import Final

from jobs.effects import Alert
from jobs.money import decimal_of
from jobs.step import Step
from jobs.values import Instant, Minor

RAISED: Final = "raised"
ESCALATED: Final = "escalated"
RESOLVED: Final = "resolved"
CORRECTED: Final = "corrected"

_SEVERITY: Final = {
    "promise_broken": "high",
    "promise_partially_kept": "medium",
    "promise_pending_cash": "low",
    "unapplied_cash": "medium",
    "unidentified_cash": "medium",
    "exception_overdue": "medium",
    "dispute_overdue": "medium",
    "credit_limit_exceeded": "high",
    "apply_cash_first": "low",
}


def alert_id(step: Step, kind: str, subject: str, number: int) -> str:
    """The id of an alert: kind, company, subject and the number of the judgement of that subject."""
    return f"{kind}/{step.company}/{subject}/{number}"


def put_out(
    step: Step,
    kind: str,
    subject: str,
    number: int,
    status: str,
    message: str,
    *,
    account: str | None,
    amount: Minor | None = None,
    currency: str | None = None,
    deadline: Instant | None = None,
    supersedes: str | None = None,
    identity: str | None = None,
) -> None:
    """One row of an alert. `identity` stands in its id where the subject alone is not one.

    `amount` is what is at stake, or what remains of it, in minor units of `currency`.
    """
    severity = _SEVERITY[kind]
    if status == ESCALATED:
        severity = "high"
    elif status in {RESOLVED, CORRECTED}:
        severity = "info"
    step.effects.append(
        Alert(
            alert_id=alert_id(step, kind, identity or subject, number),
            company=step.company,
            account_id=account,
            kind=kind,
            subject=subject,
            status=status,
            severity=severity,
            amount_minor=amount,
            currency=currency,
            deadline=deadline,
            supersedes=supersedes,
            message=message,
            raised_at=step.recorded_at,
            event_id=step.event_id,
        )
    )


def money(amount: Minor, currency: str) -> str:
    """An amount as a person reads it."""
    return f"{decimal_of(amount, currency)} {currency}"
