"""Migration 9: every state that receipts, promises, exceptions and rates ever had, so that key figures can look back.

The tables of states forget old versions when they are merged. What a key figure needs as it was known then is kept whole
beside them, taken from the same inserts; the deduplication token of an insert covers both.
"""

from collections.abc import Collection, Sequence

from sinks.migrations.ddl import POSITION, Column, MaterializedView, Migration, Statement, Table, View
from sinks.migrations.m0004_documents import _RECEIPTS
from sinks.migrations.m0005_cases import _EXCEPTIONS, _PROMISES
from sinks.migrations.m0006_accounts import _RATES
from sinks.migrations.money import money_view
from sinks.migrations.refusals import taken
from sinks.migrations.text import columns


def _log(
    states: Table,
    name: str,
    comment: str,
    order_by: str,
    without: Collection[str] = (),
    indexes: Sequence[str] = (),
) -> tuple[Table, MaterializedView, Statement]:
    """A table of all states, what feeds it, and what is there already; some columns may be left out."""
    kept = [column for column in states.columns if column.name not in without]
    names = ", ".join(f"`{column.name}`" for column in kept)
    return (
        Table(name=name, comment=comment, columns=kept, order_by=order_by, indexes=indexes),
        MaterializedView(
            name=f"{name}_from_states",
            comment=f"Takes every state into {name} as it is inserted.",
            target=name,
            select=f"SELECT {names} FROM {states.name}",
        ),
        Statement(
            f"INSERT INTO {name} ({names}) SELECT {names} FROM {states.name} FINAL "
            f"WHERE (_topic, _partition, _offset) NOT IN (SELECT _topic, _partition, _offset FROM {name})",
            "SELECT 1",
        ),
    )


# What a payer or a bank wrote does not change, and stands in one place only.
_RECEIPT_LOG = _log(
    _RECEIPTS,
    "receipts_log",
    "Every state of every receipt, as it came from ar.receipts. Analysts read the view receipt_history.",
    "(company, account_id, payment_id, _offset)",
    without=("payer_reference", "bank_reference"),
)
_PROMISE_LOG = _log(
    _PROMISES,
    "promises_log",
    "Every state of every promise, as it came from ar.promises. Analysts read the view promise_history.",
    "(company, account_id, promise_id, _offset)",
    indexes=("by_invoice invoice_ids TYPE bloom_filter(0.001) GRANULARITY 1",),
)
_EXCEPTION_LOG = _log(
    _EXCEPTIONS,
    "exceptions_log",
    "Every state of every exception, as it came from ar.cases.exceptions. Analysts read the view exception_history.",
    "(company, account_id, exception_id, _offset)",
)
_RATE_LOG = _log(
    _RATES,
    "exchange_rates_log",
    "Every rate that was ever set, also where a later one replaced it. Analysts read the view exchange_rate_history.",
    "(company, base_currency, quote_currency, rate_date, _offset)",
)

_EXCEPTION_MOMENTS = View(
    name="exception_moments",
    comment="When an exception was flagged, reviewed or resolved: when that happened, not when it was learned. States that only "
    "say where it lies, or that it is overdue, are none.",
    columns=columns("""
company        : LowCardinality(String)           | Code of the legal entity.
account_id     : String                           | Customer account; empty when the exception concerns none.
exception_id   : String                           | The case. With company it is unique.
exception_type : LowCardinality(String)           | Kind of the exception.
currency       : LowCardinality(Nullable(String)) | ISO 4217 code of the amount in question; null when there is none.
status         : LowCardinality(String)           | Status reached: flagged (also again), reviewed or resolved.
happened_at    : DateTime64(6, 'UTC')             | When it happened, by the source's clock.
local_date     : Date32                           | The company's local date of that.
recorded_at    : DateTime64(6, 'UTC')             | When the pipeline accepted it: knowledge time.
event_id       : String                           | Event that did it.
_offset        : UInt64                           | Position of the state, by which moments of one instant are ordered.
"""),
    select=f"""
SELECT states.company AS company, states.account_id AS account_id, states.exception_id AS exception_id,
    states.exception_type AS exception_type, states.currency AS currency, states.status AS status,
    if(happened.at = toDateTime64(0, 6, 'UTC'), states.recorded_at, happened.at) AS happened_at,
    toDate32(formatDateTime(happened_at, '%F', if(companies.timezone = '', 'UTC', companies.timezone))) AS local_date,
    states.recorded_at AS recorded_at, states.event_id AS event_id, states._offset AS _offset
FROM
(
    SELECT *, lagInFrame(toString(status)) OVER (
            PARTITION BY company, account_id, exception_id ORDER BY _offset ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS status_before
    FROM exceptions_log
) AS states
LEFT JOIN
(
    SELECT company, event_id, argMin(occurred_at, _offset) AS at
    FROM events
    WHERE event_id IN (SELECT event_id FROM exceptions_log) AND {taken()}
    GROUP BY company, event_id
) AS happened ON happened.company = states.company AND happened.event_id = states.event_id
LEFT JOIN companies ON companies.company = states.company
WHERE states.status != states.status_before
""",
)

