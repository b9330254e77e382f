"""Promises follow what the ledger posts: applications, their reversals, credits, write-offs (SEMANTICS 3.2, 3.11)."""

import msgspec

from jobs.entities import CountedCash, Document, PromiseState
from jobs.promises.judge import VOID, evaluate
from jobs.promises.made import coverage_of
from jobs.step import CashMovement, Step
from jobs.values import Minor


def follow(step: Step) -> None:
    """After the ledger: every promise that covers a touched document is judged anew."""
    touched: dict[str, PromiseState] = {}
    for document_key, document in step.documents.items():
        coverage = coverage_of(step, document_key)
        if coverage is None:
            continue
        before = step.state.get(Document, document_key)
        grown = document.open - (0 if before is None else before.open)
        for promise_key, _ in coverage.promises:
            promise = touched.get(promise_key) or step.state.get(PromiseState, promise_key)
            if promise is not None and promise.ended is None:
                covered_open = Minor(promise.covered_open + grown)
                touched[promise_key] = msgspec.structs.replace(promise, covered_open=covered_open)
    if not touched:
        return
    for movement in step.cash:
        _count(step, movement, touched)
    for promise_key in sorted(touched):
        evaluate(step, promise_key, touched[promise_key])


def _count(step: Step, movement: CashMovement, touched: dict[str, PromiseState]) -> None:
    coverage = coverage_of(step, movement.document_key)
    if coverage is None:
        return
    covering = [(promise_key, touched[promise_key]) for promise_key, _ in coverage.promises if promise_key in touched]
    named = any(_counts(promise, movement) for _, promise in covering if not promise.whole_account)
    for promise_key, promise in covering:
        if movement.amount < 0:
            kept = tuple(cash for cash in promise.cash if cash.application != movement.application_key)
            touched[promise_key] = msgspec.structs.replace(promise, cash=kept)
        elif movement.value_date >= promise.made_on and not (promise.whole_account and named):
            counted = CountedCash(movement.application_key, movement.amount, movement.value_date)
            touched[promise_key] = msgspec.structs.replace(promise, cash=(*promise.cash, counted))


def _counts(promise: PromiseState, movement: CashMovement) -> bool:
    """Whether a promise that names the invoice takes the cash, so that one of the whole account does not (3.2)."""
    return promise.status != VOID and promise.made_on <= movement.value_date <= promise.deadline


def woken(step: Step, promise_key: str) -> None:
    """A local midnight: a deadline has passed, a pending period is over, or the promise is long judged."""
    promise = step.state.get(PromiseState, promise_key)
    if promise is None or step.today is None:
        return
    if promise.wake is not None and promise.wake >= promise.deadline + step.settings.closed_item_days:
        step.state.remove(promise_key)
        return
    evaluate(step, promise_key, promise)
