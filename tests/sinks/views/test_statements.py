"""Statements and changes against sums over the entries themselves."""

from collections import Counter, defaultdict
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from jobs.buckets import Buckets
from jobs.effects import LedgerEntry
from jobs.money import decimal_of
from jobs.values import Day, Instant, date_of, moment_of
from tests.sinks.views.sample import Sample

pytestmark = pytest.mark.clickhouse

EVER = "2299-12-31 23:59:59"
_DAY = 86_400_000_000
WINDOWS = [(0, 30), (31, 60), (45, 45), (60, 120)]


def ask(client: Client, sql: str, **values: object) -> list[dict[str, Any]]:
    return list(client.query(sql, parameters=values).named_results())


def days_of(sample: Sample, first: int, last: int) -> tuple[Day, Day]:
    begin = sample.companies["FR01"].calendar.day(sample.first)
    return Day(begin + first), Day(begin + last)


def knowledge(sample: Sample, days: int | None) -> tuple[str, Instant]:
    """An instant so many days after the first event, for ClickHouse and for Python; None = everything."""
    if days is None:
        return EVER, Instant(2**62)
    instant = Instant(sample.first + days * _DAY)
    return moment_of(instant).strftime("%Y-%m-%d %H:%M:%S.%f"), instant


def entries(sample: Sample, known: Instant) -> list[LedgerEntry]:
    return [entry for entry in sample.world.entries if entry.recorded_at <= known]


@pytest.mark.parametrize("known", [None, 50])
@pytest.mark.parametrize(("first", "last"), WINDOWS)
def test_a_statement_leads_from_balance_to_balance(
    client: Client, sample: Sample, first: int, last: int, known: int | None
) -> None:
    begin, end = days_of(sample, first, last)
    text, instant = knowledge(sample, known)
    accounts = sorted({(entry.company, entry.account_id) for entry in sample.world.entries})[::9]
    moved = 0
    for company, account in accounts:
        rows = ask(
            client,
            "SELECT * FROM account_statement(company = {company:String}, account_id = {account:String}, "
            "from_date = {first:Date32}, to_date = {last:Date32}, known_as_of = {known:String})",
            company=company,
            account=account,
            first=date_of(begin),
            last=date_of(end),
            known=text,
        )
        mine = [entry for entry in entries(sample, instant) if (entry.company, entry.account_id) == (company, account)]
        for currency in {row["currency"] for row in rows} | {entry.currency for entry in mine}:
            lines = [row for row in rows if row["currency"] == currency]
            here = [entry for entry in mine if entry.currency == currency and entry.effective_date <= end]
            if not here:
                assert lines == []
                continue
            opening = sum(entry.delta_minor for entry in here if entry.effective_date < begin)
            assert (lines[0]["entry_type"], lines[0]["amount"]) == ("opening", decimal_of(opening, currency))
            assert [line["line"] for line in lines] == list(range(len(lines)))
            balance = Decimal(0)
            for line in lines:
                balance += line["amount"]
                assert line["balance"] == balance
            assert balance == decimal_of(sum(entry.delta_minor for entry in here), currency)
            assert sorted(lines[1:], key=lambda line: line["effective_date"]) == lines[1:]
            by_day: Counter[date] = Counter()
            for entry in here:
                if entry.effective_date >= begin:
                    by_day[date_of(entry.effective_date)] += entry.delta_minor
            shown: Counter[date] = Counter()
            for line in lines[1:]:
                shown[line["effective_date"]] += line["amount"]
            assert {day: decimal_of(minor, currency) for day, minor in by_day.items() if minor} == {
                day: amount for day, amount in shown.items() if amount
            }
            moved += len(lines) - 1
    assert moved > 0 or first >= 45


