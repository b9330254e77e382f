"""Migration 11: statements of accounts and invoices, and what changed between two dates, as parameterized views."""

from sinks.migrations.balances import KNOWN_AS_OF, lines, opening_used, posted_between
from sinks.migrations.cash_questions import LATE_APPLICATIONS, UNAPPLIED_CASH
from sinks.migrations.ddl import Migration, View
from sinks.migrations.invoice_history import INVOICE_HISTORY
from sinks.migrations.money import DECIMAL, decimal
from sinks.migrations.text import columns

_KNOWN = "recorded_at <= {known_as_of:DateTime64(6, 'UTC')}"
_KNOWN_AS_OF = "known_as_of = {known_as_of:DateTime64(6, 'UTC')}"
_FROM, _TO = "{from_date:Date32}", "{to_date:Date32}"
_BEFORE = f"addDays({_FROM}, -1)"
_IN_WINDOW = posted_between(_FROM, _TO)
_NAMED = "company = {company:String} AND account_id = {account_id:String}"

# Postings that move a balance within the account, such as an application of its own cash, are no lines of a statement. A
# small balance that was written off with a payment is a line of its own.
_STATEMENT = View(
    name="account_statement",
    comment="The statement of an account between two dates, both inclusive: the opening balance, then what moved it. "
    "Parameters: company, account_id, from_date, to_date and known_as_of.",
    columns=columns(f"""
currency       : LowCardinality(String) | ISO 4217 code; a statement per currency.
line           : UInt32                 | 0 = the opening balance, then in the order of dates.
effective_date : Date32                 | Day from which it counts; of the opening balance the first day.
entry_type     : String                 | opening, or the kind of posting: invoice, payment, credit_memo, adjustment, …
item_type      : String                 | invoice, debit_memo, credit_memo or payment; empty for the opening balance.
item_id        : String                 | Number of the document, or id of the receipt.
amount         : {DECIMAL}         | Signed: positive = the customer owes more.
balance        : {DECIMAL}         | Balance after the line.
reason         : String                 | Reason of the posting; empty where there is none.
event_id       : String                 | Event that caused it.
"""),
    select=f"""
WITH{opening_used(_BEFORE, KNOWN_AS_OF)}
SELECT currency,
    toUInt32(row_number() OVER by_time - 1) AS line,
    effective_date, entry_type, item_type, item_id,
    {decimal("minor")} AS amount,
    {decimal("sum(minor) OVER by_time")} AS balance,
    reason, event_id
FROM
(
    SELECT currency, {_FROM} AS effective_date, 'opening' AS entry_type, '' AS item_type, '' AS item_id,
        sum(delta_minor) AS minor, '' AS reason, '' AS event_id,
        toDateTime64(0, 6, 'UTC') AS known_at, toUInt64(0) AS position
    FROM
    ({lines("currency", _BEFORE, KNOWN_AS_OF, where=_NAMED)}
        UNION ALL
        SELECT currency, 0 FROM ledger_entries_log WHERE {_NAMED} AND {_IN_WINDOW}
    )
    GROUP BY currency
    UNION ALL
    SELECT currency, effective_date, first.1 AS entry_type, first.2 AS item_type, first.3 AS item_id, minor,
        first.4 AS reason, event_id, known_at, position
    FROM
    (
        SELECT currency, effective_date, event_id, ifNull(cause_id, item_id) AS cause,
            entry_type IN ('write_off', 'recovery') AS written_off, sum(delta_minor) AS minor,
            argMin(
                (toString(entry_type), toString(item_type), item_id, ifNull(toString(reason), '')), _offset
            ) AS first,
            min(recorded_at) AS known_at, min(_offset) AS position
        FROM ledger_entries_log
        WHERE {_NAMED} AND {_IN_WINDOW}
        GROUP BY currency, effective_date, event_id, cause, written_off
        HAVING minor != 0
    )
)
WINDOW by_time AS (PARTITION BY currency ORDER BY effective_date, known_at, position ROWS UNBOUNDED PRECEDING)
ORDER BY currency, line
""",
)


