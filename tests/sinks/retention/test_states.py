"""States go with the ledger of what ended, rollups and forecasts by their days; every table has a rule or a reason."""

from datetime import date, timedelta
from typing import Any

import pytest

from sinks.access.scope import stored_tables
from sinks.retention import states
from sinks.retention.holds import Hold, place_hold
from sinks.retention.policy import KEPT, RULES, TABLES
from sinks.retention.rules import rules_by_table
from tests.docs.pages import DOCS
from tests.sinks.retention.conftest import World

KEPT_DAYS = 45
# Key, and what has ended, of the latest row of each key.
ENDED = {
    "items_versions": ("document_type, document_id", "open_minor = 0 AND closed_date < {day}"),
    "receipts_versions": (
        "payment_id",
        "(unapplied_minor = 0 OR status = 'identified') AND toDate(recorded_at) < {day}",
    ),
    "promises_versions": ("promise_id", "status NOT IN ('open', 'pending_cash') AND deadline < {day}"),
    "disputes_versions": ("dispute_id", "status = 'resolved' AND toDate(recorded_at) < {day}"),
    "exceptions_versions": ("exception_id", "status = 'resolved' AND toDate(recorded_at) < {day}"),
}


def test_every_table_has_a_rule_or_a_reason_to_stay() -> None:
    rules = rules_by_table()
    assert set(rules.values()) == set(RULES)
    assert rules.keys().isdisjoint(KEPT)
    assert rules.keys() | KEPT.keys() == stored_tables().keys()
    assert all(KEPT.values())


def test_the_page_names_every_table_and_every_rule() -> None:
    page = (DOCS / "retention.md").read_text(encoding="utf-8")
    assert [name for name in (*stored_tables(), *RULES) if f"`{name}`" not in page] == []


def test_tables_by_day_are_not_asked_for_kafka() -> None:
    by_day = {aged.table for aged in TABLES if aged.time != "_appended_at"}
    assert by_day == {table for table in rules_by_table() if "_appended_at" not in stored_tables()[table].columns}


def _latest(world: World, table: str, columns: str) -> list[tuple[Any, ...]]:
    return world.rows(f"SELECT company, account_id, {columns} FROM {table} FINAL ORDER BY ALL")


@pytest.mark.clickhouse
def test_states_go_when_they_have_ended_and_the_ledger_has_let_go(world: World) -> None:
    cutoff = world.now.date() - timedelta(days=KEPT_DAYS)
    before = {table: _latest(world, table, columns) for table, (columns, _) in ENDED.items()}
    standing = _standing(world)
    assert all(standing[table] for table in ("items_versions", "receipts_versions"))
    old: dict[str, set[tuple[Any, ...]]] = {}
    for table, (columns, ended) in ENDED.items():
        where = ended.format(day=f"toDate32('{cutoff}')")
        midnight = f"toDateTime('{cutoff} 00:00:00', 'UTC')"
        known = f"recorded_at < {midnight} AND _appended_at < {midnight}"
        rows = world.rows(f"SELECT company, account_id, {columns} FROM {table} FINAL WHERE {where} AND {known}")
        old[table] = set(rows)
    planned = {(one.table, one.company): one.rows for one in world.retention(ledger=KEPT_DAYS).plan()}
    world.apply(ledger=KEPT_DAYS)
    left = set(world.rows("SELECT DISTINCT company, account_id, item_type, item_id FROM ledger_entries_log"))
    gone = {table: set(rows) - set(_latest(world, table, ENDED[table][0])) for table, rows in before.items()}
    assert gone["items_versions"] == {row for row in old["items_versions"] if row not in left}
    assert gone["receipts_versions"] == {
        row for row in old["receipts_versions"] if (*row[:2], "payment", row[2]) not in left
    }
    assert gone["promises_versions"] == old["promises_versions"]
    assert gone["exceptions_versions"] == old["exceptions_versions"]
    assert gone["disputes_versions"] <= old["disputes_versions"]
    for table in ("items_versions", "receipts_versions", "promises_versions"):
        assert gone[table], table
        assert len(gone[table]) < len(before[table]), table
        assert any(name == table for name, _ in planned), table
    promises = set(world.rows("SELECT company, account_id, promise_id FROM promises_log"))
    assert promises.isdisjoint(gone["promises_versions"])
    receipts = set(world.rows("SELECT company, account_id, payment_id FROM receipts_log"))
    assert receipts.isdisjoint(row[:3] for row in gone["receipts_versions"])
    assert world.retention(ledger=KEPT_DAYS).plan() == []
    assert world.one("SELECT count() FROM retired_states") == 0
    assert _standing(world) == standing


