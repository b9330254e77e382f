"""`arrears snapshot` on a real broker: the state moves on only when the events are in the log."""

import json
from pathlib import Path

import pytest

from pipeline.local import KafkaBroker
from tests.integration.test_ingest import System, system

__all__ = ["system"]  # the fixture of a broker with topics

pytestmark = pytest.mark.kafka

MAPPING = """\
source = "erp"
[values]
timezone = "UTC"
[all]
account_id = "CUSTOMER"
occurred_at = { template = "{DATE} 12:00" }
recorded_at = { template = "{DATE} 12:00" }
[[event]]
event = "InvoiceIssued"
[event.fields]
invoice_id = "NUMBER"
document_date = "DATE"
amount = "OPEN"
currency = "CURRENCY"
"""
ROWS = ["NUMBER,CUSTOMER,DATE,OPEN,CURRENCY", "I1,C1,2026-02-10,100.00,EUR", "I2,C2,2026-02-11,40.00,EUR"]


def test_what_changed_between_two_lists_stands_in_the_log_once(system: System, tmp_path: Path) -> None:
    mapping, first, second = (tmp_path / name for name in ("m.toml", "l-2026-03-01.csv", "l-2026-03-02.csv"))
    mapping.write_text(MAPPING)
    first.write_text("\n".join(ROWS) + "\n")
    second.write_text("\n".join([*ROWS[:2], "I3,C1,2026-03-01,7.00,EUR"]) + "\n")
    options = ("--mapping", mapping, "--company", "FR01")
    assert system.arrears("snapshot", first, *options, "--dry-run").returncode == 0
    assert system.events() == []
    for file in (first, first, second, second):
        done = system.arrears("snapshot", file, *options, "--json")
        assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["found"] == {"unchanged": 2}
    found = sorted((name, record.get("invoice_id"), record["actor_role"]) for name, record in system.events())
    assert found == [
        ("InvoiceAdjusted", "I2", "inferred"),
        ("InvoiceIssued", "I1", "system"),
        ("InvoiceIssued", "I2", "system"),
        ("InvoiceIssued", "I3", "system"),
    ]


def test_a_night_without_a_broker_is_sent_later(system: System, kafka: KafkaBroker, tmp_path: Path) -> None:
    mapping, first = tmp_path / "m.toml", tmp_path / "l-2026-03-01.csv"
    mapping.write_text(MAPPING)
    first.write_text("\n".join(ROWS) + "\n")
    options = ("--mapping", mapping, "--company", "FR01", "--state", tmp_path / "state")
    kafka.stop()
    try:
        done = system.arrears("snapshot", first, *options)
    finally:
        kafka.start()
    assert done.returncode == 1
    assert not (tmp_path / "state").exists()
    assert system.arrears("snapshot", first, *options).returncode == 0
    assert len(system.events()) == 2
    assert (tmp_path / "state").exists()


def test_a_company_that_no_worker_knows_moves_no_state(system: System, tmp_path: Path) -> None:
    mapping, first = tmp_path / "m.toml", tmp_path / "l-2026-03-01.csv"
    mapping.write_text(MAPPING)
    first.write_text("\n".join(ROWS) + "\n")
    (tmp_path / "companies").mkdir()
    (tmp_path / "companies" / "US01.toml").write_text('timezone = "UTC"\n')
    (tmp_path / "arrears.toml").write_text(f'[companies]\nfolder = "{tmp_path / "companies"}"\n')
    done = system.arrears("snapshot", first, "--mapping", mapping, "--company", "FR01", "--state", tmp_path / "state")
    assert done.returncode == 1
    assert "there is no company FR01" in done.stderr
    assert not (tmp_path / "state").exists()
    assert not (tmp_path / "state.pending").exists()
