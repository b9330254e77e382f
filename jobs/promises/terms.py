"""Terms of a promise: deadlines and threshold by the company's settings (SEMANTICS 3.1)."""

from jobs.step import Step
from jobs.values import Day


def deadline_of(step: Step, promised_date: Day) -> Day:
    """The last day on which a payment counts: the promised date plus the tolerance."""
    days = step.settings.promise_tolerance_days
    if step.settings.promise_tolerance_calendar == "business":
        return step.settings.calendar.business_days_after(promised_date, days)
    return Day(promised_date + days)


def threshold(step: Step) -> tuple[int, int]:
    """The threshold percent as a ratio of integers."""
    return step.settings.promise_threshold_percent.as_integer_ratio()
