"""Open items, disputes and aging of any day as known at any moment (SEMANTICS 1.2, 1.4, 2.1, 2.3 to 2.9)."""

from collections import Counter, defaultdict
from decimal import Decimal
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from jobs.values import Day, Instant, date_of
from tests.property.oracle import Journal, Line
from tests.sinks.oracles.asking import Row, ask, keyed, money
from tests.sinks.oracles.told import Told, days_of

pytestmark = pytest.mark.clickhouse

MOMENTS = (1, 3, 5, None)
"""Which of the instants of the log is asked about; None = as known now."""
DEFAULT_BUCKETS = (30, 60, 90, 120)
_CLASSES = {"unapplied": "unapplied", "on_account": "on_account", "credits": "credit"}


@pytest.fixture(params=MOMENTS)
def asked(told: Told, request: pytest.FixtureRequest) -> tuple[Journal, Instant | None, list[Day]]:
    """Books as known at a moment, the moment, and days to ask about: before, between and after everything."""
    known = None if request.param is None else told.moments[request.param]
    journal = told.journal(known)
    return journal, known, days_of(journal, 3)


Asked = tuple[Journal, Instant | None, list[Day]]


def bucket_of(days: int, limits: tuple[int, ...]) -> str:
    """SEMANTICS 2.1: due today is not due, and there are no gaps."""
    if days <= 0:
        return "not_due"
    first = 1
    for last in limits:
        if days <= last:
            return f"{first}-{last}"
        first = last + 1
    return f"{first}+"


def test_open_items(client: Client, told: Told, asked: Asked) -> None:
    journal, known, days = asked
    for as_of in days:
        rows = ask(client, "open_items_as_of", as_of=as_of, known_as_of=known)
        expected = [
            {
                **line._asdict(),
                "due_date": date_of(line.due_date),
                "days_past_due": as_of - line.due_date,
                "bucket": bucket_of(as_of - line.due_date, told.settings[line.company].buckets)
                if line.balance_class == "invoice"
                else "",
                "open": money(amount, line.currency),
            }
            for line, amount in journal.lines(as_of).items()
        ]
        assert _sorted(rows, expected[0]) == _sorted(expected, expected[0]) if expected else rows == []


def _sorted(rows: list[Row], like: Row) -> list[Row]:
    """In one order, with the columns that are compared."""
    cut = [{name: row[name] for name in like} for row in rows]
    return sorted(cut, key=lambda row: [str(row[name]) for name in like])


def contested(journal: Journal, as_of: Day) -> dict[tuple[str, str, str, str, str], tuple[int, int]]:
    """(open, disputed) of every document of which something is contested: never more than is open (SEMANTICS 2.7)."""
    found = {}
    for paper in journal.papers.values():
        still = sum(part.open_on(as_of) for part in paper.parts)
        disputed = max(0, min(still, journal.contested(paper, as_of)))
        if disputed:
            found[paper.company, paper.account, paper.currency, paper.kind, paper.number] = still, disputed
    return found


def test_disputed(client: Client, asked: Asked) -> None:
    journal, known, days = asked
    for as_of in days:
        rows = ask(client, "disputed_as_of", as_of=as_of, known_as_of=known)
        found = {
            key: (row["open"], row["disputed"], row["collectible"])
            for key, row in keyed(rows, "company", "account_id", "currency", "document_type", "document_id").items()
        }
        assert found == {
            key: tuple(money(minor, key[2]) for minor in (still, disputed, still - disputed))
            for key, (still, disputed) in contested(journal, as_of).items()
        }


Account = tuple[str, str, str]


def accounts(journal: Journal, as_of: Day) -> dict[Account, dict[Line, int]]:
    """Open lines by company, account and currency."""
    found: dict[Account, dict[Line, int]] = defaultdict(dict)
    for line, amount in journal.lines(as_of).items():
        found[line.company, line.account_id, line.currency][line] = amount
    return found


def report(lines: dict[Line, int], as_of: Day, limits: tuple[int, ...]) -> Counter[str]:
    """The columns of an aging, in minor units: buckets by name, and what stands beside them."""
    columns: Counter[str] = Counter()
    for line, amount in lines.items():
        columns["total"] += amount
        if line.balance_class != "invoice":
            columns[line.balance_class] -= amount
            continue
        bucket = bucket_of(as_of - line.due_date, limits)
        columns[bucket] += amount
        columns["overdue"] += amount if bucket != "not_due" else 0
    return columns


