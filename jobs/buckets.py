"""Aging buckets: gapless, by days past due; due today is not due (SEMANTICS 2.1)."""

from bisect import bisect_left

from jobs.values import Day

NOT_DUE = "not_due"


class Buckets:
    """The buckets of a company. Limits [30, 60] give `not_due`, `1-30`, `31-60`, `61+`."""

    __slots__ = ("_limits", "names", "overdue")

    names: tuple[str, ...]
    overdue: frozenset[str]

    def __init__(self, limits: tuple[int, ...]) -> None:
        lower = [1, *(limit + 1 for limit in limits)]
        bounded = (f"{low}-{high}" for low, high in zip(lower, limits, strict=False))
        self.names = (NOT_DUE, *bounded, f"{lower[-1]}+")
        self.overdue = frozenset(self.names[1:])
        self._limits = limits

    def index(self, days_past_due: int) -> int:
        """Position of the bucket in `names`, youngest first."""
        return 0 if days_past_due <= 0 else 1 + bisect_left(self._limits, days_past_due)

    def name(self, days_past_due: int) -> str:
        """Name of the bucket for a number of days past due."""
        return self.names[self.index(days_past_due)]

    def next_change(self, due_date: Day, today: Day) -> Day | None:
        """The first day after `today` on which an item due on `due_date` is in another bucket; None in the last."""
        days_past_due = today - due_date
        if days_past_due <= 0:
            return Day(due_date + 1)
        position = bisect_left(self._limits, days_past_due)
        return Day(due_date + self._limits[position] + 1) if position < len(self._limits) else None
