"""Promises follow what the ledger posts: applications, their reversals, credits, write-offs (SEMANTICS 3.2, 3.11)."""

import msgspec

from jobs.entities import Application, CountedCash, Coverage, Document, PromiseState
from jobs.promises.coverage import coverage_of
from jobs.promises.judge import KEPT, OPEN, PENDING_CASH, VOID, evaluate, runs_out
from jobs.step import CashMovement, Step
from jobs.values import Day, Minor


def follow(step: Step) -> None:
    """After the ledger: every promise that covers a touched document, or whose midnight has come, is judged anew.

    In order of deadline, then id: so cash on hand is given out (SEMANTICS 3.4).
    """
    touched: dict[str, PromiseState] = {}
    for document_key, document in step.documents.items():
        coverage = coverage_of(step, document_key)
        if coverage is None:
            continue
        before = step.state.get(Document, document_key)
        grown = document.open - (0 if before is None else before.open)
        for promise_key, _ in coverage.promises:
            promise = touched.get(promise_key) or step.state.get(PromiseState, promise_key)
            if promise is not None and promise.ended in {None, VOID}:
                covered_open = Minor(promise.covered_open + grown)
                touched[promise_key] = msgspec.structs.replace(promise, covered_open=covered_open)
    if touched:
        for movement in step.cash:
            _count(step, movement, touched)
    for promise_key in step.judged - touched.keys():
        promise = step.state.get(PromiseState, promise_key)
        if promise is not None:
            touched[promise_key] = promise
    step.judged.clear()
    for promise_key in sorted(touched, key=lambda at: (_next_deadline(touched[at]), at)):
        evaluate(step, promise_key, touched[promise_key])


def _next_deadline(promise: PromiseState) -> Day:
    """The deadline of the instalment that is judged next, or was last."""
    running = [part.deadline for part in promise.instalments if part.status in {OPEN, PENDING_CASH}]
    return min(running, default=promise.deadline)


def _count(step: Step, movement: CashMovement, touched: dict[str, PromiseState]) -> None:
    coverage = coverage_of(step, movement.document_key)
    application = None if coverage is None else step.state.get(Application, movement.application_key)
    if coverage is None or application is None:
        return
    if movement.amount < 0:
        counting = [promise_key for promise_key in application.counted_by if promise_key in touched]
    else:
        counting = _counting(movement, coverage, touched)
        after = msgspec.structs.replace(application, counted_by=tuple(counting))
        step.state.put(movement.application_key, after)
    for promise_key in counting:
        touched[promise_key] = _with_cash(touched[promise_key], movement)


def _counting(movement: CashMovement, coverage: Coverage, touched: dict[str, PromiseState]) -> list[str]:
    """The promises for which cash counts that is applied now."""
    covering = [(promise_key, touched[promise_key]) for promise_key, _ in coverage.promises if promise_key in touched]
    counting = []
    taken: set[bool] = set()  # kinds of promise, of the whole account or naming, for which a newer one stands
    for promise_key, promise in reversed(covering):
        if movement.value_date < promise.made_on or promise.status == VOID:
            continue
        if promise.status == KEPT and promise.whole_account in taken:
            continue
        if promise.whole_account and any(_takes(other, movement) for _, other in covering if not other.whole_account):
            continue
        counting.append(promise_key)
        if _takes(promise, movement):
            taken.add(promise.whole_account)
    return counting


def _takes(promise: PromiseState, movement: CashMovement) -> bool:
    """Whether cash lies in the promise's window, so that an older one that was kept does not count it too (3.11).

    One that names the invoice takes it before one of the whole account (3.2).
    """
    return promise.status != VOID and promise.made_on <= movement.value_date <= promise.deadline


def _with_cash(promise: PromiseState, movement: CashMovement) -> PromiseState:
    by_date = {cash.value_date: int(cash.amount) for cash in promise.cash}
    by_date[movement.value_date] = by_date.get(movement.value_date, 0) + movement.amount
    cash = tuple(CountedCash(day, Minor(amount)) for day, amount in sorted(by_date.items()) if amount)
    return msgspec.structs.replace(promise, cash=cash)


def woken(step: Step, promise_key: str) -> None:
    """A local midnight: a deadline has passed or a pending period is over, to be judged; or it was judged long ago."""
    promise = step.state.get(PromiseState, promise_key)
    if promise is None or step.today is None:
        return
    if runs_out(step, promise):
        step.state.remove(promise_key)
        step.accounts.add(promise.account)  # one broken promise less in its advice
    else:
        step.judged.add(promise_key)
