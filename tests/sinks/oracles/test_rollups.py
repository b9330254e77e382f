"""Days that were written down and what was reported at a close, against books kept from the events (SEMANTICS 1.2)."""

from collections import Counter

import pytest
from clickhouse_connect.driver.client import Client

from jobs.values import Day, date_of, moment_of
from sinks.rollups import close, differences, roll_up
from sinks.rollups.days import WINDOW_DAYS
from tests.property.oracle import Journal
from tests.sinks.oracles.asking import Row, ask, keyed, money
from tests.sinks.oracles.test_as_of import accounts, disputed_of, names_of, report
from tests.sinks.oracles.test_figures import compared
from tests.sinks.oracles.told import Told, days_of

pytestmark = pytest.mark.clickhouse

COMPANIES = ("FR00", "NZ01", "SP01")


def assert_aging(row: Row, journal: Journal, told: Told, as_of: Day) -> None:
    """A stored row of an account, column by column."""
    account = row["company"], row["account_id"], row["currency"]
    limits, currency = told.settings[account[0]].buckets, account[2]
    columns = report(accounts(journal, as_of)[account], as_of, limits)
    assert [(part["name"], part["amount"]) for part in row["buckets"]] == [
        (name, money(columns[name], currency)) for name in names_of(limits)
    ]
    for name in ("not_due", "overdue", "unapplied", "on_account", "total"):
        assert row[name] == money(columns[name], currency), name
    assert row["credits"] == money(columns["credit"], currency)
    assert row["disputed"] == money(disputed_of(journal, as_of)[account], currency)


@pytest.fixture(scope="module")
def written(client: Client, told: Told) -> list[Day]:
    """Days of all companies: the second was written twice."""
    days = days_of(told.journal(), 4)[2:5]
    for some in (days, days[1:2]):
        dates = [date_of(day) for day in some]
        done = list(roll_up(client, dict.fromkeys(COMPANIES, dates)))
        assert [(one.day, one.company) for one in done] == [(day, code) for day in dates for code in sorted(COMPANIES)]
    return days


@pytest.mark.parametrize("company", COMPANIES)
def test_a_day_that_was_written_twice(client: Client, told: Told, written: list[Day], company: str) -> None:
    """Beside one that was written once, and one that comes later."""
    journal, days = told.journal(), written
    for as_of in days:
        where = f"WHERE company = '{company}' AND as_of = '{date_of(as_of)}'"
        found = keyed(ask(client, "aging_daily", where=where), "company", "account_id", "currency")
        assert found.keys() == {account for account in accounts(journal, as_of) if account[0] == company}
        for row in found.values():
            assert_aging(row, journal, told, as_of)
        where = f"WHERE company = '{company}' AND to_date = '{date_of(as_of)}'"
        for row in ask(client, "key_figures_daily", where=where):
            first, currency = Day(as_of - WINDOW_DAYS + 1), row["currency"]
            assert row["from_date"] == date_of(first)
            for name, expected, stored in compared(row, told.figures((company, currency), first, as_of)):
                assert stored == expected, name


@pytest.mark.parametrize("company", COMPANIES[:2])
def test_what_was_reported_stays_and_what_came_late_is_named(client: Client, told: Told, company: str) -> None:
    known = told.moments[3]
    was, now = told.journal(known), told.journal()
    changes = [change.day for paper in was.papers.values() if paper.company == company for part in paper.parts
               for change in part.changes]  # fmt: skip
    last = Day(sorted(changes)[-1 - len(changes) // 8])
    closed = close(client, company, date_of(Day(last - 30)), date_of(last), moment_of(known), "ada")
    assert differences(client, closed) == []
    found = keyed(ask(client, "aging_as_reported", where=f"WHERE company = '{company}'"), "account_id", "currency")
    reported = {account[1:]: lines for account, lines in accounts(was, last).items() if account[0] == company}
    assert found.keys() == reported.keys()
    for row in found.values():
        assert_aging(row, was, told, last)
    figures = keyed(ask(client, "key_figures_as_reported", where=f"WHERE company = '{company}'"), "currency")
    assert {account[1] for account in reported} <= {currency for (currency,) in figures}
    for (currency,), row in figures.items():
        expected = told.figures((company, currency), Day(last - 30), last, known)
        assert row["receivables"] == money(expected.balance(last), currency)
        for name, value, stored in compared(row, expected):
            assert stored == value, name
    restated = {account[1:]: lines for account, lines in accounts(now, last).items() if account[0] == company}
    before: Counter[tuple[str, str]] = Counter({key: sum(lines.values()) for key, lines in reported.items()})
    after: Counter[tuple[str, str]] = Counter({key: sum(lines.values()) for key, lines in restated.items()})
    rows = keyed(ask(client, "restatements", where=f"WHERE company = '{company}'"), "account_id", "currency")
    assert {key for key in before | after if before[key] != after[key]} <= rows.keys()
    for key, row in rows.items():
        currency = key[1]
        assert row["as_of"] == date_of(last)
        assert row["reported"] == money(before[key], currency)
        assert row["restated"] == money(after[key], currency)
        assert row["late"] == money(after[key] - before[key], currency)
        assert row["entries"] > 0
