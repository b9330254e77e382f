"""A commit becomes visible partition by partition: the state may tell of it before the other topics show it."""

from contextlib import closing

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from pipeline.cli.settling import Settling
from pipeline.errors import Problem
from pipeline.local import KafkaBroker
from pipeline.progress import PROGRESS_KEY, Progress
from pipeline.settings import KafkaSettings, Settings
from topics import EVENTS, catalogue

pytestmark = pytest.mark.kafka


@pytest.fixture
def settings(kafka: KafkaBroker, topic_prefix: str) -> Settings:
    """A broker on which the topics that are followed are there."""
    settings = Settings(kafka=KafkaSettings(bootstrap_servers=kafka.bootstrap_servers, topic_prefix=topic_prefix))
    topics = catalogue(topic_prefix)
    admin = AdminClient(settings.kafka.client_config())
    wanted = [NewTopic(topics[name].name, topics[name].partitions, 1) for name in (EVENTS, "ar.state", "ar.ledger")]
    for created in admin.create_topics(wanted).values():
        created.result(30)
    return settings


@pytest.fixture
def half_visible(settings: Settings) -> Producer:
    """An event is handled, as the state says; what it led to is written and its commit not there to be seen yet."""
    config, topics = settings.kafka.producer_config(), catalogue(settings.kafka.topic_prefix)
    producer = Producer(config)
    producer.produce(topics[EVENTS].name, b"an event", partition=0)
    producer.produce(topics["ar.state"].name, Progress(position=1, applied=1).encode(), PROGRESS_KEY, partition=0)
    assert producer.flush(30) == 0
    led_to = Producer(config | {"transactional.id": f"{settings.kafka.topic_prefix}led-to"})
    led_to.init_transactions(30)
    led_to.begin_transaction()
    led_to.produce(topics["ar.ledger"].name, b"an entry", partition=0)
    led_to.produce(topics[EVENTS].name, b"for another account", partition=1)
    assert led_to.flush(30) == 0
    return led_to


def test_what_is_written_and_not_seen_yet_lies_before_the_end_and_is_waited_for(
    settings: Settings, half_visible: Producer
) -> None:
    topics = catalogue(settings.kafka.topic_prefix)
    ledger, state = topics["ar.ledger"].name, topics["ar.state"].name
    with closing(Settling(settings)) as settling:
        assert settling.ends([(ledger, 0), (ledger, 1)]) == {(ledger, 0): 1, (ledger, 1): 0}
        with pytest.raises(Problem):
            settling.wait(1.0)
        half_visible.commit_transaction(30)
        with pytest.raises(Problem, match="1 events are not applied"):
            settling.wait(1.0)
        handled = Producer(settings.kafka.client_config())
        handled.produce(state, Progress(position=1, applied=1).encode(), PROGRESS_KEY, partition=1)
        handled.flush(30)
        settling.wait(30.0)
        assert settling.handled == 2
