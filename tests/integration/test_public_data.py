"""The public invoices through the whole system: broker, worker, sink, and what ClickHouse answers as of any date.

`tests/jobs/test_public_data.py` folds the same log in process; here every number comes out of `aging_as_of`.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

import pytest
from clickhouse_connect.driver.client import Client

from jobs import settings_from
from jobs.values import Day, date_of
from pipeline.cli.reconciliation import Line, clickhouse_address
from pipeline.local import ClickHouseServer, KafkaBroker
from pipeline.settings import Settings
from tests import public_data
from tests.integration.installed import LogWriter, installed, wait_until_arrived
from tests.jobs.written import instant
from tests.public_data import BUCKETS, Row, calendar, events_of, open_by_customer

pytestmark = [
    pytest.mark.kafka,
    pytest.mark.clickhouse,
    pytest.mark.skipif(not public_data.FILE.is_file(), reason=public_data.ABSENT),
]
EVERYTHING_KNOWN = datetime.fromisoformat("2299-12-31T23:59:59+00:00")
_AGING = """
SELECT account_id, not_due, buckets, disputed, total, unapplied + on_account + credits, reconciliation_gap
FROM aging_as_of(as_of = {as_of:Date32}, known_as_of = {known_as_of:DateTime64(6, 'UTC')})
WHERE company = {company:String} AND currency = 'USD' AND total != 0
"""


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return public_data.read_rows()


@pytest.fixture(scope="module")
def system(
    rows: list[Row], kafka: KafkaBroker, clickhouse: ClickHouseServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Settings, list[Line]]]:
    """The system after the last day of the calendar, and its reconciliation."""
    companies = [settings_from({**public_data.COMPANY})]
    with installed(kafka, clickhouse, "public.", tmp_path_factory.mktemp("public"), companies) as settings:
        writer = LogWriter(settings)
        log = events_of(rows)
        position = 0
        for on in calendar(rows):
            while position < len(log) and log[position][0] <= on:
                writer.event(log[position][1])
                position += 1
            writer.tick(instant(f"{date_of(on)}T23:00:00+00:00"))
        writer.flush()
        assert writer.count == len(log)
        yield settings, wait_until_arrived(settings)


@pytest.fixture
def client(system: tuple[Settings, list[Line]]) -> Iterator[Client]:
    with clickhouse_address(system[0]).client() as client:
        yield client


def aging(client: Client, as_of: Day, known_as_of: datetime = EVERYTHING_KNOWN) -> dict[str, dict[str, int]]:
    """What ClickHouse says: cents by customer and bucket, and the disputed part; customers with a balance only."""
    parameters = {"as_of": date_of(as_of), "known_as_of": known_as_of, "company": public_data.COMPANY["code"]}
    found: dict[str, dict[str, int]] = {}
    for account, not_due, buckets, disputed, total, credits_, gap in client.query(
        _AGING, parameters=parameters
    ).result_rows:
        amounts = {"not_due": not_due, **{part["name"]: part["amount"] for part in buckets}}
        assert (sum(amounts.values()), credits_, gap) == (total, 0, 0)
        found[account] = {name: cents(amount) for name, amount in [*amounts.items(), ("disputed", disputed)]}
    return found


def cents(amount: Decimal) -> int:
    whole = amount * 100
    assert whole == int(whole)
    return int(whole)


def expected(rows: list[Row], as_of: Day) -> dict[str, dict[str, int]]:
    """The same, straight from the file."""
    names = (*BUCKETS.names, "disputed")
    return {
        customer: {name: amounts[name] for name in names} for customer, amounts in open_by_customer(rows, as_of).items()
    }


def totals(of: dict[str, dict[str, int]]) -> dict[str, int]:
    """Over all customers."""
    sums: dict[str, int] = defaultdict(int)
    for amounts in of.values():
        for name, amount in amounts.items():
            sums[name] += amount
    return dict(sums)


def test_nothing_is_lost_rejected_or_failed_on_the_way(rows: list[Row], system: tuple[Settings, list[Line]]) -> None:
    _, lines = system
    assert [line for line in lines if not line.holds] == []
    assert lines[0].check == "events in = outcomes"
    applied, ticks = len(events_of(rows)), 12 * len(calendar(rows))
    assert lines[0].right == (
        f"{applied:,} applied, 0 rejected, 0 failed, 0 duplicates, 0 logged, {ticks:,} ticks, 12 settings"
    )


def test_the_aging_of_every_month_end_is_that_of_the_file_for_every_customer(rows: list[Row], client: Client) -> None:
    ends = public_data.month_ends(rows)
    assert len(ends) > 20
    for as_of in ends:
        found, direct = aging(client, as_of), expected(rows, as_of)
        assert totals(found) == totals(direct), date_of(as_of)
        assert found == direct, date_of(as_of)


def test_so_is_the_aging_of_dates_between(rows: list[Row], client: Client) -> None:
    for number, end in enumerate(public_data.month_ends(rows)[:-1]):
        as_of = Day(end + (7, 18)[number % 2])
        assert aging(client, as_of) == expected(rows, as_of), date_of(as_of)


def test_a_month_end_as_known_in_the_middle_of_the_month_has_nothing_of_its_second_half(
    rows: list[Row], client: Client
) -> None:
    """Two dates: the balance of the end of a month, as far as it was known on the 15th before."""
    for end in public_data.month_ends(rows)[1::4]:
        middle = Day(end - date_of(end).day + 15)
        known_as_of = datetime.fromisoformat(f"{date_of(middle)}T23:59:59+00:00")
        known = [row for row in rows if row.issued <= middle]
        open_then: dict[str, int] = defaultdict(int)
        for row in known:
            if row.settled > middle:
                open_then[row.customer] += row.amount
        found = aging(client, end, known_as_of)
        assert {customer: sum(amounts[name] for name in BUCKETS.names) for customer, amounts in found.items()} == dict(
            open_then
        ), date_of(end)
