"""Cash that is not applied, and cash that was applied late (SEMANTICS 4.1, 7)."""

from collections import Counter

import pytest
from clickhouse_connect.driver.client import Client

from jobs.values import Day, Instant, date_of
from tests.property.oracle import Journal
from tests.property.oracle.dated import Cash
from tests.sinks.oracles.asking import ask, keyed, money
from tests.sinks.oracles.told import Told, days_of

pytestmark = pytest.mark.clickhouse

Asked = tuple[Journal, Instant | None, list[Day]]


@pytest.fixture(params=[0, 3, None])
def asked(told: Told, request: pytest.FixtureRequest) -> Asked:
    """Books as known at a moment, the moment, and days."""
    known = None if request.param is None else told.moments[request.param]
    journal = told.journal(known)
    return journal, known, days_of(journal, 5)


def _band(days: int) -> str:
    """SEMANTICS 7."""
    return next((f"{low}-{high}" for low, high in ((0, 1), (2, 5), (6, 10), (11, 30)) if days <= high), "31+")


def test_unapplied_cash_aging(client: Client, asked: Asked) -> None:
    journal, known, days = asked
    unidentified = 0
    for as_of in days:
        expected = {
            (line.company, line.account_id, line.currency, line.item_id): ("unapplied", line.due_date, -amount)
            for line, amount in journal.lines(as_of).items()
            if line.balance_class == "unapplied"
        }
        for (company, payment_id), cash in journal.unidentified.items():
            if (company, payment_id) not in journal.moved and cash.part.open_on(as_of):
                unidentified += 1
                expected[company, "", cash.currency, payment_id] = (
                    "unidentified", cash.value_date, -cash.part.open_on(as_of),
                )  # fmt: skip
        rows = ask(client, "unapplied_cash_aging", as_of=as_of, known_as_of=known)
        found = {
            key: (row["state"], row["value_date"], row["age_days"], row["band"], row["unapplied"])
            for key, row in keyed(rows, "company", "account_id", "currency", "payment_id").items()
        }
        assert found == {
            key: (state, date_of(value_date), as_of - value_date, _band(as_of - value_date), money(minor, key[2]))
            for key, (state, value_date, minor) in expected.items()
        }
    assert unidentified > 5


@pytest.mark.parametrize("days_min", [0, 3, 30])
def test_late_applications(client: Client, asked: Asked, days_min: int) -> None:
    journal, known, days = asked
    for first, last in [(days[1], days[-1]), (days[2], days[3]), (days[-2], days[-2])]:
        expected = Counter(
            (
                paid.paper.company, paid.paper.account, paid.paper.currency, paid.paper.number, paid.name,
                date_of(paid.source.value_date), date_of(paid.day), paid.day - paid.source.value_date,
                money(portion, paid.paper.currency), paid.method, paid.event_id,
            )
            for paid in journal.settlements.values()
            if isinstance(paid.source, Cash) and paid.back_on is None
            if first <= paid.day <= last and paid.day - paid.source.value_date >= days_min
            for _, portion in paid.filled
        )  # fmt: skip
        rows = ask(
            client, "late_applications", from_date=first, to_date=last, days_min=days_min, known_as_of=known
        )  # fmt: skip
        names = ("company", "account_id", "currency", "invoice_id", "application_id", "value_date", "applied_on",
                 "lag_days", "amount", "method")  # fmt: skip
        assert Counter((*(row[name] for name in names), row["event_id"].split("/")[0]) for row in rows) == expected
