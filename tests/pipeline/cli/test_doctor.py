"""`arrears doctor` names every precondition that does not hold, and what to do about it."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # the package marks none of them as exported
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
)
from confluent_kafka.cimpl import NewPartitions

from avro import contracts
from pipeline.cli.checks import CHECKS, clickhouse, examine, kafka, machine
from pipeline.cli.clickhouse import clickhouse_address, clickhouse_client
from pipeline.cli.preparation import prepare_topics
from pipeline.clock import TICK_HEADERS, tick_record
from pipeline.local import ClickHouseServer, KafkaBroker
from pipeline.settings import (
    ClickHouseSettings,
    CompanySettings,
    KafkaSettings,
    SchemaRegistrySettings,
    Settings,
    StackSettings,
)
from sinks.clickhouse import INSERT_SETTINGS
from tests.avro.registry_twin import registry_twin
from tests.pipeline.cli.calls import addresses, arrears
from tests.sinks.copies import make_tables
from topics import EVENTS, catalogue

pytestmark = [pytest.mark.kafka, pytest.mark.clickhouse]

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def healthy(kafka: KafkaBroker, clickhouse: ClickHouseServer) -> Iterator[Settings]:
    """A system in which all is well, and no service runs."""
    clickhouse.start()
    kafka.start()
    prefix = f"doctor{os.getpid()}."
    settings = Settings(
        kafka=KafkaSettings(bootstrap_servers=kafka.bootstrap_servers, topic_prefix=prefix),
        clickhouse=ClickHouseSettings(url=clickhouse.url, database=f"doctor_{os.getpid()}"),
        companies=CompanySettings(folder=ROOT / "config" / "companies"),
    )
    prepare_topics(settings)
    make_tables(clickhouse_address(settings))
    yield settings
    admin = AdminClient(settings.kafka.client_config())
    for future in admin.delete_topics([topic.name for topic in catalogue(prefix).values()]).values():
        future.result(30)
    with clickhouse_client(settings) as client:
        client.command(f"DROP DATABASE {settings.clickhouse.database} SYNC")


def finding(settings: Settings, subject: str) -> tuple[str, str]:
    """What one check finds: the first status that is not ok, or else ok, and its words."""
    (check,) = (check for check in CHECKS if check.subject == subject)
    found = list(examine(settings, [check]))
    worst = next((one for one in found if one.status != "ok"), found[-1])
    assert worst.advice or worst.status in {"ok", "skipped"}, worst
    return worst.status, f"{worst.message}. {worst.advice}"


def changed(settings: Settings, section: str, **values: object) -> Settings:
    """The settings with other values in one section."""
    return settings.model_copy(update={section: getattr(settings, section).model_copy(update=values)})


def test_a_system_in_which_all_is_well_passes(healthy: Settings, tmp_path: Path) -> None:
    companies = {"ARREARS_COMPANIES__FOLDER": str(ROOT / "config" / "companies")}
    done = arrears("doctor", "--json", folder=tmp_path, **addresses(healthy), **companies)
    found = json.loads(done.output)
    assert [one for one in found if one["status"] not in {"ok", "skipped"}] == []
    assert (done.code, done.errors) == (0, "")
    assert {one["subject"] for one in found} == {"settings", *(check.subject for check in CHECKS)}


def test_the_command_says_no_when_anything_has_failed(healthy: Settings, tmp_path: Path) -> None:
    away = addresses(healthy) | {"ARREARS_CLICKHOUSE__URL": "http://127.0.0.1:9"}
    done = arrears("doctor", folder=tmp_path, **away)
    assert (done.code, done.errors) == (1, "")
    assert "ClickHouse at http://127.0.0.1:9 does not answer: Connection refused" in done.output
    assert "Start it (`arrears up` starts one on this machine), or set clickhouse.url" in done.output
    assert "not looked at, because clickhouse has failed" in done.output


def test_settings_that_cannot_be_read_are_a_finding(tmp_path: Path) -> None:
    done = arrears("doctor", "--json", folder=tmp_path, ARREARS_KAFKA__BOOTSTRAP="x:1")
    assert done.code == 1
    (one,) = json.loads(done.output)
    assert (one["subject"], one["status"]) == ("settings", "failed")
    assert "ARREARS_KAFKA__BOOTSTRAP is not a setting" in one["message"]


def test_an_old_python(healthy: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "PYTHON_MIN", (99, 0))
    status, words = finding(healthy, "python")
    assert status == "failed"
    assert words.endswith("Install Python 99.0 or newer")


def test_companies_that_are_missing_or_wrong(healthy: Settings, tmp_path: Path) -> None:
    without = changed(healthy, "companies", folder=tmp_path)
    status, words = finding(without, "companies")
    assert (status, "all rules have their defaults" in words) == ("warning", True)
    (tmp_path / "FR01.toml").write_text('timezone = "Europe/Pairs"\n')
    status, words = finding(without, "companies")
    assert status == "failed"
    assert "timezone 'Europe/Pairs' is not an IANA time zone" in words


def test_a_disk_that_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "SPACE_BYTES_MIN", 2**62)
    status, words = finding(Settings(stack=StackSettings(folder=tmp_path)), "local stack")
    assert status == "failed"
    assert "give another stack.folder" in words


def test_a_registry_without_our_schemas_and_one_that_is_away(healthy: Settings) -> None:
    with registry_twin() as twin:
        named = healthy.model_copy(update={"schema_registry": SchemaRegistrySettings(url=twin.url)})
        status, words = finding(named, "contracts")
        assert status == "failed"
        assert "run `arrears schemas register`" in words
    status, words = finding(named, "contracts")
    assert status == "failed"
    assert "does not answer" in words


def test_a_broker_that_is_away_or_too_small(healthy: Settings) -> None:
    status, words = finding(changed(healthy, "kafka", bootstrap_servers="127.0.0.1:9"), "broker")
    assert status == "failed"
    assert "127.0.0.1:9 does not answer: Connection refused" in words
    status, words = finding(changed(healthy, "kafka", replication_factor=3), "broker")
    assert status == "failed"
    assert "1 brokers cannot keep 3 copies" in words


def test_topics_that_are_missing_changed_or_cut_otherwise(healthy: Settings) -> None:
    status, words = finding(changed(healthy, "kafka", topic_prefix="nobody."), "topics")
    assert status == "failed"
    assert f"{len(catalogue())} topics are missing" in words
    assert "Run `arrears topics apply`" in words

    prefix = f"doctored{os.getpid()}."
    own = changed(healthy, "kafka", topic_prefix=prefix)
    prepare_topics(own)
    admin = AdminClient(own.kafka.client_config())
    resource = ConfigResource("topic", prefix + EVENTS)
    set_to = AlterConfigOpType.SET
    resource.add_incremental_config(ConfigEntry("message.timestamp.type", "CreateTime", incremental_operation=set_to))
    admin.incremental_alter_configs([resource])[resource].result(30)
    deadline = time.monotonic() + 20
    while finding(own, "topics")[0] == "ok" and time.monotonic() < deadline:
        time.sleep(0.1)  # the broker shows it a moment later
    status, words = finding(own, "topics")
    assert status == "failed"
    assert f"{prefix}{EVENTS} has message.timestamp.type CreateTime instead of LogAppendTime" in words
    prepare_topics(own)
    admin.create_partitions([NewPartitions(prefix + "ar.ledger", 13)])[prefix + "ar.ledger"].result(30)
    while finding(own, "topics")[0] == "ok" and time.monotonic() < deadline:
        time.sleep(0.1)
    status, words = finding(own, "topics")
    assert status == "failed"
    assert f"{prefix}ar.ledger has partitions 13 instead of 12" in words
    for future in admin.delete_topics([topic.name for topic in catalogue(prefix).values()]).values():
        future.result(30)


def test_events_in_the_wrong_partition_and_clocks_that_differ(healthy: Settings) -> None:
    producer = Producer(healthy.kafka.producer_config())
    topic = healthy.kafka.topic_prefix + EVENTS
    producer.produce(topic, contracts().encode("ClockTicked", as_mapping(1_000_000)), None, 3, headers=[*TICK_HEADERS])
    assert producer.flush(30) == 0
    status, words = finding(healthy, "clock")
    assert status == "failed"
    assert "Let all machines keep time by NTP" in words
    assert finding(healthy, "partitioner")[0] == "skipped"
    producer.produce(topic, b"whatever", b"FR01|C1", 3)
    assert producer.flush(30) == 0
    status, words = finding(healthy, "partitioner")
    assert status == "failed"
    assert f"the event 3@1 of {topic} belongs into partition 9" in words
    assert "murmur2_random" in words


def as_mapping(at_micros: int) -> dict[str, object]:
    """A tick in the form of its schema."""
    tick = tick_record(at_micros)
    return {name: getattr(tick, name) for name in tick.__struct_fields__}


def test_a_clickhouse_that_is_too_old(healthy: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clickhouse, "VERSION_MIN", (99, 1))
    status, words = finding(healthy, "clickhouse")
    assert status == "failed"
    assert "Use 99.1 or newer" in words


def test_a_broker_that_is_too_old(healthy: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka, "_describe", lambda *_: {"1": {"inter.broker.protocol.version": "2.3-IV1"}})
    status, words = finding(healthy, "broker version")
    assert (status, words) == ("failed", "the broker speaks protocol 2.3-IV1. Use Kafka 2.5 or newer")


def test_a_broker_that_keeps_less_beside_an_offset_than_the_sink_writes(
    healthy: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka, "METADATA_BYTES_MAX", 5000)
    status, words = finding(healthy, "commit metadata")
    assert status == "failed"
    assert words.startswith("the broker keeps 4096 bytes beside an offset, and the sink may write 5000")


def test_an_insert_setting_that_clickhouse_does_not_know(healthy: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(INSERT_SETTINGS, "of_tomorrow", 1)
    status, words = finding(healthy, "insert settings")
    assert (status, words) == ("failed", "ClickHouse does not know of_tomorrow. Use a newer ClickHouse")


def test_tables_that_are_missing_or_forget_their_inserts(healthy: Settings) -> None:
    status, words = finding(changed(healthy, "clickhouse", database="nobody"), "tables")
    assert status == "failed"
    assert words.endswith("migrations are not applied. Run `arrears migrate`")
    status, words = finding(changed(healthy, "clickhouse", database="nobody"), "deduplication")
    assert status == "failed"
    assert "Run `arrears migrate`" in words
    with clickhouse_client(healthy) as client:
        client.command("ALTER TABLE ledger_entries_log MODIFY SETTING non_replicated_deduplication_window = 0")
    status, words = finding(healthy, "deduplication")
    assert status == "failed"
    assert "would store rows twice: ledger_entries_log" in words
    assert "MODIFY SETTING non_replicated_deduplication_window" in words
