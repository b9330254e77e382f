"""The difference between the catalogue and a broker, and the way to close it.

A plan adds: topics, settings, partitions where that moves no account. It never deletes a topic, takes partitions or
records away, or changes the number of copies; what it leaves alone it says, with the reason.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from typing import Any, Literal, TypeVar

import msgspec
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # the package marks none of them as exported
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    ResourceType,
)

from topics.catalogue import Topic

T = TypeVar("T")

REPLICATION_FACTOR_MAX = 3
_TIMEOUT_SECONDS = 30.0
_ANSWER_SECONDS = 15.0
_POLL_SECONDS = 0.1
_IN_SYNC = "min.insync.replicas"

Action = Literal["create", "configure", "add_partitions", "leave"]


class BrokerError(Exception):
    """The broker did not answer, or refused; the message is its own."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One difference. `leave` is one that the plan does not close; `reason` says why, and what to do instead."""

    topic: str
    action: Action
    setting: str = ""
    before: str = ""
    after: str = ""
    reason: str = ""


class Plan(msgspec.Struct, frozen=True):
    """All differences, in the order of the catalogue. `unchanged` counts topics that are as they should be."""

    changes: tuple[Change, ...]
    unchanged: int
    replication_factor: int

    @property
    def to_do(self) -> tuple[Change, ...]:
        """What `apply` does."""
        return tuple(change for change in self.changes if change.action != "leave")

    @property
    def left(self) -> tuple[Change, ...]:
        """What differs and stays."""
        return tuple(change for change in self.changes if change.action == "leave")


def plan(admin: AdminClient, topics: Mapping[str, Topic], replication_factor: int | None = None) -> Plan:
    """Compare the catalogue with the broker; changes nothing.

    `replication_factor` of new topics; None = as many copies as there are brokers, at most 3. Raises BrokerError.
    """
    metadata = _answer(lambda: admin.list_topics(timeout=_ANSWER_SECONDS))
    copies = replication_factor or min(REPLICATION_FACTOR_MAX, len(metadata.brokers))
    present = {name: topic for name, topic in metadata.topics.items() if topic.error is None}
    settings = _settings(admin, [topic.name for topic in topics.values() if topic.name in present])
    changes: list[Change] = []
    unchanged = 0
    for topic in topics.values():
        if topic.name not in present:
            found = [Change(topic=topic.name, action="create", after=f"{topic.partitions} partitions")]
        else:
            partitions = present[topic.name].partitions
            first = next(iter(partitions.values()))
            found = [
                *_partitions(topic, len(partitions)),
                *_copies(topic, len(first.replicas), replication_factor),
                *_configuration(topic, settings[topic.name], len(first.replicas)),
            ]
        unchanged += not found
        changes += found
    return Plan(tuple(changes), unchanged, copies)


def apply(admin: AdminClient, topics: Mapping[str, Topic], replication_factor: int | None = None) -> Plan:
    """Close the differences that a plan closes; returns the plan that was carried out.

    When it returns, new topics are there for every client. Doing it again changes nothing. Raises BrokerError; what was
    done before stays done.
    """
    planned = plan(admin, topics, replication_factor)
    by_name = {topic.name: topic for topic in topics.values()}
    new = [by_name[change.topic] for change in planned.changes if change.action == "create"]
    if new:
        _create(admin, new, planned.replication_factor)
    grown = {change.topic: int(change.after) for change in planned.changes if change.action == "add_partitions"}
    if grown:
        _wait(admin.create_partitions([NewPartitions(name, count) for name, count in grown.items()]).values())
        _wait_until_seen(admin, grown)
    changed = [change for change in planned.changes if change.action == "configure"]
    if changed:
        _configure(admin, changed)
    return planned


def _partitions(topic: Topic, count: int) -> Iterator[Change]:
    if count == topic.partitions:
        return
    before, after = str(count), str(topic.partitions)
    difference = {"topic": topic.name, "setting": "partitions", "before": before, "after": after}
    if count > topic.partitions:
        reason = "Kafka takes no partitions away; make a new system with another topic prefix, or keep them"
        if topic.cut_like_events:
            reason = "accounts would be looked for in the wrong partition; make a new system with another topic prefix"
        yield Change(**difference, action="leave", reason=reason)
    elif topic.cut_like_events:
        reason = "more partitions move accounts to other partitions; follow 'Adding partitions' in the operations guide"
        yield Change(**difference, action="leave", reason=reason)
    else:
        yield Change(**difference, action="add_partitions")


def _copies(topic: Topic, count: int, wanted: int | None) -> Iterator[Change]:
    if wanted is not None and count != wanted:
        reason = "copies are moved with Kafka's own kafka-reassign-partitions, which can be watched and throttled"
        yield Change(topic=topic.name, action="leave", setting="replication factor", before=str(count),
                     after=str(wanted), reason=reason)  # fmt: skip


