"""Actions, every local midnight for every account with something overdue or soon due (SEMANTICS 6).

Published are the notices due, the worklist row and a recommended hold, from the current state. Whoever acts on them
asks again first. Where the clock passes several midnights at once, only the last one is published: advice is for now.
"""

import msgspec

from jobs import credit, dunning, worklist
from jobs.effects import Action
from jobs.entities import Balance
from jobs.overview import balance_keys, past_due_of
from jobs.step import Step
from jobs.values import Day, Minor

NOTICE_DUE = "notice_due"
WORKLIST = "worklist"
HOLD_RECOMMENDED = "hold_recommended"


def woken(step: Step, balance_key: str) -> None:
    """Publish the account's actions of the day; its first balance speaks for all its currencies."""
    balance = step.state.get(Balance, balance_key)
    if balance is None or step.today is None:
        return
    account = balance_key.split("\x1f")[2]
    step.accounts.add(account)  # so that it waits for the next midnight
    if step.today < step.last_day:
        return
    if balance_key == balance_keys(step, account)[0]:
        _publish(step, account)


def schedule(step: Step) -> None:
    """Accounts that were touched wait for the next midnight if something of them is overdue or soon due."""
    for account in sorted(step.accounts):
        for balance_key in balance_keys(step, account):
            balance = step.state.get(Balance, balance_key)
            if balance is not None and balance.wake != (wake := _next_day(step, balance)):
                step.state.put(balance_key, msgspec.structs.replace(balance, wake=wake))
    step.accounts.clear()


def _next_day(step: Step, balance: Balance) -> Day | None:
    if step.today is None:
        return None
    awaits_reminder = bool(step.settings.reminder_days_before) and any(amount > 0 for amount in balance.totals.values())
    if not awaits_reminder and past_due_of(step, balance) <= 0:
        return None
    return max(Day(step.today + 1), step.last_day)


def _publish(step: Step, account: str) -> None:
    for notice in dunning.notices_due(step, account):
        _put_out(step, account, NOTICE_DUE, notice.amounts, level=notice.level, invoice_ids=notice.invoice_ids)
    row = worklist.row(step, account)
    if row is not None:
        rules = tuple(f"{rule}={points}" for rule, points in sorted(row.rules.items()))
        _put_out(step, account, WORKLIST, row.amounts, score=row.score, rules=rules)
    reasons = credit.hold_reasons(step, account)
    if reasons:
        _put_out(step, account, HOLD_RECOMMENDED, {}, rules=tuple(reasons))


def _put_out(
    step: Step,
    account: str,
    kind: str,
    amounts: dict[str, Minor],
    *,
    level: int | None = None,
    invoice_ids: tuple[str, ...] = (),
    score: int | None = None,
    rules: tuple[str, ...] = (),
) -> None:
    step.effects.append(
        Action(
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
    )
