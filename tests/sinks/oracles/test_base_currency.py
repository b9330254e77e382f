"""Balances in the base currency at the rate of the day; nothing where there is none (SEMANTICS 1.6)."""

from collections import Counter
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from clickhouse_connect.driver.client import Client

from jobs.money import decimal_of, exponent
from jobs.values import Day, Instant, date_of
from tests.property.oracle import Journal
from tests.sinks.oracles.asking import ask, keyed, money
from tests.sinks.oracles.test_as_of import accounts, report
from tests.sinks.oracles.told import Told, days_of

pytestmark = pytest.mark.clickhouse

Asked = tuple[Journal, Instant | None, list[Day]]


@pytest.fixture(params=[1, 4, None])
def asked(told: Told, request: pytest.FixtureRequest) -> Asked:
    """Books as known at a moment, the moment, and days."""
    known = None if request.param is None else told.moments[request.param]
    journal = told.journal(known)
    return journal, known, days_of(journal, 4)


def rate_of(told: Told, company: str, currency: str, as_of: Day, known: Instant | None) -> tuple[Fraction, Day] | None:
    """Units of the base for one of the currency, and since when: the latest, its own before that of others."""
    base = told.settings[company].base_currency
    found: list[tuple[tuple[bool, Day, int], Fraction]] = []
    for position, rate in enumerate(told.rates):
        if rate.rate_date > as_of or (known is not None and rate.recorded_at > known):
            continue
        pair = rate.base_currency, rate.quote_currency
        if pair in {(currency, base), (base, currency)}:
            value = Fraction(rate.rate) if pair[0] == currency else 1 / Fraction(rate.rate)
            found.append(((rate.company == company, rate.rate_date, position), value))
    if not found:
        return None
    (_, since, _), value = max(found)
    return value, since


def in_base(minor: int, currency: str, rate: Fraction, base: str) -> Decimal:
    """Rounded half up to the decimals of the base currency."""
    value = Fraction(decimal_of(minor, currency)) * rate * 10 ** (exponent(base) or 0)
    whole = (Decimal(value.numerator) / Decimal(value.denominator)).quantize(Decimal(1), ROUND_HALF_UP)
    return money(int(whole), base)


def test_balances_and_the_rates_that_are_missing(client: Client, told: Told, asked: Asked) -> None:
    journal, known, days = asked
    met: Counter[str] = Counter()
    for as_of in days:
        rows = ask(client, "aging_in_base_currency", as_of=as_of, known_as_of=known)
        expected = accounts(journal, as_of)
        found = keyed(rows, "company", "account_id", "currency")
        assert found.keys() == expected.keys()
        missing: Counter[tuple[str, str]] = Counter()
        for (company, account, currency), row in found.items():
            settings = told.settings[company]
            columns = report(expected[company, account, currency], as_of, settings.buckets)
            assert row["base_currency"] == settings.base_currency
            assert (row["total"], row["overdue"]) == tuple(money(columns[it], currency) for it in ("total", "overdue"))
            known_rate = rate_of(told, company, currency, as_of, known)
            if currency == settings.base_currency:
                assert (row["rate"], row["base_total"], row["base_overdue"]) == (1, row["total"], row["overdue"])
            elif known_rate is None:
                assert (row["rate"], row["rate_date"], row["base_total"], row["base_overdue"]) == (None,) * 4
                missing[company, currency] += columns["total"] != 0
                met["missing"] += 1
            else:
                rate, since = known_rate
                assert row["rate_date"] == date_of(since)
                assert abs(Fraction(row["rate"]) - rate) < Fraction(1, 10**29)
                assert row["base_total"] == in_base(columns["total"], currency, rate, settings.base_currency)
                assert row["base_overdue"] == in_base(columns["overdue"], currency, rate, settings.base_currency)
                met["known"] += 1
        named = keyed(ask(client, "missing_rates", as_of=as_of, known_as_of=known), "company", "currency")
        assert {key: row["accounts"] for key, row in named.items()} == {key: n for key, n in missing.items() if n}
        for (company, currency), row in named.items():
            whole = sum(
                sum(lines.values()) for account, lines in expected.items() if account[::2] == (company, currency)
            )
            assert row["total"] == money(whole, currency)
            assert row["since"] == date_of(_first_posting(told.journal(), company, currency))
    assert min(met["known"], met["missing"]) > 0


def _first_posting(journal: Journal, company: str, currency: str) -> Day:
    papers = [
        paper.posting_date
        for paper in journal.papers.values()
        if (paper.company, paper.currency) == (company, currency)
    ]
    cash = [cash.value_date for cash in journal.cash.values() if (cash.company, cash.currency) == (company, currency)]
    return min(papers + cash)
