"""Closes a period: what is known at an instant is what was reported, and is kept for ever.

The ledger can answer the same question later (`known_as_of` = the instant of the close); the frozen rows prove that it
still does, also when retention has folded old postings.
"""

from datetime import date, datetime
from typing import NamedTuple

from clickhouse_connect.driver.client import Client

from sinks.errors import SinkProblem
from sinks.migrations.m0014_rollups import AGING_COLUMNS, FIGURE_COLUMNS

_AT = "%Y-%m-%d %H:%M:%S.%f"


class Close(NamedTuple):
    """A closed period of a company. Dates are local and inclusive, instants are UTC."""

    company: str
    from_date: date
    to_date: date
    known_as_of: datetime
    closed_by: str
    accounts: int


class Difference(NamedTuple):
    """A row that the ledger answers otherwise than it was reported."""

    company: str
    as_of: date
    account_id: str
    currency: str
    reported: str
    recomputed: str


def closes(client: Client) -> list[Close]:
    """All closed periods, in order."""
    rows = client.query(
        "SELECT company, from_date, to_date, known_as_of, closed_by, accounts FROM closes ORDER BY company, to_date"
    ).result_rows
    return [Close(*row) for row in rows]


def close(client: Client, company: str, first: date, last: date, known_as_of: datetime, closed_by: str) -> Close:
    """Freeze a period. Raises SinkProblem where it is closed already at another instant, or nothing is there to close.

    Cut off half-way it may be run again: rows are replaced, and the close itself is written last.
    """
    known = known_as_of.strftime(_AT)
    for found in closes(client):
        same = (found.from_date, found.to_date) == (first, last)
        if found.company == company and same and found.known_as_of.strftime(_AT) == known:
            return found
        if found.company == company and found.from_date <= last and first <= found.to_date:
            raise SinkProblem(
                f"{company} is closed from {found.from_date} to {found.to_date} as known on {found.known_as_of}",
                "A close is not changed; later postings show in the view restatements",
            )
    given = {"company": company, "first": first, "last": last, "known": known}
    names, figures = ", ".join(AGING_COLUMNS), ", ".join(FIGURE_COLUMNS)
    client.command(
        f"INSERT INTO aging_as_reported_versions (as_of, known_as_of, {names}, computed_at) "
        f"SELECT {{last:Date32}}, {{known:DateTime64(6, 'UTC')}}, {names}, now64(6) "
        "FROM aging_as_of(as_of = {last:Date32}, known_as_of = {known:String}) WHERE company = {company:String}",
        parameters=given,
    )
    accounts = client.query(
        "SELECT count() FROM aging_as_reported WHERE company = {company:String} AND as_of = {last:Date32}",
        parameters=given,
    ).result_rows[0][0]
    if not accounts:
        raise SinkProblem(f"{company} has no balances as of {last}", "Look at the code of the company and the date")
    client.command(
        f"INSERT INTO key_figures_as_reported_versions (from_date, to_date, known_as_of, {figures}, computed_at) "
        f"SELECT {{first:Date32}}, {{last:Date32}}, {{known:DateTime64(6, 'UTC')}}, {figures}, now64(6) "
        "FROM key_figures(from_date = {first:Date32}, to_date = {last:Date32}, known_as_of = {known:String}) "
        "WHERE company = {company:String}",
        parameters=given,
    )
    client.command(
        "INSERT INTO closes_versions SELECT {company:String}, {first:Date32}, {last:Date32}, "
        "{known:DateTime64(6, 'UTC')}, {by:String}, {accounts:UInt64}, now64(6)",
        parameters=given | {"by": closed_by, "accounts": accounts},
    )
    return Close(company, first, last, known_as_of, closed_by, int(accounts))


def differences(client: Client, closed: Close) -> list[Difference]:
    """Frozen rows that the ledger answers otherwise now, for the same two dates. None, as long as nothing is wrong."""
    rows = client.query(
        """
SELECT company, {last:Date32}, account_id, currency, toString(sum(was)), toString(sum(is))
FROM
(
    SELECT company, account_id, currency, (not_due, overdue, unapplied, on_account, credits, disputed, total) AS parts,
        total AS was, toDecimal128(0, 4) AS is, 1 AS side
    FROM aging_as_reported WHERE company = {company:String} AND as_of = {last:Date32}
    UNION ALL
    SELECT company, account_id, currency, (not_due, overdue, unapplied, on_account, credits, disputed, total),
        toDecimal128(0, 4), total, 2
    FROM aging_as_of(as_of = {last:Date32}, known_as_of = {known:String}) WHERE company = {company:String}
)
GROUP BY company, account_id, currency
HAVING uniqExact(parts) != 1 OR uniqExact(side) != 2
ORDER BY account_id, currency""",
        parameters={"company": closed.company, "last": closed.to_date, "known": closed.known_as_of.strftime(_AT)},
    ).result_rows
    return [Difference(*row) for row in rows]
