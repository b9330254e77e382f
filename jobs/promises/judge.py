"""Judgement of a promise by its figures and the company's local date (SEMANTICS 3.3 to 3.6, 3.9, 3.10, 3.13)."""

import msgspec

from jobs import alerts
from jobs.effects import Promise, PromisedInstalmentState
from jobs.entities import PromisedInstalment, PromiseState
from jobs.promises.amounts import Due, dues, paid_in_window, paid_late, paid_late_days
from jobs.promises.coverage import open_documents_of, runs
from jobs.promises.guard import covered_by_cash
from jobs.promises.terms import threshold
from jobs.step import Step
from jobs.values import Day, Minor

OPEN = "open"
KEPT = "kept"
PARTIALLY_KEPT = "partially_kept"
BROKEN = "broken"
PENDING_CASH = "pending_cash"
VOID = "void"
SUPERSEDED = "superseded"
WITHDRAWN = "withdrawn"

_PENDING_KIND = "promise_pending_cash"


def evaluate(step: Step, promise_key: str, promise: PromiseState) -> PromiseState:
    """Bring every instalment to the status that its figures and the date give, and put out what changed."""
    ran = runs(step.state.get(PromiseState, promise_key))
    if promise.ended in {None, VOID}:
        for position, part in enumerate(promise.instalments):
            due = dues(promise, threshold(step))[position]
            after = _judge(step, promise, part, due)
            if after is not part:
                parts = (*promise.instalments[:position], after, *promise.instalments[position + 1 :])
                promise = msgspec.structs.replace(promise, instalments=parts)
                step.state.put(promise_key, promise)  # the guard of a later instalment sees what this one takes
        promise = msgspec.structs.replace(promise, ended=_ended(promise))
    promise = msgspec.structs.replace(promise, wake=_wake(step, promise))
    step.state.put(promise_key, promise)
    step.accounts.add(promise.account)
    if runs(promise) != ran:
        step.promised.update(open_documents_of(step, promise))
    _put_out(step, promise)
    return promise


def _ended(promise: PromiseState) -> str | None:
    """How the promise as a whole is over before judgement; what is broken or pending cash stays judged on its own."""
    statuses = {part.status for part in promise.instalments}
    if statuses == {VOID}:
        return VOID
    if statuses & {OPEN, PENDING_CASH, BROKEN, PARTIALLY_KEPT}:
        return None
    return next((how for how in (SUPERSEDED, WITHDRAWN) if how in statuses), None)


def _judge(step: Step, promise: PromiseState, part: PromisedInstalment, due: Due) -> PromisedInstalment:
    passed = step.today is not None and step.today > part.deadline
    match part.status:
        case "open":
            return _judge_open(step, promise, part, due, passed=passed)
        case "kept":
            return _judge_kept(step, promise, part, due, passed=passed)
        case "pending_cash":
            return _judge_pending(step, promise, part, due)
        case "broken" | "partially_kept":
            return _judge_unkept(step, promise, part, due)
        case "void":
            return _judge_void(step, promise, part, due, passed=passed)
        case _:
            return part


def _judge_open(
    step: Step, promise: PromiseState, part: PromisedInstalment, due: Due, *, passed: bool
) -> PromisedInstalment:
    if due.amount == 0 and due.paid == 0 and due.late == 0:
        return msgspec.structs.replace(part, status=VOID)  # SEMANTICS 3.10
    if due.satisfied:
        return _kept(part, due)
    if not passed:
        return part
    if _guarded(step, promise, part, due):
        return _pending(step, promise, part, due)
    return _breach(step, promise, part, due, supersedes=None)


def _judge_void(
    step: Step, promise: PromiseState, part: PromisedInstalment, due: Due, *, passed: bool
) -> PromisedInstalment:
    """Before the deadline it runs again when something is owed again: a credit cancelled, a recovery (3.10)."""
    if passed or promise.replaced or due.amount == 0:
        return part
    return _judge_open(step, promise, msgspec.structs.replace(part, status=OPEN), due, passed=False)


