"""The worklist: whom to call first, and why (SEMANTICS 6.3).

The score is a sum of weighted rules, and every row names those that fired. Amounts order only equal scores, for they
cannot be added across currencies.
"""

from typing import Final, NamedTuple

from jobs import credit
from jobs.dunning import highest_level
from jobs.entities import AccountState, account_key
from jobs.overview import Overview
from jobs.step import Step
from jobs.values import Minor

WEIGHTS: Final = {
    "overdue_bucket": 10,  # for every bucket that the oldest collectible item has passed
    "promise_broken": 15,  # for every promise that stands broken, at most three
    "credit_limit_exceeded": 20,
    "dunning_level": 5,  # for every level sent
    "high_risk": 10,  # risk class `high`
}
_BROKEN_MAX = 3


class WorklistRow(NamedTuple):
    """An account with collectible overdue amounts; `rules` are those that fired with their points."""

    account: str
    score: int
    rules: dict[str, int]
    amounts: dict[str, Minor]

    @property
    def order(self) -> tuple[int, int, str]:
        """Higher scores first, then larger amounts, then ids."""
        return -self.score, -max(self.amounts.values(), default=0), self.account


def row(step: Step, account: str, seen: list[Overview]) -> WorklistRow | None:
    """The account's row; None in net credit, with nothing collectible overdue, or with everything promised."""
    amounts: dict[str, Minor] = {}
    oldest = 0
    for overview in seen:
        if overview.net >= 0 and overview.dunnable_amount > 0:
            amounts[overview.currency] = overview.dunnable_amount
            oldest = max(oldest, *[invoice.days_past_due for invoice in overview.dunnable])
    if not amounts:
        return None
    state = step.state.get(AccountState, account_key("account", step.company, account)) or AccountState(None, "")
    points = {
        "overdue_bucket": step.settings.aging.index(oldest),
        "promise_broken": min(_BROKEN_MAX, credit.broken_promises(step, account)),
        "credit_limit_exceeded": int(state.limit_exceeded),
        "dunning_level": highest_level(seen) or 0,
        "high_risk": int((state.risk_class or "").lower() == "high"),
    }
    rules = {rule: WEIGHTS[rule] * times for rule, times in points.items() if times}
    return WorklistRow(account, sum(rules.values()), rules, amounts)
