"""Histories for process mining: every case in order of time, in the words of the events, and as XES."""

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client
from lxml import etree

from pipeline.local import ClickHouseServer
from tests.pipeline.cli.calls import Done, arrears, assert_one_line
from tests.sinks.views.sample import Sample
from tests.sinks.views.test_statements import ask

pytestmark = pytest.mark.clickhouse

WINDOW = ("company=FR01", "from_date=2026-01-01", "to_date=2026-02-28")
_XES = "{http://www.xes-standard.org/}"


@pytest.fixture
def run(client: Client, clickhouse: ClickHouseServer, tmp_path: Path) -> Callable[..., Done]:
    where = {"ARREARS_CLICKHOUSE__URL": clickhouse.url, "ARREARS_CLICKHOUSE__DATABASE": "sample"}
    return lambda *words: arrears("query", *words, folder=tmp_path, **where)


def test_every_invoice_of_the_window_is_a_case(client: Client, sample: Sample) -> None:
    rows = ask(client, "SELECT * FROM process_log(company = 'FR01', from_date = '2026-01-01', to_date = '2026-02-28')")
    first, last = 20_454, 20_512
    issued = {
        entry.item_id
        for entry in sample.world.entries
        if entry.company == "FR01"
        and entry.entry_type == entry.item_type
        and entry.item_type in {"invoice", "debit_memo"}
        and first <= entry.effective_date <= last
    }
    assert {row["case_id"] for row in rows} == issued
    activities = defaultdict(list)
    for row in rows:
        activities[row["case_id"]].append((row["happened_at"], row["activity"]))
    assert all(trace == sorted(trace) for trace in activities.values())
    for name, activity in (("InvoiceIssued", "InvoiceIssued"), ("CashApplied", "CashApplied")):
        expected = {
            record["invoice_id"]
            for kind, record in sample.events
            if kind == name and record["company"] == "FR01" and record["invoice_id"] in issued
        }
        found = {case for case, trace in activities.items() if activity in {what for _, what in trace}}
        assert found == expected
    moved = {
        move.document_id for move in sample.world.transitions if move.company == "FR01" and move.document_id in issued
    }
    assert {case for case, trace in activities.items() if any(what.startswith("Aging") for _, what in trace)} == moved


def test_it_is_written_as_xes(run: Callable[..., Done], client: Client, tmp_path: Path) -> None:
    assert run("process_log", *WINDOW, "--output", "invoices.xes").code == 0
    log = etree.parse(str(tmp_path / "invoices.xes")).getroot()
    rows = ask(client, "SELECT * FROM process_log(company = 'FR01', from_date = '2026-01-01', to_date = '2026-02-28')")
    traces = log.findall(f"{_XES}trace")
    assert len(traces) == len({row["case_id"] for row in rows}) > 100
    events = log.findall(f"{_XES}trace/{_XES}event")
    assert len(events) == len(rows)
    keys = [child.get("key") for child in events[0]]
    assert {"concept:name", "time:timestamp", "org:resource"} <= set(keys)
    assert all(str(date.get("value")).endswith("+00:00") for date in log.iter(f"{_XES}date"))


def test_what_is_no_log_of_cases_is_refused(run: Callable[..., Done]) -> None:
    assert_one_line(run("SELECT 1 AS case_id", "--output", "x.xes"), "has no column activity, happened_at, resource")
