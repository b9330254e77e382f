"""Accounts: master data valid from a day on, and holds placed by people (SEMANTICS 2.10, 6.2).

A change is valid from its local day until the next change of the same field, in whatever order changes are learned.
What is learned late changes the states of the days behind it, too, and those are put out again.
"""

import msgspec

from jobs.effects import Account
from jobs.entities import AccountState, key
from jobs.events import AccountChanged, AccountHoldPlaced, AccountHoldReleased, Event
from jobs.ledger.amounts import unknown_currency
from jobs.step import Step
from jobs.values import Day, Minor
from jobs.verdicts import Rejected, Verdict

Change = dict[str, str | int | bool | None]

_FIELDS = (
    "name",
    "parent_account_id",
    "credit_limit_minor",
    "currency",
    "risk_class",
    "segment",
    "collector_id",
    "dunning_block",
)


def change(step: Step, event: AccountChanged) -> Verdict:
    """New master data; a field that is not given stays as it is."""
    if event.currency is not None:
        refused = unknown_currency(event.currency)
        if refused is not None:
            return refused
    return _put(step, event, {name: getattr(event, name) for name in _FIELDS if getattr(event, name) is not None})


def place_hold(step: Step, event: AccountHoldPlaced) -> Verdict:
    """A person puts the account on hold."""
    return _put(step, event, {"on_hold": True, "hold_reason": event.reason})


def release_hold(step: Step, event: AccountHoldReleased) -> Verdict:
    """A person lifts the hold."""
    return _put(step, event, {"on_hold": False, "hold_reason": event.reason})


def _put(step: Step, event: Event, given: Change) -> Verdict:
    if event.account_id is None:
        return Rejected("unknown_document", "the event names no account_id")
    account_key = key("account", step.company, event.account_id)
    account = step.state.get(AccountState, account_key) or AccountState(None, "")
    day = step.settings.calendar.day(event.occurred_at)
    before = account.changes
    position = sum(1 for since, _ in before if since <= day)
    after = (*before[:position], (day, given), *before[position:])
    current = _on(after, after[-1][0])
    limit = current.get("credit_limit_minor")
    account = msgspec.structs.replace(
        account,
        **{name: value for name, value in current.items() if name not in {"credit_limit_minor", "parent_account_id"}},
        credit_limit=None if limit is None else Minor(int(limit)),
        changes=_kept(after, Day(after[-1][0] - step.settings.closed_item_days)),
    )
    step.state.put(account_key, account)
    step.accounts.add(event.account_id)
    _put_out(step, event.account_id, day, _on(after, day))
    for later in sorted({since for since, _ in before if since > day}):
        if _on(after, later) != _on(before, later):
            _put_out(step, event.account_id, later, _on(after, later))
    return None


def _on(changes: tuple[tuple[Day, Change], ...], day: Day) -> Change:
    """What is valid on a day."""
    valid: Change = {}
    for since, given in changes:
        if since <= day:
            valid |= given
    return valid


def _kept(changes: tuple[tuple[Day, Change], ...], first: Day) -> tuple[tuple[Day, Change], ...]:
    """The changes with those before `first` as one."""
    old = [since for since, _ in changes if since < first]
    if len(old) < 2:
        return changes
    return ((old[-1], _on(changes, old[-1])), *changes[len(old) :])


def _put_out(step: Step, account: str, day: Day, valid: Change) -> None:
    columns = {name: valid.get(name) for name in (*_FIELDS, "hold_reason")}
    columns |= {name: bool(valid.get(name)) for name in ("dunning_block", "on_hold")}
    step.effects.append(
        msgspec.convert(
            {
                **columns,
                "company": step.company,
                "account_id": account,
                "effective_date": day,
                "recorded_at": step.recorded_at,
                "event_id": step.event_id,
            },
            Account,
        )
    )
