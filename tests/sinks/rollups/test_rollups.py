"""Days that are written once, twice, and after late postings; closes that stay as they were reported."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from jobs.values import Instant, date_of, moment_of
from sinks.queries import EVERYTHING_KNOWN
from tests.pipeline.cli.calls import Done, assert_one_line
from tests.sinks.views.sample import Sample

pytestmark = pytest.mark.clickhouse

Run = Callable[..., Done]
_EVER = "2299-12-31 23:59:59"
_PARTS = "account_id, currency, not_due, buckets, overdue, unapplied, on_account, credits, disputed, total"


def rows(client: Client, sql: str, **values: object) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in client.query(sql, parameters=values).result_rows]


def frozen(client: Client, view: str, day: date) -> list[tuple[Any, ...]]:
    return rows(client, f"SELECT company, {_PARTS} FROM {view} WHERE as_of = {{day:Date32}} ORDER BY ALL", day=day)


def folded(client: Client, day: date, known: str = _EVER) -> list[tuple[Any, ...]]:
    view = "aging_as_of(as_of = {day:Date32}, known_as_of = {known:String})"
    return rows(client, f"SELECT company, {_PARTS} FROM {view} ORDER BY ALL", day=day, known=known)


@pytest.fixture
def days(sample: Sample) -> list[date]:
    """Three days in the second month."""
    first = date_of(sample.companies["FR01"].calendar.day(sample.first))
    return [first + timedelta(days=number) for number in (40, 41, 42)]


def test_a_day_is_what_the_fold_of_all_entries_says_however_often_it_is_written(
    client: Client, run: Run, days: list[date]
) -> None:
    for written in (days, days[1:2]):
        done = run("rollup", "--from", str(written[0]), "--through", str(written[-1]))
        assert done.code == 0, done
        assert len(done.output.splitlines()) == 3 * len(written)  # three companies
        for day in days:
            assert frozen(client, "aging_daily", day) == folded(client, day) != []
    for day in days:
        first = day - timedelta(days=89)
        stored = rows(
            client,
            "SELECT * EXCEPT (from_date, to_date) FROM key_figures_daily WHERE to_date = {day:Date32} ORDER BY ALL",
            day=day,
        )
        asked = rows(
            client,
            "SELECT * FROM key_figures(from_date = {first:Date32}, to_date = {day:Date32}, "
            "known_as_of = {known:String}) ORDER BY ALL",
            known=EVERYTHING_KNOWN,
            first=first,
            day=day,
        )
        assert stored == asked != []


def test_activity_counts_every_event_once(client: Client, run: Run, sample: Sample, days: list[date]) -> None:
    assert run("rollup", "--company", "JP01", "--from", str(days[0]), "--through", str(days[-1])).code == 0
    expected: Counter[tuple[str, date, str]] = Counter()
    for name, record in {record["event_id"]: (name, record) for name, record in sample.events}.values():
        if record["company"] == "JP01" and name != "ClockTicked":
            local = date_of(sample.companies["JP01"].calendar.day(record["occurred_at"]))
            if local in days:
                expected[record["actor_id"] or "", local, name] += 1
    found = rows(
        client,
        "SELECT actor_id, local_date, event_type, sum(events) FROM activity_hourly WHERE company = 'JP01' "
        "AND local_date BETWEEN {first:Date32} AND {last:Date32} GROUP BY ALL",
        first=days[0],
        last=days[-1],
    )
    assert {tuple(row[:3]): row[3] for row in found} == expected
    assert expected


def test_without_dates_it_goes_on_a_week_before_where_it_was(client: Client, run: Run) -> None:
    (newest,) = rows(client, "SELECT max(as_of) FROM account_aging WHERE company = 'US01'")
    written = newest[0] - timedelta(days=3)
    assert run("rollup", "--company", "US01", "--from", str(written), "--through", str(written)).code == 0
    done = run("rollup", "--company", "US01", "--json")
    assert done.code == 0, done
    days = [line.split('"day": "')[1][:10] for line in done.output.splitlines()]
    assert (days[0], days[-1]) == (str(written - timedelta(days=6)), str(newest[0] - timedelta(days=1)))
    assert len(days) == 9


class TestClose:
    def test_it_keeps_what_was_known_then(self, client: Client, run: Run, sample: Sample) -> None:
        last = date(2026, 1, 31)
        known = moment_of(Instant(sample.first + 29 * 86_400_000_000)).replace(microsecond=0)
        text = known.strftime("%Y-%m-%d %H:%M:%S")
        words = ("close", "--company", "FR01", "--month", "2026-01", "--known-as-of", known.isoformat(), "--by", "ada")
        assert run(*words).code == 0
        reported = [row for row in folded(client, last, text) if row[0] == "FR01"]
        assert frozen(client, "aging_as_reported", last) == reported != []
        assert run(*words).code == 0  # again: the same close
        assert frozen(client, "aging_as_reported", last) == reported
        assert run("close", "--check").code == 0
        late = [
            entry
            for entry in sample.world.entries
            if entry.company == "FR01"
            and date_of(entry.effective_date) <= last
            and moment_of(entry.recorded_at) > known.astimezone(UTC)
        ]
        restated = rows(
            client, "SELECT sum(entries) FROM restatements WHERE company = 'FR01' AND as_of = {last:Date32}", last=last
        )
        assert restated == [(len(late),)]
        assert len(late) > 0
        balances = rows(
            client, "SELECT account_id, currency, restated FROM restatements WHERE as_of = {last:Date32}", last=last
        )
        now = {(row[1], row[2]): row[-1] for row in folded(client, last) if row[0] == "FR01"}
        assert {(account, currency): total for account, currency, total in balances}.items() <= now.items()

    def test_it_is_not_changed(self, run: Run, client: Client) -> None:
        assert (
            run("close", "--company", "US01", "--month", "2026-01", "--known-as-of", "2026-02-05T00:00:00Z").code == 0
        )
        again = run("close", "--company", "US01", "--month", "2026-01", "--known-as-of", "2026-02-06T00:00:00Z")
        assert_one_line(again, "US01 is closed from 2026-01-01 to 2026-01-31", "A close is not changed")
        inside = run("close", "--company", "US01", "--from", "2026-01-15", "--to", "2026-02-15")
        assert_one_line(inside, "is closed from")

    def test_a_ledger_that_was_tampered_with_does_not_agree(self, run: Run, client: Client) -> None:
        """A posting that pretends to have been known at the close."""
        assert (
            run("close", "--company", "JP01", "--month", "2026-01", "--known-as-of", "2026-02-05T00:00:00Z").code == 0
        )
        columns = "* REPLACE (toUInt64(_offset + 1000000) AS _offset, delta_minor + 1 AS delta_minor)"
        client.command(
            f"INSERT INTO ledger_entries_log SELECT {columns} FROM ledger_entries_log WHERE company = 'JP01' "
            "AND effective_date <= '2026-01-31' AND recorded_at <= '2026-02-05 00:00:00' LIMIT 1"
        )
        done = run("close", "--check")
        assert done.code == 1
        assert "1 balances are not what was reported" in done.errors
        client.command("DELETE FROM ledger_entries_log WHERE _offset >= 1000000")
        assert run("close", "--check").code == 0

    @pytest.mark.parametrize(
        ("words", "told"),
        [
            (("--company", "FR01", "--month", "2026-13"), "is not a month"),
            (("--company", "FR01"), "no first and last day"),
            (("--company", "FR01", "--month", "2026-02", "--known-as-of", "noon"), "is not an instant"),
            (("--company", "XX99", "--month", "2026-02"), "has no balances"),
        ],
    )
    def test_what_cannot_be_closed_is_said(self, run: Run, words: tuple[str, ...], told: str) -> None:
        assert_one_line(run("close", *words), told)


def test_closes_are_listed(run: Run, client: Client) -> None:
    assert run("close", "--company", "FR01", "--from", "2026-02-01", "--to", "2026-02-10", "--by", "ada").code == 0
    listed = run("close")
    assert "2026-02-10" in listed.output
    assert "ada" in listed.output
    assert datetime.now(UTC).strftime("%Y-%m-%d") in listed.output