def names_of(limits: tuple[int, ...]) -> list[str]:
    """The overdue buckets, youngest first."""
    return [bucket_of(days, limits) for days in (1, *(last + 1 for last in limits))]


def assert_beside(row: Row, columns: Counter[str], currency: str) -> None:
    """Everything of an aging but its buckets."""
    for name in ("not_due", "overdue", "total"):
        assert row[name] == money(columns[name], currency), name
    for name, balance_class in _CLASSES.items():
        assert row[name] == money(columns[balance_class], currency), name
    assert row["reconciliation_gap"] == 0


def disputed_of(journal: Journal, as_of: Day) -> Counter[Account]:
    """What is contested of an account."""
    sums: Counter[Account] = Counter()
    for (company, account, currency, _, _), (_, disputed) in contested(journal, as_of).items():
        sums[company, account, currency] += disputed
    return sums


def test_aging_by_the_companys_buckets(client: Client, told: Told, asked: Asked) -> None:
    journal, known, days = asked
    for as_of in days:
        found = keyed(ask(client, "aging_as_of", as_of=as_of, known_as_of=known), "company", "account_id", "currency")
        disputed, expected = disputed_of(journal, as_of), accounts(journal, as_of)
        assert found.keys() == expected.keys()
        for account, row in found.items():
            limits = told.settings[account[0]].buckets
            columns = report(expected[account], as_of, limits)
            buckets = [(part["name"], part["amount"]) for part in row["buckets"]]
            assert buckets == [(name, money(columns[name], account[2])) for name in names_of(limits)]
            assert row["disputed"] == money(disputed[account], account[2])
            assert_beside(row, columns, account[2])


def test_aging_by_the_default_buckets(client: Client, asked: Asked) -> None:
    journal, known, days = asked
    wide = dict(zip(names_of(DEFAULT_BUCKETS), ("1_30", "31_60", "61_90", "91_120", "121_up"), strict=True))
    for as_of in days:
        rows = ask(client, "aging_as_of_wide", as_of=as_of, known_as_of=known)
        found = keyed(rows, "company", "account_id", "currency")
        disputed, expected = disputed_of(journal, as_of), accounts(journal, as_of)
        assert found.keys() == expected.keys()
        for account, row in found.items():
            columns = report(expected[account], as_of, DEFAULT_BUCKETS)
            for name, column in wide.items():
                assert row[f"days_{column}"] == money(columns[name], account[2]), name
            assert row["disputed"] == money(disputed[account], account[2])
            assert_beside(row, columns, account[2])


def test_aging_with_a_row_for_every_bucket(client: Client, told: Told, asked: Asked) -> None:
    journal, known, days = asked
    for as_of in days:
        rows = ask(client, "aging_buckets_as_of", as_of=as_of, known_as_of=known)
        expected: dict[tuple[Any, ...], tuple[int, Decimal]] = {}
        for account, lines in accounts(journal, as_of).items():
            limits = told.settings[account[0]].buckets
            columns = report(lines, as_of, limits)
            for number, name in enumerate(["not_due", *names_of(limits)]):
                expected[(*account, name)] = number, money(columns[name], account[2])
        found = keyed(rows, "company", "account_id", "currency", "bucket")
        assert {key: (row["bucket_number"], row["amount"]) for key, row in found.items()} == expected


def test_aging_of_one_account(client: Client, told: Told, asked: Asked) -> None:
    journal, known, days = asked
    as_of = days[len(days) // 2]
    for (company, account), currencies in grouped(accounts(journal, as_of)).items():
        expected: dict[tuple[str, str], Decimal] = {}
        for currency, lines in currencies.items():
            columns = report(lines, as_of, told.settings[company].buckets)
            amounts = {name: columns[name] for name in ("not_due", *names_of(told.settings[company].buckets))}
            amounts |= {name: -columns[name] for name in _CLASSES.values()}
            expected |= {(currency, name): money(minor, currency) for name, minor in amounts.items() if minor}
        rows = ask(client, "account_aging_as_of", company=company, account_id=account, as_of=as_of, known_as_of=known)
        assert {(row["company"], row["account_id"]) for row in rows} <= {(company, account)}
        assert {key: row["amount"] for key, row in keyed(rows, "currency", "bucket").items()} == expected


def grouped(lines: dict[Account, dict[Line, int]]) -> dict[tuple[str, str], dict[str, dict[Line, int]]]:
    """Open lines by account, then by currency."""
    found: dict[tuple[str, str], dict[str, dict[Line, int]]] = defaultdict(dict)
    for (company, account, currency), open_lines in lines.items():
        found[company, account][currency] = open_lines
    return found
