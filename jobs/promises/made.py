"""Promises are made, replaced and withdrawn (SEMANTICS 3.2, 3.7, 3.8, 3.12)."""

import msgspec

from jobs.entities import Coverage, Document, PromisedInstalment, PromiseState, key
from jobs.events import PromiseMade, PromiseWithdrawn
from jobs.ledger.amounts import unknown_currency
from jobs.ledger.content import content_of, repeated
from jobs.promises.coverage import coverage_key, coverage_of, runs
from jobs.promises.judge import KEPT, OPEN, PENDING_CASH, SUPERSEDED, VOID, WITHDRAWN, evaluate
from jobs.promises.terms import deadline_of
from jobs.step import Step
from jobs.values import Day, Minor
from jobs.verdicts import DUPLICATE, Rejected, Verdict

Covered = list[tuple[str, Document]]


def make(step: Step, event: PromiseMade) -> Verdict:
    """Cover the invoices, replace running promises for them, count the level, and judge at once what is past."""
    if event.amount_minor == 0:
        return None  # SEMANTICS 1.5
    if event.account_id is None:
        return Rejected("unknown_document", f"promise {event.promise_id} names no account_id; it needs one")
    refused = unknown_currency(event.currency)
    if refused is not None:
        return refused
    promise_key = key("promise", step.company, event.promise_id)
    content = content_of(event, instalments=event.instalments or ())
    known = step.state.get(PromiseState, promise_key)
    if known is not None:
        return repeated("promise", event.promise_id, known.content, content)
    covered = _covered(step, event)
    if isinstance(covered, Rejected):
        return covered
    made_on = step.settings.calendar.day(event.occurred_at)
    refused = _malformed(event, made_on)
    if refused is not None:
        return refused
    whole_account = not event.invoice_ids
    levels = [(at, _next_level(step, at, whole_account=whole_account)) for at, _ in covered]
    _supersede(step, covered, whole_account=whole_account)
    _remember(step, promise_key, levels)
    covered_open = sum(document.open for _, document in covered)
    promise = PromiseState(
        wake=None,
        listed_under=key("promises", step.company, event.account_id),
        account=event.account_id,
        promise_id=event.promise_id,
        currency=event.currency,
        amount=Minor(event.amount_minor),
        made_on=made_on,
        level=max((level for _, level in levels), default=1),
        whole_account=whole_account,
        invoice_ids=event.invoice_ids,
        covered_open=Minor(covered_open),
        instalments=_instalments(step, event, covered_open),
        content=content,
    )
    evaluate(step, promise_key, promise)
    return None


def _covered(step: Step, event: PromiseMade) -> Covered | Rejected:
    if not event.invoice_ids:
        listed = step.state.listed(key("documents", step.company, event.account_id or ""))
        documents = [(document_key, step.document(document_key)) for document_key in listed]
        owed = [(at, document) for at, document in documents if document is not None and document.open > 0]
        found = [(at, document) for at, document in owed if document.currency == event.currency]
        if owed and not found:
            return Rejected("currency_mismatch", f"account {event.account_id} owes nothing in {event.currency}")
        return found
    covered: Covered = []
    for invoice_id in dict.fromkeys(event.invoice_ids):
        named = step.find_document(event.account_id, invoice_id)
        if named is None:
            return Rejected("unknown_document", f"account {event.account_id} has no document {invoice_id}")
        covered.append(named)
    for _, document in covered:
        if document.cancelled:
            return Rejected(
                "document_cancelled", f"{document.document_id} is cancelled; nothing can be promised for it"
            )
    for _, document in covered:
        if document.currency != event.currency:
            message = f"the promise is in {event.currency}, {document.document_id} in {document.currency}"
            return Rejected("currency_mismatch", message)
    for _, document in covered:
        if document.document_type == "credit_memo":
            return Rejected("wrong_sign", f"{document.document_id} is a credit; only what is owed can be promised")
    return covered


