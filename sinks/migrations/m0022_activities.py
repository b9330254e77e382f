"""Migration 22: what people did, one row an action, in the words of those who look at it."""

from sinks.migrations.ddl import Migration, View
from sinks.migrations.people import events_between
from sinks.migrations.text import columns

_ACTIVITIES = View(
    name="activities",
    comment="What people did, each action once: contacts with customers, notices, logins and what was looked at, exported or "
    "changed, by the company's local date. What was refused is left out. Parameters: from_date and to_date.",
    columns=columns("""
company      : LowCardinality(String) | Code of the legal entity.
local_date   : Date32                 | The company's local date of the action.
occurred_at  : DateTime64(6, 'UTC')   | When it was done, by the clock of the source.
actor_id     : String                 | Who did it; empty when not known.
actor_role   : LowCardinality(String) | Role in which it was done; empty when not known.
activity     : String                 | contact, reminder, statement or dunning, or what a user did in a program: login, logout,
                                      | view, export, data_changed.
account_id   : String                 | Customer account; empty where none is concerned.
activity_id  : String                 | Id of the contact or notice; empty for what was done in a program.
channel      : String                 | How the contact was made or the notice sent; else empty.
direction    : String                 | outbound = we to the customer, inbound = the customer to us; empty when it is no contact.
outcome      : String                 | What came of a contact; else empty.
right_party  : Nullable(Bool)         | Whether the person who decides on payment was reached; null where that is not known.
invoice_ids  : Array(String)          | Invoices that a notice names; empty = the whole account.
subject_type : LowCardinality(String) | Kind of what was looked at or changed; else empty.
subject_id   : String                 | Id of what was looked at or changed; else empty.
succeeded    : Nullable(Bool)         | False = a program refused it, such as a failed login; null for contacts and notices.
region       : LowCardinality(String) | Region code; empty when it has none.
source       : LowCardinality(String) | Where it was logged.
event_id     : String                 | Its event; with company it is unique.
"""),
    select=f"""
SELECT company, local_date, occurred_at, actor_id, actor_role,
    multiIf(event_type = 'ContactAttempted', 'contact', event_type = 'NoticeSent', notice_kind, action) AS activity,
    account_id, if(event_type = 'NoticeSent', notice_id, contact_id) AS activity_id,
    channel, direction, outcome, right_party, invoice_ids, subject_type, subject_id, succeeded, region, source, event_id
FROM
(
    SELECT * EXCEPT activity_id, activity_id AS contact_id
    FROM
    ({
        events_between(
            "actor_id, actor_role, event_type, notice_kind, action, account_id, notice_id, activity_id, channel, direction, "
            "outcome, right_party, invoice_ids, subject_type, subject_id, succeeded, region, source, category"
        )
    }
    )
    WHERE category = 'activity'
)
""",
)

MIGRATION = Migration(22, "activities", (_ACTIVITIES,))
