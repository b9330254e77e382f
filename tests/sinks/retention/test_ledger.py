"""Postings of closed items go, and no answer inside the window changes."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from sinks.retention import ledger
from sinks.retention.holds import Hold, place_hold
from tests.sinks.copies import Source
from tests.sinks.retention.conftest import World, end_of
from tests.sinks.views.sample import Sample

pytestmark = pytest.mark.clickhouse

KEPT = 45
LINES = "open_items_as_of"
# What they show are sums of those lines: each is asked once a date, and together at every knowledge time.
SUMS = ("aging_as_of", "disputed_as_of", "aging_buckets_as_of")

Answers = dict[tuple[str, str, str], list[tuple[Any, ...]]]


def _answers(world: World) -> Answers:
    """Every answer of the as-of views for dates and knowledge times in the window, both edges among them."""
    cutoff = world.now.date() - timedelta(days=KEPT)
    dates = [cutoff + timedelta(days=days) for days in (0, 1, 9, 23, KEPT, KEPT + 30)]
    instants = [datetime.combine(cutoff + timedelta(days=days), datetime.min.time()) for days in (0, 2, 20, KEPT + 1)]
    asked = [(LINES, str(as_of), str(known)) for as_of in dates for known in instants]
    asked += [
        (view, str(as_of), str(instants[(number + shift) % len(instants)]))
        for shift, view in enumerate(SUMS)
        for number, as_of in enumerate(dates)
    ]
    return {
        (view, as_of, known): sorted(
            world.rows(f"SELECT * FROM {view}(as_of = '{as_of}', known_as_of = '{known}')"), key=repr
        )
        for view, as_of, known in asked
    }


@pytest.fixture(scope="module")
def answers(sample: Sample, sample_tables: Source) -> Answers:
    """What is answered before anything was deleted, by the database that every world is a copy of."""
    with sample_tables.address.client() as client:
        return _answers(World(client, end_of(sample)))


def test_no_answer_inside_the_window_changes(world: World, answers: Answers) -> None:
    assert sum(map(len, answers.values())) > 1000
    entries = world.one("SELECT count() FROM ledger_entries_log")
    planned = [one for one in world.retention(ledger=KEPT).plan() if one.table == ledger.TABLE]
    world.apply(ledger=KEPT)
    left = world.one("SELECT count() FROM ledger_entries_log")
    assert entries - left == sum(one.rows for one in planned) > 50
    assert _answers(world) == answers
    assert world.retention(ledger=KEPT).plan() == []
    assert world.one("SELECT count() FROM retired_items") == 0


def test_the_second_order_of_the_ledger_goes_with_its_postings(world: World) -> None:
    """What is asked for one account is read from there."""
    world.apply(ledger=KEPT)
    postings = (
        "SELECT company, account_id, balance_class, due_date, effective_date, recorded_at, delta_minor "
        "FROM ledger_entries_log ORDER BY company, account_id"
    )
    first = world.rows(f"{postings} SETTINGS optimize_use_projections = 0")
    assert len(first) > 100
    assert sorted(world.rows(f"{postings} SETTINGS force_optimize_projection_name = 'by_account'")) == sorted(first)


def test_an_item_is_whole_or_gone(world: World) -> None:
    count = "SELECT company, account_id, item_type, item_id, count() FROM ledger_entries_log GROUP BY 1, 2, 3, 4"
    before = {row[:4]: row[4] for row in world.rows(count)}
    world.apply(ledger=KEPT)
    after = {row[:4]: row[4] for row in world.rows(count)}
    assert 0 < len(after) < len(before)
    assert all(before[item] == entries for item, entries in after.items())


def test_what_is_open_or_moved_later_stays_however_old(world: World) -> None:
    cutoff = world.now.date() - timedelta(days=KEPT)
    open_items = world.rows(
        "SELECT DISTINCT item_id FROM open_items_as_of(as_of = '2026-12-31', known_as_of = '2026-12-31') "
        f"WHERE item_id IN (SELECT item_id FROM ledger_entries_log WHERE effective_date < '{cutoff}')"
    )
    moved = world.rows(
        "SELECT DISTINCT item_id FROM ledger_entries_log GROUP BY company, account_id, item_type, item_id "
        f"HAVING min(effective_date) < '{cutoff}' AND max(effective_date) >= '{cutoff}'"
    )
    assert open_items
    assert moved
    world.apply(ledger=KEPT)
    left = {row[0] for row in world.rows("SELECT DISTINCT item_id FROM ledger_entries_log")}
    assert {row[0] for row in (*open_items, *moved)} <= left


def test_a_hold_keeps_every_posting_of_its_account(world: World) -> None:
    _, _, company, account, *_ = (
        None,
        None,
        *world.rows(
            "SELECT company, account_id, count() FROM ledger_entries_log GROUP BY 1, 2 ORDER BY 3 DESC LIMIT 1"
        )[0],
    )
    place_hold(world.client, Hold("case-7", company, account, "lawsuit", "counsel", world.now))
    count = f"SELECT count() FROM ledger_entries_log WHERE account_id = '{account}'"
    before = world.one(count)
    planned = world.apply(ledger=KEPT)
    assert world.one(count) == before
    assert sum(one.held for one in planned) > 0
    assert sum(one.rows for one in planned) > 0


def test_a_deletion_that_was_cut_off_is_finished_with_the_same_items(world: World, answers: Answers) -> None:
    """As after a crash between the two deletions: half is gone, and the other half must not be judged by that."""
    old = ledger.old_postings(world.retention(ledger=KEPT).policy, world.now, None)
    ledger.write_down(world.client, ledger.closed_items(old, []))
    items = world.one("SELECT count() FROM retired_items")
    # Of every item one posting is gone: none of them comes to zero any more.
    world.client.command(
        "ALTER TABLE ledger_entries_log DELETE WHERE entry_number = 1 AND item_type = 'invoice' AND "
        "(company, account_id, currency, item_type, item_id) IN (SELECT * FROM retired_items) "
        "SETTINGS mutations_sync = 2"
    )
    world.apply(ledger=KEPT)
    assert items > 10
    assert _answers(world) == answers
    assert world.one("SELECT count() FROM retired_items") == 0


def test_what_kafka_still_holds_stays(world: World) -> None:
    def rows(firsts: dict[str, dict[int, int]] | None) -> int:
        planned = world.retention(firsts, ledger=KEPT).plan()
        return sum(one.rows for one in planned if one.table == ledger.TABLE)

    assert rows({"ar.ledger": dict.fromkeys(range(12), 0)}) == 0
    assert 0 < rows({"ar.ledger": dict.fromkeys(range(12), 20)}) < rows(None)


def test_dates_and_not_arrival_decide(world: World) -> None:
    """A posting whose effective date lies in the window keeps its item, also when it was recorded long before."""
    cutoff = date(2026, 1, 1)
    planned = world.retention(ledger=(world.now.date() - cutoff).days).plan()
    assert [one for one in planned if one.table == ledger.TABLE] == []
