"""`arrears rollup`: the daily rollups of ClickHouse."""

import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Annotated

import typer
from clickhouse_connect.driver.client import Client
from rich.console import Console

from pipeline.cli import load_settings
from pipeline.cli.clickhouse import clickhouse_client
from pipeline.cli.dates import date_of_text
from pipeline.cli.repeating import Every, rounds
from pipeline.errors import Problem
from sinks.rollups import Rollup, roll_up, write_openings

# Days that are written again each time: postings come late for them more often than not.
_AGAIN_DAYS = 7

app = typer.Typer()


@app.command()
def rollup(
    context: typer.Context,
    company: Annotated[
        str | None, typer.Option("--company", metavar="CODE", help="One company; by default all of them.")
    ] = None,
    first: Annotated[
        str | None,
        typer.Option("--from", metavar="DATE", help="First day; by default a week before the last day written."),
    ] = None,
    last: Annotated[
        str | None,
        typer.Option("--through", metavar="DATE", help="Last day; by default the last that is over for the company."),
    ] = None,
    every: Every = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a day, for programs.")] = False,
) -> None:
    """Write the rollups of closed local days: aging, key figures and activity; and what keeps as-of answers fast.

    First the openings: sums of old postings from which the as-of views start. They never change an answer, and are made
    anew where late postings made them useless. Then the days, read with aging_daily, key_figures_daily and
    activity_hourly. A day that is written again replaces itself, so this may be run as often as one likes; once a night
    is enough, or every few hours with --every.
    """
    begin, end = date_of_text(first, "--from"), date_of_text(last, "--through")
    settings = load_settings(context)
    for _ in rounds(every):
        with clickhouse_client(settings) as client:
            openings = write_openings(client)
            if openings.written and not as_json:
                Console(highlight=False).print(f"{openings.written} openings written, {openings.held} hold")
            days = {code: _days(client, code, begin, end) for code in _companies(client, company)}
            for done in roll_up(client, days):
                _tell(done, as_json=as_json)


def _tell(done: Rollup, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(done._asdict() | {"day": done.day.isoformat()}))
    else:
        Console(highlight=False).print(
            f"{done.company} {done.day}: {done.accounts:,} balances, {done.figures} sets of key figures, "
            f"{done.activity:,} rows of activity"
        )


def _companies(client: Client, company: str | None) -> list[str]:
    known = [str(row[0]) for row in client.query("SELECT company FROM companies ORDER BY company").result_rows]
    if company is None:
        return known
    if company not in known:
        raise Problem(f"there is no company {company}", f"Known are {', '.join(known) or 'none yet'}")
    return [company]


def _days(client: Client, company: str, begin: date | None, end: date | None) -> list[date]:
    """The days to write; what is not given follows from what is there."""
    given = {"company": company}
    posted, written, applied, timezone = client.query(
        """
SELECT (SELECT min(effective_date) FROM ledger_entries_log WHERE company = {company:String}),
    (SELECT max(as_of) FROM aging_daily_versions WHERE company = {company:String}),
    (SELECT max(as_of) FROM account_aging_versions WHERE company = {company:String}),
    (SELECT any(timezone) FROM companies WHERE company = {company:String})""",
        parameters=given,
    ).result_rows[0]
    nothing = date(1970, 1, 1)
    if posted is None or posted <= nothing:
        return []
    if end is None:
        # The day on which an account changed last is the newest that the pipeline's clock has reached for sure.
        end = min(applied, _today(client, str(timezone))) - timedelta(days=1)
    if begin is None:
        begin = posted if written is None or written <= nothing else written - timedelta(days=_AGAIN_DAYS - 1)
    return list(_between(max(begin, posted), end))


def _today(client: Client, timezone: str) -> date:
    """The company's local date, by ClickHouse's clock: this is about which days are over, not about any answer."""
    found = client.query(
        "SELECT formatDateTime(now64(3), '%F', {timezone:String})", parameters={"timezone": timezone or "UTC"}
    ).result_rows[0][0]
    return datetime.fromisoformat(str(found)).date()


def _between(begin: date, end: date) -> Iterator[date]:
    day = begin
    while day <= end:
        yield day
        day += timedelta(days=1)