@pytest.mark.parametrize("known", [None, 70])
@pytest.mark.parametrize(("first", "last"), WINDOWS)
def test_a_change_is_the_sum_of_what_moved_it(
    client: Client, sample: Sample, first: int, last: int, known: int | None
) -> None:
    begin, end = days_of(sample, first, last)
    text, instant = knowledge(sample, known)
    rows = ask(
        client,
        "SELECT * FROM aging_change(from_date = {first:Date32}, to_date = {last:Date32}, known_as_of = {known:String})",
        first=date_of(begin),
        last=date_of(end),
        known=text,
    )
    expected: dict[tuple[str, str, str], Counter[str]] = defaultdict(Counter)
    for entry in entries(sample, instant):
        if entry.balance_class != "invoice" or entry.effective_date > end:
            continue
        sums = expected[entry.company, entry.account_id, entry.currency]
        sums["closing"] += entry.delta_minor
        sums["closing_overdue"] += entry.delta_minor if entry.due_date < end else 0
        if entry.effective_date < begin:
            sums["opening"] += entry.delta_minor
            sums["opening_overdue"] += entry.delta_minor if entry.due_date < begin - 1 else 0
        else:
            sums[_kind(entry)] += entry.delta_minor
    assert len(rows) == len(expected) > 10
    kinds: Counter[str] = Counter()
    for row in rows:
        sums = expected[row["company"], row["account_id"], row["currency"]]
        for name in ("opening", *KINDS, "closing", "opening_overdue", "closing_overdue"):
            assert row[name] == decimal_of(sums[name], row["currency"]), name
            kinds[name] += bool(row[name])
        assert row["opening"] + sum(row[name] for name in KINDS) == row["closing"]
        assert row["opening_overdue"] + row["rolled"] == row["closing_overdue"]
    assert kinds["other"] == 0
    assert kinds["paid"] > 0 or last in {first, 30}


KINDS = ("issued", "adjusted", "paid", "credited", "reopened", "written_off", "recovered", "cancelled", "other")


def _kind(entry: LedgerEntry) -> str:
    if entry.entry_type == entry.item_type:
        return "issued"
    if entry.entry_type == "application":
        return "credited" if entry.value_date is None else "paid"
    return {
        "adjustment": "adjusted",
        "unapplication": "reopened",
        "reversal": "reopened",
        "write_off": "written_off",
        "recovery": "recovered",
        "cancellation": "cancelled",
        "due_date_change": "other",
    }.get(entry.entry_type, f"unexpected {entry.entry_type}")


@pytest.mark.parametrize(("first", "last"), [(30, 60), (60, 120), (40, 41)])
def test_every_bucket_is_somewhere_later(client: Client, sample: Sample, first: int, last: int) -> None:
    begin, end = days_of(sample, first, last)
    rows = ask(
        client,
        "SELECT * FROM roll_rates(from_date = {first:Date32}, to_date = {last:Date32}, known_as_of = {known:String})",
        first=date_of(begin),
        last=date_of(end),
        known=EVER,
    )
    was, later = _lines(sample, begin), _lines(sample, end)
    expected: Counter[tuple[str, str, str, str]] = Counter()
    for line, (bucket, amount) in was.items():
        now, still = later.get(line, ("", 0))
        stays = min(amount, still)
        company, _, currency, *_ = line
        expected[company, currency, bucket, now] += stays
        expected[company, currency, bucket, "settled"] += amount - stays
    found = {(row["company"], row["currency"], row["from_bucket"], row["to_bucket"]): row["amount"] for row in rows}
    assert found == {key: decimal_of(minor, key[1]) for key, minor in expected.items() if minor}
    whole: Counter[tuple[str, str, str]] = Counter()
    for (company, currency, bucket, _), amount in found.items():
        whole[company, currency, bucket] += amount
    for row in rows:
        part = row["amount"] / whole[row["company"], row["currency"], row["from_bucket"]]
        assert abs(row["rate"] - part) <= Decimal("0.0001")


def _lines(sample: Sample, day: Day) -> dict[tuple[Any, ...], tuple[str, int]]:
    sums: Counter[tuple[Any, ...]] = Counter()
    for entry in sample.world.entries:
        if entry.balance_class == "invoice" and entry.effective_date <= day:
            line = (entry.company, entry.account_id, entry.currency, entry.item_type, entry.item_id, entry.instalment)
            sums[*line, entry.due_date] += entry.delta_minor
    found: dict[tuple[Any, ...], tuple[str, int]] = {}
    for (*parts, due_date), amount in sums.items():
        line = tuple(parts)
        if amount > 0:
            bucket = Buckets(sample.companies[line[0]].buckets).name(day - due_date)
            assert line not in found
            found[line] = bucket, amount
    return found


@pytest.mark.parametrize("known", [None, 80])
@pytest.mark.parametrize("as_of", [20, 60, 100])
def test_control_totals_are_the_sums_of_all_entries(
    client: Client, sample: Sample, as_of: int, known: int | None
) -> None:
    day, _ = days_of(sample, as_of, as_of)
    text, instant = knowledge(sample, known)
    rows = ask(
        client,
        "SELECT * FROM control_totals(as_of = {day:Date32}, known_as_of = {known:String})",
        day=date_of(day),
        known=text,
    )
    sums: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for entry in entries(sample, instant):
        if entry.effective_date <= day:
            sums[entry.company, entry.currency][entry.balance_class] += entry.delta_minor
    assert len(rows) == len(sums) > 2
    for row in rows:
        classes = sums[row["company"], row["currency"]]
        signed = {"owed": classes["invoice"], "unapplied": -classes["unapplied"]}
        signed |= {"on_account": -classes["on_account"], "credits": -classes["credit"]}
        for name, minor in (signed | {"balance": sum(classes.values())}).items():
            assert row[name] == decimal_of(minor, row["currency"]), name
        assert row["reconciliation_gap"] == 0


