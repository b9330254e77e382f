"""Accounts: master data valid from a day on, and holds placed by people (SEMANTICS 2.10, 6.2).

The parent is valid from the day of its change on, in whatever order changes are learned: a move that is learned late
counts until the next move known, and the states of the days between are put out again.
"""

import msgspec

from jobs.effects import Account
from jobs.entities import AccountState, key
from jobs.events import AccountChanged, AccountHoldPlaced, AccountHoldReleased, Event
from jobs.ledger.amounts import unknown_currency
from jobs.step import Step
from jobs.values import Day, Minor
from jobs.verdicts import Rejected, Verdict

_KEPT_WHERE_NONE = (
    "name",
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
    account_key, account = _account(step, event)
    if account is None:
        return _unnamed()
    given = {name: getattr(event, name) for name in _KEPT_WHERE_NONE if getattr(event, name) is not None}
    if event.credit_limit_minor is not None:
        given["credit_limit"] = Minor(event.credit_limit_minor)
    _put(step, event, account_key, msgspec.structs.replace(account, **given), event.parent_account_id)
    return None


def place_hold(step: Step, event: AccountHoldPlaced) -> Verdict:
    """A person puts the account on hold."""
    account_key, account = _account(step, event)
    if account is None:
        return _unnamed()
    _put(step, event, account_key, msgspec.structs.replace(account, on_hold=True, hold_reason=event.reason))
    return None


def release_hold(step: Step, event: AccountHoldReleased) -> Verdict:
    """A person lifts the hold."""
    account_key, account = _account(step, event)
    if account is None:
        return _unnamed()
    _put(step, event, account_key, msgspec.structs.replace(account, on_hold=False, hold_reason=event.reason))
    return None


def _account(step: Step, event: Event) -> tuple[str, AccountState | None]:
    account_key = key("account", step.company, event.account_id or "")
    if event.account_id is None:
        return account_key, None
    return account_key, step.state.get(AccountState, account_key) or AccountState(None, "")


def _unnamed() -> Rejected:
    return Rejected("unknown_document", "the event names no account_id")


def _put(step: Step, event: Event, account_key: str, account: AccountState, parent: str | None = None) -> None:
    day = step.settings.calendar.day(event.occurred_at)
    days = [day]
    if parent is not None:
        later = [since for since, _ in account.parents if since > day]
        moves = {**dict(account.parents), day: parent}
        account = msgspec.structs.replace(account, parents=tuple(sorted(moves.items())))
        days += [other for other in account.changed_on if day < other and not (later and min(later) <= other)]
    kept_from = day - step.settings.closed_item_days
    others = {other for other in (*account.changed_on, day) if other >= kept_from}
    account = msgspec.structs.replace(account, changed_on=tuple(sorted(others)))
    step.state.put(account_key, account)
    step.accounts.add(event.account_id or "")
    for valid_from in days:
        _put_out(step, event, account, valid_from)


def _put_out(step: Step, event: Event, account: AccountState, day: Day) -> None:
    step.effects.append(
        Account(
            company=step.company,
            account_id=event.account_id or "",
            name=account.name,
            parent_account_id=_parent_on(account, day),
            credit_limit_minor=account.credit_limit,
            currency=account.currency,
            risk_class=account.risk_class,
            segment=account.segment,
            collector_id=account.collector_id,
            dunning_block=account.dunning_block,
            on_hold=account.on_hold,
            hold_reason=account.hold_reason,
            effective_date=day,
            recorded_at=step.recorded_at,
            event_id=step.event_id,
        )
    )


def _parent_on(account: AccountState, day: Day) -> str | None:
    """The parent that is valid on a day, by what is known now."""
    return next((parent for since, parent in reversed(account.parents) if since <= day), None)
