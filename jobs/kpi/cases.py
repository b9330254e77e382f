"""Times of exceptions as a window sees them, without the closed part of a reopened case (SEMANTICS 5, 7)."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

from jobs.values import Day, Instant


class CaseMoment(NamedTuple):
    """An exception reached a status: flagged (also again), reviewed or resolved; `day` is the company's local date."""

    exception_id: str
    status: str
    at: Instant
    day: Day


@dataclass(frozen=True)
class CaseTimes:
    """Where a case stands. Times to the first review and to the resolution are in microseconds while it was open.

    `before` is the time of its former openings.
    """

    flagged: Instant
    before: int = 0
    to_review: int | None = None
    reviewed_on: Day | None = None
    to_resolve: int | None = None
    resolved_on: Day | None = None

    def until(self, at: Instant) -> int:
        """Time for which it was open; none where the clock of who says so is behind that of who flagged it."""
        return self.before + max(0, at - self.flagged)


def case_times(moments: Iterable[CaseMoment], last: Day) -> list[CaseTimes]:
    """Every case that was flagged by the end of a day, as it stood then; moments in the order of the log."""
    cases: dict[str, CaseTimes] = {}
    for moment in moments:
        if moment.day <= last:
            case = _after(cases.get(moment.exception_id), moment)
            if case is not None:
                cases[moment.exception_id] = case
    return list(cases.values())


def _after(case: CaseTimes | None, moment: CaseMoment) -> CaseTimes | None:
    if case is None:
        return CaseTimes(moment.at) if moment.status == "flagged" else None
    if moment.status == "flagged" and case.to_resolve is not None:  # again, as if it had never been closed
        return CaseTimes(moment.at, case.to_resolve, case.to_review, case.reviewed_on)
    if moment.status == "reviewed" and case.to_review is None:
        return replace(case, to_review=case.until(moment.at), reviewed_on=moment.day)
    if moment.status == "resolved" and case.to_resolve is None:
        return replace(case, to_resolve=case.until(moment.at), resolved_on=moment.day)
    return case
