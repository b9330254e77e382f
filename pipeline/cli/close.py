"""`arrears close`: a period as it was reported."""

import calendar
import getpass
import json
import re
from datetime import UTC, date, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from pipeline.cli import load_settings
from pipeline.cli.clickhouse import clickhouse_client
from pipeline.cli.dates import date_of_text, instant_of_text
from pipeline.errors import Problem
from sinks import rollups

DIFFERENCES_SHOWN_MAX = 20
_MONTH = re.compile(r"(\d{4})-(\d{2})")

app = typer.Typer()


@app.command()
def close(
    context: typer.Context,
    company: Annotated[
        str | None, typer.Option("--company", metavar="CODE", help="The company to close. Without it: list the closes.")
    ] = None,
    month: Annotated[
        str | None, typer.Option("--month", metavar="YYYY-MM", help="The period, where it is a month.")
    ] = None,
    first: Annotated[str | None, typer.Option("--from", metavar="DATE", help="First day of another period.")] = None,
    last: Annotated[str | None, typer.Option("--to", metavar="DATE", help="Its last day.")] = None,
    known_as_of: Annotated[
        str | None,
        typer.Option("--known-as-of", metavar="INSTANT", help="What was known then is reported; by default now."),
    ] = None,
    closed_by: Annotated[
        str | None, typer.Option("--by", metavar="NAME", help="Who closes; by default the user of this machine.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Compare every close with what the ledger answers; exit code 1 on a gap.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON, one object a line, for programs.")] = False,
) -> None:
    """Freeze a period as reported, for ever; or list or check what was frozen.

    The views aging_as_reported and key_figures_as_reported hold it, restatements shows what came late. A close is never
    changed: postings that come later restate the period in the as-of views, and leave the close as it is.
    """
    with clickhouse_client(load_settings(context)) as client:
        if company is not None:
            begin, end = _period(month, first, last)
            known = datetime.now(UTC) if known_as_of is None else instant_of_text(known_as_of, "--known-as-of")
            done = rollups.close(client, company, begin, end, known, closed_by or getpass.getuser())
            _print([done], as_json)
            return
        closed = rollups.closes(client)
        _print(closed, as_json)
        if not check:
            return
        gaps = [gap for one in closed for gap in rollups.differences(client, one)]
    for gap in gaps[:DIFFERENCES_SHOWN_MAX]:
        typer.echo(
            f"gap: {gap.company} {gap.as_of} {gap.account_id} {gap.currency}: reported {gap.reported}, "
            f"the ledger says {gap.recomputed}",
            err=True,
        )
    if gaps:
        typer.echo(f"{len(gaps):,} balances are not what was reported", err=True)
        raise typer.Exit(1)
    typer.echo(f"{len(closed)} closes agree with the ledger", err=as_json)


def _period(month: str | None, first: str | None, last: str | None) -> tuple[date, date]:
    if month is not None:
        found = _MONTH.fullmatch(month)
        if found is None or not 1 <= int(found[2]) <= 12:
            raise Problem(f"--month {month} is not a month", "Write it as 2026-03")
        if first is not None or last is not None:
            raise Problem("--month is given beside --from or --to", "Give one or the other")
        year, number = int(found[1]), int(found[2])
        return date(year, number, 1), date(year, number, calendar.monthrange(year, number)[1])
    begin, end = date_of_text(first, "--from"), date_of_text(last, "--to")
    if begin is None or end is None or end < begin:
        raise Problem("the period has no first and last day", "Give --month 2026-03, or --from and --to")
    return begin, end


def _print(closed: list[rollups.Close], as_json: bool) -> None:
    if as_json:
        for one in closed:
            typer.echo(json.dumps(one._asdict(), default=str))
        return
    table = Table(box=None, header_style="bold")
    for heading in ("company", "from", "to", "known as of", "by", "balances"):
        table.add_column(heading)
    for one in closed:
        known = one.known_as_of.strftime("%Y-%m-%d %H:%M:%S")
        table.add_row(one.company, str(one.from_date), str(one.to_date), known, one.closed_by, f"{one.accounts:,}")
    Console(highlight=False).print(table)
