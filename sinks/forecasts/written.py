"""Forecasts and backtests into their tables; a date that is written again replaces itself."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from clickhouse_connect.driver.client import Client


class ForecastRow(NamedTuple):
    """A row of invoice_forecasts, in the order of its columns but for computed_at."""

    company: str
    as_of: date
    known_as_of: datetime
    account_id: str
    currency: str
    item_type: str
    item_id: str
    instalment: int
    due_date: date
    open: Decimal
    days_past_due: int
    expected_on: date
    chance_late: float
    chances: list[float]
    expected: list[Decimal]
    promised: Decimal
    learned_from: int


class BacktestRow(NamedTuple):
    """A row of forecast_backtests, in the order of its columns but for computed_at."""

    company: str
    as_of: date
    currency: str
    week: int
    week_begins: date
    expected: Decimal
    by_due_date: Decimal
    by_average: Decimal
    actual: Decimal


def write_forecast(client: Client, rows: Sequence[ForecastRow], computed_at: datetime) -> None:
    """All rows of a company and date at once; the views show the latest writing only."""
    _write(client, "invoice_forecasts_versions", ForecastRow._fields, rows, computed_at)


def write_backtest(client: Client, rows: Sequence[BacktestRow], computed_at: datetime) -> None:
    """Rows of a backtest."""
    _write(client, "forecast_backtests_versions", BacktestRow._fields, rows, computed_at)


def _write(
    client: Client, table: str, names: Sequence[str], rows: Sequence[tuple[object, ...]], computed_at: datetime
) -> None:
    if rows:
        client.insert(table, [(*row, computed_at) for row in rows], column_names=[*names, "computed_at"])
