"""Bad input on the real broker and ClickHouse: one clear line that says what to do, and nothing lost.

Whatever comes in is applied, rejected with a reason, or in ``ar.failed`` with its bytes and its position.
"""

import json
import os
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from avro import contracts
from avro.types import base, optional
from jobs import settings_from
from pipeline.cli.reconciliation import clickhouse_address
from pipeline.local import ClickHouseServer, KafkaBroker
from pipeline.settings import Settings
from sinks.migrations import Runner
from tests.integration.installed import installed, wait_until_arrived
from tests.pipeline.cli.calls import Done, addresses, arrears, assert_one_line
from topics import EVENTS, catalogue, partition_key, partition_of

pytestmark = [pytest.mark.kafka, pytest.mark.clickhouse]

ACCOUNT = partition_key("FR01", "C1")
HOME = partition_of(ACCOUNT, 12)
AWAY = (HOME + 1) % 12
NOWHERE = "127.0.0.1:9"
JANUARY = 1_767_225_600_000_000


@dataclass(frozen=True)
class Place:
    """A running system, and the command line that works on it."""

    settings: Settings
    folder: Path

    def arrears(self, *words: str, **changed: str) -> Done:
        """A command on this system; `changed` are variables that point elsewhere."""
        companies = {"ARREARS_COMPANIES__FOLDER": str(self.folder / "companies")}
        return arrears(*words, folder=self.folder, **{**addresses(self.settings), **companies, **changed})

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of a query."""
        with clickhouse_address(self.settings).client() as client:
            return [tuple(row) for row in client.query(sql).result_rows]

    def file(self, name: str, content: str | bytes) -> str:
        """A file to read in."""
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)


@pytest.fixture(scope="module")
def place(
    kafka: KafkaBroker, clickhouse: ClickHouseServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    """Topics, tables, one company, a worker and a sink."""
    folder = tmp_path_factory.mktemp("bad")
    (folder / "companies").mkdir()
    (folder / "companies" / "FR01.toml").write_text('timezone = "Europe/Paris"\n')
    prefix = f"bad{os.getpid()}."
    companies = [settings_from({"code": "FR01", "timezone": "Europe/Paris"})]
    with installed(kafka, clickhouse, prefix, folder, companies) as settings:
        yield Place(settings, folder)


def invoice(number: str, **changed: object) -> bytes:
    """An invoice of account C1 in the wire format."""
    record: dict[str, object] = {
        "event_id": number,
        "company": "FR01",
        "account_id": "C1",
        "occurred_at": JANUARY,
        "recorded_at": JANUARY,
        "region": "EU",
        "source": "test",
        "actor_id": "",
        "actor_role": "",
        "invoice_id": number,
        "document_type": "invoice",
        "document_date": 20_454,
        "due_date": 20_484,
        "amount_minor": 100,
        "currency": "EUR",
    }
    return contracts().encode("InvoiceIssued", record | changed)


def damaged(value: bytes, text: bytes) -> bytes:
    """The value with one byte of a text in it that is not UTF-8."""
    return value.replace(text, b"\xff" + text[1:], 1)


GOOD = invoice("G1")
_VALUES: dict[str, object] = {"string": "x", "long": 1, "int": 1}
FOREIGN = contracts().encode(
    "DisputeEntry",
    {
        field["name"]: _VALUES[base(optional(field["type"])[1])]
        for field in contracts().schema("DisputeEntry")["fields"]
    },
)
LARGE = b"\xff" * 900_000

# Name, bytes, partition, key, stage and reason.
POISON: list[tuple[str, bytes | None, int, bytes | None, str, str]] = [
    ("an unknown schema id", b"\0" + (999_999).to_bytes(4, "big") + b"abc", HOME, ACCOUNT, "decode", "unknown_schema"),
    ("truncated bytes", GOOD[:-3], HOME, ACCOUNT, "decode", "malformed_record"),
    ("a truncated header", GOOD[:3], HOME, ACCOUNT, "decode", "malformed_record"),
    ("bytes that follow", GOOD + b"xx", HOME, ACCOUNT, "decode", "malformed_record"),
    ("JSON", b'{"event": "InvoiceIssued"}', HOME, ACCOUNT, "decode", "malformed_record"),
    ("no bytes", b"", HOME, ACCOUNT, "decode", "malformed_record"),
    ("no value", None, HOME, ACCOUNT, "decode", "no_value"),
    ("text that is not UTF-8", damaged(GOOD, b"FR01"), HOME, ACCOUNT, "decode", "malformed_record"),
    ("nearly a megabyte of noise", LARGE, HOME, ACCOUNT, "decode", "malformed_record"),
    ("a record of another topic", FOREIGN, HOME, ACCOUNT, "decode", "not_an_event"),
    ("an event in the wrong partition", GOOD, AWAY, ACCOUNT, "route", "wrong_partition"),
    ("an event under another key", GOOD, HOME, b"FR01|C2", "route", "bad_key"),
    ("an event without a key", GOOD, HOME, None, "route", "bad_key"),
]
REFUSED: dict[str, tuple[str, dict[str, Any]]] = {
    "R1": ("invalid_date", {"document_date": 10_000_000}),
    "R2": ("invalid_date", {"due_date": -1_000_000}),
    "R3": ("unknown_company", {"company": "XX99"}),
    "R4": ("wrong_sign", {"amount_minor": -1}),
    "R5": ("unknown_document", {"account_id": None}),
}


Records = list[tuple[int, bytes | None, bytes | None]]


def send(place: Place, records: Records) -> dict[int, int]:
    """Append records as a foreign producer would; the offset of each, by its number."""
    producer = Producer({**place.settings.kafka.producer_config(), "message.max.bytes": 2_000_000})
    topic = place.settings.kafka.topic_prefix + EVENTS
    offsets: dict[int, int] = {}
    for number, (partition, key, value) in enumerate(records):

        def told(error: object, message: Any, number: int = number) -> None:
            assert error is None
            offsets[number] = message.offset()

        producer.produce(topic, value, key, partition, on_delivery=told)
    assert producer.flush(30) == 0
    return offsets


def test_poison_is_kept_with_its_bytes_and_its_place_and_costs_itself_only(place: Place) -> None:
    records: Records = [(HOME, ACCOUNT, invoice("G2"))]
    records += [(partition, key, value) for _, value, partition, key, _, _ in POISON]
    records.append((HOME, ACCOUNT, GOOD))
    offsets = send(place, records)
    lines = wait_until_arrived(place.settings)
    assert [line for line in lines if not line.holds] == []
    topic = place.settings.kafka.topic_prefix + EVENTS
    found = {
        (partition, offset): (stage, reason, value)
        for partition, offset, stage, reason, value in place.query(
            f"SELECT partition, offset, stage, reason, base64Encode(original_value) FROM failed_events "
            f"WHERE topic = '{topic}'"
        )
    }
    for number, (name, value, partition, _, stage, reason) in enumerate(POISON, start=1):
        kept = found.pop((partition, offsets[number]))
        # The sink says it in its own words when it is the last one to find out.
        assert kept[:2] in {(stage, reason), (stage, reason.replace("not_an_event", "unexpected_record"))}, name
        assert b64decode(kept[2] or "") == (value or b""), name
    assert found == {}
    assert place.query("SELECT document_id FROM items ORDER BY 1") == [("G1",), ("G2",)]


def test_amounts_that_no_sum_can_hold_have_one_outcome_each(place: Place) -> None:
    key = partition_key("FR01", "C9")
    home = partition_of(key, 12)
    numbers = ["H1", "H2", "H3", "H4"]
    offsets = send(place, [(home, key, invoice(name, account_id="C9", amount_minor=2**62)) for name in numbers])
    assert [line for line in wait_until_arrived(place.settings) if not line.holds] == []
    for number, name in enumerate(numbers):
        place_of = f"topic LIKE '%{EVENTS}' AND partition = {home} AND offset = {offsets[number]}"
        outcomes = place.query(
            f"SELECT (SELECT count() FROM items WHERE document_id = '{name}'), "
            f"(SELECT count() FROM rejected_events WHERE event_id = '{name}'), "
            f"(SELECT count() FROM failed_events WHERE {place_of})"
        )
        assert sum(outcomes[0]) == 1, (name, outcomes)


def test_what_a_rule_refuses_stands_with_its_reason(place: Place) -> None:
    records: Records = []
    for event_id, (_, changed) in REFUSED.items():
        record = {"company": "FR01", "account_id": "C1"} | changed
        key = partition_key(record["company"], record["account_id"])
        records.append((partition_of(key, 12), key, invoice(event_id, **changed)))
    send(place, records)
    lines = wait_until_arrived(place.settings)
    assert [line for line in lines if not line.holds] == []
    reasons = dict(place.query("SELECT event_id, reason FROM rejected_events"))
    assert reasons == {event_id: reason for event_id, (reason, _) in REFUSED.items()}


MAPPING = """\
source = "erp"
file.delimiter = ";"
all.account_id = "CUSTOMER"
all.occurred_at = { template = "{DAY} 09:00:00" }
values.timestamp = "%Y-%m-%d %H:%M:%S"
values.timezone = "Europe/Paris"