def _judge_kept(
    step: Step, promise: PromiseState, part: PromisedInstalment, due: Due, *, passed: bool
) -> PromisedInstalment:
    """A kept promise falls only when cash goes: what credits made of the amount since does not matter (3.6, 3.10)."""
    paid = due.paid
    if paid >= min(part.kept_amount, due.target):
        return part
    if not passed:
        # One active promise per invoice (3.7): where a newer one has taken its place, this one is not open again.
        return msgspec.structs.replace(part, status=SUPERSEDED if promise.replaced else OPEN, kept_amount=Minor(0))
    if _guarded(step, promise, part, due):
        return _pending(step, promise, part, due)
    return _breach(step, promise, part, due, supersedes=_kept_judgement(step, promise, part, part.evaluation))


def _kept_judgement(step: Step, promise: PromiseState, part: PromisedInstalment, number: int) -> str:
    """The id of the judgement `kept` of that number: the row that corrected a breach, else one that needed no row."""
    return alerts.alert_id(step, part.alert_kind or "promise_kept", _subject(promise, part), number)


def _judge_pending(step: Step, promise: PromiseState, part: PromisedInstalment, due: Due) -> PromisedInstalment:
    until = part.pending_until
    if due.amount == 0 and due.paid == 0 and due.late == 0:
        return msgspec.structs.replace(_pending_over(step, promise, part, due, "void"), status=VOID)
    if due.satisfied:
        return _kept(_pending_over(step, promise, part, due, "kept"), due)
    if step.today is None or until is None or step.today <= until:
        return part
    supersedes = _kept_judgement(step, promise, part, part.pending_number - 1) if part.kept_amount else None
    return _breach(step, promise, _pending_over(step, promise, part, due, "not kept"), due, supersedes)


def _judge_unkept(step: Step, promise: PromiseState, part: PromisedInstalment, due: Due) -> PromisedInstalment:
    """Only cash makes a breach kept: where credits lower the amount after it, there is nothing left to be paid."""
    subject = _subject(promise, part)
    if due.satisfied and due.paid > part.breach_paid:  # cash of the window that arrived late (3.6)
        former = alerts.alert_id(step, part.alert_kind, subject, part.alert_number)
        part = msgspec.structs.replace(part, evaluation=part.evaluation + 1)
        _alert(step, promise, part, part.alert_kind, part.evaluation, alerts.CORRECTED, Minor(0), former,
               f"promise {subject} was kept: cash of its window arrived late")  # fmt: skip
        return msgspec.structs.replace(_kept(part, due), alert_open=False)
    status = PARTIALLY_KEPT if due.paid > 0 else BROKEN
    if not due.amount:
        status = part.status  # its invoices were cancelled: what had been paid of them stays said
    if part.alert_open and due.late >= due.remainder:
        how = "was paid late" if due.late else "is no longer owed"
        _alert(step, promise, part, part.alert_kind, part.alert_number, alerts.RESOLVED, Minor(0), None,
               f"promise {subject} {how}")  # fmt: skip
        return msgspec.structs.replace(part, status=status, alert_open=False)
    if not part.alert_open and due.late < due.remainder:  # the late cash went back (3.6)
        former = alerts.alert_id(step, part.alert_kind, subject, part.alert_number)
        return _breach(step, promise, part, due, supersedes=former)
    return part if part.status == status else msgspec.structs.replace(part, status=status)


def _kept(part: PromisedInstalment, due: Due) -> PromisedInstalment:
    return msgspec.structs.replace(part, status=KEPT, kept_amount=due.target)


def _breach(
    step: Step, promise: PromiseState, part: PromisedInstalment, due: Due, supersedes: str | None
) -> PromisedInstalment:
    partly = due.paid > 0
    kind = "promise_partially_kept" if partly else "promise_broken"
    number = part.evaluation + 1
    subject = _subject(promise, part)
    message = (
        f"promise {subject} of account {promise.account}: {alerts.money(due.remainder, promise.currency)} of "
        f"{alerts.money(due.amount, promise.currency)} not paid by its deadline"
    )
    _alert(step, promise, part, kind, number, alerts.RAISED, due.remainder, supersedes, message)
    part = msgspec.structs.replace(
        part,
        status=PARTIALLY_KEPT if partly else BROKEN,
        evaluation=number,
        alert_kind=kind,
        alert_number=number,
        alert_open=True,
        breach_paid=due.paid,
    )
    return _judge_unkept(step, promise, part, due) if due.late >= due.remainder else part


