"""The settings of a company (legal entity): everything in the rules that companies may choose, with its default."""

import re
from datetime import date
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from functools import cached_property
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from jobs.buckets import Buckets
from jobs.calendar import Calendar
from jobs.money import exponent
from jobs.values import Day, Minor, day_of

CreditMode = Literal["separate", "own_date", "oldest_first"]
DayCount = Literal["calendar", "business"]

_NET_TERMS = re.compile(r"\s*NET\s*([0-9]{1,4})\s*", re.IGNORECASE)
_DAYS_MAX = 3_650  # what counts days is looked at day by day
_LEAST = {
    "promise_tolerance_days": 0,
    "pending_cash_days": 0,
    "unapplied_after_days": 0,
    "default_terms_days": 0,
    "hold_max_days": 0,
    "hold_past_due_percent": 0,
    "hold_broken_promises": 1,
    "review_within_days": 0,
    "resolve_within_days": 0,
    "dunning_min_gap_days": 0,
}
_AMOUNT_KEYS = ("unapplied_min_amount", "small_balance")


class CompanySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, dict=True):
    """One company's rules, in the keys of a scenario's `company` mapping and of `config/companies/*.toml`.

    Amounts are decimal strings in units of the currency; days are whole days.
    """

    code: str
    timezone: str = "UTC"
    base_currency: str = "USD"
    buckets: tuple[int, ...] = (30, 60, 90, 120)
    credit_mode: CreditMode = "separate"
    promise_tolerance_days: int = 0
    promise_tolerance_calendar: DayCount = "calendar"
    promise_threshold_percent: Decimal = Decimal(100)
    pending_cash_days: int = 5
    unapplied_after_days: int = 2
    unapplied_escalate_days: tuple[int, ...] = (5, 10)
    unapplied_calendar: DayCount = "business"
    unapplied_min_amount: dict[str, str] | str = {}
    default_terms_days: int | None = None
    reminder_days_before: tuple[int, ...] = ()
    hold_max_days: int | None = None
    hold_past_due_percent: Decimal | None = None
    hold_broken_promises: int | None = None
    review_within_days: int = 1
    resolve_within_days: int = 5
    small_balance: dict[str, str] | str = {}
    holidays: tuple[date, ...] = ()
    dunning_levels: tuple[int, ...] = (1, 15, 30)
    dunning_min_gap_days: int = 7
    closed_item_days: int = 400

    def __post_init__(self) -> None:
        """Refuse what no rule can be computed with; the message names the key and what is allowed."""
        if not self.code or any(character in self.code for character in "|\x1f"):
            raise ValueError("code must be a non-empty legal entity code without '|'")
        try:
            ZoneInfo(self.timezone)
        except (KeyError, OSError, ValueError) as error:
            raise ValueError(f"timezone {self.timezone!r} is not an IANA time zone, e.g. Europe/Paris") from error
        if exponent(self.base_currency) is None:
            raise ValueError(f"base_currency {self.base_currency!r} is not an ISO 4217 code")
        ascending = ("buckets", "unapplied_escalate_days", "dunning_levels")
        for key in ascending:
            values = getattr(self, key)
            if list(values) != sorted(set(values)) or any(not 1 <= value <= _DAYS_MAX for value in values):
                raise ValueError(f"{key} must be ascending whole days of 1 to {_DAYS_MAX}, got {list(values)}")
        for key, least in _LEAST.items():
            value = getattr(self, key)
            if value is not None and not least <= value <= _DAYS_MAX:
                what = "or more days" if key.endswith("_days") else "or more"
                raise ValueError(f"{key} must be {least} {what}, at most {_DAYS_MAX}, got {value}")
        if any(not 1 <= days <= _DAYS_MAX for days in self.reminder_days_before):
            raise ValueError(f"reminder_days_before must be whole days of 1 to {_DAYS_MAX}")
        if not 0 < self.promise_threshold_percent <= 100:
            raise ValueError("promise_threshold_percent must be above 0 and at most 100")
        if not 400 <= self.closed_item_days <= _DAYS_MAX:
            raise ValueError(
                f"closed_item_days must be at least 400, at most {_DAYS_MAX}: "
                "a reversal can come 13 months later (SEMANTICS 1.8)"
            )
        for key in _AMOUNT_KEYS:
            _check_amounts(key, getattr(self, key))

    @cached_property
    def calendar(self) -> Calendar:
        """The company's local days and business days."""
        return Calendar(self.timezone, frozenset(day_of(holiday) for holiday in self.holidays))

    @cached_property
    def aging(self) -> Buckets:
        """The company's aging buckets."""
        return Buckets(self.buckets)

    @cached_property
    def reminder_offsets(self) -> tuple[int, ...]:
        """Days from the due date on which reminders begin to be due, ascending, and 0, when they end; () for none."""
        return (*sorted({-days for days in self.reminder_days_before}), 0) if self.reminder_days_before else ()

    @cached_property
    def _amounts(self) -> dict[tuple[str, str], Minor]:
        return {}

    def amount(self, key: Literal["unapplied_min_amount", "small_balance"], currency: str) -> Minor:
        """A limit of the company in minor units of `currency`; 0 where none is configured."""
        known = self._amounts.get((key, currency))
        if known is None:
            configured: dict[str, str] | str = getattr(self, key)
            text = configured if isinstance(configured, str) else configured.get(currency, "0")
            known = self._amounts[key, currency] = Minor(int(Decimal(text).scaleb(exponent(currency) or 0)))
        return known

    def due_date(self, document_date: Day, due_date: Day | None, payment_terms: str | None) -> Day:
        """The due date of a document: given, by terms `NETn`, by the company's default, else its own date (2.11)."""
        if due_date is not None:
            return due_date
        terms = _NET_TERMS.fullmatch(payment_terms or "")
        if terms is not None:
            return Day(document_date + int(terms[1]))
        return Day(document_date + (self.default_terms_days or 0))


def _check_amounts(key: str, configured: dict[str, str] | str) -> None:
    by_currency = {"": configured} if isinstance(configured, str) else configured
    for currency, text in by_currency.items():
        if currency and exponent(currency) is None:
            raise ValueError(f"{key}: {currency!r} is not an ISO 4217 code")
        try:
            value = Decimal(text)
        except InvalidOperation as error:
            raise ValueError(f"{key}: {text!r} is not a decimal amount") from error
        if not value.is_finite() or value < 0:
            raise ValueError(f"{key}: {text!r} must be 0 or more")


def _written(amounts: object) -> object:
    """Amounts as text, where a file has them as numbers."""
    if isinstance(amounts, dict):
        return {currency: str(amount) for currency, amount in amounts.items()}
    return str(amounts)


def settings_from(mapping: dict[str, object]) -> CompanySettings:
    """Validate a company mapping (TOML, YAML or JSON). Raises ValueError that names the key and what is allowed."""
    written = {key: _written(value) if key in _AMOUNT_KEYS else value for key, value in mapping.items()}
    for key in mapping:
        if key not in CompanySettings.__struct_fields__:
            near = get_close_matches(str(key), CompanySettings.__struct_fields__, n=1)
            raise ValueError(f"there is no key {key!r}" + (f"; did you mean {near[0]}?" if near else ""))
    try:
        return msgspec.convert(written, CompanySettings, strict=False)
    except msgspec.ValidationError as error:
        what, _, place = str(error).replace("`", "").partition(" - at $.")
        what = what[:1].lower() + what[1:]
        raise ValueError(f"{place}: {what}" if place else what) from error
