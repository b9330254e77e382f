"""Two honest baselines: an invoice is paid on its due date; or as late as the account was on average."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from jobs.forecast.model import History


def average_delays(histories: Iterable[History]) -> Mapping[str, float]:
    """Mean age at payment by account, of what was paid; "" is the mean of all."""
    sums: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for history in histories:
        for age, share in history.paid:
            for key in (history.account, ""):
                sums[key][0] += age * share
                sums[key][1] += share
    return {key: total / weight for key, (total, weight) in sums.items() if weight}


def days_late_by_average(delays: Mapping[str, float], account: str) -> float:
    """The second baseline for an account; an unknown one is like all."""
    return delays.get(account, delays.get("", 0.0))
