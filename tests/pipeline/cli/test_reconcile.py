"""`arrears reconcile` finds what is missing and what is too much, and says where."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer

from avro import contracts
from jobs import settings_from
from pipeline.cli.clickhouse import clickhouse_client
from pipeline.cli.reconciliation import read_all_progress, reconcile
from pipeline.local import ClickHouseServer, KafkaBroker
from pipeline.progress import PROGRESS_KEY, Progress
from pipeline.settings import Settings
from tests.integration.installed import LogWriter, installed, wait_until_arrived
from tests.pipeline.cli.calls import Done, addresses, arrears
from topics import EVENTS, catalogue, partition_key, partition_of

pytestmark = [pytest.mark.kafka, pytest.mark.clickhouse]

NOON = 1_767_268_800_000_000  # 2026-01-01 12:00 UTC
PARTITION = partition_of(partition_key("FR01", "C1"), 12)


@dataclass(frozen=True)
class Place:
    """A system with a little of everything in it."""

    settings: Settings
    folder: Path

    def command(self, *statements: str) -> None:
        """Change ClickHouse behind everybody's back."""
        with clickhouse_client(self.settings) as client:
            for statement in statements:
                client.command(statement, settings={"mutations_sync": 2, "insert_deduplicate": 0})

    @contextmanager
    def changed(self, table: str, *statements: str) -> Iterator[None]:
        """Within the block the table is changed; afterwards it is as before."""
        self.command(f"CREATE TABLE saved_rows ENGINE = Memory AS SELECT * FROM {table}", *statements)
        try:
            yield
        finally:
            self.command(
                f"TRUNCATE TABLE {table}", f"INSERT INTO {table} SELECT * FROM saved_rows", "DROP TABLE saved_rows"
            )

    def gaps(self) -> dict[tuple[str, str], int]:
        """What does not hold, by check and subject. Nothing is under way here, so nobody need wait for it."""
        lines = reconcile(self.settings, patience_seconds=0)
        assert len(lines) > 20
        prefix = self.settings.kafka.topic_prefix
        return {(line.check, line.of.removeprefix(prefix)): line.gap for line in lines if not line.holds}

    def arrears(self, *words: str) -> Done:
        """The command as a user calls it."""
        return arrears(*words, folder=self.folder, **addresses(self.settings))


