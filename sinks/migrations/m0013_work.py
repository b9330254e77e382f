"""Migration 13: how promises, disputes, exceptions, collectors and operators did, and how accounts pay."""

from sinks.migrations.balances import KNOWN_AS_OF
from sinks.migrations.ddl import Migration, View
from sinks.migrations.m0010_key_figures import share
from sinks.migrations.money import DECIMAL, decimal
from sinks.migrations.people import COLLECTORS, COVERAGE, OPERATORS
from sinks.migrations.text import columns

_KNOWN = f"recorded_at <= {KNOWN_AS_OF}"
_FROM, _TO = "{from_date:Date32}", "{to_date:Date32}"
_DAYS = "Nullable(Decimal(38, 2))"
_RATIO = "Nullable(Decimal(38, 4))"

_PROMISES = View(
    name="promise_performance",
    comment="How an account kept the promises whose deadline lies in a window, both dates inclusive, as known then. "
    "Superseded, void and withdrawn promises are outside. Parameters: from_date, to_date and known_as_of.",
    columns=columns(f"""
company           : LowCardinality(String) | Code of the legal entity.
account_id        : String | Customer account.
currency          : LowCardinality(String) | ISO 4217 code.
judged            : UInt64 | Promises kept, partially kept or broken.
kept              : UInt64 | Of these, kept.
partially_kept    : UInt64 | Of these, kept in part.
broken            : UInt64 | Of these, broken.
pending           : UInt64 | Beside these: open, or waiting for cash to be applied.
promised          : {DECIMAL} | Amount that had to be paid for the judged ones.
paid_in_time      : {DECIMAL} | Paid in time for them, at most what was promised.
kept_rate         : {_RATIO} | kept / judged.
kept_rate_amount  : {_RATIO} | paid_in_time / promised.
days_late         : {_DAYS} | Mean days after the deadline at which late money came.
"""),
    select=f"""
SELECT company, account_id, currency,
    countIf(is_judged) AS judged,
    countIf(state = 'kept') AS kept,
    countIf(state = 'partially_kept') AS partially_kept,
    countIf(state = 'broken') AS broken,
    countIf(state IN ('open', 'pending_cash')) AS pending,
    {decimal("sumIf(effective_minor, is_judged)")} AS promised,
    {decimal("sumIf(least(effective_minor, paid_minor), is_judged)")} AS paid_in_time,
    {share("kept", "judged", 4)} AS kept_rate,
    {share("sumIf(least(effective_minor, paid_minor), is_judged)", "sumIf(effective_minor, is_judged)", 4)}
        AS kept_rate_amount,
    {share("sumIf(assumeNotNull(late_days), late_days IS NOT NULL)", "countIf(late_days IS NOT NULL)", 2)} AS days_late
FROM
(
    SELECT company, account_id, currency, promise_id,
        argMax((toString(status), deadline, effective_amount_minor, paid_in_window_minor, paid_late_days), _offset) AS last,
        last.1 AS state, last.3 AS effective_minor, last.4 AS paid_minor, last.5 AS late_days,
        state IN ('kept', 'partially_kept', 'broken') AS is_judged
    FROM promises_log
    WHERE {_KNOWN}
    GROUP BY company, account_id, currency, promise_id
)
WHERE last.2 BETWEEN {_FROM} AND {_TO} AND state IN ('kept', 'partially_kept', 'broken', 'open', 'pending_cash')
GROUP BY company, account_id, currency
""",
)

