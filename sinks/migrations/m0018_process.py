"""Migration 18: histories of invoices for process mining: case, activity, time and resource."""

from sinks.migrations.ddl import Migration, View
from sinks.migrations.text import columns

_INVOICES = "item_type IN ('invoice', 'debit_memo')"
_NAMED = """
    SELECT company, arrayJoin(if(invoice_id != '', [invoice_id], JSONExtract(payload, 'invoice_ids', 'Array(String)'))) AS case_id,
        toString(event_type) AS activity, occurred_at AS happened_at, actor_id AS resource, toString(actor_role) AS role,
        toString(source) AS system, event_id
    FROM events
    WHERE company = {company:String} AND (invoice_id != '' OR JSONHas(payload, 'invoice_ids'))
        AND event_type NOT IN ('ApplicationCarried', 'ApplicationSettled', 'ApplicationRecalled')
        AND (company, event_id) NOT IN (SELECT company, event_id FROM rejected_events)
    LIMIT 1 BY company, case_id, event_id"""

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
    SELECT item_id, concat('Reversed: ', toString(entry_type)), recorded_at, 'arrears', 'system', 'arrears', event_id
    FROM ledger_entries_log
    WHERE company = {{company:String}} AND {_INVOICES} AND entry_type IN ('unapplication', 'reversal')
    UNION ALL
    SELECT document_id, concat('Aging ', to_bucket), fired_at, 'arrears', 'system', 'arrears', event_id
    FROM aging_transitions_log
    WHERE company = {{company:String}}
    UNION ALL
    SELECT arrayJoin(covered), concat('Promise ', state), since, 'arrears', 'system', 'arrears', cause
    FROM
    (
        SELECT promise_id, toString(status) AS state, any(invoice_ids) AS covered, min(recorded_at) AS since,
            argMin(event_id, recorded_at) AS cause
        FROM promises_log
        WHERE company = {{company:String}} AND status NOT IN ('open', 'withdrawn')
        GROUP BY promise_id, state
    )
    UNION ALL
    SELECT document_id, 'Cleared', recorded_at, 'arrears', 'system', 'arrears', event_id
    FROM items_versions FINAL
    WHERE company = {{company:String}} AND document_type IN ('invoice', 'debit_memo') AND status = 'paid'
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
