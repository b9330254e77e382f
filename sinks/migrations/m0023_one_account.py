"""Migration 23: one account as of any two dates, for a screen that somebody waits for.

The ledger's second order, by account, makes openings needless; little is computed, because planning is what the answer
costs (docs/adr/0070).
"""

from sinks.migrations.balances import known_to
from sinks.migrations.ddl import Migration, View
from sinks.migrations.m0002_events import DEFAULT_FLOORS, DEFAULT_NAMES
from sinks.migrations.money import DECIMAL, decimal
from sinks.migrations.text import columns

_ACCOUNT_AGING = View(
    name="account_aging_as_of",
    comment="One account by currency and bucket, its money and credits beside the buckets and negative: amounts of a currency "
    "add up to its balance. What is zero has no row. Parameters: company, account_id, as_of (a date) and known_as_of (an "
    "instant, UTC).",
    columns=columns(f"""
company    : LowCardinality(String) | Code of the legal entity.
account_id : String                 | Customer account.
currency   : LowCardinality(String) | ISO 4217 code; currencies are never added up.
bucket     : String                 | not_due or a bucket, as the company calls it; or unapplied, on_account, credit.
amount     : {DECIMAL}         | What was open in it; of unapplied, on_account and credit negative.
"""),
    select=f"""
WITH
    (
        SELECT if(
            count() = 0, ({DEFAULT_FLOORS}, {DEFAULT_NAMES}), argMax((bucket_floors, bucket_names), recorded_at)
        )
        FROM companies_versions
        WHERE company = {{company:String}}
    ) AS own_buckets
SELECT company, account_id, currency,
    if(
        balance_class = 'invoice',
        if(
            due_date >= {{as_of:Date32}},
            'not_due',
            own_buckets.2[arrayCount(floor -> floor < toInt32({{as_of:Date32}}) - toInt32(due_date), own_buckets.1)]
        ),
        balance_class
    ) AS bucket,
    {decimal("sum(delta_minor)")} AS amount
FROM ledger_entries_log
WHERE company = {{company:String}} AND account_id = {{account_id:String}} AND {known_to()}
GROUP BY company, account_id, currency, bucket
HAVING amount != 0
""",
)

MIGRATION = Migration(23, "one account", (_ACCOUNT_AGING,))