[[event]]
event = "InvoiceIssued"
fields.invoice_id = "NUMBER"
fields.document_type = { constant = "invoice" }
fields.document_date = "DAY"
fields.amount = "AMOUNT"
fields.currency = "CURRENCY"
"""
HEADER = "NUMBER;CUSTOMER;DAY;AMOUNT;CURRENCY\n"
ROW = "A1;C7;2026-01-05;10.00;EUR\n"

# Name, content, and what the one line says. None of these files is taken in, not even in part.
UNUSABLE_FILES: list[tuple[str, str | bytes, tuple[str, ...]]] = [
    ("column.csv", HEADER.replace("CUSTOMER", "CUSTOMR") + ROW, ("no column 'CUSTOMER' (did you mean CUSTOMR?)",)),
    ("delimiter.csv", (HEADER + ROW).replace(";", ","), ("delimiter.csv has no column", "NUMBER,CUSTOMER")),
    ("utf16.csv", (HEADER + ROW).encode("utf-16"), ("utf16.csv is UTF-16", "Save it as UTF-8")),
    ("empty.csv", "", ("empty.csv is empty",)),
    ("binary.csv", bytes(range(256)) * 10, ("binary.csv is UTF-16, or no text at all",)),
]


def ingested(place: Place, path: str) -> Done:
    """`arrears ingest` of a CSV file with the mapping above."""
    mapping = place.file("mapping.toml", MAPPING)
    return place.arrears("ingest", path, "--as", "csv", "--mapping", mapping, "--company", "FR01")


def test_a_file_that_cannot_be_taken_is_one_line(place: Place) -> None:
    (place.folder / "nothing").mkdir(exist_ok=True)
    expected = {place.file(name, content): words for name, content, words in UNUSABLE_FILES}
    expected["nothing"] = ("the folder nothing has no .csv or .tsv or .txt file",)
    expected["missing.csv"] = ("there is no file missing.csv",)
    for path, words in expected.items():
        assert_one_line(ingested(place, path), *words)


def test_bad_rows_cost_themselves_and_are_kept(place: Place) -> None:
    content = b"\xef\xbb\xbf" + (HEADER + ROW).encode()
    content += b"A2;C7;2026-01-05;10,00;EUR\nA3;C7;2026-02-30;10.00;EUR\nA4;C7\n\xff\xfe;C7;2026-01-05;1.00;EUR\n"
    content += b'A5;C7;2026-01-05;"10.00;EUR\nA6;C7;2026-01-05;10.00;XXY\nA7;C7;2026-01-05;20.00;EUR\n'
    code, output, errors = ingested(place, place.file("rows.csv", content))
    assert (code, errors) == (1, "")
    assert "2 events sent" in output
    assert "6 rows rejected and kept in ar.failed" in output
    for line, word in ((3, "invalid_amount"), (4, "invalid_date"), (5, "wrong_column_count"), (6, "invalid_encoding"),
                       (7, "malformed_row"), (8, "invalid_amount")):  # fmt: skip
        assert f"rows.csv:{line}" in output
        assert word in output
    assert [line for line in wait_until_arrived(place.settings) if not line.holds] == []
    kept = place.query(
        "SELECT offset, base64Encode(original_value) FROM failed_events WHERE topic LIKE '%rows.csv' ORDER BY offset"
    )
    rows = content.split(b"\n")
    assert [(line, b64decode(value).rstrip(b"\n")) for line, value in kept] == [
        (number, rows[number - 1]) for number in range(3, 9)
    ]
    assert place.query("SELECT document_id FROM items WHERE account_id = 'C7' ORDER BY 1") == [("A1",), ("A7",)]


def document(**changed: object) -> str:
    """A written event as JSON."""
    written: dict[str, object] = {
        "event": "InvoiceIssued",
        "occurred_at": "2026-01-14T09:00:00Z",
        "company": "FR01",
        "account_id": "C8",
        "invoice_id": "J0",
        "document_date": "2026-01-14",
        "amount": "10.00",
        "currency": "EUR",
    }
    return json.dumps({name: value for name, value in {**written, **changed}.items() if value is not None})


BAD_LINES = {
    '{"event": "InvoiceIss': "malformed_json",
    "[1, 2]": "malformed_json",
    document(event="InvoiceIsued"): "unknown_event",
    document(event="ClockTicked"): "unknown_event",
    document(invoice_id=None): "missing_field",
    document(colour="red"): "unknown_field",
    document(amount=10.005): "invalid_amount",
    document(amount="NaN"): "invalid_amount",
    document(currency="EURO"): "invalid_amount",
    document(document_date="2026-02-30"): "invalid_date",
    document(occurred_at="2026-01-14T09:00:00"): "invalid_date",
    document(company="XX99"): "wrong_company",
    document(invoice_id="J9", reference="x" * 1_000_000): "line_too_long",
}


def test_bad_lines_cost_themselves_and_are_kept(place: Place) -> None:
    lines = [document(invoice_id="J1"), *BAD_LINES, document(invoice_id="J2", amount=10.10)]
    code, output, errors = place.arrears(
        "ingest", place.file("lines.jsonl", "\n".join(lines)), "--as", "jsonl", "--company", "FR01", "--json"
    )
    assert (code, errors) == (1, "")
    report = json.loads(output)
    assert [reject["reason"] for reject in report["rejects"]] == list(BAD_LINES.values())
    assert [reject["line"] for reject in report["rejects"]] == list(range(2, len(lines)))
    assert [line for line in wait_until_arrived(place.settings) if not line.holds] == []
    kept = dict(
        place.query("SELECT offset, base64Encode(original_value) FROM failed_events WHERE topic LIKE '%lines.jsonl'")
    )
    for number, line in enumerate(lines[1:-1], start=2):
        original = b64decode(kept[number]).decode().rstrip("\n")
        # Of a line beyond the limit the beginning is kept; the file still has it.
        assert original == line or (len(line) > 500_000 and line.startswith(original) and len(original) >= 4096)
    assert place.query("SELECT document_id, toString(open) FROM items WHERE account_id = 'C8' ORDER BY 1") == [
        ("J1", "10"),
        ("J2", "10.1"),
    ]


def test_a_company_that_is_not_configured_is_one_line(place: Place) -> None:
    path = place.file("unknown.jsonl", document(company="XX99"))
    done = place.arrears("ingest", path, "--as", "jsonl", "--company", "XX99")
    assert_one_line(done, "there is no company XX99", "Configured are FR01")


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseServer]:
    """A ClickHouse that asks for a password."""
    folder, login = tmp_path_factory.mktemp("guarded"), {"user": "books", "password": "s3cret"}
    with ClickHouseServer(folder, port=0, **login) as server:
        yield server


def failing(place: Place, guarded: ClickHouseServer) -> list[tuple[tuple[str, ...], dict[str, str], tuple[str, ...]]]:
    """Commands, what is wrong around them, and what their one line says."""
    events = place.file("one.jsonl", document(invoice_id="K1"))
    ingest = ("ingest", events, "--as", "jsonl")
    no_broker = {"ARREARS_KAFKA__BOOTSTRAP_SERVERS": NOWHERE}
    no_clickhouse = {"ARREARS_CLICKHOUSE__URL": f"http://{NOWHERE}"}
    wrong_password = {
        "ARREARS_CLICKHOUSE__URL": guarded.url,
        "ARREARS_CLICKHOUSE__USER": "books",
        "ARREARS_CLICKHOUSE__PASSWORD": "guess",
    }
    other_prefix = {"ARREARS_KAFKA__TOPIC_PREFIX": "nobody."}
    no_database = {"ARREARS_CLICKHOUSE__DATABASE": "nobody"}
    no_registry = {"ARREARS_SCHEMA_REGISTRY__URL": f"http://{NOWHERE}"}
    taken_port = {"ARREARS_SERVICE__PORT": place.settings.kafka.bootstrap_servers.partition(":")[2]}
    away = (NOWHERE, "arrears up", "kafka.bootstrap_servers")
    refused = (NOWHERE, "does not answer: Connection refused", "arrears up", "clickhouse.url")
    password = ("does not let user books in with this password", "Check clickhouse.user and clickhouse.password")
    return [
        *((words, no_broker, away) for words in (
            ("worker",), ("sink",), ("topics", "plan"), ("topics", "apply"), ("companies", "plan"),
            ("companies", "apply"), ("lag",), ("lag", "--exact"), ("reconcile",), ingest,
        )),
        *((words, no_clickhouse, refused) for words in (("migrate",), ("query", "items"), ("reconcile",))),
        *((words, wrong_password, password) for words in (("migrate",), ("query", "items"), ("sink",), ("reconcile",))),
        *((words, other_prefix, ("nobody.ar.events", "Run `arrears topics apply`")) for words in (
            ("worker",), ("sink",), ("lag",), ("companies", "plan"), ("reconcile",), ingest,
        )),
        *((words, no_database, ("nobody", "Run `arrears migrate`")) for words in (
            ("sink",), ("query", "items"), ("reconcile",),
        )),
        *((words, no_registry, ("schema registry at http://127.0.0.1:9 does not answer", "schema_registry.url"))
          for words in (("worker",), ("sink",), ("companies", "apply"), ingest)),
        *((words, taken_port, ("cannot be listened on", "Set service.host and service.port"))
          for words in (("worker",), ("sink",))),
    ]  # fmt: skip


def test_what_is_missing_around_a_command_is_one_line(place: Place, guarded: ClickHouseServer) -> None:
    for words, changed, expected in failing(place, guarded):
        assert_one_line(place.arrears(*words, **changed), *expected)


def test_a_topic_with_another_number_of_partitions_is_refused(place: Place) -> None:
    changed = {"ARREARS_KAFKA__TOPIC_PREFIX": f"cut{os.getpid()}."}
    topics = catalogue(changed["ARREARS_KAFKA__TOPIC_PREFIX"])
    admin = AdminClient(place.settings.kafka.client_config())
    wrong = [NewTopic(topic.name, 3, 1) for topic in topics.values() if topic.name.endswith((".events", ".reference"))]
    for future in admin.create_topics(wrong).values():
        future.result(30)
    try:
        applied = place.arrears("topics", "apply", **changed)
        assert applied[0] == 1
        assert "ar.events has 3 partitions instead of 12" in applied[2]
        path = place.file("cut.jsonl", document(invoice_id="K2"))
        for words in (("worker",), ("companies", "apply"), ("ingest", path, "--as", "jsonl")):
            done = place.arrears(*words, **changed)
            assert_one_line(done, "ar.events has 3 partitions instead of 12", "arrears topics plan")
    finally:
        for future in admin.delete_topics([topic.name for topic in topics.values()]).values():
            future.result(30)


def test_tables_of_another_release_are_refused(place: Place) -> None:
    address = replace(clickhouse_address(place.settings), database=f"release_{os.getpid()}")
    changed = {"ARREARS_CLICKHOUSE__DATABASE": address.database}
    runner = Runner(address)
    runner.run(runner.plan(to=1))
    assert_one_line(place.arrears("sink", **changed), "migrations are not applied", "Run `arrears migrate`")
    runner.run(runner.plan())
    with address.client() as client:
        client.command("INSERT INTO schema_migrations SELECT 999, 'of tomorrow', 'x', true, now64(6)")
    newer = ("the database has migration 999, which this version of the program does not know", "Install the version")
    for words in (("sink",), ("migrate",)):
        assert_one_line(place.arrears(*words, **changed), *newer)
    with address.client() as client:
        client.command(f"DROP DATABASE {address.database} SYNC")


def test_every_way_in_after_all_this_still_adds_up(place: Place) -> None:
    code, output, errors = place.arrears("reconcile", "--json")
    assert [line for line in map(json.loads, output.splitlines()) if not line["holds"]] == []
    assert (code, errors) == (0, "")
