"""Retention on a whole system: what is removed on purpose is no gap of `arrears reconcile`, what is missing else is."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from jobs import settings_from
from pipeline.cli.audit import audit_log
from pipeline.cli.clickhouse import clickhouse_client
from pipeline.cli.reconciliation import reconcile
from pipeline.cli.retention import kafka_firsts
from pipeline.local import ClickHouseServer, KafkaBroker
from pipeline.settings import Settings
from pipeline.state_topic import LogRange
from sinks.retention.apply import Firsts, Planned, Retention
from sinks.retention.policy import RULES, Policy
from sinks.retention.policy import let_go as gone_from_kafka
from tests.integration.installed import LogWriter, installed, wait_until_arrived
from topics import EVENTS, catalogue

pytestmark = [pytest.mark.kafka, pytest.mark.clickhouse]

NOON = 1_767_268_800_000_000  # 2026-01-01 12:00 UTC
DAY = 86_400_000_000
KAFKA = "Kafka = ClickHouse"
ENVELOPE: dict[str, Any] = {
    "company": "FR01", "region": "EU", "source": "test", "actor_id": "", "actor_role": "", "currency": "EUR",
}  # fmt: skip


@pytest.fixture(scope="module")
def settings(
    kafka: KafkaBroker, clickhouse: ClickHouseServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    """A system with paid and open invoices, a kept and an open promise, and alerts."""
    prefix = f"keep{os.getpid()}."
    companies = [settings_from({"code": "FR01", "timezone": "Europe/Paris", "base_currency": "EUR"})]
    with installed(kafka, clickhouse, prefix, tmp_path_factory.mktemp("keep"), companies) as settings:
        log = LogWriter(settings)
        log.tick(NOON)
        for number in range(40):
            _account(log, f"C{number}", is_paid=number % 4 != 0)
        log.tick(NOON + 60 * DAY)
        log.flush()
        assert [line for line in wait_until_arrived(settings) if not line.holds] == []
        yield settings


def _account(log: LogWriter, account: str, *, is_paid: bool) -> None:
    invoice = {"document_type": "invoice", "invoice_id": f"I-{account}", "amount_minor": 10_000}
    dates = {"document_date": 20_454, "due_date": 20_460}
    promise = {"promise_id": f"P-{account}", "invoice_ids": [f"I-{account}"], "amount_minor": 10_000}
    _send(log, "InvoiceIssued", account, invoice | dates)
    _send(log, "PromiseMade", account, promise | {"promised_date": 20_470})
    if is_paid:
        payment = {"payment_id": f"R-{account}", "amount_minor": 10_000, "value_date": 20_455}
        _send(log, "PaymentReceived", account, payment)
        used = {"application_id": f"A-{account}", "payment_id": f"R-{account}", "invoice_id": f"I-{account}"}
        _send(log, "CashApplied", account, used | {"amount_minor": 10_000, "method": "auto"})


def _send(log: LogWriter, name: str, account: str, record: dict[str, Any]) -> None:
    stamps = {"event_id": f"{name}-{account}", "account_id": account, "recorded_at": NOON, "occurred_at": NOON}
    log.record(name, ENVELOPE | stamps | record)


def gaps(settings: Settings) -> dict[tuple[str, str], int]:
    """What does not hold; nothing is under way here."""
    lines = reconcile(settings, patience_seconds=0)
    prefix = settings.kafka.topic_prefix
    return {(line.check, line.of.removeprefix(prefix)): line.gap for line in lines if not line.holds}


def apply(settings: Settings, firsts: Firsts | None, days: int) -> list[Planned]:
    """Retention by the command's own parts, as many days from now as make everything old."""
    policy = Policy(dict.fromkeys(RULES, days), hot_days=days)
    with audit_log(settings) as log, clickhouse_client(settings) as client:
        retention = Retention(client, policy, datetime.now(UTC) + timedelta(days=days + 2), firsts)
        retention.prepare()
        planned = retention.apply(log, f"run-{days}", "test")
        assert retention.plan() == []
    return planned


def let_go(settings: Settings, topic: str, *, keep: int) -> int:
    """Kafka's own retention: the oldest records of a topic are gone, but for the last `keep` of each partition."""
    admin = AdminClient(settings.kafka.client_config())
    name = settings.kafka.topic_prefix + topic
    ends = {
        number: max(0, kafka_end(settings, name, number) - keep) for number in range(catalogue("")[topic].partitions)
    }
    places = [TopicPartition(name, number, offset) for number, offset in ends.items() if offset]
    for future in admin.delete_records(places).values():
        future.result(30)
    return len(places)


def kafka_end(settings: Settings, topic: str, partition: int) -> int:
    """The offset behind the last record."""
    return LogRange(settings.kafka.client_config()).of(TopicPartition(topic, partition))[1]


def count(settings: Settings, table: str) -> int:
    """Rows of a table."""
    with clickhouse_client(settings) as client:
        return int(client.query(f"SELECT count() FROM {table}").result_rows[0][0])


def remove_one(settings: Settings, table: str) -> None:
    """Somebody deletes a row behind everybody's back, of which Kafka has the record."""
    with clickhouse_client(settings) as client:
        gone = gone_from_kafka(kafka_firsts(settings))
        one = f"(SELECT _topic, _partition, _offset FROM {table} WHERE NOT ({gone}) ORDER BY ALL LIMIT 1)"
        client.command(
            f"ALTER TABLE {table} DELETE WHERE (_topic, _partition, _offset) IN {one} "
            "SETTINGS mutations_sync = 2, allow_nondeterministic_mutations = 1"
        )


def test_what_goes_on_purpose_is_no_gap_and_what_goes_beyond_is(settings: Settings) -> None:
    """One system in the order in which a year would bring it; each step stands on the one before."""
    whole = {table: count(settings, table) for table in ("events", "ledger_entries_log", "items_versions FINAL")}

    # Kafka still holds all of it: of the logs nothing goes, of the states what the ledger does not mention: nothing.
    planned = apply(settings, kafka_firsts(settings), 4000)
    assert {one.table for one in planned} <= {"promises_versions"}
    assert gaps(settings) == {}

    # Kafka has let go of the older half.
    assert let_go(settings, EVENTS, keep=9) > 4
    assert let_go(settings, "ar.ledger", keep=4) > 4
    planned = apply(settings, kafka_firsts(settings), 4001)
    assert {one.table for one in planned} >= {"events", "ledger_entries_log"}
    assert 0 < count(settings, "events") < whole["events"]
    assert 0 < count(settings, "ledger_entries_log") < whole["ledger_entries_log"]
    assert gaps(settings) == {}

    # What Kafka still holds goes too, because somebody said so.
    planned = apply(settings, None, 4002)
    assert {one.table for one in planned} >= {"events", "ledger_entries_log", "items_versions", "receipts_versions"}
    assert count(settings, "events") == 0
    open_items = 10
    assert count(settings, "items_versions FINAL") == open_items < whole["items_versions FINAL"]
    assert gaps(settings) == {}

    # And what is missing beyond that.
    remove_one(settings, "ledger_entries_log")
    remove_one(settings, "items_versions")
    found = gaps(settings)
    assert found[KAFKA, "ar.items"] == found[KAFKA, "ar.ledger"] == 1
    assert {of for check, of in found if check == KAFKA} == {"ar.items", "ar.ledger"}

    # All records have gone from Kafka: what was handled once is still handled.
    let_go(settings, EVENTS, keep=0)
    assert [check for check, _ in gaps(settings) if check.startswith("events in")] == []