# A promise that names none covers what its account owed in its currency when it was made (SEMANTICS 3.2).
OWED_WHEN_PROMISED = """
SELECT company, account_id, promise_id, currency, invoice_id
FROM
(
    SELECT company, account_id, promise_id, currency, argMin(recorded_at, _offset) AS made_at
    FROM promises_log
    WHERE empty(invoice_ids)
    GROUP BY company, account_id, promise_id, currency
) AS made
INNER JOIN
(
    SELECT company, account_id, currency, item_type, item_id AS invoice_id, recorded_at, delta_minor
    FROM ledger_entries_log
    WHERE item_type IN ('invoice', 'debit_memo')
        AND (company, account_id) IN (SELECT company, account_id FROM promises_log WHERE empty(invoice_ids))
) AS entries USING (company, account_id, currency)
WHERE recorded_at <= made_at
GROUP BY company, account_id, promise_id, currency, item_type, invoice_id
HAVING sum(delta_minor) > 0
"""

_PROMISE_INVOICES = View(
    name="promise_invoices",
    comment="The invoices that each promise covers: those that it names, or else those that its account owed in its currency "
    "when it was made.",
    columns=columns("""
company    : LowCardinality(String) | Code of the legal entity.
account_id : String                 | Customer account.
promise_id : String                 | The promise. With company it is unique.
currency   : LowCardinality(String) | ISO 4217 code.
invoice_id : String                 | Invoice or debit memo that it covers.
"""),
    select=f"""
SELECT DISTINCT company, account_id, promise_id, currency, arrayJoin(invoice_ids) AS invoice_id
FROM promises_log
WHERE notEmpty(invoice_ids)
UNION ALL{OWED_WHEN_PROMISED}""",
)

MIGRATION = Migration(
    9,
    "histories",
    (
        *_RECEIPT_LOG,
        *_PROMISE_LOG,
        *_EXCEPTION_LOG,
        *_RATE_LOG,
        money_view(
            _RECEIPT_LOG[0],
            "receipt_history",
            "Every state that receipts had: unidentified, unapplied, partially applied, applied, reversed.",
        ),
        money_view(
            _PROMISE_LOG[0], "promise_history", "Every state that promises had: promised, kept, broken, corrected."
        ),
        money_view(
            _EXCEPTION_LOG[0], "exception_history", "Every state that exceptions had: flagged, reviewed, resolved."
        ),
        View(
            name="exchange_rate_history",
            comment="Every rate that was ever set, also where a later one replaced it.",
            columns=(
                *columns("""
company        : LowCardinality(String) | Code of the legal entity.
base_currency  : String                 | ISO 4217 code of the currency that is priced.
quote_currency : String                 | ISO 4217 code of the currency in which the price is given.
rate_date      : Date32                 | Day for which the rate holds.
rate           : Decimal(38, 18)        | Units of quote_currency for one unit of base_currency.
recorded_at    : DateTime64(6, 'UTC')   | When the pipeline accepted it: knowledge time.
event_id       : String                 | Event that set it.
"""),
                *(Column(column.name, column.type, column.comment) for column in POSITION),
            ),
            select="""
SELECT company, base_currency, quote_currency, rate_date, toDecimal128(rate, 18) AS rate, recorded_at, event_id,
    _topic, _partition, _offset, _appended_at
FROM exchange_rates_log
""",
        ),
        _EXCEPTION_MOMENTS,
        _PROMISE_INVOICES,
    ),
)