_DISPUTES = View(
    name="dispute_aging",
    comment="Every dispute with a contested amount, and how long it has been contested without a break. Parameters: as_of and "
    "known_as_of.",
    columns=columns(f"""
company     : LowCardinality(String) | Code of the legal entity.
account_id  : String                 | Customer account.
dispute_id  : String                 | The dispute.
document_id : String                 | Invoice or debit memo that is contested.
currency    : LowCardinality(String) | ISO 4217 code.
reason_code : String                 | Why the customer contests it, as said last.
opened_on   : Date32                 | Day since which something of it is contested; the time before it was settled and opened
                                     | again does not count.
age_days    : Int32                  | Calendar days from then to as_of.
band        : String                 | Band of the age: 0-30, 31-60, 61-90, 91+.
contested   : {DECIMAL} | What is contested, before it is capped at what is open (see disputed_as_of).
"""),
    select=f"""
SELECT company, account_id, dispute_id, document_id, currency,
    argMaxIf(said, day, said != '') AS reason_code,
    maxIf(day, standing != 0 AND standing = minor) AS opened_on,
    toInt32({{as_of:Date32}}) - toInt32(opened_on) AS age_days,
    multiIf(age_days <= 30, '0-30', age_days <= 60, '31-60', age_days <= 90, '61-90', '91+') AS band,
    {decimal("sum(minor)")} AS contested
FROM
(
    SELECT company, account_id, dispute_id, document_type, document_id, currency, effective_date AS day, sum(delta_minor) AS minor,
        ifNull(argMaxIf(toString(reason_code), _offset, entry_type IN ('opened', 'reopened')), '') AS said,
        sum(minor) OVER (
            PARTITION BY company, account_id, dispute_id, document_type, document_id ORDER BY day ROWS UNBOUNDED PRECEDING
        ) AS standing
    FROM dispute_entries_log
    WHERE effective_date <= {{as_of:Date32}} AND {_KNOWN}
    GROUP BY company, account_id, dispute_id, document_type, document_id, currency, day
)
GROUP BY company, account_id, dispute_id, document_type, document_id, currency
HAVING sum(minor) != 0
""",
)

_EXCEPTIONS = View(
    name="exception_resolution",
    comment="Exceptions by kind: flagged, reviewed and resolved in a window of local dates, both inclusive, and how long "
    "that took, as known at an instant. Parameters: from_date, to_date and known_as_of.",
    columns=columns(f"""
company          : LowCardinality(String) | Code of the legal entity.
exception_type   : LowCardinality(String) | Kind of the exception.
flagged          : UInt64 | Flagged in the window, also again.
reviewed         : UInt64 | First reviewed in the window.
resolved         : UInt64 | Resolved in the window.
unresolved       : UInt64 | Flagged and not resolved at its end.
hours_to_review  : {_DAYS} | Mean hours from the first flag to the first review, of these reviews.
hours_to_resolve : {_DAYS} | Mean hours from the flag before it to the resolution, of these resolutions.
"""),
    select=f"""
SELECT company, exception_type,
    countIf(status = 'flagged' AND in_window) AS flagged,
    countIf(status = 'reviewed' AND in_window AND is_first_review) AS reviewed,
    countIf(status = 'resolved' AND in_window) AS resolved,
    countIf(is_last AND status != 'resolved') AS unresolved,
    {share("sumIf(micros_since_first, status = 'reviewed' AND in_window AND is_first_review)", "toInt64(reviewed) * 3600000000", 2)}
        AS hours_to_review,
    {share("sumIf(micros_since_flag, status = 'resolved' AND in_window)", "toInt64(resolved) * 3600000000", 2)}
        AS hours_to_resolve
FROM
(
    SELECT company, exception_type, exception_id, status, local_date BETWEEN {_FROM} AND {_TO} AS in_window,
        toUnixTimestamp64Micro(happened_at) AS at,
        countIf(status = 'reviewed') OVER by_case = 1 AS is_first_review,
        at - min(toUnixTimestamp64Micro(happened_at)) OVER by_case AS micros_since_first,
        at - maxIf(toUnixTimestamp64Micro(happened_at), status = 'flagged') OVER by_case AS micros_since_flag,
        row_number() OVER (PARTITION BY company, exception_id ORDER BY happened_at DESC, _offset DESC) = 1 AS is_last
    FROM (SELECT * FROM exception_moments WHERE local_date <= {_TO} AND {_KNOWN})
    WINDOW by_case AS (PARTITION BY company, exception_id ORDER BY happened_at, _offset ROWS UNBOUNDED PRECEDING)
)
GROUP BY company, exception_type
""",
)

