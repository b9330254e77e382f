"""Times of exceptions as a window sees them, without the closed part of a reopened case (SEMANTICS 5, 7)."""

from collections.abc import Iterable
from dataclasses import dataclass
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
    """Where a case stands. Times to the first review and to the resolution are in microseconds while it was open."""

    begun: Instant
    to_review: int | None = None
    reviewed_on: Day | None = None
    to_resolve: int | None = None
    resolved_on: Day | None = None


def case_times(moments: Iterable[CaseMoment], last: Day) -> list[CaseTimes]:
    """Every case that was flagged by the end of a day, as it stood then."""
    cases: dict[str, CaseTimes] = {}
    for moment in sorted(moments, key=lambda moment: moment.at):
        if moment.day <= last:
            cases[moment.exception_id] = _after(cases.get(moment.exception_id), moment)
    return list(cases.values())


def _after(case: CaseTimes | None, moment: CaseMoment) -> CaseTimes:
    if case is None:
        case = CaseTimes(moment.at)
    if moment.status == "flagged" and case.to_resolve is not None:  # again, as if it had never been closed
        return CaseTimes(Instant(moment.at - case.to_resolve), case.to_review, case.reviewed_on)
    if moment.status == "reviewed" and case.to_review is None:
        return CaseTimes(case.begun, moment.at - case.begun, moment.day)
    if moment.status == "resolved" and case.to_resolve is None:
        return CaseTimes(case.begun, case.to_review, case.reviewed_on, moment.at - case.begun, moment.day)
    return case
