"""2,466 real invoices of a finance factoring company, folded in process.

What the ledger answers as of any date is compared with a direct computation from the file (SEMANTICS 1.2, 2.1, 2.7).
"""

from collections import defaultdict
from datetime import date, timedelta

import pytest

from jobs.as_of import OpenLine, age, open_lines
from jobs.effects import AccountAging
from jobs.values import Day, Minor, date_of
from tests import public_data
from tests.jobs.books import Books, Outputs
from tests.public_data import BUCKETS, Row, calendar, events_of, open_by_customer

pytestmark = pytest.mark.skipif(not public_data.FILE.is_file(), reason=public_data.ABSENT)


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return public_data.read_rows()


@pytest.fixture(scope="module")
def folded(rows: list[Row]) -> tuple[Outputs, dict[Day, dict[str, AccountAging]]]:
    """Everything put out, and the live totals of every account at the end of every month."""
    books = Books(**public_data.COMPANY, start=None)
    log = events_of(rows)
    month_ends: dict[Day, dict[str, AccountAging]] = {}
    position = 0
    for on in calendar(rows):
        while position < len(log) and log[position][0] <= on:
            books._fold(log[position][1])
            position += 1
        books.tick(f"{date_of(on)}T23:00:00+00:00")
        if (date_of(on) + timedelta(days=1)).day == 1:
            month_ends[on] = {account: live for (account, _), live in books.out.live.items()}
    assert position == len(log)
    return books.out, month_ends


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
    ends = public_data.month_ends(rows)
    between = [Day(on + offset) for on in ends[:-1] for offset in (7, 18)]
    for as_of in sorted([*ends, *between]):
        lines = open_lines(out.entries, as_of)
        direct = open_by_customer(rows, as_of)
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
        direct = open_by_customer(rows, as_of)
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
