"""Exceptions: what somebody must look at (SEMANTICS 5)."""

from jobs.events.envelope import Event


class ExceptionFlagged(Event, frozen=True, kw_only=True):
    """Something does not fit and waits for review, then for resolution."""

    exception_id: str
    exception_type: str
    subject_type: str
    subject_id: str
    amount_minor: int | None
    currency: str | None


class ExceptionReviewed(Event, frozen=True, kw_only=True):
    """Somebody has looked at it."""

    exception_id: str


class ExceptionResolved(Event, frozen=True, kw_only=True):
    """It is settled."""

    exception_id: str
    resolution: str


class ExceptionRouted(Event, frozen=True, kw_only=True):
    """It lies in a queue, perhaps with somebody."""

    exception_id: str
    queue: str
    assigned_to: str | None
