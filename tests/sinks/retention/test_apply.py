"""Old rows of logs go by their arrival, published first; the chain knows them, holds and classes keep them."""

from datetime import timedelta

import pytest

from sinks.errors import SinkProblem
from sinks.retention.apply import Retention
from sinks.retention.holds import Hold, lift_hold, place_hold, read_holds
from sinks.retention.policy import RULES, Policy
from tests.sinks.retention.conftest import NEVER, World

pytestmark = pytest.mark.clickhouse

OLD = "_appended_at < toDateTime64('{}', 3, 'UTC')"


def _cutoff(world: World, days: int) -> str:
    midnight = world.now.replace(hour=0, minute=0, second=0, microsecond=0)
    return OLD.format((midnight - timedelta(days=days)).strftime("%Y-%m-%d %H:%M:%S"))


def test_old_events_go_and_the_chain_stays_whole(sealed_world: World) -> None:
    world = sealed_world
    old = _cutoff(world, 60)
    gone = world.one(f"SELECT count() FROM events WHERE {old} AND event_type != 'UserActivityLogged'")
    rest = world.one("SELECT count() FROM events") - gone
    planned = world.apply(events=60)
    assert gone == sum(one.rows for one in planned if one.table == "events") > 50
    assert world.one("SELECT count() FROM events") == rest
    assert world.verify() == []
    assert world.retention(events=60).plan() == []


def test_every_deletion_is_published_and_noted(world: World) -> None:
    planned = world.apply(events=60, alerts=60)
    noted = world.rows("SELECT table, company, rule, rows FROM retention_runs ORDER BY 1, 2, 3")
    published = [(one.table, one.company, one.rule, one.rows) for one in world.log.deletions]
    assert sorted(published) == sorted(noted) == sorted((one.table, one.company, one.rule, one.rows) for one in planned)
    assert {one.table for one in planned} >= {"events", "alerts_log", "aging_transitions_log"}
    assert {one.done_by for one in world.log.deletions} == {"test"}


def test_user_activity_has_days_of_its_own(sealed_world: World) -> None:
    world = sealed_world
    before = world.one("SELECT count() FROM events WHERE event_type != 'UserActivityLogged'")
    assert world.one("SELECT count() FROM events WHERE event_type = 'UserActivityLogged'") > 0
    world.apply(activity=30)
    assert (
        world.one(f"SELECT count() FROM events WHERE event_type = 'UserActivityLogged' AND {_cutoff(world, 30)}") == 0
    )
    assert world.one("SELECT count() FROM events WHERE event_type != 'UserActivityLogged'") == before
    assert world.verify() == []


def test_a_row_that_retention_did_not_delete_is_still_missed(sealed_world: World) -> None:
    world = sealed_world
    world.apply(activity=30)
    world.client.command(
        f"ALTER TABLE events DELETE WHERE event_type = 'InvoiceIssued' AND {_cutoff(world, 30)} "
        "SETTINGS mutations_sync = 2"
    )
    assert {finding.kind for finding in world.verify()} == {"removed"}


def test_more_rows_than_retention_has_deleted_are_missed(sealed_world: World) -> None:
    """What lies before the cut-off and was on hold: the rule would excuse it, the number does not."""
    world = sealed_world
    company, account = world.rows(
        f"SELECT company, account_id FROM events WHERE account_id != '' AND {_cutoff(world, 60)} LIMIT 1"
    )[0]
    place_hold(world.client, Hold("case-7", company, account, "lawsuit", "counsel", world.now))
    world.apply(events=60)
    assert world.verify() == []
    world.client.command(
        f"ALTER TABLE events DELETE WHERE account_id = '{account}' AND {_cutoff(world, 60)} SETTINGS mutations_sync = 2"
    )
    assert [finding.kind for finding in world.verify()] == ["removed"]


def test_a_run_that_kafka_does_not_know_excuses_nothing(sealed_world: World) -> None:
    world = sealed_world
    world.apply(events=60)
    world.log.deletions.clear()
    assert {finding.kind for finding in world.verify()} == {"erasure_changed"}


def test_a_hold_on_a_company_keeps_all_of_it_until_it_is_lifted(world: World) -> None:
    place_hold(world.client, Hold("audit-1", "FR01", "", "tax audit", "counsel", world.now))
    count = "SELECT count() FROM events WHERE company = 'FR01'"
    before = world.one(count)
    planned = world.apply(events=60)
    assert world.one(count) == before
    assert sum(one.held for one in planned if one.company == "FR01") > 50
    lift_hold(world.client, "audit-1", "FR01", "", "counsel", world.now + timedelta(hours=1))
    assert read_holds(world.client) == []
    world.apply(events=60)
    assert world.one(count) < before
    with pytest.raises(SinkProblem, match="there is no hold"):
        lift_hold(world.client, "audit-1", "FR01", "", "counsel", world.now)


