"""How fast the raw log is sealed and verified: the hash chain over rows that are made in place (docs/audit.md)."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

from pipeline.cli.audit import audit_log
from pipeline.cli.benchmarks.parts import System
from pipeline.cli.benchmarks.results import Result
from pipeline.cli.clickhouse import clickhouse_client
from pipeline.errors import Problem
from sinks.audit.book import AuditBook
from sinks.audit.chain import Place
from sinks.audit.seal import seal
from sinks.audit.verify import Totals, verify
from topics import EVENTS

# Rows of about the size that invoices have: a payload of some 220 characters.
_ROWS = """
INSERT INTO events (_topic, _partition, _offset, _appended_at, event_type, category, event_id, company, account_id,
    occurred_at, recorded_at, region, invoice_id, currency, amount, payload, source, actor_id, actor_role)
SELECT {topic:String}, number % {partitions:UInt16}, intDiv(number, {partitions:UInt16}), at, 'InvoiceIssued',
    'invoice', concat('sap/FR01/', toString(cityHash64(number))), 'FR01',
    concat('C', leftPad(toString(number % 5000), 6, '0')), at, at, 'EU', concat('I', toString(number)), 'EUR',
    toDecimal64(total, 2),
    concat('{"document_date":"2026-01-01","due_date":"2026-01-31","amount":"', toString(total),
        '.00","reference":"PO ', toString(cityHash64(number, 1)), '","note":"', repeat('as agreed by phone, ', 6),
        '"}'),
    'sap', 'camille', 'clerk'
FROM
(
    SELECT number, 100 + number % 100000 AS total,
        addMilliseconds(toDateTime64('2026-01-01 00:00:00', 3, 'UTC'), number * 10) AS at
    FROM numbers({rows:UInt64})
)
"""


def measure_audit(system: System, rows: int, tell: Callable[[str], None]) -> list[Result]:
    """Seal so many rows, then verify all of them. CPU time is that of this process; ClickHouse hashes in its own.

    Raises ``Problem`` when the chain does not hold: then nothing was measured.
    """
    topic = system.topics[EVENTS]
    settings = system.settings
    with audit_log(settings) as log, clickhouse_client(settings) as client:
        given = {"topic": topic.name, "partitions": topic.partitions, "rows": rows}
        client.command(_ROWS, parameters=given)
        book = AuditBook(client)
        ends = {Place(topic.name, number): rows for number in range(topic.partitions)}
        tell(f"sealing {rows:,} rows")
        began, cpu = time.monotonic(), time.process_time()
        sealed = sum(one.rows for one in seal(book, log, ends, lambda: datetime.now(UTC)))
        seal_seconds, seal_cpu = time.monotonic() - began, time.process_time() - cpu
        tell(f"verifying {rows:,} rows")
        began, cpu = time.monotonic(), time.process_time()
        totals = Totals()
        findings = list(verify(book, log.anchors(), totals))
        verify_seconds, verify_cpu = time.monotonic() - began, time.process_time() - cpu
    if findings or not rows == sealed == totals.rows:
        raise Problem(f"{rows} rows were written, {sealed} sealed, {totals.rows} verified", f"First: {findings[:1]}")
    return [
        Result("audit: rows of the raw log sealed", rows / seal_seconds, "rows/s", seal_cpu / rows * 1e6),
        Result("audit: rows of the raw log verified", rows / verify_seconds, "rows/s", verify_cpu / rows * 1e6),
    ]
