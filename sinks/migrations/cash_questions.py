"""The views of cash that waits, and of cash that waited: unapplied, and applied late (part of migration 11)."""

from sinks.migrations.balances import posted_between
from sinks.migrations.ddl import View
from sinks.migrations.local_dates import TIMEZONES
from sinks.migrations.money import DECIMAL, decimal
from sinks.migrations.refusals import taken
from sinks.migrations.text import columns

_KNOWN = "recorded_at <= {known_as_of:DateTime64(6, 'UTC')}"
_KNOWN_AS_OF = "known_as_of = {known_as_of:DateTime64(6, 'UTC')}"
_FROM, _TO = "{from_date:Date32}", "{to_date:Date32}"
_IN_WINDOW = posted_between(_FROM, _TO)
_AGE_BANDS = (
    "multiIf(age_days <= 1, '0-1', age_days <= 5, '2-5', age_days <= 10, '6-10', age_days <= 30, '11-30', '31+')"
)


def _cash_of_nobody(where: str) -> str:
    """Events by which cash came to the company, left it or moved between it and an account. Asked apart for those without
    an account, which lie together, and for those with one, which are few."""
    return f"""
                    SELECT company, event_id, payment_id, event_type, account_id AS receiver, currency, amount, occurred_at, _offset,
                        events.value_date AS credited_on, events.effective_date AS counts_from
                    FROM events
                    WHERE {where} AND {_KNOWN} AND payment_id != ''
                        AND event_type IN ('PaymentReceived', 'PaymentRefunded', 'PaymentReversed', 'ReceiptMoved')
                        AND (event_type != 'PaymentReceived' OR amount != 0)
                        AND {taken(_KNOWN)}"""


UNAPPLIED_CASH = View(
    name="unapplied_cash_aging",
    comment="Money that was received and not applied, receipt by receipt, aged from its value date (SEMANTICS 7: bands "
    "0-1, 2-5, 6-10, 11-30 and 31+ days). Parameters: as_of and known_as_of.",
    columns=columns(f"""
company    : LowCardinality(String) | Code of the legal entity.
account_id : String                 | Customer account; empty = nobody knows whose it is.
currency   : LowCardinality(String) | ISO 4217 code.
payment_id : String                 | Id of the receipt.
state      : String                 | unapplied or unidentified.
value_date : Date32                 | Date on which the bank credited it.
age_days   : Int32                  | Calendar days from the value date to as_of.
band       : String                 | Band of the age.
unapplied  : {DECIMAL} | What is not applied of it; positive.
"""),
    select=f"""
SELECT company, account_id, currency, payment_id, state, value_date, age_days, {_AGE_BANDS} AS band, unapplied
FROM
(
    SELECT company, account_id, currency, item_id AS payment_id, 'unapplied' AS state, due_date AS value_date,
        days_past_due AS age_days, -open AS unapplied
    FROM open_items_as_of(as_of = {{as_of:Date32}}, {_KNOWN_AS_OF})
    WHERE balance_class = 'unapplied'
    UNION ALL
    SELECT company, '' AS account_id, currency, payment_id, 'unidentified' AS state, value_date,
        toInt32({{as_of:Date32}}) - toInt32(value_date) AS age_days, received - refunded AS unapplied
    FROM
    (
        SELECT company, payment_id,
            argMinIf(currency, _offset, event_type = 'PaymentReceived') AS currency,
            assumeNotNull(argMinIf(credited_on, _offset, event_type = 'PaymentReceived')) AS value_date,
            toDecimal128(ifNull(argMinIf(amount, _offset, event_type = 'PaymentReceived'), 0), 4) AS received,
            toDecimal128(ifNull(sumIf(amount, event_type = 'PaymentRefunded' AND effective <= {{as_of:Date32}}), 0), 4)
                AS refunded,
            countIf(event_type = 'PaymentReceived') AS receipts,
            countIf(event_type = 'PaymentReversed' AND effective <= {{as_of:Date32}}) AS reversals,
            -- there, less those that came back: the account had another payment of that id
            sumIf(if(receiver = '', -1, 1), event_type = 'ReceiptMoved') AS moves
        FROM
        (
            SELECT *, ifNull(counts_from, toDate32(formatDateTime(occurred_at, '%F', timezone_of[company]))) AS effective
            FROM
            (
                SELECT *, {TIMEZONES}
                FROM
                ({_cash_of_nobody("account_id = ''")}
                    UNION ALL{_cash_of_nobody("account_id != '' AND event_type = 'ReceiptMoved'")}
                )
            )
            ORDER BY _offset
            LIMIT 1 BY company, event_id
        )
        GROUP BY company, payment_id
    )
    WHERE receipts > 0 AND reversals = 0 AND moves = 0 AND value_date <= {{as_of:Date32}}
)
WHERE unapplied != 0
""",
)

# Where a due date was changed later, an application dated before the change moves along with the balance: pairs that net
# to zero on their day, and are no applications.
LATE_APPLICATIONS = View(
    name="late_applications",
    comment="Cash that was applied to an invoice later than so many days after its value date, and is still applied. "
    "Parameters: from_date and to_date (of the application), days_min and known_as_of.",
    columns=columns(f"""
company        : LowCardinality(String) | Code of the legal entity.
account_id     : String                 | Customer account of the invoice.
currency       : LowCardinality(String) | ISO 4217 code.
invoice_id     : String                 | Invoice that was paid.
application_id : String                 | The application.
value_date     : Date32                 | Date on which the bank credited the money.
applied_on     : Date32                 | Day from which the application counts.
lag_days       : Int32                  | Calendar days between the two.
amount         : {DECIMAL} | What was applied.
method         : String                 | auto or manual.
event_id       : String                 | Event that applied it.
"""),
    select=f"""
SELECT company, account_id, currency, item_id AS invoice_id, assumeNotNull(cause_id) AS application_id,
    assumeNotNull(cash_date) AS value_date, effective_date AS applied_on,
    toInt32(effective_date) - toInt32(assumeNotNull(cash_date)) AS lag_days,
    {decimal("minor")} AS amount, by_method AS method, event_id
FROM
(
    SELECT company, account_id, currency, item_type, item_id, instalment, cause_id, event_id, effective_date,
        value_date AS cash_date, any(ifNull(toString(ledger_entries_log.method), '')) AS by_method, -sum(delta_minor) AS minor
    FROM ledger_entries_log
    WHERE entry_type = 'application' AND item_type IN ('invoice', 'debit_memo') AND value_date IS NOT NULL
        AND {_IN_WINDOW}
        AND toInt32(effective_date) - toInt32(assumeNotNull(value_date)) >= {{days_min:UInt32}}
        AND (company, cause_id) NOT IN (
            SELECT company, assumeNotNull(cause_id) FROM ledger_entries_log
            WHERE entry_type IN ('unapplication', 'reversal', 'cancellation') AND cause_id IS NOT NULL AND {_KNOWN}
        )
    GROUP BY company, account_id, currency, item_type, item_id, instalment, cause_id, event_id, effective_date, value_date
    HAVING minor > 0
)
""",
)
