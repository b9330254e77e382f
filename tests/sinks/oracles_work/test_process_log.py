"""Histories for process mining against what the list of events, days and judgements say of every invoice."""

import csv
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from clickhouse_connect.driver.client import Client
from lxml import etree

from jobs.values import instant_of
from pipeline.local import ClickHouseServer
from tests.pipeline.cli.calls import arrears
from tests.property.promise_histories import START
from tests.sinks.oracles_work.asking import Window, windows
from tests.sinks.oracles_work.conftest import DATABASE
from tests.sinks.oracles_work.debts import Debts, LineKey, date_at
from tests.sinks.oracles_work.desks import Sent
from tests.sinks.oracles_work.judged import judged, utc
from tests.sinks.oracles_work.playing import Played

pytestmark = pytest.mark.clickhouse

Row = tuple[str, str, datetime, str, str, str]
"""case, activity, instant, resource, role, system."""
_SYSTEM = ("arrears", "system", "arrears")
_REVERSED = {"CashUnapplied": "unapplication", "PaymentReversed": "reversal"}
_XES = "{http://www.xes-standard.org/}"


def history(played: Played, company: str) -> list[Row]:
    """All that happened to all invoices."""
    rows = _named(played.happened(company))
    for states in judged(played, company).values():
        for before, state in zip([None, *states], states, strict=False):
            if state.status not in {"open", "withdrawn"} and (before is None or before.status != state.status):
                rows += [(case, f"Promise {state.status}", utc(state.since), *_SYSTEM) for case in state.invoices]
    return rows + _Days(played, company).rows


def _named(sents: list[Sent]) -> list[Row]:
    """What names an invoice."""
    rows = []
    for sent in sents:
        record = sent.record
        lines = {line["invoice_id"] for line in record.get("lines") or ()}
        cases = {record["invoice_id"]} if record.get("invoice_id") else lines | set(record.get("invoice_ids") or ())
        said = (record["actor_id"] or "unknown", record["actor_role"], record["source"])
        rows += [(case, sent.name, utc(record["occurred_at"]), *said) for case in cases]
    return rows


class _Days:
    """Every line of every invoice is looked at after each record and at every local midnight (SEMANTICS 2.12)."""

    def __init__(self, played: Played, company: str) -> None:
        self.settings = played.desks[company].settings
        self.zone = ZoneInfo(self.settings.timezone)
        self.debts = Debts(self.settings)
        self.rows: list[Row] = []
        self.buckets: dict[LineKey, str] = {}
        self.today = self.debts.day(START)
        applied = {id(sent) for sent in played.happened(company)}
        for sent in played.of(company):
            if sent.name == "ClockTicked":
                self._tick(sent.at)
            elif id(sent) in applied:
                self._take(sent)

    def _tick(self, at: int) -> None:
        until = self.debts.day(at)
        while self.today < until:
            self.today += 1
            midnight = datetime.combine(date_at(self.today), datetime.min.time(), self.zone)
            self._look(int(instant_of(midnight)))

    def _take(self, sent: Sent) -> None:
        before = {invoice: self.debts.open_of(invoice) for invoice in self.debts.bills}
        moves = len(self.debts.moves)
        self.debts.take(sent)
        moved = self.debts.moves[moves:]
        reversed_by = _REVERSED.get(sent.name)
        if sent.name == "InvoiceCancelled" and not self.debts.bills[sent.record["invoice_id"]].lines:
            reversed_by = "reversal"  # a credit memo: what it had settled is reopened
        if reversed_by:
            for case in {move.line[0] for move in moved}:
                self.rows.append((case, f"Reversed: {reversed_by}", utc(sent.at), *_SYSTEM))
        for case in {move.line[0] for move in moved if move.minor}:
            closed = self.debts.open_of(case) == 0 and before.get(case, 0) != 0
            if closed and moved[-1].what not in {"written off", "cancelled"}:
                self.rows.append((case, "Cleared", utc(sent.at), *_SYSTEM))
        self._look(sent.at)

    def _look(self, at: int) -> None:
        found = {}
        for line, (minor, due) in self.debts.open_lines(self.today, 2**62).items():
            if minor > 0:
                found[line] = self.settings.aging.name(self.today - due)
        reached = set()
        for line, bucket in found.items():
            if bucket != self.buckets.get(line, "not_due"):
                reached.add((line[0], bucket))
        self.rows += [(case, f"Aging {bucket}", utc(at), *_SYSTEM) for case, bucket in reached]
        self.buckets = found


