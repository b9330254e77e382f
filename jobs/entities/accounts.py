"""Accounts and their live totals."""

import msgspec

from jobs.values import Day, Minor


class AccountState(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Master data of an account, and how many applications it has parked so far.

    `changes` are what was changed from which day on, by day, of the days for which closed items are kept.
    """

    wake: Day | None
    listed_under: str
    name: str | None = None
    credit_limit: Minor | None = None
    currency: str | None = None
    risk_class: str | None = None
    segment: str | None = None
    collector_id: str | None = None
    dunning_block: bool = False
    on_hold: bool = False
    hold_reason: str | None = None
    arrivals: int = 0
    limit_exceeded: bool = False
    limit_number: int = 0
    changes: tuple[tuple[Day, dict[str, str | int | bool | None]], ...] = ()


class Balance(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Live totals of an account in one currency: column (bucket, unapplied, on_account, credit) → signed amount.

    `disputed` and `withheld` stand beside them: what is disputed, and what is overdue but may not be dunned.
    """

    wake: Day | None
    listed_under: str
    totals: dict[str, Minor]
    disputed: Minor = Minor(0)
    cash_first: bool = False
    cash_first_number: int = 0
    advised: bytes = b""
    withheld: Minor = Minor(0)
