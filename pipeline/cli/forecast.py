"""`arrears forecast`: when open invoices will be paid, learned from each account's own history."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Annotated

import typer
from clickhouse_connect.driver.client import Client
from rich.console import Console
from rich.table import Table

from pipeline.cli import load_settings
from pipeline.cli.clickhouse import clickhouse_client
from pipeline.cli.dates import date_of_text
from pipeline.cli.forecasting import backtest, end_of_day, forecast, learn
from pipeline.cli.repeating import Every, rounds
from pipeline.errors import Problem
from sinks.forecasts import BacktestRow, ForecastRow, write_backtest, write_forecast

WEEKS = 13

app = typer.Typer()


@app.command(name="forecast")
def command(
    context: typer.Context,
    company: Annotated[
        str | None, typer.Option("--company", metavar="CODE", help="One company; by default all of them.")
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", metavar="DATE", help="Date of the forecast; by default the last with a posting."),
    ] = None,
    weeks: Annotated[int, typer.Option("--weeks", metavar="N", min=1, max=52, help="Weeks to look ahead.")] = WEEKS,
    backtests: Annotated[
        int,
        typer.Option(
            "--backtest", metavar="N", min=0, help="Also try N earlier dates, four weeks apart, on what came."
        ),
    ] = 0,
    every: Every = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a company, for programs.")] = False,
) -> None:
    """Learn from what was known at a date, and write what is expected: invoice by invoice, and by week.

    Run it once a night, or with --every 86400: it learns anew each time. The views are invoice_forecasts, cash_forecast
    and forecast_backtests. Nothing that came to be known after the date is used, also where the date is a past one.
    """
    asked = date_of_text(as_of, "--as-of")
    settings = load_settings(context)
    for _ in rounds(every):
        now = datetime.now(UTC)
        with clickhouse_client(settings) as client:
            for code, newest in _companies(client, company).items():
                day = asked or newest
                learned = learn(client, code, day, end_of_day(day))
                rows = list(forecast(learned, weeks))
                write_forecast(client, rows, now)
                tried: list[BacktestRow] = []
                for number in range(1, backtests + 1):
                    tried += backtest(client, code, day - timedelta(days=28 * number), min(weeks, 4), day)
                write_backtest(client, tried, now)
                _tell(code, day, rows, tried, round(learned.kept, 4), as_json=as_json)


def _tell(
    code: str, day: date, rows: Sequence[ForecastRow], tried: list[BacktestRow], kept_rate: float, *, as_json: bool
) -> None:
    if as_json:
        said = {"company": code, "as_of": day.isoformat(), "invoices": len(rows), "kept_rate": kept_rate}
        typer.echo(json.dumps(said | {"errors": _errors(tried)}))
    else:
        _show(code, day, rows, tried)


def _companies(client: Client, company: str | None) -> dict[str, date]:
    """Companies with postings, and the day of the latest."""
    found = client.query(
        "SELECT toString(company), max(toDate32(recorded_at)) FROM ledger_entries_log GROUP BY company ORDER BY company"
    ).result_rows
    newest = {str(code): day for code, day in found}
    if company is None:
        return newest
    if company not in newest:
        raise Problem(f"{company} has no postings", f"Known are {', '.join(newest) or 'none yet'}")
    return {company: newest[company]}


def _errors(tried: list[BacktestRow]) -> dict[str, dict[str, float]]:
    """Sum of the weekly misses over what came, by currency and method."""
    found: dict[str, dict[str, float]] = {}
    for currency in sorted({row.currency for row in tried}):
        rows = [row for row in tried if row.currency == currency]
        came = sum(row.actual for row in rows)
        if came:
            found[currency] = {
                name: round(float(sum(abs(getattr(row, name) - row.actual) for row in rows) / came), 4)
                for name in ("expected", "by_due_date", "by_average")
            }
    return found


def _show(company: str, day: date, rows: Sequence[ForecastRow], tried: list[BacktestRow]) -> None:
    console = Console(highlight=False)
    console.print(f"{company} as of {day}: {len(rows):,} open invoices; `arrears query cash_forecast as_of={day}`")
    if not tried:
        return
    table = Table(box=None, header_style="bold", title="missed by week, share of what came", title_justify="left")
    for heading in ("currency", "model", "due date", "average delay"):
        table.add_column(heading, justify="left" if heading == "currency" else "right")
    for currency, errors in _errors(tried).items():
        table.add_row(currency, *(f"{errors[name]:.1%}" for name in ("expected", "by_due_date", "by_average")))
    console.print(table)
