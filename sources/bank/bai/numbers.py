"""Amounts, counts and dates as BAI files write them."""

import re
from datetime import date
from decimal import Decimal

from avro.amounts import exponent
from sources.bank.format import FileRefusedError

_AMOUNT = re.compile(r"[+-]?[0-9]{0,18}(?:\.[0-9]{1,4})?")
_CENTURY_PIVOT = 80  # the format is of the eighties: 80 to 99 are of the last century


def amount_in(text: str) -> Decimal | None:
    """The number in an amount field, in minor units where it has no point; 0 where it is empty, None for no number."""
    if _AMOUNT.fullmatch(text) is None:
        return None
    return Decimal(text) if text.strip("+-") else Decimal(0)


def money(text: str, currency: str) -> Decimal | None:
    """The amount of an entry: decimals are implied by the currency (JPY none, USD two) unless a point is written.

    Raises ``avro.amounts.InvalidNumber`` for a currency that ISO 4217 does not know.
    """
    number = amount_in(text)
    if number is None:
        return None
    return number if "." in text else number.scaleb(-exponent(currency))


def total_of(text: str, what: str, line: int) -> Decimal | None:
    """A control total or an amount that goes into one; None where the field is empty. Raises ``FileRefusedError``."""
    if not text.strip():
        return None
    number = amount_in(text.strip())
    if number is None:
        raise FileRefusedError("malformed_file", f"the {what} is {text[:40]!r}, which is no amount", line)
    return number


def count_of(text: str, what: str, line: int) -> int | None:
    """A control count; None where the field is empty. Raises ``FileRefusedError``."""
    if not text.strip():
        return None
    if not text.strip().isdecimal() or len(text) > 18:
        raise FileRefusedError("malformed_file", f"the {what} is {text[:40]!r}, which is no number", line)
    return int(text)


def day(text: str) -> date | None:
    """A date written YYMMDD or YYYYMMDD; None for anything else."""
    if not text.isdecimal() or not text.isascii() or len(text) not in (6, 8):
        return None
    year = int(text[:-4])
    if len(text) == 6:
        year += 1900 if year >= _CENTURY_PIVOT else 2000
    try:
        return date(year, int(text[-4:-2]), int(text[-2:]))
    except ValueError:
        return None