# Movements of what is owed, by what they come from. Money is told from credits by its value date.
_MOVES = {
    "issued": "entry_type = item_type",
    "adjusted": "entry_type = 'adjustment'",
    "paid": "entry_type = 'application' AND value_date IS NOT NULL",
    "credited": "entry_type = 'application' AND value_date IS NULL",
    "reopened": "entry_type IN ('unapplication', 'reversal')",
    "written_off": "entry_type IN ('write_off', 'small_balance')",
    "recovered": "entry_type = 'recovery'",
    "cancelled": "entry_type = 'cancellation'",
}
_MEANT = {
    "issued": "Invoices and debit memos posted.",
    "adjusted": "Adjustments, signed.",
    "paid": "Cash applied, negative.",
    "credited": "Credit memos applied, negative.",
    "reopened": "Applications taken back: by hand, because the money bounced, or because the credit memo was cancelled.",
    "written_off": "Written off, small balances included, negative.",
    "recovered": "Write-offs taken back.",
    "cancelled": "Cancelled invoices and debit memos, net of what had been paid on them.",
}
_MOVED = "balance_class = 'invoice' AND is_move"
_OTHER = f"{_MOVED} AND NOT ({' OR '.join(f'({rule})' for rule in _MOVES.values())})"
_OPENING = "balance_class = 'invoice' AND NOT is_move"
_OPENING_OVERDUE = f"sumIf(delta_minor, {_OPENING} AND due_date < {_BEFORE})"
_CLOSING_OVERDUE = f"sumIf(delta_minor, balance_class = 'invoice' AND due_date < {_TO})"


_AGING_CHANGE = View(
    name="aging_change",
    comment="Why what an account owes, and how much of it is overdue, changed between two dates, both inclusive. "
    "Parameters: from_date, to_date and known_as_of.",
    columns=columns(
        f"""
company         : LowCardinality(String) | Code of the legal entity.
account_id      : String                 | Customer account.
currency        : LowCardinality(String) | ISO 4217 code; currencies are never added up.
opening         : {DECIMAL} | Open on invoices and debit memos before the first day.
"""
        + "".join(f"{name:<15} : {DECIMAL} | {_MEANT[name]}\n" for name in _MOVES)
        + f"""other           : {DECIMAL} | What is none of these.
closing         : {DECIMAL} | Open at the end of the last day: opening and all of the above.
opening_overdue : {DECIMAL} | Part of opening that was past due.
rolled          : {DECIMAL} | What became overdue, less what was settled of it or came back.
closing_overdue : {DECIMAL} | Part of closing that is past due.
"""
    ),
    select=f"""
WITH{opening_used(_BEFORE, KNOWN_AS_OF)}
SELECT company, account_id, currency,
    {decimal(f"sumIf(delta_minor, {_OPENING})")} AS opening,
{
        "".join(
            f"    {decimal(f'sumIf(delta_minor, {_MOVED} AND {rule})')} AS {name},{chr(10)}"
            for name, rule in _MOVES.items()
        )
    }    {decimal(f"sumIf(delta_minor, {_OTHER})")} AS other,
    {decimal("sumIf(delta_minor, balance_class = 'invoice')")} AS closing,
    {decimal(_OPENING_OVERDUE)} AS opening_overdue,
    {decimal(f"{_CLOSING_OVERDUE} - {_OPENING_OVERDUE}")} AS rolled,
    {decimal(_CLOSING_OVERDUE)} AS closing_overdue
FROM
(
    SELECT company, account_id, currency, balance_class, due_date, delta_minor, 0 AS is_move,
        '' AS entry_type, '' AS item_type, CAST(NULL AS Nullable(Date32)) AS value_date
    FROM
    ({lines("company, account_id, currency, balance_class, due_date", _BEFORE, KNOWN_AS_OF)}
    )
    UNION ALL
    SELECT company, account_id, currency, balance_class, due_date, delta_minor, 1,
        entry_type, item_type, value_date
    FROM ledger_entries_log
    WHERE {_IN_WINDOW}
)
GROUP BY company, account_id, currency
HAVING countIf(balance_class = 'invoice') > 0
""",
)


