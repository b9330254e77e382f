"""Promises to pay (SEMANTICS 3)."""

import msgspec

from jobs.events.envelope import Event
from jobs.values import Day


class PromisedPart(msgspec.Struct, frozen=True, gc=False):
    """An instalment of a promise."""

    number: int
    promised_date: Day
    amount_minor: int


class PromiseMade(Event, frozen=True, kw_only=True):
    """The customer says that it will pay. No invoice ids = what is open of the account in the currency."""

    promise_id: str
    invoice_ids: tuple[str, ...]
    amount_minor: int
    currency: str
    promised_date: Day
    instalments: tuple[PromisedPart, ...] | None


class PromiseWithdrawn(Event, frozen=True, kw_only=True):
    """The promise is off (SEMANTICS 3.8)."""

    promise_id: str
    reason: str | None
