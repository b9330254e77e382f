"""Migration 10: the key figures of SEMANTICS 7, one row per company and currency, for any window of business dates, as
they are known now or were known at any instant.

The formulas are those of `jobs.kpi`, against which the view is tested. Sums are exact integers of minor units; a figure is
rounded once, half up, at its end; a denominator of 0 or less gives NULL.
"""

from sinks.migrations.balances import KNOWN_AS_OF
from sinks.migrations.ddl import Migration, View
from sinks.migrations.money import DECIMAL, decimal
from sinks.migrations.text import columns

_FROM, _TO = "{from_date:Date32}", "{to_date:Date32}"
_KNOWN = f"recorded_at <= {KNOWN_AS_OF}"
_IN_WINDOW = f"effective_date BETWEEN {_FROM} AND {_TO}"
_DOCUMENTS = "('invoice', 'debit_memo', 'credit_memo')"
# Without a value date. What a cancelled credit memo had settled comes back as a reversal.
_SALES = "('invoice', 'debit_memo', 'credit_memo', 'cancellation', 'reversal')"
_WINDOW_DAYS = f"(toInt32({_TO}) - toInt32({_FROM}) + 1)"


def share(numerator: str, denominator: str, places: int) -> str:
    """An expression for an exact quotient, rounded half up; NULL where the denominator is 0 or less."""
    quotient = f"toDecimal256({numerator}, 20) / toInt256(({denominator}))"
    return f"if(({denominator}) > 0, CAST(round({quotient}, {places}) AS Nullable(Decimal(38, {places}))), NULL)"


# Sums of the ledger are linear, so that one pass over the entries gives them all.
_BALANCES = f"""
    SELECT company, currency,
        sumIf(toInt128(delta_minor), effective_date < {_FROM}) AS begin_minor,
        sumIf(toInt128(delta_minor), effective_date <= {_TO}) AS end_minor,
        sumIf(toInt128(delta_minor), effective_date <= {_TO} AND balance_class = 'invoice' AND due_date >= {_TO}) AS not_due_minor,
        sumIf(toInt128(delta_minor), effective_date <= {_TO} AND balance_class = 'invoice' AND due_date < {_TO}) AS past_due,
        sumIf(
            toInt128(delta_minor) * (toInt32({_TO}) - toInt32(due_date)),
            effective_date <= {_TO} AND balance_class = 'invoice' AND due_date < {_TO}
        ) AS past_due_days,
        -sumIf(toInt128(delta_minor), effective_date <= {_TO} AND balance_class = 'unapplied') AS unapplied_minor,
        sumIf(
            toInt128(delta_minor),
            {_IN_WINDOW} AND entry_type IN {_SALES} AND item_type IN {_DOCUMENTS} AND value_date IS NULL
        ) AS sales_minor,
        -sumIf(
            toInt128(delta_minor),
            {_IN_WINDOW} AND entry_type IN ('write_off', 'recovery') AND item_type IN {_DOCUMENTS}
        ) AS lost_minor,
        min(effective_date) AS first_date,
        sumMapIf(
            map(toYYYYMM(effective_date), toInt128(delta_minor)),
            effective_date <= {_TO} AND entry_type IN {_SALES} AND item_type IN {_DOCUMENTS} AND value_date IS NULL
        ) AS sales_of
    FROM ledger_entries_log
    WHERE {_KNOWN}
    GROUP BY company, currency"""

# Months from the window's end backwards, each as (length in days, its sales); the last month counts up to the end.
_MONTHS = f"""arrayMap(
        back -> (
            if(back = 0, toDayOfMonth({_TO}), toDayOfMonth(toLastDayOfMonth(addMonths(toStartOfMonth({_TO}), -back)))),
            greatest(0, sales_of[toYYYYMM(addMonths(toStartOfMonth({_TO}), -back))])
        ),
        range(toUInt32(greatest(0, dateDiff('month', first_date, {_TO}) + 1)))
    )"""
# What is left of the receivables, and the days peeled so far; nothing left ends it.
_PEELED = f"""arrayFold(
        (peeled, month) -> multiIf(
            peeled.1 <= 0, peeled,
            month.2 > 0 AND peeled.1 < month.2,
                (toInt128(0), peeled.2 + toDecimal256(peeled.1, 20) * month.1 / month.2),
            (peeled.1 - month.2, peeled.2 + toDecimal256(month.1, 20))
        ),
        {_MONTHS},
        (end_minor, toDecimal256(0, 20))
    )"""

