"""The catalogue as a whole: nothing without a topic, no topic without a meaning."""

from datetime import timedelta

import pytest

from avro import contracts
from topics import ACCOUNT_PARTITIONS, EVENTS, Topic, catalogue

TOPICS = list(catalogue().values())


def test_every_record_has_a_topic() -> None:
    carried = {record for topic in TOPICS for record in topic.records}
    assert carried == set(contracts().names)


def test_every_topic_but_that_of_the_events_carries_one_record() -> None:
    several = [topic.name for topic in TOPICS if len(topic.records) > 1]
    assert several == [EVENTS]
    assert [topic.name for topic in TOPICS if not topic.records] == ["ar.state"]


def test_a_record_has_one_topic_except_alerts_which_have_one_per_kind() -> None:
    places = {record: [topic.name for topic in TOPICS if record in topic.records] for record in contracts().names}
    assert len(places.pop("Alert")) == 4
    assert {len(found) for found in places.values()} == {1}


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_the_key_is_made_of_fields_of_the_records(topic: Topic) -> None:
    if topic.name == "ar.state":
        return
    if topic.name == "ar.failed":
        assert topic.key == "key of the failed record"
        return
    for record in topic.records:
        fields = {field["name"] for field in contracts().schema(record)["fields"]}
        assert set(topic.key.split("|")) <= fields


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_what_is_cut_like_the_events_has_as_many_partitions(topic: Topic) -> None:
    assert topic.cut_like_events == (topic.partitions == ACCOUNT_PARTITIONS)
    assert topic.purpose.endswith(".")


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_retention_counts_from_arrival_and_outlives_a_late_reversal(topic: Topic) -> None:
    """Backfilled records carry old times; SEMANTICS 1.8 wants 400 days."""
    if topic.cleanup_policy == "delete":
        if topic.retention is None:
            assert topic.config()["retention.ms"] == "-1"
        else:
            assert topic.retention >= timedelta(days=400)
        assert topic.timestamp_type == "LogAppendTime"
    else:
        assert topic.config()["retention.ms"] == "-1"


def test_a_prefix_renames_the_topics_and_not_the_keys() -> None:
    plain, prefixed = catalogue(), catalogue("test.")
    assert list(plain) == list(prefixed)
    assert all(prefixed[name].name == f"test.{name}" for name in plain)
    assert prefixed[EVENTS].config() == plain[EVENTS].config()


def test_the_catalogue_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        catalogue()["ar.other"] = TOPICS[0]  # type: ignore[index]
