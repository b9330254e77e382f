"""2,466 real invoices in ClickHouse: what the views of behaviour answer is what the file says, row by row."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, time
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import msgspec
import pytest
from clickhouse_connect.driver.client import Client

from jobs import settings_from
from jobs.money import decimal_of
from jobs.values import Day, date_of
from pipeline.local import ClickHouseServer
from sinks.clickhouse import Address
from tests import public_data
from tests.jobs.written import day, instant, ticked
from tests.public_data import BUCKETS, COMPANY, Row, calendar, events_of
from tests.sinks.oracles_work.asking import CENTS, RATIO, Rows, Window, ask, quotient, same
from tests.sinks.oracles_work.desks import Sent, WorkDesk
from tests.sinks.oracles_work.playing import play

pytestmark = [
    pytest.mark.clickhouse,
    pytest.mark.skipif(not public_data.FILE.is_file(), reason=public_data.ABSENT),
]

DATABASE = "oracles_public"
CODE = str(COMPANY["code"])
AS_OF = ["2012-12-31", "2013-06-15", "2013-12-31"]


@pytest.fixture(scope="module")
def invoices() -> list[Row]:
    return public_data.read_rows()


@pytest.fixture(scope="module")
def client(invoices: list[Row], clickhouse: ClickHouseServer) -> Iterator[Client]:
    """A database that holds them."""
    desk = WorkDesk(settings_from({**COMPANY}), currency="USD")
    for on, event in events_of(invoices):
        at = instant(f"{date_of(on)}T12:00:00Z")
        record = {**msgspec.to_builtins(event), "source": "file", "actor_id": "", "actor_role": ""}
        desk.log.append(Sent(at, type(event).__name__, record, event))
    end = instant(f"{date_of(calendar(invoices)[-1])}T23:00:00Z")
    desk.log.append(Sent(end, "ClockTicked", {}, ticked(end)))
    address = Address(clickhouse.url, DATABASE)
    play([desk], since=instant("2012-01-01T00:00:00Z")).books.write_to(address)
    with address.client() as client:
        yield client
        client.command(f"DROP DATABASE {DATABASE} SYNC")


def _window(as_of: str) -> Window:
    return Window(day(as_of), day(as_of), None)


def _paid(invoices: list[Row], as_of: int) -> dict[str, list[Row]]:
    """Invoices that were settled in the year up to a day, by customer."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in invoices:
        if as_of - 365 < row.settled <= as_of:
            found[row.customer].append(row)
    return found


def _mean(rows: list[Row]) -> Decimal | None:
    return quotient(sum(row.amount * (row.settled - row.due) for row in rows), sum(row.amount for row in rows), CENTS)


@pytest.mark.parametrize("as_of", AS_OF)
def test_how_customers_pay(client: Client, invoices: list[Row], as_of: str) -> None:
    window = _window(as_of)
    expected: Rows = {}
    for customer, rows in _paid(invoices, window.last).items():
        recent = _mean([row for row in rows if row.settled > window.last - 90])
        older = _mean([row for row in rows if row.settled <= window.last - 90])
        on_time = sum(row.amount for row in rows if row.settled <= row.due)
        expected[CODE, customer, "USD"] = {
            "payments": len(rows),
            "paid": decimal_of(sum(row.amount for row in rows), "USD"),
            "days_late_mean": _mean(rows),
            "on_time_share": quotient(on_time, sum(row.amount for row in rows), RATIO),
            "days_late_recent": recent,
            "trend": None if recent is None or older is None else recent - older,
            "last_paid_on": date_of(max(row.settled for row in rows)),
        }
    assert len(expected) > 90
    same(ask(client, "payment_behaviour", "company account_id currency", window, "as_of", "known_as_of"), expected)


