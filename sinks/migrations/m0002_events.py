"""Migration 2: the raw log, and the settings of companies, which are events as well."""

from sinks.audit.canon import PERSONAL_KEYS
from sinks.migrations.ddl import POSITION, Column, MaterializedView, Migration, Table, View, literal
from sinks.migrations.text import columns

# Texts in payloads that are about persons, with their values as JSON has them. Who is in charge of something is shown.
_KEYS = "|".join(key for key in PERSONAL_KEYS if key not in {"assigned_to", "collector_id"})
_PERSONAL_TEXT = rf'"({_KEYS})": ?"(?:[^"\\]|\\.)*"'
_STARS = r'"\1":"***"'
_MASKED = f"replaceRegexpAll(payload, {literal(_PERSONAL_TEXT)}, {literal(_STARS)})"

# Few events have any, and to look for the name costs a twentieth of reading the JSON.
_INVOICE_IDS = (
    """multiIf(position(payload, '"invoice_ids"') > 0, JSONExtract(payload, 'invoice_ids', 'Array(String)'), """
    "event_type = 'RemittanceReceived', arrayDistinct(tupleElement("
    "JSONExtract(payload, 'lines', 'Array(Tuple(invoice_id String))'), 'invoice_id')), [])"
)

# Taken out of the payload when they are asked for: they cost nothing to insert or to keep, follow an erasure, and may be
# granted to those who may not read the payload (docs/adr/0063).
_OF_PAYLOAD = (
    *columns(
        """
value_date     : Nullable(Date32)  ALIAS toDate32OrNull(JSONExtractString(payload, 'value_date'))
                                          | Day on which the bank credited cash; null where the event has none.
effective_date : Nullable(Date32)  ALIAS toDate32OrNull(JSONExtractString(payload, 'effective_date'))
                                          | Day from which it counts, where the event says one; else null.
invoice_ids    : Array(String)  ALIAS """
        + _INVOICE_IDS
        + """
                                          | Invoices that a promise, a notice or the lines of a remittance name; else empty.
channel        : String  ALIAS JSONExtractString(payload, 'channel')
                                          | How a contact was made or a notice sent; else empty.
direction      : String  ALIAS JSONExtractString(payload, 'direction')
                                          | outbound = we to the customer, inbound = the customer to us; else empty.
outcome        : String  ALIAS JSONExtractString(payload, 'outcome')
                                          | What came of a contact, a dispute or a matching; else empty.
right_party    : Nullable(Bool)  ALIAS JSONExtract(payload, 'right_party', 'Nullable(Bool)')
                                          | Whether a contact reached the person who decides; null where that is not known.
notice_kind    : String  ALIAS if(event_type = 'NoticeSent', JSONExtractString(payload, 'kind'), '')
                                          | Kind of a notice: reminder, statement, dunning; else empty.
exception_type : String  ALIAS JSONExtractString(payload, 'exception_type')
                                          | Kind of an exception that is flagged, such as short_pay; else empty.
action         : String  ALIAS JSONExtractString(payload, 'action')
                                          | What a user did: login, logout, view, export, data_changed; else empty.
succeeded      : Nullable(Bool)  ALIAS JSONExtract(payload, 'succeeded', 'Nullable(Bool)')
                                          | Whether a user's action was let through; null for other events.
"""
    ),
    Column("details", "String", "The payload with *** for texts about persons.", f"ALIAS {_MASKED}"),
)

_EVENTS = Table(
    name="events",
    comment="Everything that happened, as it came from ar.events; the same event_id twice where a source sent it twice.",
    columns=(
        *POSITION,
        *columns("""
event_type     : LowCardinality(String)   | What happened, such as InvoiceIssued.
category       : LowCardinality(String)   | What it is about: invoice, credit, payment, application, approval, exception,
                                          | promise, dispute, activity, account, reference or other.
event_id       : String  CODEC(ZSTD(1))   | Idempotency key of the event.
company        : LowCardinality(String)   | Code of the legal entity.
account_id     : String                   | Customer account; empty where no account is known or concerned.
occurred_at    : DateTime64(6, 'UTC')  CODEC(T64, ZSTD(1)) | When it happened, by the clock of the source.
recorded_at    : DateTime64(6, 'UTC')  CODEC(T64, ZSTD(1)) | When the pipeline accepted it: knowledge time.
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
actor_id       : LowCardinality(String)   | Who did it: a user or a system; empty when not known.
actor_role     : LowCardinality(String)   | Role in which the actor did it; empty when not known.
correlation_id : String                   | Case or request it belongs to; joins events of several sources.
"""),
        *_OF_PAYLOAD,
    ),
    partition_by="toYYYYMM(_appended_at)",
    order_by="(company, account_id, recorded_at, _partition, _offset)",
    # One index for the ids by which an invoice or a payment is found, so that it helps where they are joined by OR; another
    # for event_id, whose many values would make the filters of all columns large (docs/adr/0068). A question about some
    # days reads the months in which they lie.
    indexes=(
        "by_event_id event_id TYPE bloom_filter(0.001) GRANULARITY 4",
        f"by_id (invoice_id, payment_id, subject_id, {_INVOICE_IDS}) TYPE bloom_filter(0.001) GRANULARITY 1",
        "by_time occurred_at TYPE minmax GRANULARITY 4",
        "by_type event_type TYPE set(0) GRANULARITY 1",
    ),
)

# Buckets of a company without settings of its own. They are named here, when settings arrive: an aging report that named
# them itself would spend more time on planning that than on reading (docs/adr/0067).
DEFAULT_FLOORS = "[0, 30, 60, 90, 120]"
DEFAULT_NAMES = "['1-30', '31-60', '61-90', '91-120', '121+']"
_LIMITS = "JSONExtract(settings, 'buckets', 'Array(Int32)')"
_NAMES = """arrayMap(
        (floor, last) -> concat(toString(floor + 1), if(last = 0, '+', concat('-', toString(last)))),
        bucket_floors, arrayPushBack(arrayPopFront(bucket_floors), 0)
    )"""

_COMPANIES = Table(
    name="companies_versions",
    comment="Settings of companies as they changed, made from the events CompanyConfigured. Analysts read companies.",
    columns=(
        *columns("""
company     : LowCardinality(String) | Code of the legal entity.
recorded_at : DateTime64(6, 'UTC')   | When the pipeline accepted the settings.
version     : String                 | Equal settings have equal versions.
settings    : String                 | The settings as JSON.
"""),
        Column(
            "bucket_floors",
            "Array(Int32)",
            "What the days past due of each aging bucket exceed: 0, then the last day of the bucket before it.",
            f"MATERIALIZED if(empty({_LIMITS}), {DEFAULT_FLOORS}, arrayPushFront({_LIMITS}, 0))",
        ),
        Column(
            "bucket_names",
            "Array(String)",
            "Names of the aging buckets past due, youngest first.",
            f"MATERIALIZED {_NAMES}",
        ),
    ),
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
