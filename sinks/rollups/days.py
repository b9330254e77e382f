"""Writes the rollups of one local day of one company. Writing it again replaces it, row for row.

All rows of a day that are written together bear one `computed_at`, and the views show the latest of each day: what an
account had that has no row any more when a day is written again is not shown.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

from clickhouse_connect.driver.client import Client

from sinks.migrations.m0014_rollups import AGING_COLUMNS, FIGURE_COLUMNS
from sinks.migrations.refusals import taken
from sinks.queries import EVERYTHING_KNOWN

WINDOW_DAYS = 90

_LOCAL = "toDate32(formatDateTime(occurred_at, '%F', {timezone:String}))"
# An event that was refused and sent again counts as it was taken; one that never was, as it was refused.
_TAKEN_SINCE = f"""SELECT event_id FROM events
    WHERE company = {{company:String}} AND {taken()}
        AND event_id IN (SELECT event_id FROM rejected_events WHERE NOT late)"""
_ACTIVITY = f"""
INSERT INTO activity_hourly_versions
SELECT company, {_LOCAL} AS local_date, toStartOfHour(toDateTime(occurred_at, 'UTC')) AS hour, actor_id, actor_role,
    event_type, source, uniqExact(event_id) AS events,
    {{at:DateTime64(6, 'UTC')}} AS computed_at
FROM events
WHERE company = {{company:String}} AND occurred_at >= {{begin:DateTime64(6, 'UTC')}}
    AND occurred_at < {{end:DateTime64(6, 'UTC')}} AND local_date = {{day:Date32}}
    AND (({taken()}) OR event_id NOT IN ({_TAKEN_SINCE}))
GROUP BY company, local_date, hour, actor_id, actor_role, event_type, source
"""


class Rollup(NamedTuple):
    """One day of one company, and how many rows it came to."""

    company: str
    day: date
    accounts: int
    figures: int
    activity: int


def roll_up(client: Client, company: str, days: Iterator[date] | list[date]) -> Iterator[Rollup]:
    """Write these local days of a company, one after the other. Raises the client's errors."""
    timezone = client.query(
        "SELECT timezone FROM companies WHERE company = {company:String}", parameters={"company": company}
    ).result_rows
    zone = str(timezone[0][0]) if timezone else "UTC"
    for day in days:
        yield _one(client, company, zone, day)


def _one(client: Client, company: str, zone: str, day: date) -> Rollup:
    given = {
        "company": company,
        "day": day,
        "first": day - timedelta(days=WINDOW_DAYS - 1),
        "timezone": zone,
        "known": EVERYTHING_KNOWN,
        "at": str(client.query("SELECT toString(now64(6, 'UTC'))").result_rows[0][0]),
        # An instant's local date is at most a day off its date in UTC.
        "begin": f"{day - timedelta(days=1)} 00:00:00",
        "end": f"{day + timedelta(days=2)} 00:00:00",
    }
    names = ", ".join(AGING_COLUMNS)
    client.command(
        f"INSERT INTO aging_daily_versions (as_of, known_as_of, {names}, computed_at) "
        f"SELECT {{day:Date32}}, (SELECT max(recorded_at) FROM ledger_entries_log), {names}, "
        "{at:DateTime64(6, 'UTC')} "
        "FROM aging_as_of(as_of = {day:Date32}, known_as_of = {known:String}) WHERE company = {company:String}",
        parameters=given,
    )
    figures = ", ".join(FIGURE_COLUMNS)
    client.command(
        f"INSERT INTO key_figures_daily_versions (from_date, to_date, {figures}, computed_at) "
        f"SELECT {{first:Date32}}, {{day:Date32}}, {figures}, {{at:DateTime64(6, 'UTC')}} "
        "FROM key_figures(from_date = {first:Date32}, to_date = {day:Date32}, known_as_of = {known:String}) "
        "WHERE company = {company:String}",
        parameters=given,
    )
    client.command(_ACTIVITY, parameters=given)
    counts = client.query(
        "SELECT (SELECT count() FROM aging_daily WHERE company = {company:String} AND as_of = {day:Date32}), "
        "(SELECT count() FROM key_figures_daily WHERE company = {company:String} AND to_date = {day:Date32}), "
        "(SELECT count() FROM activity_hourly WHERE company = {company:String} AND local_date = {day:Date32})",
        parameters=given,
    ).result_rows[0]
    return Rollup(company, day, *(int(count) for count in counts))