def test_a_class_of_companies_has_days_of_its_own(world: World) -> None:
    policy = Policy(
        dict.fromkeys(RULES, NEVER) | {"events": 60},
        NEVER,
        classes={"FR01": "public"},
        class_days={"public.events": 5000},
    )
    planned = Retention(world.client, policy, world.now).plan()
    old = {one.company: one.rows for one in planned if one.table == "events"}
    days = {company: 5000 if company == "FR01" else 60 for company in ("FR01", "JP01", "US01")}
    assert old == {
        company: world.one(
            f"SELECT count() FROM events WHERE company = '{company}' AND {_cutoff(world, count)} "
            "AND event_type != 'UserActivityLogged'"
        )
        for company, count in days.items()
    }
    assert old["FR01"] < world.one(f"SELECT count() FROM events WHERE company = 'FR01' AND {_cutoff(world, 60)}")


@pytest.mark.parametrize(("classes", "days"), [({}, {"public.events": 1}), ({"FR01": "public"}, {"public.evnts": 1})])
def test_a_class_or_a_rule_that_is_not_there_is_refused(classes: dict[str, str], days: dict[str, int]) -> None:
    with pytest.raises(SinkProblem, match=r"retention\.class_days"):
        Policy(dict.fromkeys(RULES, 1), 1, classes, days)


def test_months_are_counted_before_they_go_and_only_once(world: World) -> None:
    policy = Policy(dict.fromkeys(RULES, NEVER) | {"events": 60, "activity": 60}, hot_days=60)
    retention = Retention(world.client, policy, world.now)
    wanted = sorted(
        world.rows(
            "SELECT company, toString(toDate32(toStartOfMonth(_appended_at))) AS month, event_type, currency, count(), "
            "sum(ifNull(amount, 0)) FROM events GROUP BY 1, 2, 3, 4"
        )
    )
    months = retention.prepare()
    retention.apply(world.log, "run", "test")
    counted = sorted(
        world.rows("SELECT company, toString(month), event_type, currency, events, amount FROM events_monthly")
    )
    assert counted
    assert len({row[1] for row in counted}) == months
    assert counted == [row for row in wanted if row[1] in {one[1] for one in counted}]
    oldest = world.one("SELECT toString(toDate32(toStartOfMonth(min(_appended_at)))) FROM events")
    assert all(row[1] in {one[1] for one in counted} for row in wanted if row[1] < oldest)
    assert retention.prepare() == 0


def _with_volume(raw_log: World, days: int, volume: str) -> Retention:
    policy = Policy(dict.fromkeys(RULES, NEVER), days, cold_volume=volume)
    return Retention(raw_log.client, policy, raw_log.now)


def test_without_a_cold_volume_nothing_is_moved(raw_log: World) -> None:
    retention = raw_log.retention(events=60)
    retention.prepare()
    storage = retention.storage()
    assert (storage.policy, storage.volumes, storage.moves_to, storage.statement) == ("default", ("default",), "", "")
    assert "TTL" not in raw_log.one("SHOW CREATE TABLE events")


def test_a_volume_that_is_named_and_not_there_is_an_error(raw_log: World) -> None:
    retention = _with_volume(raw_log, 400, "ice")
    for call in (retention.storage, retention.prepare):
        with pytest.raises(SinkProblem, match="'default' of table events has no volume 'ice': its volumes are default"):
            call()
    assert raw_log.one("SELECT count() FROM events_monthly") == 0


def test_where_the_policy_has_the_volume_old_rows_move_there(raw_log: World) -> None:
    """The engine's own policy has one volume, `default`: moving there is no move, but it takes the rule."""
    retention = _with_volume(raw_log, 400, "default")
    planned = retention.storage()
    assert (planned.moves_to, planned.days) == ("default", 400)
    assert planned.statement.startswith(
        "ALTER TABLE events MODIFY TTL toDateTime(_appended_at) + INTERVAL 400 DAY TO VOLUME"
    )
    rows = raw_log.one("SELECT count() FROM events")
    retention.prepare()
    assert retention.storage().statement == ""
    assert "toIntervalDay(400) TO VOLUME 'default'" in raw_log.one("SHOW CREATE TABLE events")
    retention.prepare()
    assert raw_log.one("SELECT count() FROM events") == rows


def test_other_days_and_no_volume_any_more_are_taken_over(raw_log: World) -> None:
    _with_volume(raw_log, 400, "default").prepare()
    _with_volume(raw_log, 90, "default").prepare()
    assert "toIntervalDay(90) TO VOLUME 'default'" in raw_log.one("SHOW CREATE TABLE events")
    assert _with_volume(raw_log, 90, "").storage().statement == "ALTER TABLE events REMOVE TTL"
    _with_volume(raw_log, 90, "").prepare()
    assert "TTL" not in raw_log.one("SHOW CREATE TABLE events")
