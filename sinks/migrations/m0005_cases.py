"""Migration 5: the current state of promises, disputes and exceptions, and the advice for each account."""

from sinks.migrations.ddl import POSITION, Migration, Table
from sinks.migrations.money import money_view
from sinks.migrations.text import columns

_PROMISES = Table(
    name="promises_versions",
    comment="States of promises; the row with the highest _offset is the current one. Analysts read the view promises.",
    columns=(
        *POSITION,
        *columns("""
company                : LowCardinality(String)         | Code of the legal entity.
account_id             : String                         | Customer account.
promise_id             : String                         | The promise. With company it is unique.
currency               : LowCardinality(String)         | ISO 4217 code.
amount_minor           : Int64                          | Amount promised. In minor units.
effective_amount_minor : Int64                          | Amount that must be paid for it: what was promised,
                                                        | capped at what the covered invoices still ask for. In
                                                        | minor units.
made_on                : Date32                         | The company's local date on which it was made; money of
                                                        | earlier days does not count.
deadline               : Date32                         | Last day on which a payment counts, tolerance included;
                                                        | of a plan that of its last part.
status                 : LowCardinality(String)         | open; kept; partially_kept and broken = judged at the
                                                        | deadline; pending_cash = unapplied cash would cover it;
                                                        | superseded by a newer promise; withdrawn; void = nothing
                                                        | was left to pay.
level                  : Int32                          | 1 for the first promise for its invoices, one more each
                                                        | time a promise replaces one that was not kept.
paid_in_window_minor   : Int64                          | Paid on the covered invoices with value dates from
                                                        | made_on to the deadline. In minor units.
paid_late_minor        : Int64                          | Paid after the deadline. In minor units.
paid_late_days         : Nullable(Int32)                | Days from the deadline to the last late value date; null
                                                        | when nothing was paid late.
invoice_ids            : Array(String)                  | Invoices that the promise names; empty = all that the account
                                                        | owed in the currency when it was made (promise_invoices).
instalments            : Array(Tuple(number Int32, promised_date Date32, deadline Date32, amount_minor Int64, paid_in_window_minor Int64, status LowCardinality(String)))
                                                        | Parts of the plan, oldest first; a single one with number
                                                        | 0 when the promise is not a plan.
recorded_at            : DateTime64(6, 'UTC')           | When the pipeline accepted what caused this: knowledge
                                                        | time.
event_id               : String                         | Event that caused it, or the local midnight of a company.
"""),
    ),
    order_by="(company, account_id, promise_id)",
    kind="ReplacingMergeTree",
    version="_offset",
)

_DISPUTES = Table(
    name="disputes_versions",
    comment="States of disputes; the row with the highest _offset is the current one. Analysts read the view disputes.",
    columns=(
        *POSITION,
        *columns("""
company           : LowCardinality(String)         | Code of the legal entity.
account_id        : String                         | Customer account.
dispute_id        : String                         | The dispute. With company it is unique.
document_type     : LowCardinality(String)         | Kind of the document.
document_id       : String                         | Number of the document.
currency          : LowCardinality(String)         | ISO 4217 code.
amount_minor      : Int64                          | Amount that was contested when the dispute was opened. In
                                                   | minor units.
outstanding_minor : Int64                          | What is still contested of it. In minor units.
status            : LowCardinality(String)         | Where the case stands: open, assigned or resolved.
outcome           : LowCardinality(Nullable(String))
                                                   | upheld, rejected or withdrawn; null while it is not resolved.
assigned_to       : Nullable(String)               | Person or team that took it on.
reason_code       : LowCardinality(String)         | Why the customer contests it.
opened_on         : Date32                         | The company's local date on which it was opened, or opened
                                                   | again.
recorded_at       : DateTime64(6, 'UTC')           | When the pipeline accepted what caused this: knowledge time.
event_id          : String                         | Event that caused it, or the local midnight of a company.
"""),
    ),
    order_by="(company, account_id, dispute_id)",
    kind="ReplacingMergeTree",
    version="_offset",
)

