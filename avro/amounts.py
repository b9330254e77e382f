"""Amounts as people write them, to integers and back; never through a binary fraction (SEMANTICS 1.6)."""

import re
from decimal import Decimal
from functools import cache

from iso4217 import Currency

LARGEST = 2**63 - 1
SCALE_MAX = 18
"""Decimals beyond which an integer of 64 bits has no whole digit left; nothing is written or read with more."""

_SMALLEST = -(2**63)
_DECIMALS_MAX = 4  # no currency of ISO 4217 has more
_NUMBER = re.compile(r"([+-]?)([0-9]+)(?:\.([0-9]+))?")
_DIGITS_MAX = 64  # far beyond 64 bits: nobody writes it by mistake, and nothing is computed with it


class InvalidNumber(Exception):  # noqa: N818  a verdict on what somebody wrote
    """A number that cannot be taken exactly as it is written; the message says why."""


@cache
def _exponents() -> dict[str, int | None]:
    return {currency.code: currency.exponent for currency in Currency}


def check_currency(code: str) -> str:
    """The code itself when ISO 4217 knows it; raises InvalidNumber."""
    if code not in _exponents():
        hint = f"; write {code.upper()}" if code.upper() in _exponents() else ""
        raise InvalidNumber(f"{code!r} is not a currency of ISO 4217{hint}")
    return code


def exponent(code: str) -> int:
    """Decimals of a currency's minor unit: JPY 0, USD 2, KWD 3, CLF 4. Raises InvalidNumber where there is none."""
    decimals = _exponents()[check_currency(code)]
    if decimals is None:
        raise InvalidNumber(f"{code} has no minor unit, so amounts cannot be kept in it")
    return decimals


def to_minor(written: object, currency: str) -> int:
    """An amount in minor units of its currency. Trailing zeros are fine; decimals that would be lost are not.

    Raises InvalidNumber, also for an unknown currency and for what 64 bits cannot hold.
    """
    decimals = exponent(currency)
    digits, scale = to_scaled(written)
    if scale > decimals:
        kept = f"{currency} has {decimals} decimals" if decimals else f"{currency} has no decimals"
        raise InvalidNumber(f"{written} has too many decimals: {kept}")
    return _fits(digits * 10 ** (decimals - scale), written)


def to_scaled(written: object) -> tuple[int, int]:
    """An amount as an integer and the number of decimals it has, trailing zeros cut: "10.50" → (105, 1).

    For amounts whose currency is not known yet. Raises InvalidNumber.
    """
    sign, whole, fraction = _parts(written)
    if len(fraction) > _DECIMALS_MAX:
        raise InvalidNumber(f"{written} has too many decimals: no currency has more than {_DECIMALS_MAX}")
    return _fits(int(sign + whole + fraction), written), len(fraction)


def from_scaled(amount: int, scale: int) -> str:
    """The decimal text of an integer with `scale` decimals, 0 to SCALE_MAX: (100001, 4) → "10.0001"."""
    if not 0 <= scale <= SCALE_MAX:
        raise InvalidNumber(f"{scale} is no number of decimals that an amount can have")
    if scale == 0:
        return str(amount)
    digits = str(abs(amount)).rjust(scale + 1, "0")
    return f"{'-' if amount < 0 else ''}{digits[:-scale]}.{digits[-scale:]}"


def from_minor(amount: int, currency: str) -> str:
    """The decimal text of minor units, with all decimals of the currency. Raises as `exponent` does."""
    return from_scaled(amount, exponent(currency))


def positive_decimal(written: object, digits_max: int = 18) -> str:
    """A rate in its shortest plain form: "1.0850" → "1.085". Raises InvalidNumber when it is not greater than 0."""
    sign, whole, fraction = _parts(written)
    whole = whole.lstrip("0") or "0"
    if sign == "-" or (whole == "0" and not fraction):
        raise InvalidNumber(f"{written} is not greater than 0")
    if max(len(whole), len(fraction)) > digits_max:
        raise InvalidNumber(f"{written} has more than {digits_max} digits before or after the point")
    return f"{whole}.{fraction}" if fraction else whole


def _parts(written: object) -> tuple[str, str, str]:
    """Sign, whole digits and decimals without trailing zeros, of a text, an integer or an exactly written number."""
    if isinstance(written, bool) or not isinstance(written, str | int | float | Decimal):
        raise InvalidNumber(f'{written!r} is not an amount; write it as text, like "12.50"')
    # The shortest text that a float came from is what its author wrote: 12.5 is exact, 1e+16 and nan are refused below.
    text = written if isinstance(written, str) else _text(written)
    match = _NUMBER.fullmatch(text) if len(text) <= _DIGITS_MAX else None
    if match is None:
        shown = text if len(text) <= _DIGITS_MAX else text[:_DIGITS_MAX] + "…"
        raise InvalidNumber(
            f"{shown!r} is not a plain decimal number; write digits with a point before the decimals, like 1000.00"
        )
    sign, whole, fraction = match.groups(default="")
    return sign, whole, fraction.rstrip("0")


def _text(number: float | Decimal) -> str:
    if isinstance(number, int):
        # Python refuses to print integers of thousands of digits; these are refused here, in our words.
        return str(number) if abs(number) <= 10**_DIGITS_MAX else "an integer far too large"
    return repr(number) if isinstance(number, float) else str(number)


def _fits(amount: int, written: object) -> int:
    if not _SMALLEST <= amount <= LARGEST:
        raise InvalidNumber(f"{written} is too large: an amount must fit in 64 bits of minor units")
    return amount