@pytest.mark.parametrize("known", [None, 80])
@pytest.mark.parametrize("as_of", [40, 80, 120])
def test_unapplied_cash_is_all_of_it_also_what_nobody_owns(
    client: Client, sample: Sample, as_of: int, known: int | None
) -> None:
    day, _ = days_of(sample, as_of, as_of)
    text, instant = knowledge(sample, known)
    rows = ask(
        client,
        "SELECT * FROM unapplied_cash_aging(as_of = {day:Date32}, known_as_of = {known:String})",
        day=date_of(day),
        known=text,
    )
    expected: Counter[tuple[str, str, str, str]] = Counter()
    for entry in entries(sample, instant):
        if entry.effective_date <= day and entry.balance_class == "unapplied":
            expected[entry.company, entry.account_id, entry.currency, entry.item_id] -= entry.delta_minor
    known_events = [(name, record) for name, record in sample.events if record["recorded_at"] <= instant]
    moved = {record["payment_id"] for name, record in known_events if name == "ReceiptMoved"}
    moved |= {record["payment_id"] for name, record in known_events if name == "PaymentReversed"}
    for name, record in known_events:
        unknown = name == "PaymentReceived" and record["account_id"] is None and record["payment_id"] not in moved
        if unknown and record["value_date"] <= day:
            expected[record["company"], "", record["currency"], record["payment_id"]] = record["amount_minor"]
    found = {(row["company"], row["account_id"], row["currency"], row["payment_id"]): row["unapplied"] for row in rows}
    assert found == {key: decimal_of(minor, key[2]) for key, minor in expected.items() if minor}
    assert as_of < 120 or any(not account for _, account, _, _ in found)
    for row in rows:
        assert row["age_days"] == day - (row["value_date"] - date(1970, 1, 1)).days
        limits = {"0-1": 1, "2-5": 5, "6-10": 10, "11-30": 30}
        assert row["band"] == next((name for name, last in limits.items() if row["age_days"] <= last), "31+")


def test_an_invoices_history_has_what_each_log_says_of_it(client: Client, sample: Sample) -> None:
    company, invoice = next(
        (entry.company, entry.document_id) for entry in sample.world.disputes if entry.entry_type == "opened"
    )
    rows = ask(
        client,
        "SELECT * FROM invoice_history(company = {company:String}, invoice_id = {invoice:String})",
        company=company,
        invoice=invoice,
    )
    logs = Counter(row["log"] for row in rows)
    posted = [entry for entry in sample.world.entries if (entry.company, entry.item_id) == (company, invoice)]
    moved = [move for move in sample.world.transitions if (move.company, move.document_id) == (company, invoice)]
    assert logs["ledger"] == len(posted) > 0
    assert logs["aging"] == len(moved)
    assert logs["dispute"] > 0
    assert {"InvoiceIssued", "DisputeOpened"} <= {row["what"] for row in rows if row["log"] == "event"}
    assert [row["recorded_at"] for row in rows] == sorted(row["recorded_at"] for row in rows)


def test_late_applications_are_those_with_the_lag(client: Client, sample: Sample) -> None:
    begin, end = days_of(sample, 0, 125)
    rows = ask(
        client,
        "SELECT * FROM late_applications(from_date = {first:Date32}, to_date = {last:Date32}, days_min = 3, "
        "known_as_of = {known:String})",
        first=date_of(begin),
        last=date_of(end),
        known=EVER,
    )
    gone = {
        (entry.company, entry.cause_id)
        for entry in sample.world.entries
        if entry.entry_type in {"unapplication", "reversal", "cancellation"}
    }
    late = Counter(
        (entry.company, entry.item_id, entry.cause_id)
        for entry in sample.world.entries
        if entry.entry_type == "application"
        and entry.item_type in {"invoice", "debit_memo"}
        and entry.value_date is not None
        and entry.delta_minor < 0
        and entry.effective_date - entry.value_date >= 3
        and begin <= entry.effective_date <= end
        and (entry.company, entry.cause_id) not in gone
    )
    assert Counter((row["company"], row["invoice_id"], row["application_id"]) for row in rows) == late
    assert len(late) > 10
    assert min(row["lag_days"] for row in rows) == 3
