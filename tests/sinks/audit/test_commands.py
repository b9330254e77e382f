"""The commands on the real parts: a broker with transactions, a sink of its own, awkward texts in every event."""

import json
import random
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from avro import contracts
from pipeline.local import ClickHouseServer, KafkaBroker
from sinks.access.scope import stored_tables
from tests.pipeline.cli.calls import Done, arrears, assert_one_line
from tests.sinks.copies import Source
from tests.sinks.samples import any_record
from tests.sinks.stack import System, TransactionalWriter, system

pytestmark = [pytest.mark.kafka, pytest.mark.clickhouse, pytest.mark.timeout(300)]
NAMES = (
    "InvoiceIssued",
    "PaymentReceived",
    "UserActivityLogged",
    "RemittanceReceived",
    "ContactAttempted",
    "ClockTicked",
)
EVENTS = 300
INSTANT = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z


@dataclass
class Installed:
    """A system with stored events, and its commands."""

    made: System
    folder: Path

    def call(self, *words: str) -> Done:
        """Run a command against it."""
        return arrears(
            *words,
            folder=self.folder,
            ARREARS_KAFKA__BOOTSTRAP_SERVERS=self.made.bootstrap_servers,
            ARREARS_KAFKA__TOPIC_PREFIX=self.made.prefix,
            ARREARS_CLICKHOUSE__URL=self.made.address.url,
            ARREARS_CLICKHOUSE__DATABASE=self.made.address.database,
            ARREARS_SINK__GROUP_ID="sink",
        )


