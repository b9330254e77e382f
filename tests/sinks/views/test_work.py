"""How people and accounts did, against counts over events, states and entries."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from jobs.kpi import CaseMoment
from jobs.money import decimal_of
from jobs.values import Day, Instant, date_of
from tests.sinks.views.sample import Sample
from tests.sinks.views.test_statements import EVER, ask, days_of, entries, knowledge

pytestmark = pytest.mark.clickhouse

WINDOWS = [(0, 125), (31, 60), (61, 90)]
_HOUR = 3_600_000_000
_DAYS, _RATIO = Decimal("0.01"), Decimal("0.0001")


def rounded(numerator: int, denominator: int, unit: Decimal) -> Decimal | None:
    if denominator <= 0:
        return None
    exact = Fraction(numerator, denominator)
    return (Decimal(exact.numerator) / Decimal(exact.denominator)).quantize(unit, ROUND_HALF_UP)


def windowed(client: Client, sample: Sample, view: str, first: int, last: int, more: str = "") -> list[dict[str, Any]]:
    begin, end = days_of(sample, first, last)
    sql = f"SELECT * FROM {view}(from_date = {{first:Date32}}, to_date = {{last:Date32}}, known_as_of = '{EVER}'{more})"
    return ask(client, sql, first=date_of(begin), last=date_of(end))


@pytest.mark.parametrize(("first", "last"), WINDOWS)
def test_promises_by_account(client: Client, sample: Sample, first: int, last: int) -> None:
    rows = windowed(client, sample, "promise_performance", first, last)
    begin, end = days_of(sample, first, last)
    expected: dict[tuple[str, str, str], list[Any]] = defaultdict(list)
    for promise in sample.world.promises.values():
        if begin <= promise.deadline <= end and promise.status not in {"superseded", "void", "withdrawn"}:
            expected[promise.company, promise.account_id, promise.currency].append(promise)
    assert len(rows) == len(expected) > 0
    for row in rows:
        promises = expected[row["company"], row["account_id"], row["currency"]]
        states = Counter(promise.status for promise in promises)
        judged = [promise for promise in promises if promise.status in {"kept", "partially_kept", "broken"}]
        for state in ("kept", "partially_kept", "broken"):
            assert row[state] == states[state]
        assert row["judged"] == len(judged)
        assert row["pending"] == states["open"] + states["pending_cash"]
        owed = sum(promise.effective_amount_minor for promise in judged)
        paid = sum(min(promise.effective_amount_minor, promise.paid_in_window_minor) for promise in judged)
        assert row["promised"] == decimal_of(owed, row["currency"])
        assert row["paid_in_time"] == decimal_of(paid, row["currency"])
        assert row["kept_rate"] == rounded(states["kept"], len(judged), _RATIO)
        assert row["kept_rate_amount"] == rounded(paid, owed, _RATIO)
        late = [promise.paid_late_days for promise in promises if promise.paid_late_days is not None]
        assert row["days_late"] == rounded(sum(late), len(late), _DAYS)


def test_promises_as_they_were_known(client: Client, sample: Sample) -> None:
    text, instant = knowledge(sample, 80)
    rows = windowed(client, sample, "promise_performance", 0, 125, f", known_as_of = '{text}'")
    judged = sum(row["judged"] for row in rows)
    now = sum(
        row["judged"] for row in windowed(client, sample, "promise_performance", 0, 125, f", known_as_of = '{EVER}'")
    )
    assert 0 < judged < now
    assert instant < sample.last


@pytest.mark.parametrize("known", [None, 70])
@pytest.mark.parametrize("as_of", [50, 90, 120])
def test_disputes_by_age(client: Client, sample: Sample, as_of: int, known: int | None) -> None:
    day, _ = days_of(sample, as_of, as_of)
    text, instant = knowledge(sample, known)
    rows = ask(
        client,
        "SELECT * FROM dispute_aging(as_of = {day:Date32}, known_as_of = {known:String})",
        day=date_of(day),
        known=text,
    )
    sums: Counter[tuple[str, str]] = Counter()
    opened: dict[tuple[str, str], Day] = {}
    known_entries = [
        each for each in sample.world.disputes if each.effective_date <= day and each.recorded_at <= instant
    ]
    for entry in sorted(known_entries, key=lambda each: each.effective_date):
        key = entry.company, entry.dispute_id
        if not sums[key]:
            opened[key] = entry.effective_date
        sums[key] += entry.delta_minor
    found = {(row["company"], row["dispute_id"]): row for row in rows}
    assert found.keys() == {key for key, minor in sums.items() if minor}
    assert found
    for key, row in found.items():
        assert row["contested"] == decimal_of(sums[key], row["currency"])
        assert (row["opened_on"], row["age_days"]) == (date_of(opened[key]), day - opened[key])
        limits = {"0-30": 30, "31-60": 60, "61-90": 90}
        assert row["band"] == next((name for name, last in limits.items() if row["age_days"] <= last), "91+")


def _moments(sample: Sample) -> Iterator[tuple[str, str, CaseMoment]]:
    """What changed the status of an exception; that it is overdue, or lies elsewhere, does not."""
    status: dict[tuple[str, str], str] = {}
    for case in sample.world.exception_history:
        key = case.company, case.exception_id
        if status.get(key) == case.status:
            continue
        status[key] = case.status
        yield case.company, case.exception_type, sample.world._moment(case)


@pytest.mark.parametrize(("first", "last"), WINDOWS)
def test_exceptions_by_kind(client: Client, sample: Sample, first: int, last: int) -> None:
    rows = windowed(client, sample, "exception_resolution", first, last)
    begin, end = days_of(sample, first, last)
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    cases: dict[tuple[str, str], list[tuple[str, CaseMoment]]] = defaultdict(list)
    for company, kind, moment in _moments(sample):
        if moment.day <= end:
            cases[company, moment.exception_id].append((kind, moment))
    for (company, _), history in cases.items():
        flagged: Instant | None = None
        begun: Instant | None = None
        was_reviewed = False
        for kind, moment in sorted(history, key=lambda entry: entry[1].at):
            sums = counts[company, kind]
            inside = begin <= moment.day <= end
            if moment.status == "flagged":
                flagged, begun = moment.at, moment.at if begun is None else begun
                sums["flagged"] += inside
            elif moment.status == "reviewed" and not was_reviewed:
                was_reviewed = True
                sums["reviewed"] += inside
                sums["review"] += (moment.at - (begun or 0)) * inside
            elif moment.status == "resolved":
                sums["resolved"] += inside
                sums["resolve"] += (moment.at - (flagged or 0)) * inside
        kind, latest = history[-1]
        counts[company, kind]["unresolved"] += latest.status != "resolved"
    assert len(rows) == len(counts) > 0
    for row in rows:
        sums = counts[row["company"], row["exception_type"]]
        for name in ("flagged", "reviewed", "resolved", "unresolved"):
            assert row[name] == sums[name], (row["exception_type"], name)
        assert row["hours_to_review"] == rounded(sums["review"], sums["reviewed"] * _HOUR, _DAYS)
        assert row["hours_to_resolve"] == rounded(sums["resolve"], sums["resolved"] * _HOUR, _DAYS)


def _happened(sample: Sample, first: int, last: int) -> list[tuple[str, dict[str, Any]]]:
    """Events that were not refused, each once, by the company's local date of what happened."""
    begin, end = days_of(sample, first, last)
    refused = {event_id for event_id, _ in sample.world.rejected}
    found: dict[tuple[str, str], tuple[str, dict[str, Any]]] = {}
    for name, record in sample.events:
        if name in {"ClockTicked", "CompanyConfigured"} or record["event_id"] in refused:
            continue
        day = sample.companies[record["company"]].calendar.day(record["occurred_at"])
        if begin <= day <= end:
            found.setdefault((record["company"], record["event_id"]), (name, record))
    return list(found.values())


