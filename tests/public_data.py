"""2,466 real invoices of a finance factoring company (IBM "late payment histories"), and what they come to.

Each invoice is issued on its date, disputed at issue where the file says so, and paid in full on its settled date. The
open amounts as of any date are computed straight from the file, without anything of the ledger.
"""

import csv
import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from jobs.buckets import Buckets
from jobs.events import CashApplied, DisputeOpened, Event, InvoiceIssued, PaymentReceived
from jobs.values import Day, date_of, day_of
from tests.jobs.written import instant, written

FILE = Path(
    os.environ.get("ARREARS_TEST_PUBLIC_DATA", Path(__file__).parents[2] / "shared/data/ibm_late_payment_histories.csv")
)
ABSENT = f"no public data at {FILE}"
BUCKETS = Buckets((30, 60, 90, 120))
COMPANY = {"code": "US01", "timezone": "America/New_York"}


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


def read_rows() -> list[Row]:
    """All invoices, in the order of the file."""
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


def _day(text: str) -> Day:
    return day_of(datetime.strptime(text, "%m/%d/%Y").date())  # noqa: DTZ007 a date without a time


def events_of(rows: list[Row]) -> list[tuple[Day, Event]]:
    """The log that the rows describe, by day; issues before payments, in the order of the file."""
    log: list[tuple[Day, int, Event]] = []
    for row in rows:
        for order, (on, kind, payload) in enumerate(_happenings(row)):
            at = instant(f"{date_of(on)}T12:00:00Z")
            given = {"account_id": row.customer, "currency": "USD", **payload}
            log.append((on, order, written(kind, at, f"{row.number}/{kind.__name__}", COMPANY["code"], **given)))
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


def calendar(rows: list[Row]) -> list[Day]:
    """Every day from the first invoice to the month after the last payment."""
    first, last = min(row.issued for row in rows), max(row.settled for row in rows)
    return [Day(on) for on in range(first, last + 62)]


def month_ends(rows: list[Row]) -> list[Day]:
    """The last day of every month of the calendar."""
    return [on for on in calendar(rows) if (date_of(on) + timedelta(days=1)).day == 1]


def open_by_customer(rows: list[Row], as_of: Day) -> dict[str, dict[str, int]]:
    """Open amounts in cents by customer and bucket, and the disputed part, straight from the file."""
    found: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in rows:
        if row.issued <= as_of < row.settled:
            found[row.customer][BUCKETS.name(as_of - row.due)] += row.amount
            if row.disputed:
                found[row.customer]["disputed"] += row.amount
    return found
