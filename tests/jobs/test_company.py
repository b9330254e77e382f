"""The settings of a company: defaults, validation with one clear message, derived values (SCENARIOS §2)."""

from decimal import Decimal

import pytest

from jobs.company import CompanySettings, settings_from
from tests.jobs.books import day, iso, minor


def test_a_code_is_enough_and_the_rest_has_the_defaults_of_the_contract() -> None:
    settings = settings_from({"code": "FR01"})
    assert (settings.timezone, settings.base_currency, settings.credit_mode) == ("UTC", "USD", "separate")
    assert settings.buckets == (30, 60, 90, 120)
    assert (settings.promise_tolerance_days, settings.promise_tolerance_calendar) == (0, "calendar")
    assert (settings.promise_threshold_percent, settings.pending_cash_days) == (Decimal(100), 5)
    assert (settings.unapplied_after_days, settings.unapplied_escalate_days) == (2, (5, 10))
    assert (settings.unapplied_calendar, settings.unapplied_min_amount) == ("business", {})
    assert (settings.default_terms_days, settings.reminder_days_before) == (None, ())
    assert (settings.hold_max_days, settings.hold_past_due_percent, settings.hold_broken_promises) == (None, None, None)
    assert (settings.review_within_days, settings.resolve_within_days) == (1, 5)
    assert (settings.small_balance, settings.holidays) == ({}, ())
    assert (settings.dunning_levels, settings.dunning_min_gap_days) == ((1, 15, 30), 7)
    assert settings.closed_item_days == 400


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({}, "code"),
        ({"code": ""}, "code must be a non-empty legal entity code without '|'"),
        ({"code": "A|B"}, "code must be a non-empty legal entity code without '|'"),
        ({"code": "A", "timezone": "Paris"}, "timezone 'Paris' is not an IANA time zone, e.g. Europe/Paris"),
        ({"code": "A", "timezone": ""}, "timezone '' is not an IANA time zone, e.g. Europe/Paris"),
        ({"code": "A", "timezone": "../etc/passwd"}, "timezone '../etc/passwd' is not an IANA time zone"),
        ({"code": "A", "base_currency": "EURO"}, "base_currency 'EURO' is not an ISO 4217 code"),
        ({"code": "A", "buckets": [60, 30]}, "buckets must be ascending whole days of 1 to 3650, got [60, 30]"),
        ({"code": "A", "buckets": [30, 30]}, "buckets must be ascending whole days of 1 to 3650, got [30, 30]"),
        ({"code": "A", "buckets": [0, 30]}, "buckets must be ascending whole days of 1 to 3650, got [0, 30]"),
        ({"code": "A", "unapplied_escalate_days": [5, 5]}, "unapplied_escalate_days must be ascending"),
        ({"code": "A", "dunning_levels": [15, 1]}, "dunning_levels must be ascending whole days"),
        (
            {"code": "A", "promise_tolerance_days": -1},
            "promise_tolerance_days must be 0 or more days, at most 3650, got -1",
        ),
        ({"code": "A", "pending_cash_days": -1}, "pending_cash_days must be 0 or more days, at most 3650, got -1"),
        (
            {"code": "A", "unapplied_after_days": -2},
            "unapplied_after_days must be 0 or more days, at most 3650, got -2",
        ),
        ({"code": "A", "review_within_days": -1}, "review_within_days must be 0 or more days, at most 3650, got -1"),
        ({"code": "A", "resolve_within_days": -1}, "resolve_within_days must be 0 or more days, at most 3650, got -1"),
        (
            {"code": "A", "dunning_min_gap_days": -7},
            "dunning_min_gap_days must be 0 or more days, at most 3650, got -7",
        ),
        ({"code": "A", "promise_threshold_percent": 0}, "promise_threshold_percent must be above 0 and at most 100"),
        ({"code": "A", "promise_threshold_percent": 101}, "promise_threshold_percent must be above 0 and at most 100"),
        ({"code": "A", "closed_item_days": 399}, "closed_item_days must be at least 400"),
        ({"code": "A", "small_balance": {"EURO": "1"}}, "small_balance: 'EURO' is not an ISO 4217 code"),
        ({"code": "A", "small_balance": {"EUR": "a bit"}}, "small_balance: 'a bit' is not a decimal amount"),
        ({"code": "A", "small_balance": {"EUR": "-1"}}, "small_balance: '-1' must be 0 or more"),
        ({"code": "A", "small_balance": {"EUR": "NaN"}}, "small_balance: 'NaN' must be 0 or more"),
        ({"code": "A", "unapplied_min_amount": "many"}, "unapplied_min_amount: 'many' is not a decimal amount"),
        ({"code": "A", "unapplied_min_amount": {"eur": 5}}, "unapplied_min_amount: 'eur' is not an ISO 4217 code"),
        ({"code": "A", "hold_max_days": -1}, "hold_max_days must be 0 or more days, at most 3650, got -1"),
        ({"code": "A", "hold_past_due_percent": "-0.5"}, "hold_past_due_percent must be 0 or more"),
        ({"code": "A", "hold_broken_promises": 0}, "hold_broken_promises must be 1 or more"),
        ({"code": "A", "bucket": [30]}, "there is no key 'bucket'; did you mean buckets?"),
        ({"code": "A", "colour": "red"}, "there is no key 'colour'"),
        ({"code": "A", "pending_cash_days": "soon"}, "pending_cash_days: expected int, got str"),
        ({"timezone": "UTC"}, "object missing required field code"),
        ({"code": "A", "credit_mode": "netted"}, "credit_mode: invalid enum value 'netted'"),
        ({"code": "A", "promise_tolerance_calendar": "lunar"}, "promise_tolerance_calendar"),
        ({"code": "A", "buckets": "thirty"}, "buckets"),
        ({"code": "A", "holidays": ["25 December"]}, "holidays"),
        ({"code": "A", "default_terms_days": -1}, "default_terms_days"),
        ({"code": "A", "default_terms_days": 100_000}, "default_terms_days"),
        ({"code": "A", "closed_item_days": 10_000_000}, "closed_item_days"),
        ({"code": "A", "reminder_days_before": [-3]}, "reminder_days_before"),
        ({"code": "A", "buckets": [30, 1_000_000]}, "buckets must be ascending whole days of 1 to 3650"),
        ({"code": "A", "unapplied_after_days": 1_000_000_000}, "unapplied_after_days must be 0 or more days, at most"),
    ],
)
def test_a_wrong_setting_is_refused_with_its_key_and_what_is_allowed(mapping: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=r".+") as refused:
        settings_from(mapping)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_numbers_in_a_file_are_amounts_too() -> None:
    settings = settings_from({"code": "A", "small_balance": {"EUR": 0.5, "JPY": 50}, "unapplied_min_amount": 10})
    assert settings.amount("small_balance", "EUR") == minor("0.50")
    assert settings.amount("small_balance", "JPY") == 50
    assert settings.amount("small_balance", "USD") == 0
    assert settings.amount("unapplied_min_amount", "KWD") == 10_000


