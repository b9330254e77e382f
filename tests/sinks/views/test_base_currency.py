"""Base-currency values at the rate of the day; a rate that is missing is NULL and is named (SEMANTICS 1.6)."""

from decimal import ROUND_HALF_UP, Decimal

import pytest
from clickhouse_connect.driver.client import Client

from jobs.money import decimal_of, exponent
from jobs.values import date_of
from sinks.migrations.money import decimal
from tests.sinks.views.sample import Sample
from tests.sinks.views.test_statements import ask, days_of, knowledge

pytestmark = pytest.mark.clickhouse


def test_every_currency_has_its_own_decimals(client: Client) -> None:
    rows = client.query(f"SELECT currency, {decimal('toInt64(12345)')}, decimals FROM currencies").result_rows
    assert {decimals for _, _, decimals in rows} == {0, 2, 3, 4}
    for currency, amount, decimals in rows:
        assert amount == Decimal(12345).scaleb(-decimals), currency


@pytest.mark.parametrize("known", [None, 30])
@pytest.mark.parametrize("as_of", [1, 45, 110])
def test_every_balance_at_the_rate_of_the_day(client: Client, sample: Sample, as_of: int, known: int | None) -> None:
    day, _ = days_of(sample, as_of, as_of)
    text, instant = knowledge(sample, known)
    rows = ask(
        client,
        "SELECT * FROM aging_in_base_currency(as_of = {day:Date32}, known_as_of = {known:String})",
        day=date_of(day),
        known=text,
    )
    sums: dict[tuple[str, str, str], int] = {}
    for entry in sample.world.entries:
        if entry.effective_date <= day and entry.recorded_at <= instant:
            key = entry.company, entry.account_id, entry.currency
            sums[key] = sums.get(key, 0) + entry.delta_minor
    missing: set[tuple[str, str]] = set()
    foreign = 0
    for row in rows:
        company, currency = row["company"], row["currency"]
        base = sample.companies[company].base_currency
        rate = sample.world.rate(company, currency, base, day, instant)
        total = decimal_of(sums[company, row["account_id"], currency], currency)
        assert (row["total"], row["base_currency"]) == (total, base)
        if rate is None:
            assert (row["rate"], row["base_total"], row["base_overdue"]) == (None, None, None)
            missing |= {(company, currency)} if total else set()
            continue
        unit = Decimal(1).scaleb(-(exponent(base) or 0))
        assert row["base_total"] == (total * rate).quantize(unit, ROUND_HALF_UP)
        foreign += currency != base
    named = ask(
        client,
        "SELECT company, currency FROM missing_rates(as_of = {day:Date32}, known_as_of = {known:String})",
        day=date_of(day),
        known=text,
    )
    assert {(row["company"], row["currency"]) for row in named} == missing
    assert foreign > 0 or as_of == 1


def test_a_day_before_the_first_rate_has_none(client: Client, sample: Sample) -> None:
    day = date_of(days_of(sample, 60, 60)[0])
    before = "2025-12-01 00:00:00"
    assert (
        ask(client, "SELECT * FROM missing_rates(as_of = {day:Date32}, known_as_of = {at:String})", day=day, at=before)
        == []
    )
    rates = ask(
        client,
        "SELECT currency, base_currency, rate "
        "FROM rates_as_of(as_of = '2025-12-01', known_as_of = '2299-01-01 00:00:00')",
    )
    assert {row["rate"] is None for row in rates if row["currency"] != row["base_currency"]} == {True}