_EXCEPTIONS = Table(
    name="exceptions_versions",
    comment="States of exceptions; the row with the highest _offset is the current one. Analysts read the view exceptions.",
    columns=(
        *POSITION,
        *columns("""
company        : LowCardinality(String)         | Code of the legal entity.
account_id     : String                         | Customer account; empty when the exception concerns none.
exception_id   : String                         | The case. With company it is unique.
exception_type : LowCardinality(String)         | Kind of the exception, such as unmatched_payment, short_pay or
                                                | remittance_mismatch.
subject_type   : LowCardinality(String)         | Kind of what it is about: payment, invoice, remittance, account.
subject_id     : String                         | Id of what it is about.
amount_minor   : Nullable(Int64)                | Amount in question. In minor units.
currency       : LowCardinality(Nullable(String))
                                                | ISO 4217 code of the amount; null when no amount is in question.
status         : LowCardinality(String)         | Where the case stands: flagged, reviewed or resolved.
queue          : LowCardinality(Nullable(String))
                                                | Team or list that has it.
assigned_to    : Nullable(String)               | Person who has it.
resolution     : LowCardinality(Nullable(String))
                                                | What was done about it; null while it is not resolved.
flagged_on     : Date32                         | The company's local date on which it was flagged, or flagged
                                                | again.
recorded_at    : DateTime64(6, 'UTC')           | When the pipeline accepted what caused this: knowledge time.
event_id       : String                         | Event that caused it, or the local midnight of a company.
"""),
    ),
    order_by="(company, account_id, exception_id)",
    kind="ReplacingMergeTree",
    version="_offset",
)

_ACTIONS = Table(
    name="actions_log",
    comment="Advice as it came from ar.actions, nothing_due included. Analysts read the view actions.",
    columns=(
        *POSITION,
        *columns("""
company     : LowCardinality(String)         | Code of the legal entity.
account_id  : String                         | Customer account.
kind        : LowCardinality(String)         | What is advised: send a notice, call the customer, or stop
                                             | deliveries.
local_date  : Date32                         | The company's local date of the advice.
level       : Nullable(Int32)                | Dunning level of the notice; 0 = reminder before the due date. Null
                                             | otherwise.
invoice_ids : Array(String)                  | Invoices that the notice names; empty otherwise.
amounts     : Map(LowCardinality(String), Int64)
                                             | What it is about, by ISO 4217 code. In minor units.
score       : Nullable(Int32)                | Score of the worklist row, the sum of its rules' points; null
                                             | otherwise.
rules       : Array(LowCardinality(String))  | Why: the rules of the score as rule=points, or the reasons for the
                                             | hold.
recorded_at : DateTime64(6, 'UTC')           | When the pipeline accepted what caused this: knowledge time.
event_id    : String                         | Event that caused it, or the local midnight of a company.
"""),
    ),
    order_by="(company, account_id, local_date, kind)",
)

_LATEST_ADVICE = """
WHERE kind != 'nothing_due' AND (company, account_id, local_date) IN (
    SELECT company, account_id, max(local_date) FROM actions_log GROUP BY company, account_id
)"""

MIGRATION = Migration(
    5,
    "cases",
    (
        _PROMISES,
        _DISPUTES,
        _EXCEPTIONS,
        _ACTIONS,
        money_view(_PROMISES, "promises", "Promises to pay as they stand now.", final=True),
        money_view(_DISPUTES, "disputes", "Disputes as they stand now.", final=True),
        money_view(_EXCEPTIONS, "exceptions", "Exceptions as they stand now.", final=True),
        money_view(
            _ACTIONS,
            "actions",
            "The advice that holds now: notices due, the worklist, recommended holds; of each account its latest date.",
            where=_LATEST_ADVICE.strip(),
        ),
    ),
)
