"""One invoice among many: the views read little of what is there, and answer as they would if they read everything."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator

import pytest
from clickhouse_connect.driver.client import Client

from pipeline.cli.benchmarks.tables_data import events_insert, ledger_insert
from pipeline.local import ClickHouseServer
from sinks.clickhouse import Address
from tests.sinks.copies import make_tables

pytestmark = pytest.mark.clickhouse

EVENTS = 250_000
POSTINGS = 200_000

# What came of the invoices of the ledger: each grew old and was promised; alerts tell of the promise and of its part.
_TRANSITIONS = """
INSERT INTO aging_transitions_log
SELECT 'ar.aging', _partition, _offset, _appended_at, company, account_id, item_type, item_id, NULL, currency, due_date,
    'not_due', '1-30', delta_minor, due_date, recorded_at, event_id
FROM ledger_entries_log WHERE entry_type = 'invoice'"""
_PROMISES = """
INSERT INTO promises_versions (_topic, _partition, _offset, company, account_id, promise_id, currency, amount_minor,
    status, invoice_ids, instalments, recorded_at, event_id)
SELECT 'ar.promises', _partition, _offset, company, account_id, concat('P-', item_id), currency, delta_minor, 'open',
    if(_offset % 400 = 1, [], [item_id]), [(1, due_date, due_date, delta_minor, 0, 'open')], recorded_at, event_id
FROM ledger_entries_log WHERE entry_type = 'invoice'"""
_ALERTS = """
INSERT INTO alerts_log (_topic, _partition, _offset, alert_id, company, account_id, kind, subject, status, raised_at,
    event_id)
SELECT 'ar.alerts', _partition, _offset, subject, company, account_id, 'promise_broken',
    arrayJoin([promise_id, concat(promise_id, '/1')]) AS subject, 'raised', recorded_at, event_id
FROM promises_log"""
# Of the last one the sorting key is enough.
_TABLES = ("events", "ledger_entries_log", "aging_transitions_log", "promises_log", "alerts_log")

# Of what ClickHouse reads of a table: its name, and the granules that are left after all indexes.
_READ = re.compile(r"ReadFromMergeTree \(\w+\.(\w+)\).*?Granules: (\d+)", re.DOTALL)


@pytest.fixture(scope="module")
def many(clickhouse: ClickHouseServer) -> Iterator[Client]:
    """Tables as they are after some hours: merged."""
    address = Address(clickhouse.url, "many_invoices")
    make_tables(address)
    with address.client(timeout_seconds=120) as client:
        client.command(events_insert(0, EVENTS, EVENTS))
        client.command(ledger_insert(POSTINGS))
        for statement in (_TRANSITIONS, _PROMISES, _ALERTS):
            client.command(statement)
        for table in _TABLES:
            client.command(f"OPTIMIZE TABLE {table} FINAL")
        yield client
        client.command("DROP DATABASE many_invoices SYNC")


@pytest.fixture(scope="module")
def invoices(many: Client) -> list[tuple[str, str]]:
    """(company, number) of invoices that all tables know."""
    rows = many.query(
        """
SELECT company, item_id FROM ledger_entries_log
WHERE entry_type = 'invoice'
    AND (company, item_id) IN (SELECT company, invoice_id FROM events WHERE event_type = 'InvoiceIssued')
