"""Migration 18: histories of invoices for process mining: case, activity, time and resource."""

from sinks.migrations.ddl import Migration, View
from sinks.migrations.refusals import taken
from sinks.migrations.text import columns

_INVOICES = "item_type IN ('invoice', 'debit_memo')"
# What the worker carries from account to account says again what was sent.
_NAMED = f"""
    SELECT company, arrayJoin(if(invoice_id != '', [invoice_id], invoice_ids)) AS case_id,
        toString(event_type) AS activity, occurred_at AS happened_at, actor_id AS resource, toString(actor_role) AS role,
        toString(source) AS system, event_id
    FROM events
    WHERE company = {{company:String}} AND (invoice_id != '' OR notEmpty(invoice_ids))
        AND source != 'arrears'
        AND {taken()}
    ORDER BY _partition, _offset
    LIMIT 1 BY company, case_id, event_id"""

# Changes of the status of promises.
_PROMISED = """
        SELECT account_id, promise_id, toString(status) AS state, recorded_at AS since, event_id AS cause
        FROM
        (
            SELECT *, lagInFrame(toString(status)) OVER (
                    PARTITION BY account_id, promise_id ORDER BY _offset ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
                ) AS status_before
            FROM promises_log
            WHERE company = {company:String}
        )
        WHERE status != status_before AND status NOT IN ('open', 'withdrawn')"""

# What was open of every invoice after each event that moved it, counting everything recorded.
_BALANCES = f"""
        SELECT item_type, item_id, event_id AS cause, min(recorded_at) AS known, sum(delta_minor) AS moved, min(_offset) AS place,
            argMax(toString(entry_type), _offset) AS kind,
            sum(moved) OVER (PARTITION BY item_type, item_id ORDER BY place ROWS UNBOUNDED PRECEDING) AS rest
        FROM ledger_entries_log
        WHERE company = {{company:String}} AND {_INVOICES}
        GROUP BY item_type, item_id, cause"""

_PROCESS = View(
    name="process_log",
    comment="What happened to every invoice that was issued in a window, for process mining: events that name it, what came of "
    "events that do not, its buckets and the breaches of its promises. Parameters: company, from_date and to_date.",
    columns=columns("""
case_id     : String               | Number of the invoice or debit memo.
activity    : String               | What happened: an event, a posting such as Cleared, or a bucket such as Aging 31-60.
happened_at : DateTime64(6, 'UTC') | When.
resource    : String               | Who did it; arrears for what the pipeline found.
role        : String               | Role in which it was done.
system      : String               | Where it came from.
event_id    : String               | Event that says or caused it.
"""),
    select=f"""
SELECT case_id, activity, happened_at, if(resource = '', 'unknown', resource) AS resource, role, system, event_id
FROM
(
    SELECT case_id, activity, happened_at, resource, role, system, event_id
    FROM ({_NAMED}
    )
    UNION ALL
    SELECT DISTINCT item_id, concat('Reversed: ', toString(entry_type)), recorded_at, 'arrears', 'system', 'arrears', event_id
    FROM ledger_entries_log
    WHERE company = {{company:String}} AND {_INVOICES} AND entry_type IN ('unapplication', 'reversal')
    UNION ALL
    SELECT DISTINCT document_id, concat('Aging ', to_bucket), fired_at, 'arrears', 'system', 'arrears', event_id
    FROM aging_transitions_log
    WHERE company = {{company:String}}
    UNION ALL
    SELECT invoice_id, concat('Promise ', state), since, 'arrears', 'system', 'arrears', cause
    FROM
    ({_PROMISED}
    ) AS changed
    INNER JOIN
    (
        SELECT account_id, promise_id, invoice_id FROM promise_invoices WHERE company = {{company:String}}
    ) AS covered USING (account_id, promise_id)
    UNION ALL
    SELECT item_id, 'Cleared', known, 'arrears', 'system', 'arrears', cause
    FROM
    ({_BALANCES}
    )
    WHERE rest = 0 AND moved != 0 AND kind NOT IN ('write_off', 'cancellation')
)
WHERE case_id IN (
    SELECT item_id FROM ledger_entries_log
    WHERE company = {{company:String}} AND {_INVOICES} AND entry_type = item_type
        AND effective_date BETWEEN {{from_date:Date32}} AND {{to_date:Date32}}
)
ORDER BY case_id, happened_at, activity
""",
)

MIGRATION = Migration(18, "process mining", (_PROCESS,))
