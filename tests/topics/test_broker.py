"""Plan and apply against a real broker: adds what is missing, takes nothing away, says what it leaves."""

import time
from collections.abc import Callable, Mapping
from datetime import timedelta

import msgspec
import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
)

from pipeline.local import KafkaBroker
from topics import BrokerError, Change, Topic, apply, catalogue, plan

pytestmark = pytest.mark.kafka


@pytest.fixture
def admin(kafka: KafkaBroker) -> AdminClient:
    return AdminClient({"bootstrap.servers": kafka.bootstrap_servers})


@pytest.fixture
def few(topic_prefix: str) -> Mapping[str, Topic]:
    """One topic of each sort."""
    all_topics = catalogue(topic_prefix)
    return {name: all_topics[name] for name in ("ar.events", "ar.items", "ar.alerts.cash", "ar.state")}


Described = Callable[[str], dict[str, str]]


@pytest.fixture
def settings_of(admin: AdminClient) -> Described:
    return lambda name: described(admin, name)


def described(admin: AdminClient, name: str) -> dict[str, str]:
    (future,) = admin.describe_configs([ConfigResource(ResourceType.TOPIC, name)]).values()
    return {key: entry.value for key, entry in future.result(30).items()}


def partitions_of(admin: AdminClient, name: str) -> int:
    found = admin.list_topics(timeout=30).topics
    return len(found[name].partitions) if name in found else 0


def alter(admin: AdminClient, name: str, setting: str, value: str) -> None:
    resource = ConfigResource(ResourceType.TOPIC, name)
    resource.add_incremental_config(ConfigEntry(setting, value, incremental_operation=AlterConfigOpType.SET))
    for future in admin.incremental_alter_configs([resource]).values():
        future.result(30)
    until(lambda: described(admin, name)[setting] == value)


def create(admin: AdminClient, topic: Topic, partitions: int) -> None:
    for future in admin.create_topics([NewTopic(topic.name, partitions, 1, config=topic.config())]).values():
        future.result(30)
    until(lambda: partitions_of(admin, topic.name) == partitions)


