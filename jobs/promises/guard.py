"""The unapplied-cash guard: cash on hand keeps a promise out of "broken" (SEMANTICS 3.4)."""

from jobs.entities import PromiseState, key
from jobs.promises.amounts import dues
from jobs.promises.terms import threshold
from jobs.step import Step
from jobs.values import Day


def covered_by_cash(step: Step, promise: PromiseState, number: int, remainder: int) -> bool:
    """Whether unapplied or on-account receipts of the account, dated in the window, cover the remainder.

    One unit of cash covers one promise: what is already pending takes its share first, by deadline, then id.
    """
    receipts = _receipts(step, promise)
    if sum(available for _, available in receipts) < remainder:
        return False  # mostly there is no cash on hand at all: no need to look at every other promise
    for made_on, deadline, amount in _pending(step, promise, number):
        _take(receipts, made_on, deadline, amount)
    deadline = next(part.deadline for part in promise.instalments if part.number == number)
    return _take(receipts, promise.made_on, deadline, remainder) == 0


def _receipts(step: Step, promise: PromiseState) -> list[list[int]]:
    listed = step.state.listed(key("receipts", step.company, promise.account))
    found = []
    for receipt_key in {*listed, *step.receipts}:  # what was used up is listed again at the end of the step
        receipt = step.receipt(receipt_key)
        if receipt is None or (receipt.account, receipt.currency) != (promise.account, promise.currency):
            continue
        if receipt.available > 0:
            found.append([receipt.value_date, receipt.available])
    return sorted(found)


def _pending(step: Step, promise: PromiseState, number: int) -> list[tuple[Day, Day, int]]:
    waiting = []
    for other_key in step.state.listed(promise.listed_under):
        other = step.state.get(PromiseState, other_key)
        if other is None or other.currency != promise.currency or other.ended is not None:
            continue
        for part, due in zip(other.instalments, dues(other, threshold(step)), strict=True):
            if part.status == "pending_cash" and (other.promise_id, part.number) != (promise.promise_id, number):
                waiting.append((part.deadline, other.promise_id, part.number, other.made_on, due.remainder))
    return [(made_on, deadline, remainder) for deadline, _, _, made_on, remainder in sorted(waiting)]


def _take(receipts: list[list[int]], since: Day, until: Day, amount: int) -> int:
    """Take an amount out of the receipts of a window, oldest first; returns what could not be taken."""
    for receipt in receipts:
        if since <= receipt[0] <= until:
            taken = min(amount, receipt[1])
            receipt[1] -= taken
            amount -= taken
    return amount
