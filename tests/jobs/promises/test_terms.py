"""Deadlines and threshold by the company's settings (SEMANTICS 3.1)."""

from decimal import Decimal
from typing import Literal

import pytest

from jobs.company import CompanySettings, settings_from
from jobs.promises.terms import deadline_of, threshold
from jobs.state import State
from jobs.step import Step
from jobs.values import Instant
from tests.jobs.books import day, iso


def step(**rules: object) -> Step:
    settings: CompanySettings = settings_from({"code": "FR01", "holidays": ["2026-04-06"], **rules})
    return Step(State(), settings, "e1", Instant(0), None, [])


@pytest.mark.parametrize(
    ("calendar", "days", "promised", "expected"),
    [
        ("calendar", 0, "2026-04-04", "2026-04-04"),  # a Saturday stays one
        ("business", 0, "2026-04-04", "2026-04-04"),
        ("calendar", 3, "2026-04-03", "2026-04-06"),
        ("business", 1, "2026-04-03", "2026-04-07"),  # Friday, weekend, Easter Monday
        ("business", 1, "2026-04-05", "2026-04-07"),
        ("business", 5, "2026-04-06", "2026-04-13"),
    ],
)
def test_deadlines(calendar: Literal["calendar", "business"], days: int, promised: str, expected: str) -> None:
    rules = step(promise_tolerance_days=days, promise_tolerance_calendar=calendar)
    assert iso(deadline_of(rules, day(promised))) == expected


@pytest.mark.parametrize("percent", ["100", "90", "66.67", "0.5"])
def test_the_threshold_is_exact(percent: str) -> None:
    numerator, denominator = threshold(step(promise_threshold_percent=percent))
    assert Decimal(numerator) / Decimal(denominator) == Decimal(percent)
