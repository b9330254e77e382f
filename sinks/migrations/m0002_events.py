"""Migration 2: the raw log, and the settings of companies, which are events as well."""

from sinks.migrations.ddl import POSITION, MaterializedView, Migration, Table, View
from sinks.migrations.text import columns

_EVENTS = Table(
    name="events",
    comment="Everything that happened, as it came from ar.events; the same event_id twice where a source sent it twice.",
    columns=(
        *POSITION,
        *columns("""
event_type     : LowCardinality(String)   | What happened, such as InvoiceIssued.
category       : LowCardinality(String)   | What it is about: invoice, credit, payment, application, approval, exception,
                                          | promise, dispute, activity, account, reference or other.
event_id       : String                   | Idempotency key of the event.
company        : LowCardinality(String)   | Code of the legal entity.
account_id     : String                   | Customer account; empty where no account is known or concerned.
occurred_at    : DateTime64(6, 'UTC')     | When it happened, by the clock of the source.
recorded_at    : DateTime64(6, 'UTC')     | When the pipeline accepted it: knowledge time.
region         : LowCardinality(String)   | Region code as the ERP has it; empty when it has none.
invoice_id     : String                   | Invoice it is about; empty when it names none, or several.
payment_id     : String                   | Receipt it is about; else empty.
credit_memo_id : String                   | Credit memo it is about; else empty.
application_id : String                   | Application of cash or credit it is about; else empty.
promise_id     : String                   | Promise it is about; else empty.
dispute_id     : String                   | Dispute it is about; else empty.
exception_id   : String                   | Exception it is about; else empty.
adjustment_id  : String                   | Adjustment it is about; else empty.
write_off_id   : String                   | Write-off it is about; else empty.
remittance_id  : String                   | Remittance advice it is about; else empty.
activity_id    : String                   | Collection activity it is about; else empty.
notice_id      : String                   | Notice it is about; else empty.
subject_type   : LowCardinality(String)   | Kind of what it is about, where the event names one; else empty.
subject_id     : String                   | Id of what it is about, where the event names one; else empty.
currency       : LowCardinality(String)   | ISO 4217 code; empty where the event leaves it to the document.
amount         : Nullable(Decimal(38, 4)) | Amount of the event; null when it has none, or one with more decimals.
payload        : String  CODEC(ZSTD(1))   | The other fields as JSON, as people write them: amounts are decimal texts,
                                          | dates ISO texts; fields without a value are left out.
source         : LowCardinality(String)   | Where it came from: sap, oracle, lockbox, camt, webhook and so on.
actor_id       : String                   | Who did it: a user or a system; empty when not known.
actor_role     : LowCardinality(String)   | Role in which the actor did it; empty when not known.
correlation_id : String                   | Case or request it belongs to; joins events of several sources.
"""),
    ),
    partition_by="toYYYYMM(_appended_at)",
    order_by="(company, account_id, recorded_at, _partition, _offset)",
    indexes=("by_event_id event_id TYPE bloom_filter(0.01) GRANULARITY 4",),
)

_COMPANIES = Table(
    name="companies_versions",
    comment="Settings of companies as they changed, made from the events CompanyConfigured. Analysts read companies.",
    columns=columns("""
company     : LowCardinality(String) | Code of the legal entity.
recorded_at : DateTime64(6, 'UTC')   | When the pipeline accepted the settings.
version     : String                 | Equal settings have equal versions.
settings    : String                 | The settings as JSON.
"""),
    kind="ReplacingMergeTree",
    order_by="(company, recorded_at)",
)

_FROM_EVENTS = MaterializedView(
    name="companies_from_events",
    comment="Takes the settings of companies out of the events as they are inserted.",
    target="companies_versions",
    select="""
SELECT
    company,
    recorded_at,
    JSONExtractString(payload, 'version') AS version,
    JSONExtractString(payload, 'settings') AS settings
FROM events
WHERE event_type = 'CompanyConfigured'
""",
)

_CURRENT = View(
    name="companies",
    comment="Companies and the settings that hold now.",
    columns=columns("""
company       : String               | Code of the legal entity.
timezone      : String               | IANA time zone in which its days begin.
base_currency : String               | ISO 4217 code of the currency it reports in.
buckets       : Array(Int32)         | Last day of each aging bucket but the open one, in days past due.
credit_mode   : String               | How credits stand in its own reports: separate, own_date or oldest_first.
version       : String               | Version of the settings.
settings      : String               | All settings as JSON; what is not there has its default.
recorded_at   : DateTime64(6, 'UTC') | When the pipeline accepted the settings.
"""),
    select="""
SELECT
    toString(company) AS company,
    if(JSONHas(latest.2, 'timezone'), JSONExtractString(latest.2, 'timezone'), 'UTC') AS timezone,
    if(JSONHas(latest.2, 'base_currency'), JSONExtractString(latest.2, 'base_currency'), 'USD') AS base_currency,
    if(JSONHas(latest.2, 'buckets'), JSONExtract(latest.2, 'buckets', 'Array(Int32)'), [30, 60, 90, 120]) AS buckets,
    if(JSONHas(latest.2, 'credit_mode'), JSONExtractString(latest.2, 'credit_mode'), 'separate') AS credit_mode,
    latest.1 AS version,
    latest.2 AS settings,
    latest.3 AS recorded_at
FROM
(
    SELECT company, argMax((version, settings, recorded_at), recorded_at) AS latest
    FROM companies_versions
    GROUP BY company
)
""",
)

MIGRATION = Migration(2, "events", (_EVENTS, _COMPANIES, _FROM_EVENTS, _CURRENT))
