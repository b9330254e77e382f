"""The rows that `arrears bench --clickhouse` makes: the same at every run, and like those of a company."""

from collections.abc import Iterator

import pytest
from clickhouse_connect.driver.client import Client

from pipeline.cli.benchmarks.tables_data import DAY_ACTIVITY, TODAY, events_insert, ledger_insert
from pipeline.local import ClickHouseServer
from sinks.clickhouse import Address
from sinks.migrations import Runner

pytestmark = pytest.mark.clickhouse

DATABASE = "bench_tables"
ENTRIES, EVENTS = 20_000, 8_000


@pytest.fixture(scope="module")
def client(clickhouse: ClickHouseServer) -> Iterator[Client]:
    """A database with all tables."""
    address = Address(clickhouse.url, DATABASE)
    runner = Runner(address)
    runner.run(runner.plan())
    with address.client() as client:
        yield client
        client.command(f"DROP DATABASE {DATABASE} SYNC")


def _one(client: Client, query: str) -> tuple[int, ...]:
    return tuple(int(value) for value in client.query(query).result_rows[0])


def test_postings_are_those_of_a_company(client: Client) -> None:
    made = []
    for _ in range(2):
        client.command("TRUNCATE TABLE ledger_entries_log")
        client.command(ledger_insert(ENTRIES), settings={"insert_deduplicate": 0})
        made.append(_one(client, "SELECT count(), sum(cityHash64(formatRow('CSV', *))) FROM ledger_entries_log"))
    assert made[0] == made[1]
    count, late, ahead = _one(
        client,
        "SELECT count(), countIf(toDate32(recorded_at) > addDays(effective_date, 5)), "
        "countIf(toDate32(recorded_at) < addDays(effective_date, -5)) FROM ledger_entries_log",
    )
    assert abs(count - ENTRIES) < ENTRIES / 20
    assert 0.003 < late / count < 0.02
    assert 0.003 < ahead / count < 0.02
    opened, zero = _one(
        client,
        "SELECT countIf(balance_class = 'invoice'), countIf(balance_class = 'unapplied') "
        f"FROM open_items_as_of(as_of = '{TODAY}', known_as_of = '2299-12-31 00:00:00')",
    )
    # Of each hundred invoices some four are open; all cash is applied.
    assert 0.03 < opened / (count / 3.93) < 0.07
    assert zero == 0


def test_events_are_the_same_in_one_piece_and_in_two(client: Client) -> None:
    made = []
    for pieces in ([(0, EVENTS)], [(0, 3_000), (3_000, EVENTS - 3_000)]):
        client.command("TRUNCATE TABLE events")
        for first, count in pieces:
            client.command(events_insert(first, count, EVENTS), settings={"insert_deduplicate": 0})
        made.append(_one(client, "SELECT count(), sum(cityHash64(formatRow('CSV', *))) FROM events"))
    assert made[0] == made[1]
    assert made[0][0] == EVENTS
    (on_the_day,) = _one(client, f"SELECT sum(actions) FROM ({DAY_ACTIVITY})")
    assert on_the_day == EVENTS // 400


def test_what_happens_to_an_invoice_happens_in_one_account_and_in_two_months(client: Client) -> None:
    client.command("TRUNCATE TABLE events")
    client.command(events_insert(0, 200_000, 200_000), settings={"insert_deduplicate": 0})
    invoices, accounts, events, days = _one(
        client,
        """
SELECT count(), max(accounts), max(events), max(days)
FROM
(
    SELECT invoice, uniqExact(account_id) AS accounts, count() AS events, dateDiff('day', min(at), max(at)) AS days
    FROM
    (
        SELECT account_id, occurred_at AS at, arrayJoin(arrayConcat([invoice_id], invoice_ids)) AS invoice
        FROM events
        WHERE event_type IN ('InvoiceIssued', 'CashApplied', 'PromiseMade')
    )
    WHERE invoice != ''
    GROUP BY invoice
)""",
    )
    assert 20_000 < invoices < 40_000
    assert accounts == 1
    assert events > 5
    # A round of events, which brings one invoice to each account, is 67 days long with so few of them.
    assert days <= 60 + 67