def _open_at(day: str) -> str:
    """What was open of every instalment at the end of a day, given as a parameter, and in which bucket."""
    return f"""
            SELECT company, account_id, currency, item_type, item_id, instalment, any(bucket) AS bucket, sum(open) AS open
            FROM open_items_as_of(as_of = {{{day}:Date32}}, {_KNOWN_AS_OF})
            WHERE balance_class = 'invoice'
            GROUP BY company, account_id, currency, item_type, item_id, instalment
            HAVING open > 0"""


_ROLL_RATES = View(
    name="roll_rates",
    comment="What became of every bucket: how much of it stands in which bucket later, and how much was settled. "
    "Parameters: from_date, to_date and known_as_of.",
    columns=columns(f"""
company     : LowCardinality(String)   | Code of the legal entity.
currency    : LowCardinality(String)   | ISO 4217 code.
from_bucket : String                   | Bucket at the end of from_date.
to_bucket   : String                   | Bucket at the end of to_date; settled = no longer open.
amount      : {DECIMAL}           | How much of the one is in the other.
rate        : Nullable(Decimal(38, 4)) | Its share of the first bucket.
"""),
    select=f"""
SELECT company, currency, from_bucket, to_bucket, sum(part) AS amount,
    CAST(round(toDecimal256(amount, 20) / sum(amount) OVER (PARTITION BY company, currency, from_bucket), 4)
        AS Nullable(Decimal(38, 4))) AS rate
FROM
(
    SELECT company, currency, from_bucket, move.1 AS to_bucket, move.2 AS part
    FROM
    (
        SELECT was.company AS company, was.currency AS currency, was.bucket AS from_bucket,
            greatest(toDecimal128(0, 4), least(was.open, is.open)) AS still_open,
            [(is.bucket, still_open), ('settled', was.open - still_open)] AS moves
        FROM
        ({_open_at("from_date")}
        ) AS was
        LEFT JOIN
        ({_open_at("to_date")}
        ) AS is USING (company, account_id, currency, item_type, item_id, instalment)
    )
    ARRAY JOIN moves AS move
    WHERE move.2 != 0
)
GROUP BY company, currency, from_bucket, to_bucket
""",
)

_CONTROL = View(
    name="control_totals",
    comment="The control account: what the ledger says by class, and that the parts are the whole. Compare balance with "
    "the general ledger. Parameters: as_of and known_as_of.",
    columns=columns(f"""
company            : LowCardinality(String) | Code of the legal entity.
currency           : LowCardinality(String) | ISO 4217 code.
accounts           : UInt64 | Accounts with postings.
open_items         : UInt64 | Documents and receipts with a balance.
owed               : {DECIMAL} | Open on invoices and debit memos.
unapplied          : {DECIMAL} | Money received and not applied; positive.
on_account         : {DECIMAL} | Money deliberately parked; positive.
credits            : {DECIMAL} | Open credit memos; positive.
balance            : {DECIMAL} | Sum of all postings: the balance of the control account.
reconciliation_gap : {DECIMAL} | owed - unapplied - on_account - credits - balance: 0.
"""),
    select=f"""
WITH{opening_used()}
SELECT company, currency, uniqExact(account_id) AS accounts, countIf(item_minor != 0) AS open_items,
    {decimal("sum(parts['invoice'])")} AS owed,
    {decimal("-sum(parts['unapplied'])")} AS unapplied,
    {decimal("-sum(parts['on_account'])")} AS on_account,
    {decimal("-sum(parts['credit'])")} AS credits,
    {decimal("sum(item_minor)")} AS balance,
    owed - unapplied - on_account - credits - balance AS reconciliation_gap
FROM
(
    SELECT company, currency, account_id, item_type, item_id,
        sum(delta_minor) AS item_minor, sumMap(map(toString(balance_class), delta_minor)) AS parts
    FROM
    ({lines("company, account_id, currency, item_type, item_id, balance_class")}
    )
    GROUP BY company, currency, account_id, item_type, item_id
)
GROUP BY company, currency
""",
)

MIGRATION = Migration(
    11,
    "statements",
    (_STATEMENT, INVOICE_HISTORY, _AGING_CHANGE, _ROLL_RATES, UNAPPLIED_CASH, LATE_APPLICATIONS, _CONTROL),
)