@pytest.fixture(scope="module")
def place(
    kafka: KafkaBroker, clickhouse: ClickHouseServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    prefix = f"sums{os.getpid()}."
    companies = [settings_from({"code": "FR01", "timezone": "Europe/Paris", "base_currency": "EUR"})]
    folder = tmp_path_factory.mktemp("sums")
    with installed(kafka, clickhouse, prefix, folder, companies) as settings:
        log = LogWriter(settings)
        log.tick(NOON)
        for name, record in EVENTS_SENT:
            log.record(name, ENVELOPE | {"event_id": name, "recorded_at": NOON, "occurred_at": NOON} | record)
        log.tick(NOON + 40 * 86_400_000_000)
        log.flush()
        producer = Producer(settings.kafka.producer_config())
        producer.produce(prefix + EVENTS, b"not a record", partition_key("FR01", "C1"))
        assert producer.flush(30) == 0
        assert [line for line in wait_until_arrived(settings) if not line.holds] == []
        yield Place(settings, folder)


ENVELOPE: dict[str, Any] = {
    "company": "FR01", "account_id": "C1", "region": "EU", "source": "test", "actor_id": "", "actor_role": "",
}  # fmt: skip
_INVOICE = {"document_type": "invoice", "document_date": 20_454, "currency": "EUR"}
EVENTS_SENT: list[tuple[str, dict[str, Any]]] = [
    ("InvoiceIssued", _INVOICE | {"invoice_id": "I1", "due_date": 20_460, "amount_minor": 10_000}),
    ("InvoiceIssued", _INVOICE | {"event_id": "2", "invoice_id": "I2", "due_date": 20_470, "amount_minor": 5_000}),
    ("InvoiceIssued", _INVOICE | {"event_id": "3", "invoice_id": "I2", "due_date": 20_471, "amount_minor": 5_000}),
    ("PaymentReceived", {"payment_id": "P1", "amount_minor": 3_000, "currency": "EUR", "value_date": 20_455}),
    ("DisputeOpened", {"dispute_id": "D1", "invoice_id": "I1", "amount_minor": 1_000, "reason_code": "price"}),
    ("PromiseMade", {"promise_id": "K1", "invoice_ids": ["I2"], "amount_minor": 5_000, "currency": "EUR",
                     "promised_date": 20_460}),
    ("ExchangeRateSet", {"account_id": None, "base_currency": "USD", "quote_currency": "EUR", "rate": "0.9",
                         "rate_date": 20_454}),
]  # fmt: skip
# One row that is the latest of its key, wherever it stands in its partition.
ONE = "(_partition, _offset) IN (SELECT _partition, min(_offset) FROM {table} FINAL GROUP BY _partition)"
# Worker and sink may tell the same failure: it is missing when the rows of both are.
ALL_OF_ONE = "(topic, partition, offset, stage) IN (SELECT topic, partition, offset, stage FROM {table} LIMIT 1)"
LOGS = {
    "events": EVENTS,
    "ledger_entries_log": "ar.ledger",
    "aging_transitions_log": "ar.aging",
    "dispute_entries_log": "ar.disputes",
    "rejected_events": "ar.rejected",
}
LATEST = {
    "items_versions": "ar.items",
    "receipts_versions": "ar.receipts",
    "account_aging_versions": "ar.balances",
    "promises_versions": "ar.promises",
    "disputes_versions": "ar.cases.disputes",
    "exchange_rates_versions": "ar.reference",
    "failed_events_versions": "ar.failed",
}
KAFKA = "Kafka = ClickHouse"


def test_a_system_in_which_all_is_well_has_no_gap(place: Place) -> None:
    done = place.arrears("reconcile")
    assert (done.code, done.errors) == (0, "")
    assert "events in = outcomes" in done.output
    assert "1 failed" in done.output


def test_the_command_names_the_gap_and_its_exit_code_says_no(place: Place) -> None:
    with place.changed("items_versions", "TRUNCATE TABLE items_versions"):
        done = place.arrears("reconcile", "--json")
    lines = {(line["check"], line["of"]): line for line in map(json.loads, done.output.splitlines())}
    assert (done.code, done.errors) == (1, "")
    gap = lines["Kafka = ClickHouse", place.settings.kafka.topic_prefix + "ar.items"]
    assert gap["left"] == "2 keys"
    assert gap["right"] == "0 of them in items_versions"
    assert (gap["gap"], gap["holds"]) == (2, False)
    assert lines["events in = outcomes", place.settings.kafka.topic_prefix + EVENTS]["holds"]


@pytest.mark.parametrize("table", LOGS)
def test_a_record_that_is_no_row_is_found(place: Place, table: str) -> None:
    one = f"(_partition, _offset) IN (SELECT _partition, _offset FROM {table} ORDER BY _partition, _offset LIMIT 1)"
    with place.changed(table, f"ALTER TABLE {table} DELETE WHERE {one}"):
        assert place.gaps()[KAFKA, LOGS[table]] == 1


@pytest.mark.parametrize("table", LATEST)
def test_a_latest_state_that_is_no_row_is_found(place: Place, table: str) -> None:
    one = (ALL_OF_ONE if table == "failed_events_versions" else ONE).format(table=table)
    with place.changed(table, f"ALTER TABLE {table} DELETE WHERE {one}"):
        assert place.gaps()[KAFKA, LATEST[table]] >= 1


@pytest.mark.parametrize("change", ["_offset", "_offset + 1000000 AS _offset"], ids=["doubled", "never sent"])
def test_a_row_too_many_is_found(place: Place, change: str) -> None:
    columns = f"* REPLACE ({change})" if " " in change else "*"
    table = "ledger_entries_log"
    with place.changed(table, f"INSERT INTO {table} SELECT {columns} FROM {table} ORDER BY _offset LIMIT 1"):
        assert place.gaps()[KAFKA, "ar.ledger"] < 0


def test_money_that_differs_is_found_with_company_and_currency(place: Place) -> None:
    one = "document_id = 'I1'"
    with place.changed("items_versions", f"ALTER TABLE items_versions UPDATE open_minor = open_minor + 7 WHERE {one}"):
        assert place.gaps() == {("Σ open items = Σ ledger entries", "FR01 EUR"): 7}
    table = "account_aging_versions"
    with place.changed(table, f"ALTER TABLE {table} UPDATE total_minor = total_minor - 7 WHERE account_id = 'C1'"):
        assert place.gaps() == {("Σ live totals = Σ entries to date", "FR01 EUR"): -7}


def test_an_event_without_an_outcome_and_one_that_waits_are_found(place: Place) -> None:
    told = read_all_progress(place.settings)[PARTITION]
    fewer = {name: getattr(told, name) for name in told.__struct_fields__} | {"applied": told.applied - 1}
    _tell(place, Progress(**fewer))
    assert place.gaps() == {("events in = outcomes", EVENTS): 1}
    # The last record of the partition is what failed: as if nobody had come to it.
    _tell(place, Progress(**fewer | {"applied": told.applied, "failed": 0, "position": told.position - 1}))
    assert place.gaps() == {("events in = taken in", EVENTS): 1}
    _tell(place, told)
    assert place.gaps() == {}


def _tell(place: Place, progress: Progress) -> None:
    """Write a progress record; no worker writes one while nothing comes in."""
    producer = Producer(place.settings.kafka.client_config())
    topic = catalogue(place.settings.kafka.topic_prefix)["ar.state"].name
    producer.produce(topic, progress.encode(), PROGRESS_KEY, PARTITION)
    assert producer.flush(30) == 0


def test_records_decode_as_the_contracts_say() -> None:
    """What is sent above are whole events, or the tests above would prove less than they seem to."""
    for name, record in EVENTS_SENT:
        whole = ENVELOPE | {"event_id": name, "recorded_at": NOON, "occurred_at": NOON} | record
        assert contracts().decode(contracts().encode(name, whole))[0] == name