@pytest.fixture(scope="module")
def stored(kafka: KafkaBroker, clickhouse: ClickHouseServer, module_topic_prefix: str) -> Iterator[System]:
    """Events of every kind in three partitions, stored by a sink that then ends in order."""
    made = system(kafka.bootstrap_servers, clickhouse.url, module_topic_prefix)
    made.prepare()
    draw = random.Random(11)
    writer = TransactionalWriter(made.client_config, module_topic_prefix + "writer")
    stored = 0
    for _ in range(10):
        records = []
        for number in range(EVENTS // 10):
            name = draw.choice(NAMES)
            record = any_record(name, draw)
            if name != "ClockTicked":
                stored += 1
                record |= {"event_id": f"e{stored}", "company": "FR01", "actor_id": draw.choice(["ann", "bob", 'o"x'])}
                record |= {"account_id": f"C{number % 3}"}
                record |= {"recorded_at": INSTANT + draw.randrange(10**12)}
            records.append((draw.randrange(3), contracts().encode(name, record)))
        writer.write(made.topics["ar.events"].name, records)
    sink = made.start_sink()
    try:
        deadline = time.monotonic() + 120
        while made.query("SELECT count() FROM events")[0][0] < stored and time.monotonic() < deadline:
            time.sleep(0.3)
    finally:
        sink.terminate()
        sink.wait(60)
    assert made.query("SELECT count() FROM events")[0][0] == stored
    yield made
    with made.address.client() as client:
        client.command(f"DROP DATABASE {made.address.database} SYNC")


@pytest.fixture(scope="module")
def source(stored: System) -> Source:
    return Source(stored.address)


@pytest.fixture
def installed(stored: System, source: Source, tmp_path: Path) -> Iterator[Installed]:
    """Its topics, and a copy of its database. What is published stays in the topics: the first test alone seals."""
    with source.copied(f"{stored.address.database}_{tmp_path.name}") as address:
        yield Installed(replace(stored, address=address), tmp_path)


def _findings(done: Done) -> list[dict[str, object]]:
    return [json.loads(line) for line in done.output.splitlines()[:-1]]


def test_an_audit_from_the_first_seal_to_the_auditors_desk(installed: Installed) -> None:
    rows = installed.made.query("SELECT count() FROM events")[0][0]
    sealed = installed.call("audit", "seal")
    assert sealed.output == f"{rows} rows sealed in 3 partitions; the chains have {rows} rows\n", sealed
    assert installed.call("audit", "seal").output.startswith("0 rows sealed in 0 partitions")
    verified = installed.call("audit", "verify")
    assert verified.code == 0, verified
    assert verified.output.startswith(f"{rows} rows verified, 3 anchors in Kafka, 0 rows not sealed yet")

    public = installed.call("audit", "key").output.strip()
    assert_one_line(installed.call("audit", "key"), "is there already")
    period = ("--company", "FR01", "--from", "2026-01-01", "--to", "2026-02-01")
    exported = installed.call("audit", "export", *period, "--output", "desk")
    assert exported.code == 0, exported
    assert f"signed; public key {public}" in exported.output
    checked = _check(installed.folder / "desk", public)
    assert checked == "signature, files, events and chains are right\n"
    page = (Path(__file__).resolve().parents[3] / "docs" / "audit.md").read_text(encoding="utf-8")
    for shown in (sealed.output, verified.output, checked):
        assert _numberless(shown) in _numberless(page)

    erased = installed.call(
        "retention", "erase", "--company", "FR01", "--actor", 'o"x', "--reason", "request 4", "--yes"
    )
    assert erased.code == 0, erased
    assert installed.call("audit", "verify").code == 0
    assert installed.call("audit", "export", *period, "--output", "desk2").code == 0
    assert _check(installed.folder / "desk2", public) == checked

    with installed.made.address.client() as client:
        client.command("ALTER TABLE events UPDATE amount = 1 WHERE event_id = 'e7' SETTINGS mutations_sync = 2")
        client.command("ALTER TABLE events DELETE WHERE event_id = 'e9' SETTINGS mutations_sync = 2")
    broken = installed.call("audit", "verify", "--json")
    assert broken.code == 1
    found = {(finding["kind"], finding["event_id"]) for finding in _findings(broken)}
    assert found == {("changed", "e7"), ("removed", "")}
    assert installed.call("audit", "verify").output.endswith("2 findings\n")


def _numberless(text: str) -> str:
    """The same with every number as 0, as pages and runs differ in them."""
    return re.sub(r"\d[\d,]*", "0", text)


def _check(folder: Path, public: str) -> str:
    done = subprocess.run(
        [sys.executable, "-I", "-S", "verify.py", "--public-key", public],
        cwd=folder,
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    return done.stdout + done.stderr


def test_retention_asks_before_it_deletes(installed: Installed) -> None:
    count = "SELECT count() FROM events"
    rows = installed.made.query(count)[0][0]
    assert installed.call("retention", "plan").output.startswith("nothing is too old")
    (installed.folder / "arrears.toml").write_text("[retention]\nevents_days = 1\nactivity_days = 1\n")
    with installed.made.address.client() as client:
        client.command(
            "INSERT INTO events SELECT * REPLACE (_appended_at - INTERVAL 5 DAY AS _appended_at, 'old' AS event_id) "
            "FROM (SELECT * FROM events ORDER BY event_id LIMIT 20)"
        )
    assert installed.call("retention", "plan").output.startswith("nothing is too old"), "Kafka still holds them"
    asked = installed.call("retention", "apply", "--without-kafka")
    assert_one_line(asked, "nothing was deleted", "--yes")
    assert installed.made.query(count)[0][0] == rows + 20

    held = installed.call(
        "retention", "hold", "add", "case-7", "--company", "FR01", "--account", "C1", "--reason", "lawsuit"
    )
    assert held.code == 0, held
    listed = installed.call("retention", "hold", "list", "--json")
    assert [json.loads(line)["account_id"] for line in listed.output.splitlines()] == ["C1"]
    told = [
        json.loads(line)
        for line in installed.call("retention", "plan", "--without-kafka", "--json").output.splitlines()
    ]
    planned = [line for line in told if "rows" in line]
    assert {line["table"] for line in told if "days" in line or "kept" in line} == stored_tables().keys()
    assert sum(one["rows"] + one["held"] for one in planned) == 20
    kept = sum(one["held"] for one in planned)
    assert kept > 0
    done = installed.call("retention", "apply", "--yes", "--without-kafka", "--by", "dana")
    assert re.search(rf"\b{20 - kept} rows deleted$", done.output.strip()), done
    assert installed.made.query(count)[0][0] == rows + kept
    assert installed.call("retention", "hold", "remove", "case-7", "--company", "FR01", "--account", "C1").code == 0
    assert_one_line(installed.call("retention", "hold", "remove", "case-7", "--company", "FR01"), "there is no hold")
    (installed.folder / "arrears.toml").write_text('[retention]\ncold_volume = "ice"\n')
    for words in (("plan",), ("apply",), ("apply", "--yes")):
        assert_one_line(installed.call("retention", *words), "'default' of table events has no volume 'ice'")


def test_an_erasure_asks_and_says_whose(installed: Installed) -> None:
    assert_one_line(installed.call("retention", "erase", "--company", "FR01", "--reason", "r"), "--actor or --account")
    asked = installed.call("retention", "erase", "--company", "FR01", "--account", "C1", "--reason", "r")
    assert_one_line(asked, "nothing was erased", "--yes")
    period = ("--company", "FR01", "--from", "2026-01-01", "--to", "2026-02-01")
    assert_one_line(
        installed.call("audit", "export", *period, "--output", "desk"), "`arrears audit key FILE` makes one"
    )
    assert installed.call("audit", "key").code == 0
    assert_one_line(installed.call("audit", "export", *period, "--output", "desk"), "not sealed yet")
