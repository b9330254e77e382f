"""Migration 16: what must not be deleted, what was deleted, and what is kept of it (docs/retention.md)."""

from sinks.migrations.ddl import Migration, Table, View
from sinks.migrations.money import DECIMAL
from sinks.migrations.text import columns

_HOLDS = Table(
    name="legal_holds_versions",
    comment="Legal holds as they were placed and lifted. Analysts read legal_holds.",
    columns=columns("""
hold_id    : String                 | Name of the hold, such as the number of a case.
company    : LowCardinality(String) | Code of the legal entity.
account_id : String                 | Customer account; empty = all of the company.
reason     : String                 | Why, in words.
placed_by  : String                 | Who placed or lifted it last.
is_active  : Bool                   | False after it was lifted.
changed_at : DateTime64(6, 'UTC')   | When it was placed or lifted.
"""),
    kind="ReplacingMergeTree",
    version="changed_at",
    order_by="(hold_id, company, account_id)",
)

_ACTIVE = View(
    name="legal_holds",
    comment="Accounts of which nothing is deleted or erased, whatever its age.",
    columns=columns("""
hold_id    : String                 | Name of the hold, such as the number of a case.
company    : LowCardinality(String) | Code of the legal entity.
account_id : String                 | Customer account; empty = all of the company.
reason     : String                 | Why, in words.
placed_by  : String                 | Who placed it.
placed_at  : DateTime64(6, 'UTC')   | When.
"""),
    select="""
SELECT hold_id, company, account_id, reason, placed_by, changed_at AS placed_at
FROM legal_holds_versions FINAL
WHERE is_active
""",
)

_RUNS = Table(
    name="retention_runs",
    comment="What retention has deleted, by whom and when. The same stands in topic ar.audit.",
    columns=columns("""
run_id     : String                 | The call of arrears retention apply.
rule       : LowCardinality(String) | Rule of the settings: events, activity, ledger and so on.
table      : LowCardinality(String) | Table of which rows were deleted.
company    : LowCardinality(String) | Code of the legal entity.
cutoff     : DateTime64(6, 'UTC')   | What is older was deleted.
rows       : UInt64                 | Rows that were deleted.
applied_by : String                 | Who did it.
applied_at : DateTime64(6, 'UTC')   | When.
"""),
    order_by="(applied_at, run_id, table, company)",
)

_RETIRED = Table(
    name="retired_items",
    comment="Closed items whose postings retention is deleting just now; empty when it is done.",
    columns=columns("""
company    : LowCardinality(String) | Code of the legal entity.
account_id : String                 | Customer account.
currency   : LowCardinality(String) | ISO 4217 code.
item_type  : LowCardinality(String) | Kind of the item.
item_id    : String                 | Number of the document, or id of the receipt.
"""),
    order_by="(company, account_id, currency, item_type, item_id)",
)

_MONTHS = Table(
    name="events_monthly_versions",
    comment="What is kept of events for ever: their number and amounts by month. Analysts read events_monthly.",
    columns=columns(f"""
company    : LowCardinality(String) | Code of the legal entity.
month      : Date32                 | First day of the month in which Kafka took the events in, UTC.
event_type : LowCardinality(String) | What happened, such as InvoiceIssued.
currency   : LowCardinality(String) | ISO 4217 code; empty where the events have none.
events     : UInt64                 | Number of events.
amount     : {DECIMAL}         | Sum of their amounts; 0 where they have none.
counted_at : DateTime64(6, 'UTC')   | When it was counted.
"""),
    kind="ReplacingMergeTree",
    version="counted_at",
    order_by="(company, month, event_type, currency)",
)

_MONTHLY = View(
    name="events_monthly",
    comment="Number and amounts of events by month, of months that are older than the hot days of the raw log.",
    columns=_MONTHS.columns,
    select="""
SELECT company, month, event_type, currency, events, amount, counted_at
FROM events_monthly_versions FINAL
""",
)

MIGRATION = Migration(16, "retention", (_HOLDS, _ACTIVE, _RUNS, _RETIRED, _MONTHS, _MONTHLY))
