"""The view of one invoice: everything that happened to it, from every log (part of migration 11)."""

from sinks.migrations.ddl import View
from sinks.migrations.m0009_histories import OWED_WHEN_PROMISED
from sinks.migrations.money import DECIMAL, decimal
from sinks.migrations.text import columns

_DOCUMENT = "company = {company:String} AND document_id = {invoice_id:String}"
_ITEM = "company = {company:String} AND item_id = {invoice_id:String} AND item_type IN ('invoice', 'debit_memo')"

# What the view promise_invoices says, asked so that the indexes of both tables help.
_COVERING = f"""SELECT account_id, promise_id FROM promises_log
        WHERE company = {{company:String}} AND has(invoice_ids, {{invoice_id:String}})
        UNION ALL
        SELECT account_id, promise_id FROM ({OWED_WHEN_PROMISED})
        WHERE company = {{company:String}} AND invoice_id = {{invoice_id:String}}
            AND account_id IN (SELECT account_id FROM ledger_entries_log WHERE {_ITEM})"""

# Two questions, each of which an index answers, where OR would join conditions of two indexes.
_NAMING = """invoice_id = {invoice_id:String}
        OR (lower(subject_type) IN ('invoice', 'debit_memo') AND subject_id = {invoice_id:String})
        OR has(invoice_ids, {invoice_id:String})"""


def _said(where: str) -> str:
    return f"""SELECT recorded_at, 'event' AS log, toString(event_type) AS what, details AS detail,
        CAST(amount AS Nullable({DECIMAL})) AS amount, toString(currency) AS currency, actor_id, event_id
    FROM events
    WHERE company = {{company:String}} AND {where}"""


INVOICE_HISTORY = View(
    name="invoice_history",
    comment="Everything that happened to an invoice, from every source, in the order in which it became known. "
    "Parameters: company and invoice_id.",
    columns=columns(f"""
recorded_at : DateTime64(6, 'UTC')   | When it became known.
log         : LowCardinality(String) | Where it stands: event, refused, ledger, aging, dispute, promise or alert. An event
                                     | that was refused changed nothing.
what        : String                 | Kind of event or posting, bucket reached, status of the promise or alert.
detail      : String                 | The rest in words, or as JSON without texts about persons.
amount      : Nullable({DECIMAL}) | Amount of it, signed as in the ledger; NULL where there is none.
currency    : String                 | ISO 4217 code; empty where there is no amount.
actor_id    : String                 | Who did it; empty for what the pipeline worked out.
event_id    : String                 | Event that says or caused it.
"""),
    select=f"""
SELECT * FROM
(
    {_said(f"({_NAMING})")}
    UNION ALL
    {_said(f"event_id IN (SELECT event_id FROM ledger_entries_log WHERE {_ITEM}) AND NOT ({_NAMING})")}
    UNION ALL
    SELECT recorded_at, 'refused', toString(event_type), concat(reason, ': ', message), NULL, '', '', event_id
    FROM rejected_events
    WHERE company = {{company:String}} AND event_id IN (
        SELECT event_id FROM events WHERE company = {{company:String}} AND invoice_id = {{invoice_id:String}}
    )
    UNION ALL
    SELECT recorded_at, 'ledger', toString(entry_type), concat('effective ', toString(effective_date),
            if(cause_id IS NULL, '', concat(', ', assumeNotNull(cause_id)))),
        CAST({decimal("delta_minor")} AS Nullable({DECIMAL})), toString(currency), '', event_id
    FROM ledger_entries_log
    WHERE {_ITEM}
    UNION ALL
    SELECT fired_at, 'aging', toString(to_bucket), concat('from ', from_bucket),
        CAST({decimal("open_minor")} AS Nullable({DECIMAL})), toString(currency), '', event_id
    FROM aging_transitions_log
    WHERE {_DOCUMENT}
    UNION ALL
    SELECT recorded_at, 'dispute', toString(entry_type), concat(dispute_id, ', effective ', toString(effective_date)),
        CAST({decimal("delta_minor")} AS Nullable({DECIMAL})), toString(currency), '', event_id
    FROM dispute_entries_log
    WHERE {_DOCUMENT}
    UNION ALL
    SELECT recorded_at, 'promise', toString(status), concat(promise_id, ', deadline ', toString(deadline)),
        CAST({decimal("amount_minor")} AS Nullable({DECIMAL})), toString(currency), '', event_id
    FROM promises_log
    WHERE company = {{company:String}} AND (account_id, promise_id) IN ({_COVERING})
    UNION ALL
    SELECT raised_at, 'alert', concat(kind, ' ', status), message,
        CAST({decimal("amount_minor", "ifNull(alerts_log.currency, '')")} AS Nullable({DECIMAL})),
        toString(ifNull(alerts_log.currency, '')), '', event_id
    FROM alerts_log
    WHERE company = {{company:String}} AND subject IN (
        SELECT dispute_id FROM dispute_entries_log WHERE {_DOCUMENT}
        UNION ALL
        SELECT arrayJoin(arrayConcat([promise_id], arrayMap(part -> concat(promise_id, '/', toString(part.1)), instalments)))
        FROM promises_log
        WHERE company = {{company:String}} AND (account_id, promise_id) IN ({_COVERING})
    )
)
ORDER BY recorded_at, log = 'event' DESC, log, what
""",
)
