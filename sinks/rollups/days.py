"""Writes the rollups of local days, each for all companies that have it: planning the views costs more than one company
more. Writing a day again replaces it, row for row.

All rows of a day that are written together bear one `computed_at`, and the views show the latest of each day: what an
account had that has no row any more when a day is written again is not shown.
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import date, timedelta
from typing import NamedTuple

from clickhouse_connect.driver.client import Client

from sinks.migrations.local_dates import LOCAL_DATE, TIMEZONES
from sinks.migrations.m0014_rollups import AGING_COLUMNS, FIGURE_COLUMNS
from sinks.migrations.refusals import taken
from sinks.queries import EVERYTHING_KNOWN

WINDOW_DAYS = 90

_IN = "company IN {companies:Array(String)}"
# An event that was refused and sent again counts as it was taken; one that never was, as it was refused.
_TAKEN_SINCE = f"""SELECT company, event_id FROM events
    WHERE {_IN} AND {taken()}
        AND (company, event_id) IN (SELECT company, event_id FROM rejected_events WHERE NOT late)"""
_ACTIVITY = f"""
INSERT INTO activity_hourly_versions
WITH {TIMEZONES}
SELECT company, {LOCAL_DATE} AS local_date, toStartOfHour(toDateTime(occurred_at, 'UTC')) AS hour, actor_id, actor_role,
    event_type, source, uniqExact(event_id) AS events,
    {{at:DateTime64(6, 'UTC')}} AS computed_at
FROM events
WHERE {_IN} AND occurred_at >= {{begin:DateTime64(6, 'UTC')}}
    AND occurred_at < {{end:DateTime64(6, 'UTC')}} AND local_date = {{day:Date32}}
    AND (({taken()}) OR (company, event_id) NOT IN ({_TAKEN_SINCE}))
GROUP BY company, local_date, hour, actor_id, actor_role, event_type, source
"""
_AGING = f"""
INSERT INTO aging_daily_versions (as_of, known_as_of, {", ".join(AGING_COLUMNS)}, computed_at)
SELECT {{day:Date32}}, (SELECT max(recorded_at) FROM ledger_entries_log), {", ".join(AGING_COLUMNS)},
    {{at:DateTime64(6, 'UTC')}}
FROM aging_as_of(as_of = {{day:Date32}}, known_as_of = {{known:String}})
WHERE {_IN}"""
_FIGURES = f"""
INSERT INTO key_figures_daily_versions (from_date, to_date, {", ".join(FIGURE_COLUMNS)}, computed_at)
SELECT {{first:Date32}}, {{day:Date32}}, {", ".join(FIGURE_COLUMNS)}, {{at:DateTime64(6, 'UTC')}}
FROM key_figures(from_date = {{first:Date32}}, to_date = {{day:Date32}}, known_as_of = {{known:String}})
WHERE {_IN}"""
_COUNTS = f"""
SELECT company, countIf(kind = 1), countIf(kind = 2), countIf(kind = 3)
FROM
(
    SELECT company, 1 AS kind FROM aging_daily WHERE {_IN} AND as_of = {{day:Date32}}
    UNION ALL
    SELECT company, 2 FROM key_figures_daily WHERE {_IN} AND to_date = {{day:Date32}}
    UNION ALL
    SELECT company, 3 FROM activity_hourly WHERE {_IN} AND local_date = {{day:Date32}}
)
GROUP BY company"""


class Rollup(NamedTuple):
    """One day of one company, and how many rows it came to."""

    company: str
    day: date
    accounts: int
    figures: int
    activity: int


def roll_up(client: Client, days: Mapping[str, Collection[date]]) -> Iterator[Rollup]:
    """Write these local days of companies, day after day. Raises the client's errors."""
    for day in sorted({day for own in days.values() for day in own}):
        yield from _written(client, sorted(company for company, own in days.items() if day in own), day)


def _written(client: Client, companies: list[str], day: date) -> Iterator[Rollup]:
    given = {
        "companies": companies,
        "day": day,
        "first": day - timedelta(days=WINDOW_DAYS - 1),
        "known": EVERYTHING_KNOWN,
        "at": str(client.query("SELECT toString(now64(6, 'UTC'))").result_rows[0][0]),
        # An instant's local date is at most a day off its date in UTC.
        "begin": f"{day - timedelta(days=1)} 00:00:00",
        "end": f"{day + timedelta(days=2)} 00:00:00",
    }
    for statement in (_AGING, _FIGURES, _ACTIVITY):
        client.command(statement, parameters=given)
    found = {str(company): counts for company, *counts in client.query(_COUNTS, parameters=given).result_rows}
    for company in companies:
        yield Rollup(company, day, *(int(count) for count in found.get(company, (0, 0, 0))))
