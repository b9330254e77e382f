"""Amounts of events that leave the currency to the document they name."""

from typing import Protocol

from jobs.money import exponent, rescale
from jobs.values import Minor
from jobs.verdicts import Rejected


class ScaledAmount(Protocol):
    """An event with an amount of its own scale and, at most, a currency to check."""

    @property
    def amount_minor(self) -> int: ...
    @property
    def amount_scale(self) -> int: ...
    @property
    def currency(self) -> str | None: ...


def amount_in(event: ScaledAmount, currency: str) -> Minor | Rejected:
    """The event's amount in minor units of the document's currency (SEMANTICS 1.6)."""
    if event.currency is not None and event.currency != currency:
        return Rejected("currency_mismatch", f"the amount is in {event.currency}, the document in {currency}")
    amount = rescale(event.amount_minor, event.amount_scale, currency)
    if amount is None:
        return Rejected("invalid_amount", f"{currency} has {exponent(currency)} decimals, the amount has more")
    return amount


def unknown_currency(currency: str) -> Rejected | None:
    """A rejection where the code is not one of ISO 4217."""
    if exponent(currency) is None:
        return Rejected("invalid_amount", f"{currency!r} is not a currency of ISO 4217, so its decimals are unknown")
    return None
