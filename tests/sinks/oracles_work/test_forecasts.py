"""Forecasts know nothing of what came later: a log that ends on their day gives the same ones (SEMANTICS 7)."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from jobs.money import decimal_of
from jobs.values import instant_of, moment_of
from pipeline.cli.forecasting import end_of_day
from pipeline.local import ClickHouseServer
from sinks.clickhouse import Address
from tests.pipeline.cli.calls import Done, arrears
from tests.sinks.oracles_work.asking import days_of
from tests.sinks.oracles_work.conftest import DATABASE
from tests.sinks.oracles_work.debts import Debts, date_at
from tests.sinks.oracles_work.desks import WorkDesk
from tests.sinks.oracles_work.judged import State, judged, known
from tests.sinks.oracles_work.playing import Played, play

pytestmark = pytest.mark.clickhouse

THEN = "oracles_work_then"
WEEKS = 4
_KEY = ("company", "account_id", "currency", "item_type", "item_id", "instalment")


@pytest.fixture(scope="module")
def as_of(played: Played) -> date:
    """A day in the middle of the log."""
    return moment_of(played.log[len(played.log) // 2].at).date()


@pytest.fixture(scope="module")
def then(desks: list[WorkDesk], as_of: date, clickhouse: ClickHouseServer) -> Iterator[Client]:
    """A database of the same companies in which nothing that came after the day was ever written."""
    address = Address(clickhouse.url, THEN)
    play(desks, until=instant_of(end_of_day(as_of))).books.write_to(address)
    with address.client() as client:
        yield client
        client.command(f"DROP DATABASE {THEN} SYNC")


def forecast(clickhouse: ClickHouseServer, database: str, folder: Path, *words: str) -> Done:
    where = {"ARREARS_CLICKHOUSE__URL": clickhouse.url, "ARREARS_CLICKHOUSE__DATABASE": database}
    done = arrears("forecast", *words, folder=folder, **where)
    assert done.code == 0, done
    return done


def rows(client: Client, sql: str) -> list[dict[str, Any]]:
    return list(client.query(sql).named_results())


def test_what_came_later_does_not_change_them(
    client: Client, then: Client, clickhouse: ClickHouseServer, as_of: date, played: Played, tmp_path: Path
) -> None:
    for database in (DATABASE, THEN):
        forecast(clickhouse, database, tmp_path, "--as-of", str(as_of), "--weeks", str(WEEKS))
    asked = f"SELECT * EXCEPT computed_at FROM invoice_forecasts WHERE as_of = '{as_of}' ORDER BY ALL"
    now, before = rows(client, asked), rows(then, asked)
    assert now == before
    weeks = f"SELECT * FROM cash_forecast(as_of = '{as_of}') ORDER BY ALL"
    assert rows(client, weeks) == rows(then, weeks)
    _compare_with_debts(now, played, as_of)
    _compare_weeks(rows(client, weeks), now, as_of)
    # A forecast of the past within a backtest is that of its time, too.
    later = as_of + timedelta(days=7 * WEEKS)
    forecast(clickhouse, DATABASE, tmp_path, "--as-of", str(later), "--backtest", "1")
    tried = rows(client, f"SELECT * FROM forecast_backtests WHERE as_of = '{as_of}'")
    told = {(row["company"], row["currency"], row["week"]): row["expected"] for row in rows(then, weeks)}
    assert {(row["company"], row["currency"], row["week"]): row["expected"] for row in tried} == told
    _compare_backtest(tried, played, as_of, later)


def _compare_with_debts(found: list[dict[str, Any]], played: Played, as_of: date) -> None:
    """What is open, due and promised is what the list of events says."""
    day, instant = days_of(as_of), instant_of(end_of_day(as_of))
    expected: dict[tuple[Any, ...], dict[str, Any]] = {}
    promised: dict[tuple[str, str], Decimal] = {}
    for code, desk in played.desks.items():
        debts = Debts(desk.settings).all(played.happened(code))
        lines = debts.open_lines(day, instant)
        asked: Counter[tuple[str, int]] = Counter()  # what was ever asked for, with its adjustments
        for move in debts.moves:
            if move.what in {"issued", "adjusted"} and move.day <= day and move.known <= instant:
                asked[move.line] += move.minor
        seen = Counter(
            debts.bills[invoice].account
            for (invoice, _), minor in asked.items()
            if minor > 0 and day - debts.bills[invoice].posted <= 730
        )
        owed: Counter[str] = Counter()
        due_of: dict[str, int] = {}
        for (invoice, number), (minor, due) in lines.items():
            bill = debts.bills[invoice]
            if minor > 0:
                owed[invoice] += minor
                due_of[invoice] = min(due, due_of.get(invoice, due))
                expected[code, bill.account, desk.currency, bill.kind, invoice, number] = {
                    "due_date": date_at(due),
                    "open": decimal_of(minor, desk.currency),
                    "days_past_due": day - due,
                    "learned_from": seen[bill.account],
                }
        held = _promised(judged(played, code), instant, owed, due_of)
        promised |= {(code, invoice): decimal_of(minor, desk.currency) for invoice, minor in held.items() if minor}
    rows_by_key = {tuple(row[name] for name in _KEY): row for row in found}
    assert rows_by_key.keys() == expected.keys()
    for key, values in expected.items():
        assert {name: rows_by_key[key][name] for name in values} == values, key
    sums: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for row in found:
        sums[row["company"], row["item_id"]] += row["promised"]
    assert {key: value for key, value in sums.items() if value} == promised
    assert promised


def _promised(
    promises: dict[str, list[State]], instant: int, owed: Counter[str], due_of: dict[str, int]
) -> Counter[str]:
    """What is promised of each invoice: by the promise that ends first, to what is due first."""
    standing = [(name, known(states, instant)) for name, states in promises.items()]
    held: Counter[str] = Counter()
    for _, state in sorted(
        ((state.deadline, state.account, name), state) for name, state in standing if state is not None
    ):
        if state.status not in {"open", "pending_cash"}:
            continue
        rest = (state.effective or 0) - (state.paid or 0)
        for invoice in sorted(set(state.invoices) & owed.keys(), key=lambda each: (due_of[each], each)):
            part = max(0, min(rest, owed[invoice] - held[invoice]))
            held[invoice] += part
            rest -= part
    return held


def _compare_weeks(found: list[dict[str, Any]], invoices: list[dict[str, Any]], as_of: date) -> None:
    sums: dict[tuple[str, str, int], Decimal] = defaultdict(Decimal)
    whole: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for row in invoices:
        whole[row["company"], row["currency"]] += row["open"]
        for number, cash in enumerate(row["expected"], start=1):
            sums[row["company"], row["currency"], number] += cash
    assert {(row["company"], row["currency"], row["week"]): row["expected"] for row in found} == sums
    for row in found:
        assert row["open"] == whole[row["company"], row["currency"]]
        assert row["week_begins"] == as_of + timedelta(days=7 * row["week"] - 6)


def _compare_backtest(found: list[dict[str, Any]], played: Played, as_of: date, later: date) -> None:
    """The baseline of due dates, and what came, by value date, for what was open."""
    day, last = days_of(as_of), days_of(later)
    due: Counter[tuple[str, int]] = Counter()
    came: Counter[tuple[str, int]] = Counter()
    for code, desk in played.desks.items():
        debts = Debts(desk.settings).all(played.happened(code))
        lines = debts.open_lines(day, instant_of(end_of_day(as_of)))
        for minor, due_day in lines.values():
            week = max(1, -(-(due_day - day) // 7))
            due[code, week] += minor
        for applied in debts.applied.values():
            value_date, gone = applied.value_date, applied.taken_back
            known_then = instant_of(end_of_day(later))
            if value_date is None or (gone is not None and gone[0] <= last and gone[1] <= known_then):
                continue
            for move in applied.moves:
                if move.line in lines and day < value_date and move.day <= last and move.known <= known_then:
                    came[code, -(-(value_date - day) // 7)] -= move.minor
    for row in found:
        key = row["company"], row["week"]
        assert row["by_due_date"] == decimal_of(due[key], row["currency"]), row
        assert row["actual"] == decimal_of(came[key], row["currency"]), row
    assert sum(row["actual"] for row in found) > 0
