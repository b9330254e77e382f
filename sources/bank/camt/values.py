"""Amounts, dates and references as ISO 20022 writes them, and as banks do."""

import re
from datetime import UTC, date, datetime, time
from decimal import Decimal

from sources.xml import Element, child, text

_AMOUNT = re.compile(r"[0-9]{1,18}(\.[0-9]{0,17})?")
_COUNT = re.compile(r"[0-9]{1,15}")
_CURRENCY = re.compile(r"[A-Z]{3}")
_SEPARATORS = re.compile(r"[\s_./-]")
# What banks write where they have no reference; EndToEndId and servicer references alike.
_NO_REFERENCE = frozenset(
    {"", "NOTPROVIDED", "NOTPROVIDE", "NOTAVAILABLE", "NONREF", "NOREF", "NOREFERENCE", "NONE", "NULL", "UNKNOWN", "NA"}
)
_ISO_DATE_LENGTH = 10


class EntryFaultError(Exception):
    """What makes an entry unreadable: a reason code and a sentence."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(reason, message)
        self.reason = reason
        self.message = message


class Moment(tuple[date, datetime | None]):
    """A date, and the instant where the file gives one with its offset from UTC."""

    __slots__ = ()


def amount_of(element: Element) -> Decimal:
    """The decimal text of an amount. Raises ``EntryFaultError`` for signs, commas, exponents and words."""
    said = text(element) or ""
    if _AMOUNT.fullmatch(said) is None:
        raise EntryFaultError(
            "invalid_amount",
            f"the amount {said[:40]!r} is no decimal number of ISO 20022, such as 1234.50",
        )
    return Decimal(said)


def count_of(said: str | None) -> int | None:
    """A number of entries or transactions (at most 15 digits); None where it is none."""
    return int(said) if said is not None and _COUNT.fullmatch(said) is not None else None


def currency_of(element: Element, otherwise: str | None) -> str:
    """The currency of an amount. Raises ``EntryFaultError`` where neither it nor the account has one."""
    said = (element.get("Ccy") or otherwise or "").strip()
    if _CURRENCY.fullmatch(said) is None:
        raise EntryFaultError(
            "invalid_currency", f"{said[:10]!r} is no currency; the attribute Ccy names one, such as EUR"
        )
    return said


def moment_of(element: Element | None) -> Moment | None:
    """A date and time choice (`Dt` or `DtTm`), or the text itself. None where nothing is said.

    The date is the one that the bank wrote, in its own offset. A time without an offset is of no place, and midnight is
    a date in disguise: both are dates only. Raises ``EntryFaultError``.
    """
    if element is None:
        return None
    said = text(element, "DtTm") or text(element, "Dt") or text(element)
    return None if said is None else moment_from(said)


def moment_from(said: str) -> Moment:
    """A date or a date and time, as ``moment_of`` reads them. Raises ``EntryFaultError``."""
    try:
        day = date.fromisoformat(said[:_ISO_DATE_LENGTH])
    except ValueError as error:
        raise EntryFaultError("invalid_date", f"{said[:40]!r} is no date, such as 2026-03-31") from error
    return Moment((day, _instant(said)))


def _instant(said: str) -> datetime | None:
    if len(said) <= _ISO_DATE_LENGTH or said[_ISO_DATE_LENGTH] != "T":
        return None
    try:
        moment = datetime.fromisoformat(said)
    except ValueError:
        return None
    if moment.tzinfo is None or moment.time() == time():
        return None
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return None


def reference(said: str | None) -> str | None:
    """A reference; None for the words that say that there is none, and for nothing but zeros."""
    if said is None:
        return None
    plain = _SEPARATORS.sub("", said).upper()
    return None if plain in _NO_REFERENCE or not plain.strip("0") else said


def indicator(element: Element, *path: str) -> bool | None:
    """An indicator of XML Schema; None where it is not given."""
    said = text(element, *path)
    return None if said is None else said.lower() in {"true", "1"}


def is_credit(element: Element) -> bool | None:
    """The direction of an amount; None where it is not given. Raises ``EntryFaultError``."""
    said = text(child(element, "CdtDbtInd"))
    if said is None:
        return None
    if said not in {"CRDT", "DBIT"}:
        raise EntryFaultError("invalid_value", f"CdtDbtInd is {said[:10]!r}; it must be CRDT or DBIT")
    return said == "CRDT"