@pytest.mark.parametrize("as_of", AS_OF)
def test_scores(client: Client, invoices: list[Row], as_of: str) -> None:
    window = _window(as_of)
    paid = _paid(invoices, window.last)
    expected: Rows = {}
    for customer in {row.customer for row in invoices}:
        owed = [row for row in invoices if row.customer == customer and row.issued <= window.last < row.settled]
        if not owed:
            continue
        rows = paid.get(customer, [])
        recent = _mean([row for row in rows if row.settled > window.last - 90])
        older = _mean([row for row in rows if row.settled <= window.last - 90])
        overdue = sum(row.amount for row in owed if row.due < window.last)
        points = {
            "pays_late": (Fraction(_mean(rows) or 0), 30),
            "overdue_share": (Fraction(25 * overdue, sum(row.amount for row in owed)), 25),
            "oldest_overdue": (Fraction(window.last - min(row.due for row in owed), 6), 15),
            "getting_later": (
                Fraction(recent - older) if recent is not None and older is not None else Fraction(0),
                10,
            ),
        }
        found = {}
        for rule, (value, most) in points.items():
            bounded = min(Fraction(most), max(Fraction(0), value))
            found[rule] = int((Decimal(bounded.numerator) / bounded.denominator).quantize(Decimal(1), ROUND_HALF_UP))
        ordered = sorted(
            ((rule, number) for rule, number in found.items() if number), key=lambda each: (-each[1], each[0])
        )
        parts = [f"{rule}={number}" for rule, number in ordered]
        expected[CODE, customer, "USD"] = {"score": sum(found.values()), "parts": parts}
    same(ask(client, "risk_score", "company account_id currency", window, "as_of", "known_as_of"), expected)


@pytest.mark.parametrize("as_of", AS_OF)
def test_disputes_by_age(client: Client, invoices: list[Row], as_of: str) -> None:
    window = _window(as_of)
    expected: Rows = {}
    for row in invoices:
        age = window.last - row.issued
        if row.disputed and age >= 0:
            expected[CODE, row.customer, f"{row.number}/dispute", "USD"] = {
                "document_id": row.number,
                "opened_on": date_of(row.issued),
                "age_days": age,
                "band": "0-30" if age <= 30 else "31-60" if age <= 60 else "61-90" if age <= 90 else "91+",
                "contested": decimal_of(row.amount, "USD"),
            }
    assert len({row["band"] for row in expected.values()}) == 4
    same(
        ask(client, "dispute_aging", "company account_id dispute_id currency", window, "as_of", "known_as_of"), expected
    )


def test_every_step_of_every_invoice(client: Client, invoices: list[Row]) -> None:
    """Issued, perhaps disputed, older at midnights while it was open, paid and cleared."""
    zone = ZoneInfo(str(COMPANY["timezone"]))
    expected: Counter[tuple[str, str, datetime]] = Counter()
    first, last = day("2012-06-01"), day("2013-05-31")
    for row in invoices:
        if not first <= row.issued <= last:
            continue
        steps = [(row.issued, "InvoiceIssued"), (row.settled, "CashApplied"), (row.settled, "Cleared")]
        steps += [(row.issued, "DisputeOpened")] if row.disputed else []
        for on, what in steps:
            expected[row.number, what, datetime.combine(date_of(on), time(12))] += 1
        for number, limit in enumerate((1, 31, 61, 91, 121), start=1):
            on = Day(row.due + limit)
            if on < row.settled:
                midnight = datetime.combine(date_of(on), time(), zone).astimezone(UTC).replace(tzinfo=None)
                expected[row.number, f"Aging {BUCKETS.names[number]}", midnight] += 1
    answer = client.query(
        "SELECT case_id, activity, happened_at FROM process_log(company = {code:String}, from_date = {first:Date32}, "
        "to_date = {last:Date32})",
        parameters={"code": CODE, "first": date_of(first), "last": date_of(last)},
    ).result_rows
    found = Counter((case, what, at.replace(tzinfo=None)) for case, what, at in answer)
    assert found == expected