def _configuration(topic: Topic, present: Mapping[str, str], copies: int) -> Iterator[Change]:
    for setting, value in _wanted(topic, copies).items():
        before = present.get(setting, "")
        if before == value or (setting == _IN_SYNC and before.isdecimal() and int(before) > int(value)):
            continue
        difference = {"topic": topic.name, "setting": setting, "before": before, "after": value}
        refused = _loses_records(topic, setting, before)
        if refused:
            yield Change(**difference, action="leave", reason=refused)
        else:
            yield Change(**difference, action="configure")


def _loses_records(topic: Topic, setting: str, before: str) -> str:
    """Why a setting is not changed: the broker would drop records that it keeps now."""
    advice = f"if that is meant: kafka-configs --alter --entity-type topics --entity-name {topic.name}"
    if setting == "retention.ms" and topic.cleanup_policy == "delete":
        kept = int(topic.config()["retention.ms"])
        if before == "-1" or (before and 0 <= kept < int(before)):
            return f"it would delete records that are kept now; {advice}"
    if setting == "cleanup.policy" and before:
        return f"it would drop records that are kept now; {advice}"
    return ""


def _wanted(topic: Topic, copies: int) -> dict[str, str]:
    wanted = topic.config()
    if copies >= 3:
        # One copy may be away, and a transaction still commits on two.
        wanted[_IN_SYNC] = "2"
    return wanted


def _settings(admin: AdminClient, names: list[str]) -> dict[str, dict[str, str]]:
    if not names:
        return {}
    futures = admin.describe_configs([ConfigResource(ResourceType.TOPIC, name) for name in names])
    answers = {resource.name: _result(future) or {} for resource, future in futures.items()}
    return {name: {key: entry.value for key, entry in entries.items()} for name, entries in answers.items()}


def _create(admin: AdminClient, topics: list[Topic], copies: int) -> None:
    new = [
        NewTopic(topic.name, num_partitions=topic.partitions, replication_factor=copies, config=_wanted(topic, copies))
        for topic in topics
    ]
    for future in admin.create_topics(new, operation_timeout=_TIMEOUT_SECONDS).values():
        _result(future, but=KafkaError.TOPIC_ALREADY_EXISTS)
    # Somebody else may have created one a moment ago, and differently: then the next plan says so.
    _wait_until_seen(admin, {topic.name: 1 for topic in topics})


def _wait_until_seen(admin: AdminClient, partitions: Mapping[str, int]) -> None:
    """Brokers learn of new topics one after the other; a producer that asks too early would fail."""

    def without_leader() -> list[str]:
        present = _answer(lambda: admin.list_topics(timeout=_TIMEOUT_SECONDS)).topics
        return [
            name
            for name, count in partitions.items()
            if name not in present
            or len(present[name].partitions) < count
            or any(part.leader < 0 for part in present[name].partitions.values())
        ]

    _wait_until_none(without_leader, "was created but has no leader")


def _wait_until_none(behind: Callable[[], list[str]], what: str) -> None:
    deadline = time.monotonic() + _TIMEOUT_SECONDS
    while names := behind():
        if time.monotonic() > deadline:
            raise BrokerError(f"{names[0]} {what} after {_TIMEOUT_SECONDS:.0f} s")
        time.sleep(_POLL_SECONDS)


def _configure(admin: AdminClient, changes: list[Change]) -> None:
    resources: dict[str, ConfigResource] = {}
    for change in changes:
        resource = resources.setdefault(change.topic, ConfigResource(ResourceType.TOPIC, change.topic))
        entry = ConfigEntry(change.setting, change.after, incremental_operation=AlterConfigOpType.SET)
        resource.add_incremental_config(entry)
    _wait(admin.incremental_alter_configs(list(resources.values())).values())

    def not_changed() -> list[str]:
        settings = _settings(admin, list(resources))
        return [change.topic for change in changes if settings[change.topic].get(change.setting) != change.after]

    _wait_until_none(not_changed, "does not show its new settings")


def _wait(futures: Iterable["Future[Any]"]) -> None:
    for future in futures:
        _result(future)


def _result(future: "Future[T]", but: int | None = None) -> T | None:
    try:
        return future.result(timeout=_TIMEOUT_SECONDS)
    except KafkaException as error:
        if but is not None and error.args[0].code() == but:
            return None
        raise BrokerError(error.args[0].str()) from error
    except TimeoutError as error:
        raise BrokerError(f"no answer within {_TIMEOUT_SECONDS:.0f} s") from error


def _answer(call: Callable[[], T]) -> T:
    try:
        return call()
    except KafkaException as error:
        raise BrokerError(error.args[0].str()) from error
