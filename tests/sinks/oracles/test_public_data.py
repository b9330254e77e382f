"""2,466 real invoices: every question of this package, and figures that come straight from the file."""

from collections.abc import Iterator
from fractions import Fraction

import msgspec
import pytest
from clickhouse_connect.driver.client import Client

from jobs import settings_from
from jobs.events import Event
from jobs.values import Day, Instant, date_of
from pipeline.local import ClickHouseServer
from sinks.clickhouse import Address
from tests import public_data
from tests.jobs.written import instant, ticked
from tests.public_data import BUCKETS, Row, events_of, open_by_customer
from tests.sinks.oracles import test_as_of, test_cash, test_figures, test_movements
from tests.sinks.oracles.asking import ask, keyed, money
from tests.sinks.oracles.test_as_of import Asked
from tests.sinks.oracles.test_figures import shown
from tests.sinks.oracles.test_movements import Asked as AskedWindows
from tests.sinks.oracles.told import Told

pytestmark = [
    pytest.mark.clickhouse,
    pytest.mark.skipif(not public_data.FILE.is_file(), reason=public_data.ABSENT),
]
CODE = public_data.COMPANY["code"]
_DAYS = ("2012-03-31", "2012-06-30", "2012-11-15", "2013-03-31")
_WINDOWS = (("2012-01-01", "2012-03-31"), ("2012-05-01", "2012-07-31"), ("2013-01-01", "2013-12-31"))


def day(text: str) -> Day:
    """A day of the file."""
    return Day(instant(f"{text}T00:00:00Z") // 86_400_000_000)


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return public_data.read_rows()


@pytest.fixture(scope="module")
def told(rows: list[Row]) -> Told:
    """The log that the file describes, with a tick a week."""
    log: list[Event] = []
    week = None
    for on, event in events_of(rows):
        if on // 7 != week:
            week = on // 7
            log.append(ticked(instant(f"{date_of(on)}T11:00:00Z")))
        log.append(msgspec.structs.replace(event, event_id=event.event_id.replace("/", "-")))
    log.append(ticked(Instant(max(event.recorded_at for event in log) + 40 * 86_400_000_000)))
    told = Told({CODE: settings_from({**public_data.COMPANY})}, log)
    told.play(at_ticks=True)
    return told


@pytest.fixture(scope="module")
def client(told: Told, clickhouse: ClickHouseServer) -> Iterator[Client]:
    address = Address(clickhouse.url, "public_data")
    told.books.write_to(address)
    with address.client() as client:
        yield client
        client.command("DROP DATABASE public_data SYNC")


class TestAgainstTheEvents:
    """The same questions as of random histories."""

    @pytest.fixture(params=[2, None])
    def asked(self, told: Told, request: pytest.FixtureRequest) -> Asked:
        known = None if request.param is None else told.moments[request.param]
        return told.journal(known), known, [day(text) for text in _DAYS]

    test_open_items = staticmethod(test_as_of.test_open_items)
    test_disputed = staticmethod(test_as_of.test_disputed)
    test_aging = staticmethod(test_as_of.test_aging_by_the_companys_buckets)
    test_aging_wide = staticmethod(test_as_of.test_aging_by_the_default_buckets)
    test_aging_buckets = staticmethod(test_as_of.test_aging_with_a_row_for_every_bucket)
    test_late_applications = staticmethod(test_cash.test_late_applications)


class TestChangesAgainstTheEvents:
    """The same windows as of random histories."""

    @pytest.fixture
    def asked(self, told: Told) -> AskedWindows:
        return told.journal(), None, [(day(first), day(last)) for first, last in _WINDOWS]

    test_roll_rates = staticmethod(test_movements.test_roll_rates)
    test_control_totals = staticmethod(test_movements.test_control_totals)
    test_account_statement = staticmethod(test_movements.test_account_statement)


class TestAgainstTheFile:
    """What the file says by itself."""

    @pytest.mark.parametrize("text", _DAYS)
    def test_open_by_customer_and_bucket(self, client: Client, rows: list[Row], text: str) -> None:
        as_of = day(text)
        found = keyed(ask(client, "aging_as_of", as_of=as_of, known_as_of=None), "account_id")
        direct = open_by_customer(rows, as_of)
        assert found.keys() == {(customer,) for customer in direct}
        for customer, amounts in direct.items():
            row = found[customer,]
            buckets = {part["name"]: part["amount"] for part in row["buckets"]} | {"not_due": row["not_due"]}
            assert buckets == {name: money(amounts[name], "USD") for name in BUCKETS.names}
            assert row["disputed"] == money(amounts["disputed"], "USD")

    @pytest.mark.parametrize(("begin", "end"), _WINDOWS)
    def test_figures(self, client: Client, rows: list[Row], begin: str, end: str) -> None:
        first, last = day(begin), day(end)
        (row,) = ask(client, "key_figures", from_date=first, to_date=last, known_as_of=None)
        still = [line for line in rows if line.issued <= last < line.settled]
        before = sum(line.amount for line in rows if line.issued < first <= line.settled)
        ending = sum(line.amount for line in still)
        young = sum(line.amount for line in still if line.due >= last)
        late = [(line.amount, last - line.due) for line in still if line.due < last]
        sold = sum(line.amount for line in rows if first <= line.issued <= last)
        paid = [line for line in rows if first <= line.settled <= last]
        days, cash = last - first + 1, sum(line.amount for line in paid)
        expected = {
            "dso": Fraction(ending * days, sold),
            "best_possible_dso": Fraction(young * days, sold),
            "average_days_delinquent": Fraction((ending - young) * days, sold),
            "cei": Fraction(100 * (before + sold - ending), before + sold - young),
            "ar_turnover": Fraction(2 * sold, before + ending),
            "average_days_late": Fraction(sum(line.amount * max(0, line.settled - line.due) for line in paid), cash),
            "weighted_days_past_due": Fraction(
                sum(amount * age for amount, age in late), sum(amount for amount, _ in late)
            ),
            "bad_debt_ratio": Fraction(0),
            "application_lag_p50": Fraction(0),
            "unapplied_amount": Fraction(0),
            "unapplied_share": Fraction(0),
        }  # fmt: skip
        for name, value in expected.items():
            assert row[name] == shown(name, value, "USD"), name
        assert (row["receivables"], row["credit_sales"]) == (money(ending, "USD"), money(sold, "USD"))
        assert row["promise_kept_rate"] is None


@pytest.mark.parametrize(("begins", "length"), [(0, 90), (300, 365)])
def test_every_figure(client: Client, told: Told, begins: int, length: int) -> None:
    test_figures.test_every_figure(client, told, begins, length, is_past=False)