ORDER BY sipHash64(item_id)
LIMIT 4"""
    ).result_rows
    assert len(rows) == 4
    return [(str(company), str(number)) for company, number in rows]


def read(client: Client, query: str) -> dict[str, list[int]]:
    """Granules that a query reads, by table, as often as it reads the table.

    Conditions joined by OR are left to a single index, which is all that an older ClickHouse can do.
    """
    settings = {"use_skip_indexes_for_disjunctions": 0}
    lines = client.query(f"EXPLAIN indexes = 1 {query}", settings=settings).result_rows
    found: dict[str, list[int]] = defaultdict(list)
    for table, granules in _READ.findall("\n".join(str(line) for (line,) in lines)):
        found[table].append(int(granules))
    return found


def marks(client: Client) -> dict[str, int]:
    """Granules that there are, by table."""
    rows = client.query(
        "SELECT table, sum(marks) FROM system.parts WHERE database = currentDatabase() AND active GROUP BY table"
    ).result_rows
    return {str(table): int(count) for table, count in rows}


def history(company: str, number: str) -> str:
    return f"SELECT * FROM invoice_history(company = '{company}', invoice_id = '{number}')"


def test_the_history_of_an_invoice_reads_a_small_share_of_every_table(
    many: Client, invoices: list[tuple[str, str]]
) -> None:
    there = marks(many)
    for company, number in invoices:
        reads = read(many, history(company, number))
        for table in _TABLES[:-1]:
            assert len(reads[table]) > 0, table
            assert max(reads[table]) <= max(2, there[table] // 8), (table, reads[table], there)
        assert sum(reads["events"]) <= there["events"] // 6


def test_the_history_of_an_invoice_is_the_same_without_indexes(many: Client, invoices: list[tuple[str, str]]) -> None:
    logs: Counter[str] = Counter()
    for company, number in invoices:
        told = many.query(history(company, number))
        everything = many.query(history(company, number), settings={"use_skip_indexes": 0})
        assert Counter(told.result_rows) == Counter(everything.result_rows)
        logs.update(str(row[1]) for row in told.result_rows)
        assert int(told.summary["read_rows"]) < int(everything.summary["read_rows"]) / 3
    assert {"event", "ledger", "aging", "promise", "alert"} <= {*logs}


def test_alerts_of_a_promise_and_of_its_parts_belong_to_the_invoice(
    many: Client, invoices: list[tuple[str, str]]
) -> None:
    for company, number in invoices:
        rows = many.query(f"SELECT count() FROM ({history(company, number)}) WHERE log = 'alert'").result_rows
        assert rows == [(2,)]


def test_a_payment_an_event_and_a_subject_are_found_by_the_same_index(many: Client) -> None:
    there = marks(many)["events"]
    payment, event = many.query(
        "SELECT payment_id, event_id FROM events WHERE event_type = 'CashApplied' ORDER BY event_id LIMIT 1"
    ).result_rows[0]
    for where in (
        f"payment_id = '{payment}'",
        f"payment_id = '{payment}' OR (subject_type = 'payment' AND subject_id = '{payment}')",
        f"event_id = '{event}'",
        f"company = 'EU01' AND has(invoice_ids, '{payment}')",
    ):
        (granules,) = read(many, f"SELECT event_type, details FROM events WHERE {where}")["events"]
        assert granules <= there // 8, (where, granules, there)


def test_other_logs_are_asked_for_one_invoice_through_their_views(
    many: Client, invoices: list[tuple[str, str]]
) -> None:
    there = marks(many)
    for asked, table in (
        ("ledger_entries WHERE item_id = ", "ledger_entries_log"),
        ("aging_transitions WHERE document_id = ", "aging_transitions_log"),
        ("promise_history WHERE has(invoice_ids, ", "promises_log"),
    ):
        close = ")" * asked.count("(")
        reads = [read(many, f"SELECT * FROM {asked}'{number}'{close}")[table] for _, number in invoices]
        assert all(len(granules) == 1 and granules[0] <= max(2, there[table] // 8) for granules in reads), (
            asked,
            reads,
        )
        assert any(granules[0] for granules in reads), asked


def test_one_account_is_read_from_the_ledgers_second_order(many: Client) -> None:
    dates = "as_of = '2026-03-31', known_as_of = '2026-04-02 12:00:00'"
    accounts = many.query(f"SELECT DISTINCT company, account_id FROM open_items_as_of({dates}) ORDER BY ALL LIMIT 3")
    assert len(accounts.result_rows) == 3
    for company, account in accounts.result_rows:
        query = f"SELECT * FROM account_aging_as_of(company = '{company}', account_id = '{account}', {dates})"
        plan = "\n".join(str(line) for (line,) in many.query(f"EXPLAIN indexes = 1 {query}").result_rows)
        assert re.search(r"ReadFromMergeTree \(by_account\).*?Granules: [12]$", plan, re.DOTALL | re.MULTILINE), plan
        told = many.query(query)
        everything = many.query(query, settings={"optimize_use_projections": 0})
        assert Counter(told.result_rows) == Counter(everything.result_rows)
        assert told.result_rows
        assert int(told.summary["read_rows"]) < int(everything.summary["read_rows"])


def test_what_people_did_on_a_day_reads_the_months_around_it(many: Client) -> None:
    there = marks(many)["events"]
    day = "from_date = '2026-03-17', to_date = '2026-03-17'"
    known = "known_as_of = '2299-12-31 23:59:59'"
    for view in (f"activities({day})", f"operator_productivity({day}, {known})"):
        reads = read(many, f"SELECT * FROM {view}")["events"]
        assert 0 < max(reads) <= there // 8, (view, reads, there)


def test_cash_of_nobody_is_found_without_reading_the_events_of_accounts(many: Client) -> None:
    """What moved between the company and accounts is rare; the rest has no account, and lies together."""
    reads = read(many, "SELECT * FROM unapplied_cash_aging(as_of = '2026-06-30', known_as_of = '2299-12-31 23:59:59')")
    assert min(reads["events"]) == 0 < marks(many)["events"]


def test_the_index_over_lists_of_invoices_follows_a_change_of_the_payload(many: Client) -> None:
    """An erasure changes payloads; what they say since is found."""
    event = many.query(
        "SELECT event_id FROM events WHERE event_type = 'PromiseMade' ORDER BY event_id LIMIT 1"
    ).result_rows[0][0]
    many.command(
        "ALTER TABLE events UPDATE payload = replaceRegexpOne(payload, 'INV-[0-9]+', 'INV-OTHER') "
        f"WHERE event_id = '{event}' SETTINGS mutations_sync = 1"
    )
    question = "SELECT event_id FROM events WHERE has(invoice_ids, 'INV-OTHER')"
    assert [row[0] for row in many.query(question).result_rows] == [event]
    assert sum(read(many, question)["events"]) <= marks(many)["events"] // 8
