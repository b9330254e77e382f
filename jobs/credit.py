"""Credit: exposure against the limit, cash that should be applied first, recommended holds (SEMANTICS 6.1, 6.2)."""

from typing import NamedTuple

import msgspec

from jobs import alerts
from jobs.collectible import UNAPPLIED, covered_by_cash
from jobs.entities import AccountState, Balance, PromiseState, account_key
from jobs.overview import Overview, balance_keys
from jobs.step import Step
from jobs.values import Minor

LIMIT_KIND = "credit_limit_exceeded"
CASH_FIRST_KIND = "apply_cash_first"
_CASH_FIRST = {
    True: "cover what is overdue; apply the cash before any notice",
    False: "no longer stand against what is overdue",
}


def follow(step: Step) -> None:
    """After the ledger, the promises and the aging: the accounts that were touched are looked at."""
    for account in sorted(step.accounts | step.moved):
        if account in step.accounts:
            watch_cash(step, account)
        state = _state_of(step, account)
        if state is not None and (state.credit_limit is not None or state.limit_exceeded):
            _watch_limit(step, account, state)
    step.moved.clear()


def watch_cash(step: Step, account: str) -> None:
    """Raise `apply_cash_first` at midnight, resolve it at any time."""
    for balance_key in balance_keys(step, account):
        balance = step.state.get(Balance, balance_key)
        if balance is not None:
            _watch_cash_first(step, account, balance_key, balance)


def _state_of(step: Step, account: str) -> AccountState | None:
    return step.state.get(AccountState, account_key("account", step.company, account))


def limit_currency(step: Step, state: AccountState) -> str:
    """The currency of the limit: the account's, else the company's base currency."""
    return state.currency or step.settings.base_currency


def exposure(step: Step, account: str, currency: str) -> Minor:
    """Open items less unapplied, on-account and open credits, in one currency."""
    balance = step.state.get(Balance, account_key("balance", step.company, account, currency))
    return Minor(0 if balance is None else sum(balance.totals.values()))


def _watch_limit(step: Step, account: str, state: AccountState) -> None:
    """Raised on crossing up, resolved on crossing down; at the limit is within it."""
    currency = limit_currency(step, state)
    exposed = exposure(step, account, currency)
    limit = state.credit_limit
    exceeded = limit is not None and exposed > limit
    if exceeded == state.limit_exceeded:
        return
    number = state.limit_number + 1 if exceeded else state.limit_number
    relation = "above" if exceeded else "within"
    bound = "no limit" if limit is None else f"the limit of {alerts.money(limit, currency)}"
    alerts.put_out(
        step,
        LIMIT_KIND,
        account,
        number,
        alerts.RAISED if exceeded else alerts.RESOLVED,
        f"account {account} owes {alerts.money(exposed, currency)}, {relation} {bound}",
        account=account,
        amount=exposed,
        currency=currency,
    )
    step.accounts.add(account)
    after = msgspec.structs.replace(state, limit_exceeded=exceeded, limit_number=number)
    step.state.put(account_key("account", step.company, account), after)


def _watch_cash_first(step: Step, account: str, balance_key: str, balance: Balance) -> None:
    """Unapplied cash that covers what would be dunned: apply it instead of asking for it (SEMANTICS 6.1)."""
    covered = _cash_covers(step, account, balance)
    if covered == balance.cash_first or (covered and not step.at_midnight):
        return  # cash that came today has until midnight to be applied before anybody is told
    currency = balance_key.rpartition("\x1f")[2]
    number = balance.cash_first_number + 1 if covered else balance.cash_first_number
    cash = Minor(-balance.totals.get(UNAPPLIED, 0))
    alerts.put_out(
        step,
        CASH_FIRST_KIND,
        account,
        number,
        alerts.RAISED if covered else alerts.RESOLVED,
        f"account {account}: {alerts.money(cash, currency)} unapplied {_CASH_FIRST[covered]}",
        account=account,
        amount=cash,
        currency=currency,
        identity=f"{account}/{currency}",
    )
    step.state.put(balance_key, msgspec.structs.replace(balance, cash_first=covered, cash_first_number=number))


def _cash_covers(step: Step, account: str, balance: Balance) -> bool:
    if not covered_by_cash(balance.totals, balance.withheld, step.settings.aging.overdue):
        return False
    state = _state_of(step, account)
    return state is None or not state.dunning_block


def hold_reasons(step: Step, account: str, seen: list[Overview]) -> list[str]:
    """Why a hold is recommended; empty where none is. A hold is placed by a person (SEMANTICS 6.2)."""
    settings = step.settings
    state = _state_of(step, account)
    reasons = []
    if state is not None and state.credit_limit is not None:
        currency = limit_currency(step, state)
        if exposure(step, account, currency) > state.credit_limit:
            reasons.append("exposure_above_limit")
    if settings.hold_max_days is not None:
        oldest = max((overview.oldest_days_past_due for overview in seen), default=0)
        if oldest > settings.hold_max_days:
            reasons.append("oldest_item_too_late")
    percent = settings.hold_past_due_percent
    if percent is not None and any(
        overview.open_invoices > 0 and overview.past_due * 100 > percent * overview.open_invoices for overview in seen
    ):
        reasons.append("past_due_share_too_high")
    if settings.hold_broken_promises is not None and broken_promises(step, account) >= settings.hold_broken_promises:
        reasons.append("promises_broken")
    return reasons


def broken_promises(step: Step, account: str) -> int:
    """How many promises of the account stand broken."""
    promises = step.state.listed(account_key("promises", step.company, account))
    found = (step.state.get(PromiseState, promise_key) for promise_key in promises)
    return sum(1 for promise in found if promise is not None and promise.status == "broken")


class Standing(NamedTuple):
    """An account for a credit decision; `exposure` in minor units of `currency`."""

    currency: str
    exposure: Minor
    on_hold: bool
    hold_reasons: tuple[str, ...]
    level: int | None


def standing(step: Step, account: str, currency: str | None, seen: list[Overview], level: int | None) -> Standing:
    """The account's standing, in the currency of its limit unless another is named."""
    state = _state_of(step, account) or AccountState(None, "")
    of = currency or limit_currency(step, state)
    reasons = tuple(hold_reasons(step, account, seen))
    return Standing(of, exposure(step, account, of), state.on_hold, reasons, level)
