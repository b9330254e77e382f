"""Advice for an account: notices due, its worklist row, a recommended hold (SEMANTICS 6).

Computed anew at the local midnight after the account was touched, and at the midnights at which time alone changes
it; published as one set where it differs from the last. The rows of an account's latest date are its advice, and
`nothing_due` says that there is none. Whoever acts on them asks again first. Where the clock passes several midnights
at once, only the last one counts: advice is for now.
"""

from hashlib import blake2b

import msgspec

from jobs import credit, dunning, worklist
from jobs.effects import Action
from jobs.entities import AccountState, Balance, account_key
from jobs.overview import Overview, balance_keys, overviews, past_due_of
from jobs.step import Step
from jobs.values import Day, Minor

NOTICE_DUE = "notice_due"
WORKLIST = "worklist"
HOLD_RECOMMENDED = "hold_recommended"
NOTHING_DUE = "nothing_due"

_ENCODER = msgspec.msgpack.Encoder()


def schedule(step: Step) -> None:
    """Accounts whose advice may have changed are looked at on the next midnight, those of a midnight on that midnight.

    Without anything overdue, soon to be reminded of, above a limit, or advised before, there is nothing to look at.
    """
    if step.today is not None:
        day = max(step.today, step.last_day) if step.at_midnight else Day(step.today + 1)
        for account in sorted(step.accounts):
            keys = balance_keys(step, account)
            first = step.state.get(Balance, keys[0]) if keys else None
            if first is not None and first.wake != day and _deserves_a_look(step, account, keys):
                step.state.put(keys[0], msgspec.structs.replace(first, wake=day))
    step.accounts.clear()


def _deserves_a_look(step: Step, account: str, keys: list[str]) -> bool:
    early = bool(step.settings.reminder_days_before or step.settings.hold_broken_promises)
    for balance_key in keys:
        balance = step.state.get(Balance, balance_key)
        if balance is None:
            continue
        if balance.advised or past_due_of(step, balance) > 0:
            return True
        if early and any(amount > 0 for amount in balance.totals.values()):
            return True
    state = step.state.get(AccountState, account_key("account", step.company, account))
    return state is not None and state.limit_exceeded


def woken(step: Step, balance_key: str) -> None:
    """Publish the account's advice; its first balance speaks for all its currencies."""
    account = balance_key.split("\x1f")[2]
    speaker = _take_over(step, account)
    balance = step.state.get(Balance, speaker)
    if balance is None or step.today is None:
        return
    credit.watch_cash(step, account)  # an alert has its own midnight, also where advice has none
    balance = step.state.get(Balance, speaker) or balance
    if step.today < step.last_day:
        step.state.put(speaker, msgspec.structs.replace(balance, wake=step.last_day))
        return
    seen = overviews(step, account)
    advised = _publish(step, account, seen, balance.advised)
    wake = _next_change(step, seen)
    step.state.put(speaker, msgspec.structs.replace(balance, wake=wake, advised=advised))


def _take_over(step: Step, account: str) -> str:
    """The balance that speaks for the account; where a new currency came first, it takes over what was said."""
    speaker, *others = balance_keys(step, account)
    for other_key in others:
        other = step.state.get(Balance, other_key)
        if other is not None and (other.advised or other.wake is not None):
            step.state.put(other_key, msgspec.structs.replace(other, wake=None, advised=b""))
            balance = step.state.get(Balance, speaker)
            if balance is not None and not balance.advised:
                step.state.put(speaker, msgspec.structs.replace(balance, advised=other.advised))
    return speaker


def _next_change(step: Step, seen: list[Overview]) -> Day | None:
    """The next day on which time alone changes the advice. A change of bucket touches the account by itself."""
    today = step.today
    if today is None:
        return None
    hold_max_days = step.settings.hold_max_days
    soonest: Day | None = None
    for overview in seen:
        for invoice in overview.invoices:
            day = dunning.next_change(step, invoice, today)
            if day is not None and (soonest is None or day < soonest):
                soonest = day
            if hold_max_days is not None:
                day = Day(today - invoice.days_past_due + hold_max_days + 1)
                if day > today and (soonest is None or day < soonest):
                    soonest = day
    return soonest


def _publish(step: Step, account: str, seen: list[Overview], before: bytes) -> bytes:
    actions = _actions(step, account, seen)
    content = [
        (action.kind, action.level, action.invoice_ids, action.amounts, action.score, action.rules)
        for action in actions
    ]
    advised = blake2b(_ENCODER.encode(content), digest_size=8).digest() if actions else b""
    if advised == before:
        return before
    step.effects.extend(actions or [_action(step, account, NOTHING_DUE, {})])
    return advised


def _actions(step: Step, account: str, seen: list[Overview]) -> list[Action]:
    actions = [
        _action(step, account, NOTICE_DUE, notice.amounts, level=notice.level, invoice_ids=notice.invoice_ids)
        for notice in dunning.notices_due(step, account, seen)
    ]
    row = worklist.row(step, account, seen)
    if row is not None:
        rules = tuple(f"{rule}={points}" for rule, points in sorted(row.rules.items()))
        actions.append(_action(step, account, WORKLIST, row.amounts, score=row.score, rules=rules))
    reasons = credit.hold_reasons(step, account, seen)
    if reasons:
        actions.append(_action(step, account, HOLD_RECOMMENDED, {}, rules=tuple(reasons)))
    return actions


def _action(
    step: Step,
    account: str,
    kind: str,
    amounts: dict[str, Minor],
    *,
    level: int | None = None,
    invoice_ids: tuple[str, ...] = (),
    score: int | None = None,
    rules: tuple[str, ...] = (),
) -> Action:
    return Action(
        company=step.company,
        account_id=account,
        kind=kind,
        local_date=step.today if step.today is not None else Day(0),
        level=level,
        invoice_ids=invoice_ids,
        amounts={currency: int(amount) for currency, amount in sorted(amounts.items())},
        score=score,
        rules=rules,
        recorded_at=step.recorded_at,
        event_id=step.event_id,
    )
