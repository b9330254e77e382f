"""`arrears forecast`: what it reads is what was known, what it writes adds up."""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from jobs.money import decimal_of
from jobs.values import day_of, instant_of
from pipeline.cli.forecasting import end_of_day
from pipeline.local import ClickHouseServer
from sinks.forecasts import invoice_histories, open_promises
from tests.pipeline.cli.calls import Done, arrears, assert_one_line
from tests.sinks.copies import Source
from tests.sinks.views.sample import Sample

pytestmark = pytest.mark.clickhouse

DATABASE = "forecasts"
AS_OF = date(2026, 4, 20)
Run = Callable[..., Done]


@pytest.fixture(scope="module")
def client(sample_tables: Source) -> Iterator[Client]:
    with sample_tables.copied(DATABASE) as address, address.client() as client:
        yield client


@pytest.fixture
def run(client: Client, clickhouse: ClickHouseServer, tmp_path: Path) -> Run:
    where = {"ARREARS_CLICKHOUSE__URL": clickhouse.url, "ARREARS_CLICKHOUSE__DATABASE": DATABASE}
    return lambda *words: arrears("forecast", *words, folder=tmp_path, **where)


def rows(client: Client, sql: str) -> list[dict[str, Any]]:
    return list(client.query(sql).named_results())


@pytest.mark.parametrize("company", ["FR01", "JP01"])
def test_histories_are_what_was_known(client: Client, sample: Sample, company: str) -> None:
    known = instant_of(end_of_day(AS_OF))
    entries = [
        entry
        for entry in sample.world.entries
        if entry.company == company
        and entry.balance_class == "invoice"
        and entry.effective_date <= day_of(AS_OF)
        and entry.recorded_at <= known
    ]
    left: Counter[tuple[str, int]] = Counter()
    gone = {entry.cause_id for entry in entries if entry.entry_type in {"unapplication", "reversal", "cancellation"}}
    paid: Counter[tuple[str, int]] = Counter()
    for entry in entries:
        left[entry.item_id, entry.instalment] += entry.delta_minor
        is_cash = entry.entry_type == "application" and entry.value_date is not None and entry.delta_minor < 0
        if is_cash and entry.cause_id not in gone:
            paid[entry.item_id, entry.instalment] -= entry.delta_minor
    found = list(invoice_histories(client, company, AS_OF, end_of_day(AS_OF)))
    assert {(one.item_id, one.instalment): one.open_minor for one in found} == left
    assert {(one.item_id, one.instalment): sum(minor for _, minor in one.paid) for one in found if one.paid} == paid
    assert all(day <= AS_OF for one in found for day, _ in one.paid)
    assert len(paid) > 50


def test_a_forecast_says_for_every_open_invoice_when_it_is_paid(client: Client, run: Run) -> None:
    for _ in range(2):  # again replaces
        assert run("--as-of", str(AS_OF), "--weeks", "8").code == 0
    found = rows(client, f"SELECT * FROM invoice_forecasts WHERE as_of = '{AS_OF}'")
    known = end_of_day(AS_OF).strftime("%Y-%m-%d %H:%M:%S.%f")
    still_open = rows(
        client,
        "SELECT company, item_type, item_id, instalment, sum(open) AS open "
        f"FROM open_items_as_of(as_of = '{AS_OF}', known_as_of = '{known}') "
        "WHERE balance_class = 'invoice' GROUP BY ALL HAVING open > 0",
    )
    key = ("company", "item_type", "item_id", "instalment")
    assert {tuple(row[name] for name in key): row["open"] for row in found} == {
        tuple(row[name] for name in key): row["open"] for row in still_open
    }
    assert len(found) == len(still_open) > 100
    for row in found:
        assert row["chances"] == sorted(row["chances"])
        assert 0 <= row["chances"][0] <= row["chances"][-1] <= 1
        assert len(row["expected"]) == 8
        assert sum(row["expected"]) <= row["open"] + Decimal("0.05")
        assert row["expected_on"] > AS_OF
        assert (row["chance_late"] == 1) == (row["days_past_due"] >= 0)
        assert row["promised"] <= row["open"]


def test_the_weeks_are_the_sums_of_the_invoices(client: Client, run: Run) -> None:
    assert run("--as-of", str(AS_OF), "--weeks", "8").code == 0
    sums: dict[tuple[str, str], list[Decimal]] = defaultdict(lambda: [Decimal(0)] * 8)
    for row in rows(client, f"SELECT company, currency, expected FROM invoice_forecasts WHERE as_of = '{AS_OF}'"):
        week = sums[row["company"], row["currency"]]
        sums[row["company"], row["currency"]] = [a + b for a, b in zip(week, row["expected"], strict=True)]
    found = rows(client, f"SELECT * FROM cash_forecast(as_of = '{AS_OF}')")
    assert len(found) == 8 * len(sums)
    for row in found:
        assert row["expected"] == sums[row["company"], row["currency"]][row["week"] - 1]
        assert row["week_begins"] == AS_OF + timedelta(days=7 * row["week"] - 6)


def test_what_is_promised_counts_in_its_week(client: Client, run: Run, sample: Sample) -> None:
    company, day = next(
        (promise.company, date.fromordinal(promise.made_on + date(1970, 1, 1).toordinal()))
        for promise in sample.world.promises.values()
        if len(promise.invoice_ids) > 0 and promise.deadline - promise.made_on > 3
    )
    promises = open_promises(client, company, day, end_of_day(day))
    assert promises
    assert run("--company", company, "--as-of", str(day)).code == 0
    promised = rows(
        client, f"SELECT sum(promised) AS held FROM invoice_forecasts WHERE as_of = '{day}' AND company = '{company}'"
    )
    assert promised[0]["held"] > 0
    assert promised[0]["held"] <= sum(decimal_of(one.amount_minor, one.currency) for one in promises)


def test_a_backtest_uses_nothing_that_came_later(client: Client, run: Run) -> None:
    done = run("--company", "FR01", "--as-of", str(AS_OF), "--backtest", "2", "--json")
    assert done.code == 0, done
    said = json.loads(done.output)
    assert said["company"] == "FR01"
    assert set(said["errors"]["EUR"]) == {"expected", "by_due_date", "by_average"}
    tried = rows(
        client, "SELECT * FROM forecast_backtests WHERE company = 'FR01' AND currency = 'EUR' ORDER BY as_of, week"
    )
    assert [row["week"] for row in tried] == [1, 2, 3, 4, 1, 2, 3, 4]
    assert sum(row["actual"] for row in tried) > 0
    past = tried[0]["as_of"]
    assert past == AS_OF - timedelta(days=56)
    # The forecast that is made of that date alone says the same.
    assert run("--company", "FR01", "--as-of", str(past), "--weeks", "4").code == 0
    alone = rows(
        client,
        f"SELECT week, expected FROM cash_forecast(as_of = '{past}') WHERE company = 'FR01' AND currency = 'EUR'",
    )
    assert {row["week"]: row["expected"] for row in alone} == {row["week"]: row["expected"] for row in tried[:4]}


def test_what_is_not_there_is_said(run: Run) -> None:
    assert_one_line(run("--company", "XX99"), "XX99 has no postings", "FR01, JP01, US01")
    assert_one_line(run("--as-of", "soon"), "is not a date")
