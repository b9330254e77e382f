"""The whole log of the sample company, nine months of three countries, folded twice: the same bytes both times."""

from pathlib import Path

import pytest
from confluent_kafka import Producer

from avro import contracts
from pipeline.cli.demo_feed import Feed, end_of, read_samples
from pipeline.companies import plan, publish, read_companies
from pipeline.local import KafkaBroker
from pipeline.settings import KafkaSettings, Settings
from tests.integration.replay import Replay, differences
from tests.integration.workers import System
from topics import EVENTS

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.kafka


def test_the_demos_log_replayed_gives_the_same_alerts_and_states(
    kafka: KafkaBroker, topic_prefix: str, tmp_path: Path
) -> None:
    companies = read_companies(ROOT / "config" / "companies")
    settings = Settings(kafka=KafkaSettings(bootstrap_servers=kafka.bootstrap_servers, topic_prefix=topic_prefix))
    original = System(kafka.bootstrap_servers, topic_prefix, tmp_path)
    original.create_topics()
    publish(
        Producer(settings.kafka.producer_config() | {"enable.idempotence": True}),
        plan(companies, {}),
        events_topic=original.topic(EVENTS).name,
        state_topic=original.topic("ar.state").name,
        partitions=original.topic(EVENTS).partitions,
        at_micros=0,
        encode=contracts().encoder("CompanyConfigured"),
    )
    samples = read_samples(ROOT / "examples", sorted(companies))
    known = list(companies.values())
    Feed(settings, samples, known).run(end_of(samples, known), [], lambda: None, lambda: False)
    try:
        original.start_worker()
        original.wait_until_applied()
    finally:
        original.stop_workers()

    replay = Replay(settings, f"{topic_prefix}again.", tmp_path)
    replay.run()
    once, twice = replay.outputs()
    assert min(len(once[f"ar.alerts.{kind}"]) for kind in ("promises", "cash")) > 10
    assert differences(once, twice) == []
    states, states_again = replay.states()
    assert len(states) > len(samples) // 4
    assert states_again == states