# Applications of cash as in the key figures: the first entry of each, without those taken back.
_PAID = f"""
        SELECT company, account_id, currency, item_type, item_id, cause_id, instalment,
            argMin((effective_date, assumeNotNull(value_date), due_date, -delta_minor), (_partition, _offset)) AS first,
            first.2 AS paid_on, toInt32(first.2) - toInt32(first.3) AS delay, first.4 AS minor
        FROM ledger_entries_log
        WHERE entry_type = 'application' AND item_type IN ('invoice', 'debit_memo') AND value_date IS NOT NULL
            AND effective_date <= {{as_of:Date32}} AND {_KNOWN}
            AND (company, currency, cause_id) NOT IN (
                SELECT company, currency, cause_id
                FROM ledger_entries_log
                WHERE entry_type IN ('unapplication', 'reversal', 'cancellation') AND cause_id IS NOT NULL
                    AND effective_date <= {{as_of:Date32}} AND {_KNOWN}
            )
        GROUP BY company, account_id, currency, item_type, item_id, cause_id, instalment
        HAVING paid_on > addDays({{as_of:Date32}}, -365)"""
_RECENT = "paid_on > addDays({as_of:Date32}, -90)"

_BEHAVIOUR = View(
    name="payment_behaviour",
    comment="How an account paid in the 365 days up to a date: how late, how much on time, and whether that gets better. "
    "Parameters: as_of and known_as_of.",
    columns=columns(f"""
company           : LowCardinality(String) | Code of the legal entity.
account_id        : String | Customer account.
currency          : LowCardinality(String) | ISO 4217 code.
payments          : UInt64 | Applications of cash to invoices; one to several instalments counts for each.
paid              : {DECIMAL} | Their amounts.
days_late_mean    : {_DAYS} | Days from due date, as it was when the cash was applied, to value date, weighted by
                  | amount; negative = early.
days_late_p50     : {_DAYS} | The median, not weighted.
days_late_p90     : {_DAYS} | The 90th percentile, not weighted.
on_time_share     : {_RATIO} | Share of the amount that came by the due date.
days_late_recent  : {_DAYS} | days_late_mean of the last 90 days.
trend             : {_DAYS} | Days later (or, negative, earlier) in the last 90 days than in the year before them.
last_paid_on      : Date32 | Value date of the last payment.
"""),
    select=f"""
SELECT company, account_id, currency, count() AS payments,
    {decimal("sum(minor)")} AS paid,
    {share("sum(toInt128(minor) * delay)", "sum(toInt128(minor))", 2)} AS days_late_mean,
    CAST(round(toDecimal128(quantileExactInclusive(0.5)(delay), 6), 2) AS {_DAYS}) AS days_late_p50,
    CAST(round(toDecimal128(quantileExactInclusive(0.9)(delay), 6), 2) AS {_DAYS}) AS days_late_p90,
    {share("sumIf(toInt128(minor), delay <= 0)", "sum(toInt128(minor))", 4)} AS on_time_share,
    {share(f"sumIf(toInt128(minor) * delay, {_RECENT})", f"sumIf(toInt128(minor), {_RECENT})", 2)} AS days_late_recent,
    days_late_recent - {share(f"sumIf(toInt128(minor) * delay, NOT {_RECENT})", f"sumIf(toInt128(minor), NOT {_RECENT})", 2)}
        AS trend,
    max(paid_on) AS last_paid_on
FROM
({_PAID}
)
GROUP BY company, account_id, currency
""",
)

MIGRATION = Migration(
    13,
    "work",
    (_PROMISES, _DISPUTES, _EXCEPTIONS, COVERAGE, COLLECTORS, OPERATORS, _BEHAVIOUR),
)