def _malformed(event: PromiseMade, made_on: Day) -> Rejected | None:
    parts = event.instalments or ()
    if event.amount_minor < 0 or any(part.amount_minor <= 0 for part in parts):
        return Rejected("wrong_sign", f"promise {event.promise_id} must promise amounts above zero")
    if parts and sum(part.amount_minor for part in parts) != event.amount_minor:
        return Rejected("invalid_amount", f"the instalments of promise {event.promise_id} do not add up to its amount")
    if len({part.number for part in parts}) != len(parts) or any(part.number < 1 for part in parts):
        return Rejected("invalid_amount", "instalment numbers must be different and 1 or more")
    if min([part.promised_date for part in parts] or [event.promised_date]) < made_on:
        return Rejected("invalid_date", f"promise {event.promise_id} promises a date before it was made")
    return None


def _instalments(step: Step, event: PromiseMade, covered_open: int) -> tuple[PromisedInstalment, ...]:
    """The promised parts by date, capped at what is open from the start, a plan from its last (3.2, 3.10)."""
    if not event.instalments:
        amount = min(event.amount_minor, covered_open)
        return (PromisedInstalment(0, event.promised_date, Minor(amount), deadline_of(step, event.promised_date)),)
    parts = []
    rest = covered_open
    for part in sorted(event.instalments, key=lambda promised: (promised.promised_date, promised.number)):
        amount = max(0, min(part.amount_minor, rest))
        rest -= amount
        deadline = deadline_of(step, part.promised_date)
        parts.append(PromisedInstalment(part.number, part.promised_date, Minor(amount), deadline))
    return tuple(parts)


def _next_level(step: Step, document_key: str, *, whole_account: bool) -> int:
    """1 for the first promise or after a kept one, +1 after one that was not kept; void ones do not count (3.7).

    Nor does one of the other kind, of the whole account or naming, that runs on: it is not replaced (3.2). One that is
    pending cash is neither kept nor replaced: the level stays.
    """
    coverage = coverage_of(step, document_key)
    for promise_key, level in reversed(() if coverage is None else coverage.promises):
        former = step.state.get(PromiseState, promise_key)
        if former is None or former.status == VOID or (runs(former) and former.whole_account != whole_account):
            continue
        if former.status == PENDING_CASH and not any(part.status == OPEN for part in former.instalments):
            return level
        return 1 if former.status == KEPT else level + 1
    return 1


def _supersede(step: Step, covered: Covered, *, whole_account: bool) -> None:
    """A new promise for an invoice replaces the running one that covers it in the same way (3.2, 3.7)."""
    former_keys: dict[str, None] = {}
    for document_key, _ in covered:
        coverage = coverage_of(step, document_key)
        if coverage is not None:
            former_keys.update(dict.fromkeys(promise_key for promise_key, _ in coverage.promises))
    for former_key in former_keys:
        former = step.state.get(PromiseState, former_key)
        running = former is not None and former.ended in {None, VOID}
        if former is not None and running and former.whole_account == whole_account:
            former = msgspec.structs.replace(former, replaced=True)
            step.state.put(former_key, former)
            _end(step, former_key, former, SUPERSEDED)


def _end(step: Step, promise_key: str, promise: PromiseState, how: str) -> None:
    """End what is still running; what was kept, broken or is pending cash stays judged on its own."""
    running = [part for part in promise.instalments if part.status == OPEN]
    if not running:
        return
    parts = tuple(
        msgspec.structs.replace(part, status=how) if part in running else part for part in promise.instalments
    )
    evaluate(step, promise_key, msgspec.structs.replace(promise, instalments=parts))


def _remember(step: Step, promise_key: str, levels: list[tuple[str, int]]) -> None:
    for document_key, level in levels:
        coverage = coverage_of(step, document_key)
        made = (*(() if coverage is None else coverage.promises), (promise_key, level))
        step.state.put(coverage_key(document_key), Coverage(None, "", made))


def withdraw(step: Step, event: PromiseWithdrawn) -> Verdict:
    """Before the deadline it is out; afterwards, or once kept, nothing changes and nothing is rejected (3.8)."""
    promise_key = key("promise", step.company, event.promise_id)
    promise = step.state.get(PromiseState, promise_key)
    if promise is None or promise.account != event.account_id:
        return Rejected("unknown_document", f"account {event.account_id} has no promise {event.promise_id}")
    if promise.ended not in {None, VOID}:
        return DUPLICATE
    if any(part.status in {OPEN, VOID} for part in promise.instalments):
        promise = msgspec.structs.replace(promise, replaced=True)
        step.state.put(promise_key, promise)
    _end(step, promise_key, promise, WITHDRAWN)
    return None