def _posted(played: Played, company: str, window: Window) -> set[str]:
    bills = Debts(played.desks[company].settings).all(played.happened(company)).bills
    return {name for name, bill in bills.items() if bill.lines and window.first <= bill.posted <= window.last}


@pytest.fixture(scope="module")
def histories(played: Played) -> dict[str, list[Row]]:
    return {code: history(played, code) for code in played.desks}


def test_every_step_of_every_invoice(client: Client, played: Played, histories: dict[str, list[Row]]) -> None:
    seen: Counter[str] = Counter()
    for window in list(windows(played, 9, 3)):
        for code, rows in histories.items():
            cases = _posted(played, code, window)
            expected = Counter(row for row in rows if row[0] in cases)
            answer = client.query(
                "SELECT case_id, activity, happened_at, resource, role, system "
                "FROM process_log(company = {code:String}, from_date = {from_date:Date32}, to_date = {to_date:Date32})",
                parameters={"code": code, **window.parameters},
            ).result_rows
            found = Counter((case, what, at.replace(tzinfo=None), *said) for case, what, at, *said in answer)
            assert found == expected, (
                code,
                sorted((found - expected).items())[:5],
                sorted((expected - found).items())[:5],
            )
            seen.update(what for _, what, *_ in found)
    assert {
        "Cleared",
        "Reversed: reversal",
        "Promise broken",
        "Promise kept",
        "Aging 21+",
        "Aging not_due",
    } <= seen.keys()


def test_files_hold_the_same(
    client: Client, played: Played, clickhouse: ClickHouseServer, histories: dict[str, list[Row]], tmp_path: Path
) -> None:
    code, rows = max(histories.items(), key=lambda entry: len(entry[1]))
    window = next(windows(played, 9))
    cases = _posted(played, code, window)
    where = {"ARREARS_CLICKHOUSE__URL": clickhouse.url, "ARREARS_CLICKHOUSE__DATABASE": DATABASE}
    days = f"from_date={date_at(window.first)}", f"to_date={date_at(window.last)}"
    words = ("query", "process_log", f"company={code}", *days)
    for name in ("log.xes", "log.csv"):
        assert arrears(*words, "--output", name, folder=tmp_path, **where).code == 0
    expected = Counter((case, what, at) for case, what, at, *_ in rows if case in cases)
    traces = etree.parse(str(tmp_path / "log.xes")).getroot().findall(f"{_XES}trace")
    in_xes = Counter(
        (
            str(_value(trace, "concept:name")),
            _value(event, "concept:name"),
            datetime.fromisoformat(_value(event, "time:timestamp")).astimezone(UTC).replace(tzinfo=None),
        )
        for trace in traces
        for event in trace.findall(f"{_XES}event")
    )
    with (tmp_path / "log.csv").open(encoding="utf-8", newline="") as lines:
        in_csv = Counter(
            (row["case_id"], row["activity"], datetime.fromisoformat(row["happened_at"]).replace(tzinfo=None))
            for row in csv.DictReader(lines)
        )
    assert in_csv == expected
    # XES keeps milliseconds.
    cut = Counter(
        (case, what, at.replace(microsecond=at.microsecond // 1000 * 1000)) for case, what, at in expected.elements()
    )
    assert in_xes == cut


def _value(element: etree._Element, key: str) -> str:
    return next(str(child.get("value")) for child in element if child.get("key") == key)
