"""The vectors of SEMANTICS 7, and a worked example for every figure that has none there; a company each."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from jobs.company import CompanySettings
from jobs.events import (
    CashApplied,
    CreditMemoIssued,
    Event,
    ExceptionFlagged,
    ExceptionResolved,
    ExceptionReviewed,
    InvoiceIssued,
    InvoiceWrittenOff,
    PaymentReceived,
    PaymentReversed,
    PromiseMade,
    WriteOffRecovered,
)
from pipeline.local import ClickHouseServer
from sinks.clickhouse import Address
from tests.jobs.written import day, instant, ticked, written
from tests.sinks.oracles import asking
from tests.sinks.oracles.asking import keyed
from tests.sinks.oracles.told import Told

pytestmark = pytest.mark.clickhouse

# Most of the vectors are of one window: one answer has the figures of all of their companies.
ask = cache(asking.ask)

Happened = tuple[str, type[Event], dict[str, object]]


def invoice(on: str, name: str, amount: str, due: str) -> Happened:
    return on, InvoiceIssued, {"invoice_id": name, "document_date": on, "due_date": due, "amount": amount}


def credit(on: str, name: str, amount: str) -> Happened:
    return on, CreditMemoIssued, {"credit_memo_id": name, "document_date": on, "amount": amount}


def flagged(on: str, name: str) -> Happened:
    about = {"exception_type": "short_pay", "subject_type": "invoice", "subject_id": "A"}
    return on, ExceptionFlagged, {"exception_id": name, **about}


def cash(on: str, name: str, amount: str, **payload: object) -> Happened:
    return on, PaymentReceived, {"payment_id": name, "value_date": on, "amount": amount, **payload}


def applied(on: str, name: str, to: str, amount: str, method: str = "auto") -> Happened:
    """All or a part of a payment to an invoice; the application has the name of both."""
    names = {"application_id": f"{name}-{to}", "payment_id": name, "invoice_id": to}
    return on, CashApplied, {**names, "amount": amount, "method": method}


def paid(on: str, name: str, amount: str) -> list[Happened]:
    """An invoice is paid by a payment of its name on one day."""
    return [cash(on, name, amount), applied(on, name, name, amount)]


def promised(on: str, name: str, to: str, amount: str, for_date: str) -> Happened:
    return on, PromiseMade, {"promise_id": name, "invoice_ids": [to], "amount": amount, "promised_date": for_date}


@dataclass
class Vector:
    """Events, a window, and what the figures of the window are."""

    events: list[Happened]
    expected: dict[str, str | None]
    window: tuple[str, str] = ("2026-01-01", "2026-03-31")
    activities: frozenset[tuple[str, str]] = field(default_factory=frozenset)


VECTORS = {
    # 500 000 ÷ 1 200 000 * 90 = 37.5; 320 000 ÷ 1 200 000 * 90 = 24.0; 37.5 - 24.0 = 13.5
    "dso": Vector(
        [
            invoice("2026-01-05", "A", "700000.00", "2026-02-04"),
            invoice("2026-01-20", "B", "180000.00", "2026-02-19"),
            *paid("2026-02-10", "A", "700000.00"),
            invoice("2026-03-10", "C", "320000.00", "2026-04-09"),
        ],
        {"dso": "37.5", "best_possible_dso": "24", "average_days_delinquent": "13.5"},
    ),
    # AR 100k; Mar 60k (31 d), Feb 50k (28 d): 31 + 40 ÷ 50 * 28 = 53.4
    "countback": Vector(
        [
            invoice("2026-02-03", "A", "50000.00", "2026-03-05"),
            cash("2026-03-05", "R", "10000.00"),
            applied("2026-03-05", "R", "A", "10000.00"),
            invoice("2026-03-20", "B", "60000.00", "2026-04-19"),
        ],
        {"countback_dso": "53.4"},
        ("2026-03-01", "2026-03-31"),
    ),
    # (400 + 300 - 350) ÷ (400 + 300 - 250) = 77.78; 300 ÷ ((400 + 350) ÷ 2) = 0.8
    "cei": Vector(
        [
            invoice("2025-12-01", "A", "350.00", "2025-12-31"),
            invoice("2025-12-15", "B", "50.00", "2026-01-14"),
            *paid("2026-01-20", "A", "350.00"),
            invoice("2026-02-01", "C", "50.00", "2026-03-03"),
            invoice("2026-03-20", "D", "250.00", "2026-04-19"),
        ],
        {"cei": "77.78", "ar_turnover": "0.8"},
    ),
    # (100 + 50 - 40) ÷ (100 + 50 - 45) = 104.76: five of the money are not applied
    "cei_above_100": Vector(
        [
            invoice("2025-12-01", "A", "100.00", "2025-12-31"),
            *paid("2026-01-20", "A", "100.00"),
            invoice("2026-02-01", "B", "5.00", "2026-03-03"),
            *paid("2026-03-03", "B", "5.00"),
            invoice("2026-03-20", "C", "45.00", "2026-04-19"),
            cash("2026-03-30", "R", "5.00"),
        ],
        {"cei": "104.76", "unapplied_amount": "5", "unapplied_share": "0.0455"},
    ),
    # (1000 * 10 + 3000 * 40) ÷ 4000 = 32.5; what is due on the last day is not due
    "weighted": Vector(
        [
            invoice("2026-01-20", "A", "3000.00", "2026-02-19"),
            invoice("2026-02-19", "B", "1000.00", "2026-03-21"),
            invoice("2026-03-01", "C", "500.00", "2026-03-31"),
        ],
        {"weighted_days_past_due": "32.5"},
    ),
    # (60 - 20) ÷ (500 - 100 of a credit memo) = 0.1
    "bad_debt": Vector(
        [
            invoice("2026-01-05", "A", "500.00", "2026-02-04"),
            credit("2026-01-10", "K", "100.00"),
            ("2026-02-20", InvoiceWrittenOff, {"write_off_id": "W", "invoice_id": "A", "amount": "60.00"}),
            ("2026-03-20", WriteOffRecovered, {"write_off_id": "W", "amount": "20.00"}),
        ],
        {"bad_debt_ratio": "0.1"},
    ),
    # 100 ten days late, 300 in time: (100 * 10 + 300 * 0) ÷ 400 = 2.5; what bounced does not count. Lags of 0, 2 and 10
    # days: the median is 2, the 95th percentile 2 + 0.9 * 8 = 9.2.
    "late": Vector(
        [
            invoice("2026-01-02", "A", "100.00", "2026-02-01"),
            invoice("2026-01-02", "B", "200.00", "2026-02-01"),
            invoice("2026-01-02", "C", "100.00", "2026-02-01"),
            invoice("2026-01-02", "D", "50.00", "2026-02-01"),
            cash("2026-01-20", "RB", "200.00"),
            applied("2026-01-22", "RB", "B", "200.00"),
            *paid("2026-01-30", "C", "100.00"),
            cash("2026-02-11", "RA", "100.00"),
            applied("2026-02-21", "RA", "A", "100.00"),
            *paid("2026-02-26", "D", "50.00"),
            ("2026-03-02", PaymentReversed, {"payment_id": "D", "reason": "nsf"}),
        ],
        {"average_days_late": "2.5", "application_lag_p50": "2", "application_lag_p95": "9.2"},
    ),
    # Kept, partially kept with 30, broken: 1 ÷ 3; (100 + 30 + 0) ÷ 300. One whose deadline is later is outside.
    "promises": Vector(
        [
            *(invoice("2026-01-02", name, "100.00", "2026-01-31") for name in "ABCD"),
            *(promised("2026-02-02", f"P{name}", name, "100.00", "2026-02-10") for name in "ABC"),
            promised("2026-03-20", "PD", "D", "100.00", "2026-04-10"),
            *paid("2026-02-09", "A", "100.00"),
            cash("2026-02-10", "RB", "30.00"),
            applied("2026-02-10", "RB", "B", "30.00"),
        ],
        {"promise_kept_rate": "0.3333", "promise_kept_rate_amount": "0.4333"},
    ),
    # By machine, by hand, by machine and bounced; the fourth was parked on account and is no payment here: 1 ÷ 3
    "straight_through": Vector(
        [
            *(invoice("2026-01-02", name, "100.00", "2026-01-31") for name in "ABC"),
            *paid("2026-02-01", "A", "100.00"),
            cash("2026-02-02", "B", "100.00"),
            applied("2026-02-02", "B", "B", "100.00", "manual"),
            *paid("2026-02-03", "C", "100.00"),
            cash("2026-02-04", "D", "100.00", on_account=True),
            ("2026-03-09", PaymentReversed, {"payment_id": "C", "reason": "recall"}),
        ],
        {"straight_through_rate": "0.3333"},
    ),
    # Reviewed after 24 and 72 hours, resolved after 48; one is open. One of four transactions was looked at.
    "exceptions": Vector(
        [
            invoice("2026-01-02", "A", "100.00", "2026-01-31"),
            invoice("2026-01-02", "B", "100.00", "2026-01-31"),
            *paid("2026-02-02", "A", "100.00"),
            cash("2026-02-02", "R", "10.00"),
            *(flagged("2026-02-03", name) for name in "XY"),
            ("2026-02-04", ExceptionReviewed, {"exception_id": "X"}),
            ("2026-02-05", ExceptionResolved, {"exception_id": "X", "resolution": "paid"}),
            ("2026-02-06", ExceptionReviewed, {"exception_id": "Y"}),
        ],
        {
            "exceptions_unresolved": "1", "exception_hours_to_review": "48", "exception_hours_to_resolve": "48",
            "logging_coverage": "0.25",
        },
        activities=frozenset({("invoice", "A")}),
    ),
    # Credited more than was sold, nothing owed, nothing received: nothing to divide by
    "nothing": Vector(
        [
            invoice("2025-11-02", "A", "100.00", "2025-11-30"),
            *paid("2025-11-30", "A", "100.00"),
            credit("2026-02-02", "K", "10.00"),
        ],
        dict.fromkeys(
            ("dso", "best_possible_dso", "average_days_delinquent", "cei", "ar_turnover", "bad_debt_ratio",
             "average_days_late", "weighted_days_past_due", "promise_kept_rate", "promise_kept_rate_amount",
             "straight_through_rate", "unapplied_share", "application_lag_p50", "application_lag_p95",
             "exception_hours_to_review", "exception_hours_to_resolve")
        ) | {"countback_dso": "0", "unapplied_amount": "0", "exceptions_unresolved": "0"},
    ),
}  # fmt: skip


def _log() -> Iterator[Event]:
    """All vectors, by day; a company each."""
    events = [(on, name, kind, payload) for name, vector in VECTORS.items() for on, kind, payload in vector.events]
    clock = ""
    for number, (on, name, kind, payload) in enumerate(sorted(events, key=lambda event: event[0])):
        at = instant(f"{on}T09:00:00Z")
        if on != clock:
            clock = on
            yield ticked(at)
        given: dict[str, Any] = {"account_id": "C1", "currency": "EUR", **payload}
        if kind in {ExceptionFlagged, ExceptionReviewed, ExceptionResolved, PaymentReversed}:
            del given["currency"]
        yield written(kind, at, f"{name}-{number}", name, **given)
    yield ticked(instant("2026-05-01T09:00:00Z"))


@pytest.fixture(scope="module")
def client(clickhouse: ClickHouseServer) -> Iterator[Client]:
    told = Told({name: CompanySettings(code=name) for name in VECTORS}, list(_log()))
    told.play()
    for name, vector in VECTORS.items():
        told.looked_at(name, dict.fromkeys(vector.activities, instant("2026-02-01T00:00:00Z")))
    address = Address(clickhouse.url, "vectors")
    told.books.write_to(address)
    with address.client() as client:
        yield client
        client.command("DROP DATABASE vectors SYNC")


@pytest.mark.parametrize("name", VECTORS)
def test_a_vector(client: Client, name: str) -> None:
    vector = VECTORS[name]
    first, last = map(day, vector.window)
    rows = keyed(ask(client, "key_figures", from_date=first, to_date=last, known_as_of=None), "company", "currency")
    row = rows[name, "EUR"]
    found = {figure: None if row[figure] is None else Decimal(row[figure]) for figure in vector.expected}
    assert found == {figure: None if text is None else Decimal(text) for figure, text in vector.expected.items()}
