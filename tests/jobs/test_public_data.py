"""2,466 real invoices of a finance factoring company (IBM "late payment histories"), folded in process.

Each invoice is issued on its date, disputed at issue where the file says so, and paid in full on its settled date.
What the ledger answers as of any date is compared with a direct computation from the file (SEMANTICS 1.2, 2.1, 2.7).
"""

import csv
import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from jobs.as_of import OpenLine, age, open_lines
from jobs.buckets import Buckets
from jobs.effects import AccountAging
from jobs.events import CashApplied, DisputeOpened, Event, InvoiceIssued, PaymentReceived
from jobs.values import Day, Minor, date_of, day_of
from tests.jobs.books import Books, Outputs, instant, written

FILE = Path(
    os.environ.get("ARREARS_TEST_PUBLIC_DATA", Path(__file__).parents[3] / "shared/data/ibm_late_payment_histories.csv")
)
BUCKETS = Buckets((30, 60, 90, 120))

pytestmark = pytest.mark.skipif(not FILE.is_file(), reason=f"no public data at {FILE}")


@dataclass(frozen=True)
class Row:
    """One invoice of the file."""

    customer: str
    number: str
    issued: Day
    due: Day
    amount: int
    disputed: bool
    settled: Day


def _day(text: str) -> Day:
    return day_of(datetime.strptime(text, "%m/%d/%Y").date())  # noqa: DTZ007 a date without a time


def _rows() -> list[Row]:
    with FILE.open(encoding="utf-8-sig", newline="") as lines:
        return [
            Row(
                row["customerID"],
                row["invoiceNumber"],
                _day(row["InvoiceDate"]),
                _day(row["DueDate"]),
                int(Decimal(row["InvoiceAmount"]) * 100),
                row["Disputed"] == "Yes",
                _day(row["SettledDate"]),
            )
            for row in csv.DictReader(lines)
        ]


def _events(rows: list[Row]) -> list[tuple[Day, Event]]:
    """The log that the rows describe, by day; issues before payments, in the order of the file."""
    log: list[tuple[Day, int, Event]] = []
    for row in rows:
        for order, (on, kind, payload) in enumerate(_happenings(row)):
            at = instant(f"{date_of(on)}T12:00:00Z")
            given = {"account_id": row.customer, "currency": "USD", **payload}
            log.append((on, order, written(kind, at, f"{row.number}/{kind.__name__}", "US01", **given)))
    return [(on, event) for on, _, event in sorted(log, key=lambda entry: entry[:2])]


def _happenings(row: Row) -> Iterator[tuple[Day, type[Event], dict[str, object]]]:
    amount = {"amount_minor": row.amount}
    scaled = {**amount, "amount_scale": 2, "invoice_id": row.number}
    invoice = {"invoice_id": row.number, "document_date": row.issued, "due_date": row.due}
    yield row.issued, InvoiceIssued, {**invoice, **amount}
    if row.disputed:
        yield row.issued, DisputeOpened, {**scaled, "dispute_id": f"{row.number}/dispute"}
    yield row.settled, PaymentReceived, {**amount, "payment_id": row.number, "value_date": row.settled}
    yield row.settled, CashApplied, {**scaled, "application_id": row.number, "payment_id": row.number}


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return _rows()


@pytest.fixture(scope="module")
def folded(rows: list[Row]) -> tuple[Outputs, dict[Day, dict[str, AccountAging]]]:
    """Everything put out, and the live totals of every account at the end of every month."""
    books = Books(code="US01", timezone="America/New_York", start=None)
    log = _events(rows)
    month_ends: dict[Day, dict[str, AccountAging]] = {}
    position = 0
    for on in _calendar(rows):
        while position < len(log) and log[position][0] <= on:
            books._fold(log[position][1])
            position += 1
        books.tick(f"{date_of(on)}T23:00:00+00:00")
        if (date_of(on) + timedelta(days=1)).day == 1:
            month_ends[on] = {account: live for (account, _), live in books.out.live.items()}
    assert position == len(log)
    return books.out, month_ends


