"""Cases that wait for somebody: exceptions and disputes."""

import msgspec

from jobs.values import Day, Minor


class Case(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Where a case stands. `deadlines_passed` counts those that alerted or were met; `alerting` is an open alert."""

    opened_on: Day
    reviewed: bool = False
    resolved: bool = False
    deadlines_passed: int = 0
    alerting: bool = False
    alert_number: int = 0


class Dispute(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A contested amount of a document. `outstanding` is the part of it that is still disputed.

    `credited` is what was credited on the document while the dispute was open: if it is upheld, that was its credit.
    """

    wake: Day | None
    listed_under: str
    account: str
    dispute_id: str
    currency: str
    target: str
    amount: Minor
    outstanding: Minor
    outcome: str | None
    opened_on: Day
    reason_code: str
    content: bytes
    case: Case
    assigned_to: str | None = None
    credited: Minor = Minor(0)

    @property
    def status(self) -> str:
        """open, assigned or resolved (SEMANTICS 5)."""
        if self.case.resolved:
            return "resolved"
        return "assigned" if self.case.reviewed else "open"


class ExceptionState(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An exception and where its case stands."""

    wake: Day | None
    listed_under: str
    account: str | None
    exception_id: str
    exception_type: str
    subject_type: str
    subject_id: str
    amount: Minor | None
    currency: str | None
    content: bytes
    case: Case
    queue: str | None = None
    assigned_to: str | None = None
    resolution: str | None = None

    @property
    def status(self) -> str:
        """flagged, reviewed or resolved (SEMANTICS 5)."""
        if self.case.resolved:
            return "resolved"
        return "reviewed" if self.case.reviewed else "flagged"
