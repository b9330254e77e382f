"""Minor units: how many decimals a currency has, and amounts whose currency is only known by their document."""

from decimal import Decimal
from functools import cache

from iso4217 import Currency

from jobs.values import Minor


@cache
def exponent(currency: str) -> int | None:
    """Decimals of a currency by ISO 4217 (JPY 0, USD 2, KWD 3, CLF 4); None for a code that is not one of it."""
    try:
        return Currency(currency).exponent
    except ValueError:
        return None


def rescale(amount: int, scale: int, currency: str) -> Minor | None:
    """An amount of `scale` decimals in minor units of `currency`; None if decimals would be lost (SEMANTICS 1.6)."""
    decimals = exponent(currency)
    if decimals is None:
        return None
    if scale <= decimals:
        return Minor(amount * 10 ** (decimals - scale))
    whole, lost = divmod(amount, 10 ** (scale - decimals))
    return None if lost else Minor(whole)


def decimal_of(amount: int, currency: str) -> Decimal:
    """A minor amount as a decimal of its currency, for messages and reports; never for sums."""
    return Decimal(amount).scaleb(-(exponent(currency) or 0))