def _calendar(rows: list[Row]) -> list[Day]:
    """Every day from the first invoice to the month after the last payment."""
    first, last = min(row.issued for row in rows), max(row.settled for row in rows)
    return [Day(on) for on in range(first, last + 62)]


def _direct(rows: list[Row], as_of: Day) -> dict[str, dict[str, int]]:
    """Open amounts by customer and bucket, and the disputed part, straight from the file."""
    found: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in rows:
        if row.issued <= as_of < row.settled:
            found[row.customer][BUCKETS.name(as_of - row.due)] += row.amount
            if row.disputed:
                found[row.customer]["disputed"] += row.amount
    return found


def _month_ends(rows: list[Row]) -> list[Day]:
    return [on for on in _calendar(rows) if (date_of(on) + timedelta(days=1)).day == 1]


def test_the_file_is_the_one_that_is_meant(rows: list[Row]) -> None:
    assert len(rows) == 2466
    assert len({row.number for row in rows}) == 2466
    assert len({row.customer for row in rows}) == 100
    assert all(row.issued <= row.settled for row in rows)
    assert date_of(min(row.issued for row in rows)) == date(2012, 1, 3)


def test_every_invoice_is_paid_and_nothing_is_rejected_or_left(
    rows: list[Row], folded: tuple[Outputs, dict[Day, dict[str, AccountAging]]]
) -> None:
    out, _ = folded
    assert out.rejections == []
    assert len(out.items) == len(rows)
    assert {item.status for item in out.items.values()} == {"paid"}
    assert {receipt.status for receipt in out.receipts.values()} == {"applied"}
    assert not any(live.total_minor for live in out.live.values())


def test_the_aging_of_every_month_end_and_of_days_between_is_that_of_the_file(
    rows: list[Row], folded: tuple[Outputs, dict[Day, dict[str, AccountAging]]]
) -> None:
    out, _ = folded
    ends = _month_ends(rows)
    between = [Day(on + offset) for on in ends[:-1] for offset in (7, 18)]
    for as_of in sorted([*ends, *between]):
        lines = open_lines(out.entries, as_of)
        direct = _direct(rows, as_of)
        total = age(lines, as_of, BUCKETS)
        for name in BUCKETS.names:
            assert total.buckets[name] == sum(amounts[name] for amounts in direct.values()), (date_of(as_of), name)
        assert (total.unapplied, total.credits, total.reconciliation_gap) == (0, 0, 0)
        of_account: dict[str, dict[OpenLine, Minor]] = defaultdict(dict)
        for line, amount in lines.items():
            of_account[line.account_id][line] = amount
        assert set(of_account) == set(direct)
        for customer, own in of_account.items():
            report = age(own, as_of, BUCKETS)
            assert report.buckets == {name: direct[customer][name] for name in BUCKETS.names}


def test_the_live_totals_of_every_month_end_are_those_of_the_file(
    rows: list[Row], folded: tuple[Outputs, dict[Day, dict[str, AccountAging]]]
) -> None:
    _, month_ends = folded
    assert len(month_ends) > 20
    for as_of, live in month_ends.items():
        direct = _direct(rows, as_of)
        assert {account for account, totals in live.items() if totals.total_minor} == set(direct)
        for account, totals in live.items():
            expected = direct[account]
            assert dict(zip(totals.buckets, totals.bucket_minor, strict=True)) == {
                name: expected[name] for name in BUCKETS.names
            }
            assert totals.disputed_minor == expected["disputed"]


def test_every_invoice_has_the_transitions_of_its_life(
    rows: list[Row], folded: tuple[Outputs, dict[Day, dict[str, AccountAging]]]
) -> None:
    out, _ = folded
    seen: dict[str, list[tuple[Day, str, str]]] = defaultdict(list)
    for moved in out.transitions:
        seen[moved.document_id].append((moved.local_date, moved.from_bucket, moved.to_bucket))
    for row in rows:
        changes = [Day(row.due + limit) for limit in (1, 31, 61, 91, 121)]
        expected = [
            (on, BUCKETS.names[position], BUCKETS.names[position + 1])
            for position, on in enumerate(changes)
            if on < row.settled
        ]
        assert seen[row.number] == expected, row.number