def until(condition: Callable[[], bool]) -> None:
    """The controller has it at once; the broker that is asked hears of it a moment later."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_plan_of_an_empty_broker_creates_everything_and_does_nothing(
    admin: AdminClient, few: Mapping[str, Topic]
) -> None:
    planned = plan(admin, few)
    assert [(change.topic, change.action) for change in planned.changes] == [
        (topic.name, "create") for topic in few.values()
    ]
    assert planned.replication_factor == 1
    assert not set(admin.list_topics(timeout=30).topics) & {topic.name for topic in few.values()}


def test_apply_makes_the_topics_as_the_catalogue_says(
    admin: AdminClient, few: Mapping[str, Topic], settings_of: Described
) -> None:
    done = apply(admin, few)
    assert len(done.to_do) == 4
    for topic in few.values():
        assert partitions_of(admin, topic.name) == topic.partitions
        settings = settings_of(topic.name)
        assert {key: settings[key] for key in topic.config()} == topic.config()


def test_apply_again_changes_nothing(admin: AdminClient, few: Mapping[str, Topic]) -> None:
    apply(admin, few)
    again = apply(admin, few)
    assert again.changes == ()
    assert again.unchanged == 4


def test_a_setting_that_differs_is_corrected_and_no_other(
    admin: AdminClient, few: Mapping[str, Topic], settings_of: Described
) -> None:
    apply(admin, few)
    events = few["ar.events"].name
    alter(admin, events, "message.timestamp.type", "CreateTime")
    alter(admin, events, "segment.bytes", "2000000")
    done = apply(admin, few)
    (change,) = done.changes
    assert (change.topic, change.action, change.setting) == (events, "configure", "message.timestamp.type")
    assert (change.before, change.after) == ("CreateTime", "LogAppendTime")
    assert settings_of(events)["message.timestamp.type"] == "LogAppendTime"
    assert settings_of(events)["segment.bytes"] == "2000000"
    assert plan(admin, few).changes == ()


def test_a_longer_retention_is_left_because_shortening_deletes(
    admin: AdminClient, few: Mapping[str, Topic], settings_of: Described
) -> None:
    apply(admin, few)
    events = few["ar.events"].name
    for longer in ("-1", str(timedelta(days=900) // timedelta(milliseconds=1))):
        alter(admin, events, "retention.ms", longer)
        done = apply(admin, few)
        assert [(change.setting, change.action) for change in done.changes] == [("retention.ms", "leave")]
        assert "would delete records" in done.left[0].reason
        assert settings_of(events)["retention.ms"] == longer


def test_a_shorter_retention_is_prolonged(admin: AdminClient, few: Mapping[str, Topic], settings_of: Described) -> None:
    apply(admin, few)
    events = few["ar.events"].name
    alter(admin, events, "retention.ms", "1000")
    assert [change.action for change in apply(admin, few).changes] == ["configure"]
    assert settings_of(events)["retention.ms"] == few["ar.events"].config()["retention.ms"]


def test_a_cleanup_policy_is_left(admin: AdminClient, few: Mapping[str, Topic], settings_of: Described) -> None:
    apply(admin, few)
    items = few["ar.items"].name
    alter(admin, items, "cleanup.policy", "delete")
    done = apply(admin, few)
    assert [(change.setting, change.action) for change in done.changes] == [("cleanup.policy", "leave")]
    assert settings_of(items)["cleanup.policy"] == "delete"


def test_partitions_are_added_where_no_account_moves(admin: AdminClient, few: Mapping[str, Topic]) -> None:
    alerts = few["ar.alerts.cash"]
    create(admin, alerts, 1)
    done = apply(admin, {"ar.alerts.cash": alerts})
    assert done.changes == (
        Change(topic=alerts.name, action="add_partitions", setting="partitions", before="1", after="3"),
    )
    assert partitions_of(admin, alerts.name) == 3


def test_partitions_of_accounts_are_left_because_accounts_would_move(
    admin: AdminClient, few: Mapping[str, Topic]
) -> None:
    events = few["ar.events"]
    create(admin, events, 6)
    (change,) = apply(admin, {"ar.events": events}).changes
    assert (change.action, change.before, change.after) == ("leave", "6", "12")
    assert "move accounts" in change.reason
    assert partitions_of(admin, events.name) == 6


@pytest.mark.parametrize("name", ["ar.events", "ar.alerts.cash"])
def test_partitions_are_never_taken_away(admin: AdminClient, few: Mapping[str, Topic], name: str) -> None:
    create(admin, few[name], 15)
    (change,) = apply(admin, {name: few[name]}).changes
    assert change.action == "leave"
    assert "another topic prefix" in change.reason
    assert partitions_of(admin, few[name].name) == 15


def test_topics_that_the_catalogue_does_not_know_are_not_touched(
    admin: AdminClient, few: Mapping[str, Topic], topic_prefix: str
) -> None:
    create(admin, msgspec.structs.replace(few["ar.events"], name=f"{topic_prefix}foreign"), 2)
    assert all(change.topic != f"{topic_prefix}foreign" for change in apply(admin, few).changes)
    assert partitions_of(admin, f"{topic_prefix}foreign") == 2


def test_more_copies_than_brokers_are_refused_in_the_brokers_words(
    admin: AdminClient, few: Mapping[str, Topic]
) -> None:
    assert plan(admin, few, replication_factor=3).replication_factor == 3
    with pytest.raises(BrokerError, match="replicat"):
        apply(admin, few, replication_factor=3)


def test_copies_of_topics_that_are_there_are_left(admin: AdminClient, few: Mapping[str, Topic]) -> None:
    apply(admin, few)
    left = plan(admin, few, replication_factor=3).left
    assert [(change.setting, change.before, change.after) for change in left] == [("replication factor", "1", "3")] * 4


def test_a_broker_that_is_not_there_is_named_as_the_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("topics.broker._TIMEOUT_SECONDS", 1.0)
    admin = AdminClient({"bootstrap.servers": "127.0.0.1:1", "log_level": 0})
    with pytest.raises(BrokerError):
        plan(admin, catalogue())
