"""What must be paid and what was paid, by instalment (SEMANTICS 3.2, 3.3, 3.5, 3.9, 3.10)."""

from typing import NamedTuple

from jobs.entities import PromiseState
from jobs.values import Minor


class Due(NamedTuple):
    """One instalment's figures, in minor units.

    `amount` is what must be paid after credits, `target` the threshold share of it, `paid` what counts by the
    deadline, `late` what came after it.
    """

    amount: Minor
    target: Minor
    paid: Minor
    late: Minor

    @property
    def satisfied(self) -> bool:
        """Whether the threshold was reached in the window."""
        return self.amount > 0 and self.paid >= self.target

    @property
    def remainder(self) -> Minor:
        """What is missing of the threshold."""
        return Minor(max(0, self.target - self.paid))


def target_of(amount: int, threshold_percent: int, denominator: int) -> Minor:
    """The threshold share of an amount, rounded up to a minor unit."""
    return Minor(-(-amount * threshold_percent // (100 * denominator)))


def dues(promise: PromiseState, threshold: tuple[int, int]) -> list[Due]:
    """Figures of every instalment; `threshold` is percent as a ratio of integers.

    The promised amount is at most what is still open plus what was paid on it, so credits shrink it, a plan from its
    last instalment. Cash fills instalments oldest first, and each sees only the cash of its own window. What an
    instalment that reached its threshold left unpaid is not taken from the next one's cash.
    """
    everything = sum(cash.amount for cash in promise.cash)
    rest = min(sum(part.amount for part in promise.instalments), promise.covered_open + everything)
    figures = []
    before = 0
    for part in promise.instalments:
        amount = max(0, min(part.amount, rest))
        rest -= amount
        in_window = sum(cash.amount for cash in promise.cash if cash.value_date <= part.deadline)
        if promise.is_plan:
            paid = min(amount, max(0, in_window - before))
            late = min(amount, max(0, everything - before)) - paid
        else:
            paid, late = in_window, everything - in_window
        due = Due(Minor(amount), target_of(amount, *threshold), Minor(paid), Minor(late))
        if promise.is_plan and due.satisfied:
            due = due._replace(late=Minor(0))
            amount = paid
        figures.append(due)
        before += amount
    return figures


def paid_in_window(promise: PromiseState) -> Minor:
    """Cash of value dates up to the last deadline."""
    deadline = promise.deadline
    return Minor(sum(cash.amount for cash in promise.cash if cash.value_date <= deadline))


def paid_late(promise: PromiseState) -> Minor:
    """Cash of value dates after the last deadline."""
    return Minor(sum(cash.amount for cash in promise.cash) - paid_in_window(promise))


def paid_late_days(promise: PromiseState) -> int | None:
    """Days from the last deadline to the value date of the cash that came last; None where none came late."""
    deadline = promise.deadline
    last = max((cash.value_date for cash in promise.cash), default=deadline)
    return last - deadline if last > deadline else None