@pytest.mark.parametrize(
    ("given", "terms", "default", "expected"),
    [
        ("2026-05-10", "NET30", 14, "2026-05-10"),
        (None, "NET30", 14, "2026-03-31"),
        (None, " net 30 ", None, "2026-03-31"),
        (None, "NET0", 14, "2026-03-01"),
        (None, "2% 10", 14, "2026-03-15"),
        (None, None, 14, "2026-03-15"),
        (None, "2% 10", None, "2026-03-01"),
        (None, None, None, "2026-03-01"),
    ],
)
def test_the_due_date_is_given_or_by_terms_or_by_default_or_the_document_date(
    given: str | None, terms: str | None, default: int | None, expected: str
) -> None:
    """SEMANTICS 2.11."""
    settings = CompanySettings(code="A", default_terms_days=default)
    assert iso(settings.due_date(day("2026-03-01"), None if given is None else day(given), terms)) == expected


def test_holidays_belong_to_the_calendar() -> None:
    settings = settings_from({"code": "A", "holidays": ["2026-05-01"]})
    assert not settings.calendar.is_business_day(day("2026-05-01"))


def test_settings_are_equal_by_value_whatever_was_computed_from_them() -> None:
    one, other = settings_from({"code": "A"}), settings_from({"code": "A"})
    assert one.aging.names
    assert one.calendar.is_business_day(day("2026-05-04"))
    assert one == other
    assert one != settings_from({"code": "A", "promise_threshold_percent": Decimal("99.5")})