# Applications of cash without those taken back since. Where a due date was changed later, an application dated before the
# change moves along with the balance: pairs that net to zero on their day, and are no applications.
_APPLIED = f"""
    SELECT company, currency, cause_id, effective_date, assumeNotNull(paid_on) AS value_date, due_on AS due_date, minor
    FROM
    (
        SELECT company, currency, item_type, item_id, instalment, cause_id, event_id, effective_date,
            any(ledger_entries_log.value_date) AS paid_on, any(ledger_entries_log.due_date) AS due_on,
            -sum(delta_minor) AS minor
        FROM ledger_entries_log
        WHERE entry_type = 'application' AND item_type IN {_DOCUMENTS} AND value_date IS NOT NULL AND {_IN_WINDOW} AND {_KNOWN}
            AND (company, currency, cause_id) NOT IN (
                SELECT company, currency, cause_id
                FROM ledger_entries_log
                WHERE entry_type IN ('unapplication', 'reversal', 'cancellation') AND cause_id IS NOT NULL AND {_KNOWN}
            )
        GROUP BY company, currency, item_type, item_id, instalment, cause_id, event_id, effective_date
        HAVING minor > 0
    )"""

_LATENESS = f"""
    SELECT company, currency,
        sum(toInt128(minor)) AS applied_minor,
        sum(toInt128(minor) * greatest(0, toInt32(value_date) - toInt32(due_date))) AS late_days
    FROM
    ({_APPLIED}
    )
    GROUP BY company, currency"""

_LAGS = f"""
    SELECT company, currency,
        quantileExactInclusive(0.5)(lag) AS lag_p50,
        quantileExactInclusive(0.95)(lag) AS lag_p95
    FROM
    (
        SELECT company, currency, cause_id, any(toInt32(effective_date) - toInt32(value_date)) AS lag
        FROM
        ({_APPLIED}
        )
        GROUP BY company, currency, cause_id
    )
    GROUP BY company, currency"""


def receipts_as_known(where: str) -> str:
    """A query for receipts as they stood when no more was known: company, account_id, currency, payment_id, value_date,
    and amount_minor, status, refunded_minor. One that was identified counts with its account only; `where` is on what
    never changes of a receipt.
    """
    return f"""
    SELECT company, account_id, currency, payment_id, value_date,
        last.1 AS amount_minor, last.2 AS status, last.3 AS refunded_minor
    FROM
    (
        SELECT company, account_id, currency, payment_id, value_date,
            argMax((amount_minor, toString(status), refunded_minor), _offset) AS last
        FROM receipts_log
        WHERE {where} AND {_KNOWN}
        GROUP BY company, account_id, currency, payment_id, value_date
    )
    WHERE last.2 != 'identified'"""


_RECEIVED = receipts_as_known(f"value_date BETWEEN {_FROM} AND {_TO}")

_RECEIPTS = f"""
    SELECT company, currency,
        sum(toInt128(amount_minor)) AS received_minor,
        countIf(NOT parked) AS payments,
        countIf(NOT parked AND status = 'applied' AND refunded_minor = 0 AND NOT touched) AS straight_through
    FROM
    (
        SELECT company, currency, amount_minor, status, refunded_minor,
            (company, account_id, payment_id) IN (
                SELECT company, account_id, item_id
                FROM ledger_entries_log
                WHERE item_type = 'payment' AND balance_class = 'on_account' AND {_KNOWN}
            ) AS parked,
            (company, account_id, payment_id) IN (
                SELECT company, account_id, item_id
                FROM ledger_entries_log
                WHERE item_type = 'payment' AND (
                    entry_type = 'unapplication' OR (entry_type = 'application' AND method = 'manual')
                ) AND {_KNOWN}
            ) AS touched
        FROM
        ({_RECEIVED}
        )
    )
    GROUP BY company, currency"""

_PROMISES = f"""
    SELECT company, currency,
        count() AS judged,
        countIf(last.1 = 'kept') AS kept,
        sum(toInt128(last.3)) AS promised_minor,
        sum(toInt128(least(last.3, last.4))) AS paid_minor
    FROM
    (
        SELECT company, account_id, currency, promise_id,
            argMax((toString(status), deadline, effective_amount_minor, paid_in_window_minor), _offset) AS last
        FROM promises_log
        WHERE {_KNOWN}
        GROUP BY company, account_id, currency, promise_id
    )
    WHERE last.1 IN ('kept', 'partially_kept', 'broken') AND last.2 BETWEEN {_FROM} AND {_TO}
    GROUP BY company, currency"""