@pytest.mark.parametrize(("first", "last"), WINDOWS)
def test_operators(client: Client, sample: Sample, first: int, last: int) -> None:
    rows = windowed(client, sample, "operator_productivity", first, last)
    actions: Counter[tuple[str, str]] = Counter()
    hours: dict[tuple[str, str], set[int]] = defaultdict(set)
    touched: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for _, record in _happened(sample, first, last):
        if record["actor_id"] in {None, ""} or record["actor_role"] == "system":
            continue
        who = record["company"], record["actor_id"]
        actions[who] += 1
        hours[who].add(record["occurred_at"] // _HOUR)
        about_payment = (record.get("entity_type") or record.get("subject_type") or "").lower() == "payment"
        payment = record.get("payment_id") or (
            (record.get("entity_id") or record.get("subject_id")) if about_payment else None
        )
        touched[who][payment or ""] += 1
    found = {(row["company"], row["actor_id"]): row for row in rows}
    assert found.keys() == actions.keys()
    assert len(found) > 1
    for who, row in found.items():
        assert (row["actions"], row["active_hours"]) == (actions[who], len(hours[who]))
        assert row["actions_per_hour"] == rounded(actions[who], len(hours[who]), _DAYS)
        payments = {payment: count for payment, count in touched[who].items() if payment}
        assert (row["payments_touched"], row["payment_touches"]) == (len(payments), sum(payments.values()))
        assert row["touches_per_payment"] == rounded(sum(payments.values()), len(payments), _DAYS)


@pytest.mark.parametrize("influence", [3, 14])
@pytest.mark.parametrize(("first", "last"), WINDOWS)
def test_collectors(client: Client, sample: Sample, first: int, last: int, influence: int) -> None:
    rows = windowed(client, sample, "collector_performance", first, last, f", influence_days = {influence}")
    contacts: Counter[tuple[str, str]] = Counter()
    promises: Counter[tuple[str, str]] = Counter()
    for name, record in _happened(sample, first, last):
        who = record["company"], record["actor_id"]
        contacts[who] += name == "ContactAttempted"
        promises[who] += name == "PromiseMade"
    # A later contact takes the cash that comes after it, also when it lies behind the window.
    made: list[tuple[str, str, str, Day, int]] = []
    _, end = days_of(sample, first, last)
    for name, record in _happened(sample, first, last + influence):
        if name == "ContactAttempted":
            day = sample.companies[record["company"]].calendar.day(record["occurred_at"])
            made.append((record["company"], record["actor_id"], record["account_id"], day, record["occurred_at"]))
    cash: Counter[tuple[str, str, str]] = Counter()
    payments: Counter[tuple[str, str, str]] = Counter()
    for (company, _), receipt in sample.world.receipts.items():
        if receipt.status in {"identified", "reversed"}:
            continue
        before = [
            (at, collector, day)
            for own, collector, account, day, at in made
            if (own, account) == (company, receipt.account_id) and day <= receipt.value_date <= day + influence
        ]
        if before and max(before)[2] <= end:
            key = company, max(before)[1], receipt.currency
            cash[key] += receipt.amount_minor
            payments[key] += 1
    assert {(row["company"], row["collector"]) for row in rows} == (+contacts).keys() | (+promises).keys()
    found = {(row["company"], row["collector"], row["currency"]): row for row in rows if row["payments"]}
    assert {key: row["payments"] for key, row in found.items()} == payments
    assert {key: row["cash"] for key, row in found.items()} == {
        key: decimal_of(minor, key[2]) for key, minor in cash.items()
    }
    for row in rows:
        who = row["company"], row["collector"]
        assert (row["contacts"], row["promises"]) == (contacts[who], promises[who])


def test_coverage_of_logging_by_kind(client: Client, sample: Sample) -> None:
    rows = windowed(client, sample, "logging_coverage", 0, 125)
    found = {(row["company"], row["kind"]): (row["transactions"], row["logged"], row["coverage"]) for row in rows}
    begin, end = days_of(sample, 0, 125)
    transactions, logged, _ = found["FR01", "invoice"]
    assert (logged, found["FR01", "invoice"][2]) == (2, rounded(2, transactions, _RATIO))
    posted = {
        entry.item_id
        for entry in sample.world.entries
        if (entry.company, entry.entry_type, entry.item_type) == ("FR01", "invoice", "invoice")
        and begin <= entry.effective_date <= end
    }
    assert transactions == len(posted)


@pytest.mark.parametrize("as_of", [90, 125])
def test_how_accounts_pay(client: Client, sample: Sample, as_of: int) -> None:
    day, _ = days_of(sample, as_of, as_of)
    rows = ask(
        client,
        "SELECT * FROM payment_behaviour(as_of = {day:Date32}, known_as_of = {known:String})",
        day=date_of(day),
        known=EVER,
    )
    known = [entry for entry in entries(sample, Instant(2**62)) if entry.effective_date <= day]
    gone = {
        (entry.company, entry.currency, entry.cause_id)
        for entry in known
        if entry.entry_type in {"unapplication", "reversal", "cancellation"}
    }
    paid: dict[tuple[str, str, str], list[tuple[int, int]]] = defaultdict(list)
    seen = set()
    for entry in known:
        if entry.entry_type != "application" or entry.item_type not in {"invoice", "debit_memo"}:
            continue
        key = entry.company, entry.item_type, entry.item_id, entry.cause_id, entry.instalment
        if entry.value_date is None or key in seen or (entry.company, entry.currency, entry.cause_id) in gone:
            continue
        seen.add(key)
        account = entry.company, entry.account_id, entry.currency
        paid[account].append((entry.value_date - entry.due_date, -entry.delta_minor))
    assert len(rows) == len(paid) > 20
    for row in rows:
        payments = paid[row["company"], row["account_id"], row["currency"]]
        whole = sum(minor for _, minor in payments)
        assert (row["payments"], row["paid"]) == (len(payments), decimal_of(whole, row["currency"]))
        assert row["days_late_mean"] == rounded(sum(delay * minor for delay, minor in payments), whole, _DAYS)
        assert row["on_time_share"] == rounded(sum(minor for delay, minor in payments if delay <= 0), whole, _RATIO)
        middle = sorted(delay for delay, _ in payments)
        median = Fraction(middle[(len(middle) - 1) // 2] + middle[len(middle) // 2], 2)
        assert row["days_late_p50"] == rounded(median.numerator, median.denominator, _DAYS)
