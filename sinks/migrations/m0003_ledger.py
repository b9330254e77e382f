"""Migration 3: dated changes, never altered: the ledger, disputes, and items that changed bucket."""

from sinks.migrations.ddl import POSITION, Migration, Table
from sinks.migrations.money import money_view
from sinks.migrations.text import columns

# What aging of one account needs, in a second order (docs/adr/0070).
_BY_ACCOUNT = """by_account
    (
        SELECT company, account_id, currency, balance_class, due_date, effective_date, recorded_at, delta_minor
        ORDER BY company, account_id
    )"""

_LEDGER = Table(
    name="ledger_entries_log",
    comment="Every change of a balance, as it came from ar.ledger. Analysts read the view ledger_entries.",
    columns=(
        *POSITION,
        *columns("""
company        : LowCardinality(String)         | Code of the legal entity.
account_id     : String                         | Customer account.
item_type      : LowCardinality(String)         | Kind of the item that changed.
item_id        : String                         | Number of the document, or id of the receipt.
instalment     : Int32                          | Number of the instalment; 0 = the whole document.
balance_class  : LowCardinality(String)         | What the amount counts as: invoice = owed, unapplied and
                                                | on_account = money received, credit = open credit memo.
currency       : LowCardinality(String)         | ISO 4217 code.
delta_minor    : Int64                          | Signed change; positive = the customer owes more. In minor units.
effective_date : Date32                         | Day from which it counts, in the company's time zone.
recorded_at    : DateTime64(6, 'UTC')           | When the pipeline accepted what caused this: knowledge time.
due_date       : Date32                         | Date the amount is aged from: the due date, or for credits and
                                                | cash their own date.
entry_type     : LowCardinality(String)         | What kind of posting it is: the item itself under its own kind
                                                | (invoice, debit_memo, credit_memo, payment), application,
                                                | unapplication, adjustment, write_off, recovery, cancellation,
                                                | reversal, refund, due_date_change, small_balance and so on.
event_id       : String  CODEC(ZSTD(1))         | Event that caused it, or the local midnight of a company.
entry_number   : Int32                          | Position among the entries of the event, from 1; with event_id it
                                                | is unique.
cause_id       : Nullable(String)               | Application, write-off, adjustment and so on that caused it; null
                                                | when it is the item itself.
value_date     : Nullable(Date32)               | Value date of the money, for postings that have one.
method         : LowCardinality(Nullable(String))
                                                | auto or manual for applications, the way of payment for receipts.
reason         : LowCardinality(Nullable(String))
                                                | Reason of the source, or code of an automatic posting such as
                                                | small_balance.
region         : LowCardinality(String)         | Region code of the document; empty when it has none.
"""),
        *columns("""
effective_month : UInt16  MATERIALIZED toRelativeMonthNum(effective_date) | Month of effective_date, from year 0.
recorded_month  : UInt16  MATERIALIZED toRelativeMonthNum(recorded_at)    | Month of recorded_at (UTC), from year 0.
"""),
    ),
    # Months first: what an as-of answer adds to an opening lies together (docs/adr/0060).
    order_by="(effective_month, recorded_month, company, account_id, currency, item_type, item_id)",
    indexes=("by_item item_id TYPE bloom_filter(0.001) GRANULARITY 1",),
    projections=(_BY_ACCOUNT,),
)

_DISPUTES = Table(
    name="dispute_entries_log",
    comment="Every change of a contested amount, as it came from ar.disputes. Analysts read the view dispute_entries.",
    columns=(
        *POSITION,
        *columns("""
company        : LowCardinality(String)         | Code of the legal entity.
account_id     : String                         | Customer account.
dispute_id     : String                         | The dispute.
document_type  : LowCardinality(String)         | Kind of the document.
document_id    : String                         | Number of the document.
currency       : LowCardinality(String)         | ISO 4217 code.
delta_minor    : Int64                          | Signed change of the contested amount. In minor units.
effective_date : Date32                         | Day from which it counts, in the company's time zone.
recorded_at    : DateTime64(6, 'UTC')           | When the pipeline accepted what caused this: knowledge time.
entry_type     : LowCardinality(String)         | opened; resolved = rejected or withdrawn; credited = the credit
                                                | memo of an upheld dispute came; reopened.
reason_code    : LowCardinality(Nullable(String))
                                                | Why the customer contests it.
event_id       : String                         | Event that caused it, or the local midnight of a company.
entry_number   : Int32                          | Position among the entries of the event, from 1; with event_id it
                                                | is unique.
"""),
    ),
    order_by="(company, account_id, currency, document_type, document_id)",
)

_TRANSITIONS = Table(
    name="aging_transitions_log",
    comment="Every change of bucket, as it came from ar.aging. Analysts read the view aging_transitions.",
    columns=(
        *POSITION,
        *columns("""
company       : LowCardinality(String) | Code of the legal entity.
account_id    : String                 | Customer account.
document_type : LowCardinality(String) | Kind of the document.
document_id   : String                 | Number of the document.
instalment    : Nullable(Int32)        | Number of the instalment; null = the whole document.
currency      : LowCardinality(String) | ISO 4217 code.
local_date    : Date32                 | The company's local date of the change.
from_bucket   : LowCardinality(String) | Bucket before; none = it arrives or reopens overdue.
to_bucket     : LowCardinality(String) | Bucket after.
open_minor    : Int64                  | What is open of the item at that moment. In minor units.
due_date      : Date32                 | Due date the age is counted from.
fired_at      : DateTime64(6, 'UTC')   | Instant of the change: the local midnight or the posting.
event_id      : String                 | Event that caused it, or the local midnight of a company.
"""),
    ),
    order_by="(company, local_date, account_id, document_type, document_id)",
    indexes=("by_document document_id TYPE bloom_filter(0.001) GRANULARITY 1",),
)

MIGRATION = Migration(
    3,
    "ledger",
    (
        _LEDGER,
        _DISPUTES,
        _TRANSITIONS,
        money_view(
            _LEDGER,
            "ledger_entries",
            "Every dated change of a balance. The sum of delta up to two dates is the balance as of them.",
            hidden=("effective_month", "recorded_month"),
        ),
        money_view(
            _DISPUTES,
            "dispute_entries",
            "Every dated change of a contested amount. The sum of delta up to a date is what was disputed on it.",
        ),
        money_view(
            _TRANSITIONS,
            "aging_transitions",
            "Items that changed bucket, or arrived or reopened overdue (from none), with what was open of them.",
        ),
    ),
)