def _guarded(step: Step, promise: PromiseState, part: PromisedInstalment, due: Due) -> bool:
    until = _pending_until(step, part)
    if step.today is None or step.today > until:
        return False
    return due.remainder > 0 and covered_by_cash(step, promise, part.number, due.remainder)


def _pending_until(step: Step, part: PromisedInstalment) -> Day:
    return step.settings.calendar.business_days_after(part.deadline, step.settings.pending_cash_days)


def _pending(step: Step, promise: PromiseState, part: PromisedInstalment, due: Due) -> PromisedInstalment:
    number = part.evaluation + 1
    message = (
        f"promise {_subject(promise, part)} of account {promise.account} is likely kept: "
        f"{alerts.money(due.remainder, promise.currency)} lie unapplied, apply the cash"
    )
    _alert(step, promise, part, _PENDING_KIND, number, alerts.RAISED, due.remainder, None, message)
    return msgspec.structs.replace(
        part, status=PENDING_CASH, evaluation=number, pending_number=number, pending_until=_pending_until(step, part)
    )


def _pending_over(
    step: Step, promise: PromiseState, part: PromisedInstalment, due: Due, how: str
) -> PromisedInstalment:
    message = f"promise {_subject(promise, part)} was judged: {how}"
    _alert(step, promise, part, _PENDING_KIND, part.pending_number, alerts.RESOLVED, due.remainder, None, message)
    return msgspec.structs.replace(part, pending_until=None)


def _alert(
    step: Step,
    promise: PromiseState,
    part: PromisedInstalment,
    kind: str,
    number: int,
    status: str,
    amount: Minor,
    supersedes: str | None,
    message: str,
) -> None:
    alerts.put_out(
        step,
        kind,
        _subject(promise, part),
        number,
        status,
        message,
        account=promise.account,
        amount=amount,
        currency=promise.currency,
        deadline=step.settings.calendar.midnight(Day(part.deadline + 1)),
        supersedes=supersedes,
    )


def _subject(promise: PromiseState, part: PromisedInstalment) -> str:
    return f"{promise.promise_id}/{part.number}" if promise.is_plan else promise.promise_id


def _wake(step: Step, promise: PromiseState) -> Day | None:
    """The day after the next deadline, or when the judged promise may be forgotten."""
    days = []
    if promise.ended is None:
        days += [Day(part.deadline + 1) for part in promise.instalments if part.status == OPEN]
        days += [Day(part.deadline + 1) for part in promise.instalments
                 if part.status == KEPT and step.today is not None and step.today <= part.deadline]  # fmt: skip
        days += [Day(part.pending_until + 1) for part in promise.instalments if part.pending_until is not None]
    if days or step.today is None:
        return min(days, default=None)
    return Day(max(step.today, promise.deadline) + step.settings.closed_item_days)


def runs_out(step: Step, promise: PromiseState) -> bool:
    """Whether it was judged long enough ago to be forgotten. New settings look at every promise, whatever its day."""
    if step.today is None or promise.wake is None or promise.wake > step.today:
        return False
    return promise.wake >= promise.deadline + step.settings.closed_item_days


def _put_out(step: Step, promise: PromiseState) -> None:
    figures = dues(promise, threshold(step))
    step.effects.append(
        Promise(
            company=step.company,
            account_id=promise.account,
            promise_id=promise.promise_id,
            currency=promise.currency,
            amount_minor=promise.amount,
            effective_amount_minor=Minor(sum(due.amount for due in figures)),
            made_on=promise.made_on,
            deadline=promise.deadline,
            status=promise.status,
            level=promise.level,
            paid_in_window_minor=paid_in_window(promise),
            paid_late_minor=paid_late(promise),
            paid_late_days=paid_late_days(promise),
            invoice_ids=promise.invoice_ids,
            instalments=tuple(
                PromisedInstalmentState(
                    part.number, part.promised_date, part.deadline, due.amount, due.paid, part.status
                )
                for part, due in zip(promise.instalments, figures, strict=True)
                if promise.is_plan
            ),
            recorded_at=step.recorded_at,
            event_id=step.event_id,
        )
    )
