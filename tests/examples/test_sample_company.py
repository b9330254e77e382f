"""The sample company's nine months, folded in process, against the balances its generator computed on its own."""

import json
from collections import deque
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from jobs import EVENT_TYPES, CompanySettings, Fold
from jobs.as_of import Aging, age, open_lines
from jobs.effects import Alert, Carried, Effect, LedgerEntry, Rejection
from jobs.events import ClockTicked, CompanyConfigured, Event
from jobs.money import decimal_of
from jobs.values import Instant, day_of, instant_of
from pipeline.cli.demo_feed import end_of, midnights, read_samples
from pipeline.companies import read_companies, written_form

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def companies() -> list[CompanySettings]:
    """The companies of the demo."""
    return list(read_companies(ROOT / "config" / "companies").values())


@pytest.fixture(scope="module")
def effects(companies: list[CompanySettings]) -> list[Effect]:
    """Everything the fold puts out for the sample files, with the clock driven through their months."""
    fold = Fold()
    found: list[Effect] = []
    for event in _log(companies):
        waiting = deque([event])
        while waiting:
            made = fold.step(waiting.popleft()).effects
            waiting.extend(effect.event for effect in made if isinstance(effect, Carried))
            found += made
    return found


def _log(companies: list[CompanySettings]) -> Iterator[Event]:
    for company in companies:
        settings = {"version": "1", "settings": written_form(company).decode()}
        yield msgspec.convert({**_envelope(company.code, Instant(0)), **settings}, CompanyConfigured)
    samples = read_samples(ROOT / "examples", [company.code for company in companies])
    position = 0
    for instant in midnights(Instant(int(samples[0].record["recorded_at"])), end_of(samples, companies), companies):
        while position < len(samples) and samples[position].record["recorded_at"] <= instant:
            sample = samples[position]
            position += 1
            if sample.name in EVENT_TYPES:
                yield msgspec.convert(sample.record, EVENT_TYPES[sample.name])
        yield msgspec.convert({**_envelope("", instant), "at": instant}, ClockTicked)


def _envelope(company: str, at: Instant) -> dict[str, object]:
    return {
        "event_id": f"{company}/{at}",
        "company": company,
        "account_id": None,
        "occurred_at": at,
        "recorded_at": at,
        "region": "",
    }


def test_nothing_of_it_is_rejected(effects: list[Effect]) -> None:
    assert [effect for effect in effects if isinstance(effect, Rejection)] == []


@pytest.mark.parametrize("known", ["restated", "as_reported"])
def test_every_month_end_is_what_the_generator_computed(
    effects: list[Effect], companies: list[CompanySettings], known: str
) -> None:
    entries = [effect for effect in effects if isinstance(effect, LedgerEntry)]
    expected = json.loads((ROOT / "examples" / "expected.json").read_text(encoding="utf-8"))[known]
    settings = {company.code: company for company in companies}
    assert len(expected) > 40
    for row in expected:
        report = _report(entries, settings[row["company"]], row)
        columns = {**report.buckets, "unapplied": report.unapplied, "on_account": report.on_account,
                   "credits": report.credits, "total": report.total}  # fmt: skip
        for name, amount in columns.items():
            if name in row:
                assert decimal_of(amount, row["currency"]) == Decimal(row[name]), (
                    known,
                    row["company"],
                    row["as_of"],
                    name,
                )
        assert report.reconciliation_gap == 0


def _report(entries: list[LedgerEntry], company: CompanySettings, row: dict[str, Any]) -> Aging:
    as_of = day_of(date.fromisoformat(row["as_of"]))
    lines = open_lines(entries, as_of, instant_of(datetime.fromisoformat(row["known_as_of"])))
    own = {
        line: amount
        for line, amount in lines.items()
        if (line.company, line.currency) == (row["company"], row["currency"])
    }
    return age(own, as_of, company.aging)


def test_no_alert_is_raised_twice(effects: list[Effect]) -> None:
    raised = [effect.alert_id for effect in effects if isinstance(effect, Alert) and effect.status == "raised"]
    assert len(raised) == len(set(raised))
    assert len(raised) > 100
