"""Aging by account, company, region, collector and group in every credit mode, against sums over the rows."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from jobs.money import decimal_of
from pipeline.local import ClickHouseServer
from sinks.clickhouse import Address
from sinks.migrations.m0008_as_of import _WIDE
from sinks.queries import ask as ask_by_name
from tests.sinks.copies import make_tables
from tests.sinks.views.aging_history import (
    MODES,
    Entry,
    History,
    Past,
    Report,
    Standing,
    above,
    drawn,
    is_top,
    limits_of,
    members_of,
    mode_of,
    report,
    write,
)

pytestmark = pytest.mark.clickhouse

EVER = datetime(2299, 12, 31, tzinfo=UTC)
PASTS = [
    Past(date(2026, 3, 31), EVER),
    Past(date(2026, 3, 31), datetime(2026, 3, 10, 12, tzinfo=UTC)),
    Past(date(2026, 2, 10), datetime(2026, 2, 20, tzinfo=UTC)),
]
NOTHING = Past(date(1999, 1, 1), EVER)
_BESIDE = ("unapplied", "on_account", "credits", "disputed", "total")
Reports = dict[tuple[Any, ...], Report]


@pytest.fixture(scope="module")
def history() -> History:
    """One for all tests."""
    return drawn(22)


@pytest.fixture(scope="module")
def client(history: History, clickhouse: ClickHouseServer) -> Iterator[Client]:
    """A database that holds it."""
    address = Address(clickhouse.url, "aging_forms")
    make_tables(address)
    with address.client() as client:
        write(client, history)
        yield client
        client.command("DROP DATABASE aging_forms SYNC")


@cache
def ask(client: Client, view: str, past: Past, mode: str) -> list[dict[str, Any]]:
    """All rows; nothing is written meanwhile, and several tests look at the same ones."""
    call = f"{view}(as_of = {{day:Date32}}, known_as_of = {{known:String}}, credit_mode = {{mode:String}})"
    given = {"day": past.as_of, "known": f"{past.known:%Y-%m-%d %H:%M:%S}", "mode": mode}
    return list(client.query(f"SELECT * FROM {call}", parameters=given).named_results())


def by_account(history: History, past: Past, mode: str, *, with_region: bool = False) -> Reports:
    """The report of every account and currency, or of every one of their regions, that has anything open."""
    regions = {(e.company, e.account, e.item): e.region for e in history.entries if e.balance_class != "disputed"}
    entries: dict[tuple[str, str, str, str], list[Entry]] = defaultdict(list)
    lines: dict[tuple[Any, ...], int] = defaultdict(int)
    for entry in history.open_in(past):
        region = regions[entry.company, entry.account, entry.item] if with_region else ""
        key = entry.company, entry.account, region, entry.currency
        entries[key].append(entry)
        if entry.balance_class != "disputed":
            lines[*key, entry.item, entry.due] += entry.minor
    shown = {key[:4] for key, minor in lines.items() if minor}
    return {
        key: report(entries[key], past, limits_of(key[0]), mode_of(key[0], mode)) for key in entries if key in shown
    }


def added_up(reports: Reports, key_of: Callable[[tuple[Any, ...]], list[tuple[Any, ...]]]) -> Reports:
    sums: Reports = {}
    for own, one in reports.items():
        for key in key_of(own):
            sums[key] = sums[key].plus(one) if key in sums else one
    return sums


def assert_shown(rows: list[dict[str, Any]], keys: tuple[str, ...], expected: Reports, mode: str) -> None:
    """The rows are those reports, neither more nor less, in the decimals of their currencies."""
    assert len(rows) == len(expected) > 0
    for row in rows:
        currency = row["currency"]
        wanted = expected[tuple(row[key] for key in keys)]
        amounts = [row["not_due"], *(part["amount"] for part in row["buckets"])]
        assert amounts == [decimal_of(minor, currency) for minor in wanted.amounts], row
        assert [row[name] for name in _BESIDE] == [decimal_of(minor, currency) for minor in wanted[1:]], row
        assert row["overdue"] == sum(amounts[1:])
        assert row["reconciliation_gap"] == 0
        assert row["credit_mode"] == mode_of(row["company"], mode)
        names = [part["name"] for part in row["buckets"]]
        limits = limits_of(row["company"])
        assert names == [*(f"{a + 1}-{b}" for a, b in zip([0, *limits], limits, strict=False)), f"{limits[-1] + 1}+"]


@pytest.mark.parametrize("mode", [*MODES, ""])
def test_an_account_is_the_sum_of_its_rows(client: Client, history: History, mode: str) -> None:
    nets: set[int] = set()
    for past in PASTS:
        expected = by_account(history, past, mode)
        rows = ask(client, "aging_by_account", past, mode)
        flat = {(company, account, currency): one for (company, account, _, currency), one in expected.items()}
        assert_shown(rows, ("company", "account_id", "currency"), flat, mode)
        nets |= {one.credits for one in expected.values()}
        assert {one.total < 0 for one in expected.values()} == {True, False}
    assert len(nets) > 10 or (mode, nets) == ("own_date", {0})


@pytest.mark.parametrize("mode", [*MODES, ""])
def test_a_form_is_the_sum_of_its_accounts(client: Client, history: History, mode: str) -> None:
    for past in PASTS[:2]:
        reports = by_account(history, past, mode)
        standing = history.standing(past)
        companies = added_up(reports, lambda key: [(key[0], key[3])])
        assert_shown(ask(client, "aging_by_company", past, mode), ("company", "currency"), companies, mode)
        collectors = added_up(reports, lambda key: [(key[0], _collector(standing, key), key[3])])  # noqa: B023
        rows = ask(client, "aging_by_collector", past, mode)
        assert_shown(rows, ("company", "collector_id", "currency"), collectors, mode)
        assert {row["collector_id"] for row in rows} == {None, "camille", "hugo"}
        regions = added_up(by_account(history, past, mode, with_region=True), lambda key: [(key[0], key[2], key[3])])
        rows = ask(client, "aging_by_region", past, mode)
        assert_shown(rows, ("company", "region", "currency"), regions, mode)
        assert {row["region"] for row in rows} == {"", "NORTH", "SOUTH"}
        for row in ask(client, "aging_by_company", past, mode):
            here = {key[1] for key in reports if (key[0], key[3]) == (row["company"], row["currency"])}
            assert row["accounts"] == len(here)


def _collector(standing: dict[tuple[str, str], Standing], key: tuple[Any, ...]) -> str | None:
    row = standing.get((key[0], key[1]))
    return (row.collector or None) if row else None


@pytest.mark.parametrize("mode", [*MODES, ""])
def test_a_group_is_its_head_and_all_below_it_on_that_day(client: Client, history: History, mode: str) -> None:
    shapes: set[tuple[bool, bool]] = set()
    depth = 0
    for past in PASTS[:2]:
        reports = by_account(history, past, mode)
        standing = history.standing(past)
        heads = {(company, account) for company, account, *_ in reports}
        heads |= {(row.company, row.parent) for row in standing.values() if row.parent}
        members = {(company, head): members_of(head, company, standing) for company, head in heads}
        expected = added_up(
            reports,
            lambda key: [
                (key[0], head, key[3])
                for (company, head), below in members.items()  # noqa: B023
                if company == key[0] and key[1] in below
            ],
        )
        rows = ask(client, "aging_by_group", past, mode)
        assert_shown(rows, ("company", "account_id", "currency"), expected, mode)
        for row in rows:
            head = row["company"], row["account_id"]
            own = standing.get(head)
            assert row["belongs_to"] == ((own.parent or None) if own else None)
            assert row["is_top"] == is_top(head[1], head[0], standing), (row, past)
            here = {key[1] for key in reports if (key[0], key[3]) == (row["company"], row["currency"])}
            assert row["accounts"] == len(here & members[head])
            shapes.add((row["is_top"], row["belongs_to"] is None))
            depth = max(depth, len(above(head[1], head[0], standing)[0]))
        tops: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for row in rows:
            tops[row["company"], row["currency"]] += row["total"] if row["is_top"] else 0
        whole = {(row["company"], row["currency"]): row["total"] for row in ask(client, "aging_by_company", past, mode)}
        assert tops == whole
    assert depth > 3
    assert shapes == {(True, True), (False, False), (True, False)}  # heads, members, and rings of parents


@pytest.mark.parametrize("mode", MODES)
def test_every_form_adds_up_to_aging_as_of(client: Client, mode: str) -> None:
    for past in PASTS[: 2 if mode == "separate" else 1]:
        given = {"day": past.as_of, "known": f"{past.known:%Y-%m-%d %H:%M:%S}"}
        call = "SELECT * FROM aging_as_of(as_of = {day:Date32}, known_as_of = {known:String})"
        wanted = _sums(list(client.query(call, parameters=given).named_results()), mode)
        for view in ("aging_by_account", "aging_by_company", "aging_by_region", "aging_by_collector"):
            assert _sums(ask(client, view, past, mode), mode) == wanted, view
        groups = [row for row in ask(client, "aging_by_group", past, mode) if row["is_top"]]
        assert _sums(groups, mode) == wanted


def _sums(rows: list[dict[str, Any]], mode: str) -> dict[tuple[str, ...], Decimal]:
    """By company and currency: everything where credits stand by themselves, else what no mode changes."""
    sums: dict[tuple[str, ...], Decimal] = defaultdict(Decimal)
    names = ("not_due", "overdue", "reconciliation_gap", *_BESIDE) if mode == "separate" else ("disputed", "total")
    for row in rows:
        for name in names:
            sums[row["company"], row["currency"], name] += row[name]
        for part in row["buckets"] if mode == "separate" else ():
            sums[row["company"], row["currency"], part["name"]] += part["amount"]
    return sums


@pytest.mark.parametrize("mode", MODES)
def test_the_wide_form_has_the_default_buckets_for_every_company(client: Client, history: History, mode: str) -> None:
    past = PASTS[0]
    entries: dict[tuple[str, str, str], list[Entry]] = defaultdict(list)
    for entry in history.open_in(past):
        entries[entry.company, entry.account, entry.currency].append(entry)
    rows = ask(client, "aging_by_account_wide", past, mode)
    assert len(rows) == len(ask(client, "aging_by_account", past, mode))
    for row in rows:
        wanted = report(entries[row["company"], row["account_id"], row["currency"]], past, [30, 60, 90, 120], mode)
        columns = [row["not_due"], *(row[name] for name in _WIDE)]
        assert columns == [decimal_of(minor, row["currency"]) for minor in wanted.amounts]
        assert [row[name] for name in _BESIDE] == [decimal_of(minor, row["currency"]) for minor in wanted[1:]]


@pytest.mark.parametrize("view", ["account", "account_wide", "company", "region", "collector", "group"])
def test_an_unknown_mode_is_an_error_also_where_nothing_is_open(client: Client, view: str) -> None:
    for past in (PASTS[0], NOTHING):
        with pytest.raises(DatabaseError, match="credit_mode is separate, own_date or oldest_first"):
            ask(client, f"aging_by_{view}", past, "netted")
    assert ask(client, f"aging_by_{view}", NOTHING, "own_date") == []


def test_by_name_the_mode_may_be_left_out(client: Client) -> None:
    own = ask_by_name(client, "aging_by_company", {"as_of": "2026-03-31"}, 100)
    place = list(own.columns).index("credit_mode")
    assert {row[0]: row[place] for row in own.rows} == {
        "AA01": "separate",
        "BB01": "own_date",
        "CC01": "oldest_first",
        "DD01": "separate",
    }