# (flagged at, time to review, reviewed on, time to resolution, resolved on, time of former openings), -1 = not yet. A case
# that is flagged again goes on as if it had never been closed. Moments come in the order of the log: the clocks of those
# who flag and of those who resolve may differ, and what one of them says never takes less than no time.
_CASE = """arrayFold(
            (stands, moment) -> multiIf(
                moment.1 = 'flagged' AND stands.1 < 0,
                    (moment.2, toInt64(-1), toInt32(-1), toInt64(-1), toInt32(-1), toInt64(0)),
                moment.1 = 'flagged' AND stands.4 >= 0,
                    (moment.2, stands.2, stands.3, toInt64(-1), toInt32(-1), stands.4),
                moment.1 = 'reviewed' AND stands.1 >= 0 AND stands.2 < 0,
                    (stands.1, stands.6 + greatest(0, moment.2 - stands.1), moment.3, stands.4, stands.5, stands.6),
                moment.1 = 'resolved' AND stands.1 >= 0 AND stands.4 < 0,
                    (stands.1, stands.2, stands.3, stands.6 + greatest(0, moment.2 - stands.1), moment.3, stands.6),
                stands
            ),
            moments,
            (toInt64(-1), toInt64(-1), toInt32(-1), toInt64(-1), toInt32(-1), toInt64(0))
        )"""
_MICROSECONDS_AN_HOUR = "3600000000"

_CASES = f"""
    SELECT company, case_currency, {_CASE} AS stands
    FROM
    (
        SELECT company, case_currency, exception_id, arrayMap(
            moment -> (moment.3, moment.2, moment.4),
            arraySort(groupArray((_offset, toUnixTimestamp64Micro(happened_at), status, toInt32(local_date))))
        ) AS moments
        FROM (SELECT *, ifNull(currency, '') AS case_currency FROM exception_moments)
        WHERE local_date <= {_TO} AND {_KNOWN}
        GROUP BY company, case_currency, exception_id
    )"""

# Whether a logged activity was about a transaction: of its kind, or of no kind that a transaction has.
IS_LOGGED = f"""(company, kind, id) IN (
                SELECT company, lower(subject_type), subject_id
                FROM events WHERE event_type = 'UserActivityLogged' AND subject_id != '' AND {_KNOWN}
            )
            OR (company, id) IN (
                SELECT company, subject_id
                FROM events
                WHERE event_type = 'UserActivityLogged' AND subject_id != '' AND {_KNOWN}
                    AND lower(subject_type) NOT IN ('invoice', 'debit_memo', 'credit_memo', 'payment')
            )"""

# Documents posted and payments received.
_TRANSACTIONS = f"""
    SELECT company, currency, count() AS transactions, countIf(is_logged) AS logged
    FROM
    (
        SELECT company, currency, kind, id,
            {IS_LOGGED} AS is_logged
        FROM
        (
            SELECT DISTINCT company, currency, toString(item_type) AS kind, item_id AS id
            FROM ledger_entries_log
            WHERE entry_type = item_type AND item_type IN {_DOCUMENTS} AND {_IN_WINDOW} AND {_KNOWN}
            UNION DISTINCT
            SELECT company, currency, 'payment', payment_id
            FROM
            ({_RECEIVED}
            )
        )
    )
    GROUP BY company, currency"""

_DAYS = "Nullable(Decimal(38, 2))"
_RATIO = "Nullable(Decimal(38, 4))"

