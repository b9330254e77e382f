"""Every query of every dashboard, over the sample company's rows, with what Grafana and its plugin put in."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest
from clickhouse_connect.driver.client import Client

from jobs.money import decimal_of
from jobs.values import moment_of
from pipeline.cli.forecasting import backtest, end_of_day, forecast, learn
from sinks.dashboards import BOARDS, DATASOURCE, Board, Panel, dashboard
from sinks.dashboards.__main__ import FOLDER, file_of, text_of
from sinks.forecasts import write_backtest, write_forecast
from sinks.rollups import roll_up
from tests.sinks.views.sample import Sample

QUERIES = [(board, panel) for board in BOARDS for panel in board.panels]
# What the sample company has nothing of.
EMPTY = {"Missing rates", "Why events were refused"}
AMOUNTS = re.compile(
    r"\b(amount|open|owed|overdue|total|cash|unapplied|contested|balance|disputed|promised|expected)\b"
)


class Shown(NamedTuple):
    """What is chosen above a dashboard."""

    company: str
    currency: str
    begin: datetime
    end: datetime

    def filled(self, sql: str) -> str:
        """The SQL as the plugin sends it: Grafana's variables first, then the plugin's macros."""
        for name, value in (("company", self.company), ("currency", self.currency)):
            quoted = "'" + value.replace("'", "''") + "'"
            sql = sql.replace(f"${{{name}:singlequote}}", quoted)
        begin, end = (f"toDateTime({int(moment.timestamp())})" for moment in (self.begin, self.end))
        days = [f"toDate('{moment:%Y-%m-%d}')" for moment in (self.begin, self.end)]
        sql = re.sub(r"\$__timeFilter\((\w+)\)", rf"\1 >= {begin} AND \1 <= {end}", sql)
        sql = re.sub(r"\$__dateFilter\((\w+)\)", rf"\1 >= {days[0]} AND \1 <= {days[1]}", sql)
        sql = re.sub(r"\$__timeInterval\((\w+)\)", r"toStartOfInterval(toDateTime(\1), INTERVAL 3600 second)", sql)
        sql = sql.replace("$__fromTime", begin).replace("$__toTime", end)
        assert "$" not in sql, sql
        return sql


@pytest.fixture(scope="module")
def shown(client: Client, sample: Sample) -> Iterator[Shown]:
    """Most of the sample's days, with the rollups and the forecast of one company that a night would have written."""
    shown = Shown("FR01", "EUR", moment_of(sample.first) + timedelta(days=40), moment_of(sample.last))
    day, now = shown.end.date(), datetime.now(UTC)
    made = day - timedelta(days=40)
    list(roll_up(client, {shown.company: [day - timedelta(days=back) for back in (20, 2)]}))
    learned = learn(client, shown.company, made, end_of_day(made))
    write_forecast(client, list(forecast(learned, 4)), now)
    write_backtest(client, list(backtest(client, shown.company, made, 4, day)), now)
    yield shown
    for table in ("aging_daily", "key_figures_daily", "activity_hourly", "invoice_forecasts", "forecast_backtests"):
        client.command(f"TRUNCATE TABLE {table}_versions")


@pytest.mark.clickhouse
@pytest.mark.parametrize(("board", "panel"), QUERIES, ids=[f"{board.uid}: {panel.title}" for board, panel in QUERIES])
def test_a_panel_shows_something(client: Client, shown: Shown, board: Board, panel: Panel) -> None:
    found = client.query(shown.filled(panel.sql))
    assert found.result_rows or panel.title in EMPTY
    if panel.kind == "stat":
        assert len(found.result_rows) == 1
        assert len(found.column_names) == 1
    if panel.kind == "timeseries":
        assert found.column_names[0] == "time"
        assert all(isinstance(row[0], datetime) for row in found.result_rows)
        assert [row[0] for row in found.result_rows] == sorted(row[0] for row in found.result_rows)
    if panel.kind in {"barchart", "piechart"}:
        assert isinstance(found.result_rows[0][0], str)


@pytest.mark.clickhouse
@pytest.mark.parametrize("board", BOARDS, ids=[board.uid for board in BOARDS])
def test_variables_offer_what_there_is(client: Client, shown: Shown, board: Board) -> None:
    variables = {item["name"]: item for item in dashboard(board)["templating"]["list"]}
    for name, chosen in (("company", shown.company), ("currency", shown.currency)):
        if name in variables:
            values = [row[0] for row in client.query(shown.filled(variables[name]["query"])).result_rows]
            assert chosen in values
            assert not variables[name]["multi"]
            assert not variables[name]["includeAll"]


@pytest.mark.clickhouse
@pytest.mark.parametrize(("company", "currency"), [("FR01", "EUR"), ("JP01", "JPY")])
def test_what_is_owed_is_the_sum_of_the_open_documents(
    client: Client, shown: Shown, sample: Sample, company: str, currency: str
) -> None:
    owed = _panel("aging", "Owed")
    expected = sum(
        entry.delta_minor
        for entry in sample.world.entries
        if (entry.company, entry.currency, entry.balance_class) == (company, currency, "invoice")
        and moment_of(sample.last).date().toordinal() - 719_163 >= entry.effective_date
    )
    chosen = shown._replace(company=company, currency=currency)
    assert client.query(chosen.filled(owed.sql)).result_rows == [(decimal_of(expected, currency),)]
    buckets = client.query(chosen.filled(_panel("aging", "Open by bucket").sql)).result_rows
    assert sum(row[1] for row in buckets) == decimal_of(expected, currency) != 0


def _panel(uid: str, title: str) -> Panel:
    return next(panel for board, panel in QUERIES if (board.uid, panel.title) == (uid, title))


@pytest.mark.parametrize(("board", "panel"), QUERIES, ids=[f"{board.uid}: {panel.title}" for board, panel in QUERIES])
def test_amounts_are_of_one_company_and_one_currency(board: Board, panel: Panel) -> None:
    assert "company = ${company:singlequote}" in panel.sql
    if AMOUNTS.search(panel.sql.partition("FROM")[0]):
        assert "currency = ${currency:singlequote}" in panel.sql
        assert board.by_currency


def test_the_files_are_those_of_the_boards() -> None:
    ours = {file_of(board) for board in BOARDS}
    for board in BOARDS:
        advice = f"{file_of(board).name} is not up to date; run python -m sinks.dashboards"
        assert file_of(board).read_text(encoding="utf-8") == text_of(board), advice
    assert set(FOLDER.glob("*.json")) == ours | {FOLDER / "arrears.json"}


def test_boards_are_told_apart_and_panels_do_not_overlap() -> None:
    assert len({board.uid for board in BOARDS}) == len(BOARDS)
    for board in BOARDS:
        panels: list[dict[str, Any]] = dashboard(board)["panels"]
        cells = [
            (x, y)
            for panel in panels
            for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
            for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
        ]
        assert len(set(cells)) == len(cells), board.uid
        assert max(x for x, _ in cells) < 24
        assert len({panel["title"] for panel in panels}) == len(panels)
        for panel in panels:
            assert panel["description"].endswith("."), panel["title"]
            assert panel["datasource"] == panel["targets"][0]["datasource"] == DATASOURCE
