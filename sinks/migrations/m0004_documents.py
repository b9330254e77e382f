"""Migration 4: the current state of documents, receipts and of the totals of every account."""

from sinks.migrations.ddl import POSITION, Column, Migration, Table, View
from sinks.migrations.money import DECIMAL, decimal, money_view
from sinks.migrations.text import columns

_ITEMS = Table(
    name="items_versions",
    comment="States of documents; the row with the highest _offset is the current one. Analysts read the view items.",
    columns=(
        *POSITION,
        *columns("""
company        : LowCardinality(String)         | Code of the legal entity.
account_id     : String                         | Customer account.
document_type  : LowCardinality(String)         | Kind of the document.
document_id    : String                         | Number of the document. With company and document_type it is
                                                | unique.
currency       : LowCardinality(String)         | ISO 4217 code.
amount_minor   : Int64                          | Amount of the document with its adjustments. In minor units.
open_minor     : Int64                          | What is still open, counting everything recorded, whatever its
                                                | effective date; positive for what is owed and for what is
                                                | credited. In minor units.
status         : LowCardinality(String)         | open; paid = closed by cash, credits or a small balance;
                                                | written_off = closed by another write-off; cancelled.
document_date  : Date32                         | Date printed on the document.
posting_date   : Date32                         | Date in the general ledger.
due_date       : Date32                         | Current due date; with instalments the earliest.
disputed_minor : Int64                          | Part of the open amount that the customer contests. In minor
                                                | units.
instalments    : Array(Tuple(number Int32, due_date Date32, amount_minor Int64, open_minor Int64))
                                                | Parts with their own due dates; empty when there are none.
reference      : Nullable(String)               | What a payer would quote.
closed_date    : Nullable(Date32)               | Day on which nothing was open any more; null while open.
region         : LowCardinality(String)         | Region code of the document; empty when it has none.
recorded_at    : DateTime64(6, 'UTC')           | When the pipeline accepted what caused this: knowledge time.
event_id       : String                         | Event that caused it, or the local midnight of a company.
"""),
    ),
    order_by="(company, account_id, document_type, document_id)",
    kind="ReplacingMergeTree",
    version="_offset",
)

_RECEIPTS = Table(
    name="receipts_versions",
    comment="States of receipts; the row with the highest _offset is the current one. Analysts read the view receipts.",
    columns=(
        *POSITION,
        *columns("""
company         : LowCardinality(String)         | Code of the legal entity.
account_id      : String                         | Customer account; empty = unidentified cash.
payment_id      : String                         | Id of the receipt. With company it is unique.
currency        : LowCardinality(String)         | ISO 4217 code.
amount_minor    : Int64                          | Amount received. In minor units.
unapplied_minor : Int64                          | Not applied and not paid back; 0 after a reversal. In minor
                                                 | units.
applied_minor   : Int64                          | Applied to documents, net of what was taken back. In minor
                                                 | units.
refunded_minor  : Int64                          | Paid back to the payer. In minor units.
status          : LowCardinality(String)         | Where the money stands; identified = it was unidentified and now
                                                 | lies with the account that was found.
value_date      : Date32                         | Date on which the bank credited the money; unapplied cash ages
                                                 | from it.
method          : LowCardinality(Nullable(String))
                                                 | How it was paid, as the source names it.
payer_reference : Nullable(String)               | What the payer wrote.
bank_reference  : Nullable(String)               | Reference of the bank for this booking.
recorded_at     : DateTime64(6, 'UTC')           | When the pipeline accepted what caused this: knowledge time.
event_id        : String                         | Event that caused it, or the local midnight of a company.
"""),
    ),
    order_by="(company, account_id, payment_id)",
    kind="ReplacingMergeTree",
    version="_offset",
)

_AGING = Table(
    name="account_aging_versions",
    comment="Live totals; the row with the highest _offset is the current one. Analysts read the view account_aging.",
    columns=(
        *POSITION,
        *columns("""
company          : LowCardinality(String)        | Code of the legal entity.
account_id       : String                        | Customer account.
currency         : LowCardinality(String)        | ISO 4217 code.
as_of            : Date32                        | The company's local date to which the ages refer.
buckets          : Array(LowCardinality(String)) | Names of the buckets, from not_due to the oldest.
bucket_minor     : Array(Int64)                  | Open amount of each bucket, in the same order. In minor units.
unapplied_minor  : Int64                         | Money received and not applied; positive. In minor units.
on_account_minor : Int64                         | Money deliberately parked; positive. In minor units.
credits_minor    : Int64                         | Open credit memos; positive. In minor units.
disputed_minor   : Int64                         | Part of the buckets that the customer contests. In minor units.
total_minor      : Int64                         | Sum of the buckets less unapplied, on-account and credits;
                                                 | negative when the customer is in net credit. In minor units.
recorded_at      : DateTime64(6, 'UTC')          | When the pipeline accepted what caused this: knowledge time.
event_id         : String                        | Event that caused it, or the local midnight of a company.
"""),
    ),
    order_by="(company, account_id, currency)",
    kind="ReplacingMergeTree",
    version="_offset",
)

_LIVE_AGING = View(
    name="account_aging",
    comment="Live aging of every account and currency: the latest row of each, as of the company's local date.",
    columns=(
        *columns(f"""
company     : LowCardinality(String)                              | Code of the legal entity.
account_id  : String                                              | Customer account.
currency    : LowCardinality(String)                              | ISO 4217 code.
as_of       : Date32                                              | The company's local date to which the ages refer.
not_due     : {DECIMAL}                                           | Open and not past due; due today is not due.
buckets     : Array(Tuple(name String, amount {DECIMAL}))         | Overdue, by the company's own buckets, youngest first.
unapplied   : {DECIMAL}                                           | Money received and not applied; positive.
on_account  : {DECIMAL}                                           | Money deliberately parked; positive.
credits     : {DECIMAL}                                           | Open credit memos; positive.
disputed    : {DECIMAL}                                           | Part of not_due and buckets that is contested.
total       : {DECIMAL}                                           | not_due + buckets - unapplied - on_account - credits.
recorded_at : DateTime64(6, 'UTC')                                | When the pipeline accepted what caused this.
event_id    : String                                              | Event that caused it, or the company's midnight.
"""),
        *(Column(column.name, column.type, column.comment) for column in POSITION),
    ),
    select=f"""
SELECT
    company, account_id, currency, as_of,
    {decimal("bucket_minor[indexOf(bucket_names, 'not_due')]")} AS not_due,
    arrayFilter(
        bucket -> bucket.1 != 'not_due',
        arrayMap((name, minor) -> (toString(name), {decimal("minor")}), bucket_names, bucket_minor)
    ) AS buckets,
    {decimal("unapplied_minor")} AS unapplied,
    {decimal("on_account_minor")} AS on_account,
    {decimal("credits_minor")} AS credits,
    {decimal("disputed_minor")} AS disputed,
    {decimal("total_minor")} AS total,
    recorded_at, event_id, _topic, _partition, _offset, _appended_at
FROM (SELECT * EXCEPT buckets, buckets AS bucket_names FROM account_aging_versions FINAL)
""",
)

MIGRATION = Migration(
    4,
    "documents",
    (
        _ITEMS,
        _RECEIPTS,
        _AGING,
        money_view(_ITEMS, "items", "Invoices, debit memos and credit memos as they stand now.", final=True),
        money_view(
            _RECEIPTS,
            "receipts",
            "Receipts as they stand now. One that was identified is shown with its account only.",
            final=True,
            where="WHERE status != 'identified'",
        ),
        _LIVE_AGING,
    ),
)