_KEY_FIGURES = View(
    name="key_figures",
    comment="The key figures of every company and currency over a window of business dates, both inclusive, as known at an "
    "instant. NULL where there is nothing to divide by. Parameters: from_date, to_date and known_as_of.",
    columns=columns(f"""
company                    : LowCardinality(String) | Code of the legal entity.
currency                   : LowCardinality(String) | ISO 4217 code; currencies are never added up.
receivables                : {DECIMAL} | Balance at the end of the window, net of credits.
credit_sales               : {DECIMAL} | Invoices net of credit memos and cancellations, by posting date.
dso                        : {_DAYS} | Days sales outstanding: receivables / credit sales * days of the window.
best_possible_dso          : {_DAYS} | The same with what is not due only.
average_days_delinquent    : {_DAYS} | dso - best_possible_dso.
countback_dso              : {_DAYS} | Receivables peeled against monthly sales backwards; NULL when sales do not reach.
cei                        : {_DAYS} | Collection effectiveness index, in percent; it may exceed 100.
ar_turnover                : {_RATIO} | Credit sales / average of the receivables before and at the end.
bad_debt_ratio             : {_RATIO} | Written off less recovered / credit sales.
average_days_late          : {_DAYS} | Days from due date to value date, at least 0, weighted by what was applied.
weighted_days_past_due     : {_DAYS} | Days past due of what is overdue at the end, weighted by open amount.
promise_kept_rate          : {_RATIO} | Promises kept / judged, by the window of their deadline.
promise_kept_rate_amount   : {_RATIO} | Paid in time, at most what was promised / promised.
straight_through_rate      : {_RATIO} | Payments applied wholly without a hand / payments, without on-account cash.
unapplied_amount           : {DECIMAL} | Unapplied cash at the end of the window.
unapplied_share            : {_RATIO} | Unapplied cash / cash received in the window.
application_lag_p50        : {_DAYS} | Days from value date to application, median.
application_lag_p95        : {_DAYS} | The same, 95th percentile.
exceptions_unresolved      : Int64 | Exceptions flagged and not resolved at the end; those without a currency in every one.
exception_hours_to_review  : {_DAYS} | Mean hours from flag to review, of the reviews of the window.
exception_hours_to_resolve : {_DAYS} | Mean hours from flag to resolution, without the time between closing and reopening.
logging_coverage           : {_RATIO} | Transactions about which an activity was logged / transactions.
"""),
    select=f"""
WITH
    {_PEELED} AS peeled,
    {share(f"end_minor * {_WINDOW_DAYS}", "sales_minor", 20)} AS whole_dso,
    {share(f"not_due_minor * {_WINDOW_DAYS}", "sales_minor", 20)} AS best_dso
SELECT company, currency,
    {decimal("end_minor")} AS receivables,
    {decimal("sales_minor")} AS credit_sales,
    CAST(round(whole_dso, 2) AS {_DAYS}) AS dso,
    CAST(round(best_dso, 2) AS {_DAYS}) AS best_possible_dso,
    {share(f"(end_minor - not_due_minor) * {_WINDOW_DAYS}", "sales_minor", 2)} AS average_days_delinquent,
    if(peeled.1 > 0, NULL, CAST(round(peeled.2, 2) AS {_DAYS})) AS countback_dso,
    {share("(begin_minor + sales_minor - end_minor) * 100", "begin_minor + sales_minor - not_due_minor", 2)} AS cei,
    {share("sales_minor * 2", "begin_minor + end_minor", 4)} AS ar_turnover,
    {share("lost_minor", "sales_minor", 4)} AS bad_debt_ratio,
    {share("late_days", "applied_minor", 2)} AS average_days_late,
    {share("past_due_days", "past_due", 2)} AS weighted_days_past_due,
    {share("kept", "judged", 4)} AS promise_kept_rate,
    {share("paid_minor", "promised_minor", 4)} AS promise_kept_rate_amount,
    {share("straight_through", "payments", 4)} AS straight_through_rate,
    {decimal("unapplied_minor")} AS unapplied_amount,
    {share("unapplied_minor", "received_minor", 4)} AS unapplied_share,
    if(applied_minor = 0, NULL, CAST(round(toDecimal128(lag_p50, 6), 2) AS {_DAYS})) AS application_lag_p50,
    if(applied_minor = 0, NULL, CAST(round(toDecimal128(lag_p95, 6), 2) AS {_DAYS})) AS application_lag_p95,
    unresolved AS exceptions_unresolved,
    {share("review_micros", f"reviewed * {_MICROSECONDS_AN_HOUR}", 2)} AS exception_hours_to_review,
    {share("resolve_micros", f"resolved * {_MICROSECONDS_AN_HOUR}", 2)} AS exception_hours_to_resolve,
    {share("logged", "transactions", 4)} AS logging_coverage
FROM ({_BALANCES}
) AS balances
LEFT JOIN ({_LATENESS}
) AS lateness USING (company, currency)
LEFT JOIN ({_LAGS}
) AS lags USING (company, currency)
LEFT JOIN ({_RECEIPTS}
) AS receipts USING (company, currency)
LEFT JOIN ({_PROMISES}
) AS promises USING (company, currency)
LEFT JOIN
(
    SELECT keys.company AS company, keys.currency AS currency,
        countIf(stands.5 < 0) AS unresolved,
        sumIf(toInt128(stands.2), stands.2 >= 0 AND stands.3 BETWEEN toInt32({_FROM}) AND toInt32({_TO})) AS review_micros,
        countIf(stands.2 >= 0 AND stands.3 BETWEEN toInt32({_FROM}) AND toInt32({_TO})) AS reviewed,
        sumIf(toInt128(stands.4), stands.4 >= 0 AND stands.5 BETWEEN toInt32({_FROM}) AND toInt32({_TO})) AS resolve_micros,
        countIf(stands.4 >= 0 AND stands.5 BETWEEN toInt32({_FROM}) AND toInt32({_TO})) AS resolved
    FROM (SELECT DISTINCT company, currency FROM ledger_entries_log WHERE {_KNOWN}) AS keys
    INNER JOIN ({_CASES}
    ) AS cases ON cases.company = keys.company
    WHERE case_currency IN ('', keys.currency) AND stands.1 >= 0
    GROUP BY company, currency
) AS cases USING (company, currency)
LEFT JOIN ({_TRANSACTIONS}
) AS logging USING (company, currency)
""",
)

MIGRATION = Migration(10, "key figures", (_KEY_FIGURES,))
