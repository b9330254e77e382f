"""The statement line (:61:): dates, mark, amount, transaction type, references.

``6!n[4!n]2a[1!a]15d1!a3!c16x[//16x]`` and on its next line ``[34x]``. Banks write references longer than that, blanks
for the entry date they have not, and dates that only a bank's calendar has (30 February, of interest days).
"""

import calendar
import re
from datetime import date
from decimal import Decimal
from typing import Literal

import msgspec

from sources.bank.plain_text import iban_in, said

Mark = Literal["C", "D", "RC", "RD", "EC", "ED"]
_LINE = re.compile(
    r"(?P<value>[0-9]{6})(?P<entry>[0-9]{4}| {4})?(?P<mark>RC|RD|EC|ED|C|D)(?P<funds>[A-Z])?\s*"
    r"(?P<amount>[0-9]{1,15}(?:,[0-9]{0,4})?) *(?P<type>[A-Z][A-Z0-9 ]{3})?(?P<rest>.*)",
    re.DOTALL,
)
_CENTURY_PIVOT = 80  # 80 to 99 are of the last century
# Words in the place of a reference that say where it is instead.
_KEYWORDS = frozenset(("EREF", "EREF+", "KREF", "KREF+", "PREF", "MREF", "N", "NON"))


class StatementLine(msgspec.Struct, frozen=True):
    """A statement line. `signed` is what it does to the balance; `dates` is None where they are no dates.

    `transaction_type` is the letter (N, F, S) with the code of three characters, `account` a counterparty's IBAN where
    the bank has it in the place of a reference.
    """

    mark: Mark
    amount: Decimal
    dates: tuple[date, date] | None
    transaction_type: str
    customer_reference: str | None
    bank_reference: str | None
    account: str | None
    details: str | None

    @property
    def signed(self) -> Decimal:
        """The amount as the balance has it: RC takes a credit back, RD a debit."""
        return self.amount if self.mark in ("C", "RD", "EC") else -self.amount


def statement_line(lines: list[str]) -> StatementLine | None:
    """The line in a field's content; None where it cannot be read, so that nothing is known of its amount."""
    found = _LINE.fullmatch("\n".join(lines))
    if found is None:
        return None
    first, _, supplementary = found["rest"].partition("\n")
    customer, _, bank = first.partition("//")
    reference, details = said(customer), said(supplementary.replace("\n", " "))
    account = iban_in(reference or "") or iban_in(details or "")
    if reference is not None and (reference.upper() in _KEYWORDS or iban_in(reference) is not None):
        reference = None
    return StatementLine(
        found["mark"],  # type: ignore[arg-type]  # the pattern has no others
        decimal_of(found["amount"]),
        _dates(found["value"], found["entry"]),
        (found["type"] or "").strip(),
        reference,
        said(bank),
        account,
        details,
    )


def decimal_of(written: str) -> Decimal:
    """An amount with a decimal comma: ``12,5``, ``12,``."""
    return Decimal(written.replace(",", ".").rstrip("."))


def day_of(written: str) -> date | None:
    """A date written YYMMDD; None for no date. Days after the last of February are the last."""
    year, month, number = int(written[:2]), int(written[2:4]), int(written[4:])
    year += 1900 if year >= _CENTURY_PIVOT else 2000
    if month == 2 and number in (29, 30):
        number = min(number, calendar.monthrange(year, month)[1])
    try:
        return date(year, month, number)
    except ValueError:
        return None


def _dates(value: str, entry: str | None) -> tuple[date, date] | None:
    """Booking and value date. The entry date has no year: it is the one nearest to the value date."""
    value_date = day_of(value)
    if value_date is None:
        return None
    if entry is None or not entry.strip():
        return value_date, value_date
    years = range(value_date.year - 1, value_date.year + 2)
    near = [found for year in years if (found := day_of(f"{year % 100:02}{entry}")) is not None]
    if not near:
        return None
    return min(near, key=lambda found: abs(found - value_date)), value_date