# What no retention may change.
_STANDING = {
    "items_versions": "sum(open_minor)",
    "receipts_versions": "sum(unapplied_minor)",
    "promises_versions": "countIf(status IN ('open', 'pending_cash'))",
    "exceptions_versions": "countIf(status != 'resolved')",
}


def _standing(world: World) -> dict[str, list[tuple[Any, ...]]]:
    return {
        table: world.rows(f"SELECT company, {sum_} FROM {table} FINAL GROUP BY 1 HAVING {sum_} != 0 ORDER BY 1")
        for table, sum_ in _STANDING.items()
    }


@pytest.mark.clickhouse
def test_a_hold_keeps_the_states_of_its_account(world: World) -> None:
    company, account = world.rows(
        "SELECT company, account_id FROM promises_versions FINAL WHERE status = 'kept' ORDER BY deadline LIMIT 1"
    )[0]
    place_hold(world.client, Hold("case-7", company, account, "lawsuit", "counsel", world.now))
    count = f"SELECT count() FROM promises_versions FINAL WHERE company = '{company}' AND account_id = '{account}'"
    before = world.one(count)
    planned = world.apply(ledger=1)
    assert world.one(count) == before
    assert any(one.held for one in planned if one.table == "promises_versions")
    assert any(one.rows for one in planned if one.table == "promises_versions")


@pytest.mark.clickhouse
def test_a_deletion_that_was_cut_off_is_finished_with_the_same_states(world: World) -> None:
    """Half of the rows are gone: of a promise that ended, the version in which it was open is the latest now."""
    (promises,) = [one for one in states.STATES if one.table == "promises_versions"]
    retention = world.retention(ledger=KEPT_DAYS)
    ended = states.ended_states(promises, retention.policy, world.now, [], "SELECT '', '', '', '', '' WHERE 0")
    states.write_down(world.client, promises, ended)
    listed = world.rows("SELECT company, account_id, entity FROM retired_states")
    one = listed[0]
    world.client.command(
        "ALTER TABLE promises_versions UPDATE status = 'open' WHERE (company, account_id, promise_id) = "
        f"('{one[0]}', '{one[1]}', '{one[2]}') SETTINGS mutations_sync = 2"
    )
    world.apply(ledger=KEPT_DAYS)
    assert set(listed).isdisjoint(world.rows("SELECT company, account_id, promise_id FROM promises_versions"))


@pytest.mark.clickhouse
def test_rollups_and_forecasts_have_days_of_their_own(world: World) -> None:
    today = world.now.date()
    for days in (10, 100):
        day = today - timedelta(days=days)
        world.client.insert("aging_daily_versions", [["FR01", "C1", "EUR", day]], _KEY)
        world.client.insert("invoice_forecasts_versions", [["FR01", "C1", "EUR", day]], _KEY)
        world.client.insert("activity_hourly_versions", [["FR01", "hugo", day]], ["company", "actor_id", "local_date"])
    world.apply(snapshots=50)
    assert _days(world, "aging_daily_versions", "as_of") == [today - timedelta(days=10)]
    assert len(_days(world, "invoice_forecasts_versions", "as_of")) == 2
    world.apply({"ar.ledger": {}}, forecasts=50, activity=50)
    assert _days(world, "invoice_forecasts_versions", "as_of") == [today - timedelta(days=10)]
    assert _days(world, "activity_hourly_versions", "local_date") == [today - timedelta(days=10)]


_KEY = ["company", "account_id", "currency", "as_of"]


def _days(world: World, table: str, column: str) -> list[date]:
    return [row[0] for row in world.rows(f"SELECT {column} FROM {table} ORDER BY 1")]


@pytest.mark.clickhouse
def test_what_kafka_may_still_hold_is_noted_by_its_position(world: World) -> None:
    positions = "SELECT _topic, _partition, _offset FROM {} ORDER BY ALL"
    tables = ("events", "alerts_log", "ledger_entries_log", "items_versions")
    before = {table: set(world.rows(positions.format(table))) for table in tables}
    world.apply(events=60, alerts=60, ledger=KEPT_DAYS)
    for table in tables:
        gone = before[table] - set(world.rows(positions.format(table)))
        noted = world.rows(
            "SELECT topic, partition, arrayJoin(bitmapToArray(groupBitmapMergeState(offsets))) "
            f"FROM removed_positions WHERE table = '{table}' GROUP BY topic, partition"
        )
        assert set(noted) == gone != set(), table
