"""The row of table `events`: one wide record for events of every type (DESIGN §6).

The envelope stands at both ends of every event's datum, in the same fields and the same bytes, so both ends are copied
as they are; only the payload between them is read (`sinks.transcode`).
"""

from typing import Any

# The first and the last fields of every event record, in the order of the contracts.
ENVELOPE_HEAD: dict[str, Any] = {
    "event_id": "string",
    "company": "string",
    "account_id": ["null", "string"],
    "occurred_at": {"type": "long", "logicalType": "timestamp-micros"},
    "recorded_at": {"type": "long", "logicalType": "timestamp-micros"},
    "region": "string",
}
ENVELOPE_TAIL: dict[str, Any] = {
    "source": "string",
    "actor_id": "string",
    "actor_role": "string",
    "correlation_id": ["null", "string"],
}

# Columns for what an event is about; an event has them as text, or not at all, and then the column is empty.
SUBJECTS = (
    "invoice_id",
    "payment_id",
    "credit_memo_id",
    "application_id",
    "promise_id",
    "dispute_id",
    "exception_id",
    "adjustment_id",
    "write_off_id",
    "remittance_id",
    "activity_id",
    "notice_id",
    "subject_type",
    "subject_id",
)
# The general subject under the name that some events have for it.
OTHER_NAMES = {"subject_type": "entity_type", "subject_id": "entity_id"}

# Decimals of the column `amount`: no currency of ISO 4217 has more.
AMOUNT_DECIMALS = 4
AMOUNT_BYTES = 16
_AMOUNT = {
    "type": "fixed",
    "name": "Amount",
    "size": AMOUNT_BYTES,
    "logicalType": "decimal",
    "precision": 38,
    "scale": AMOUNT_DECIMALS,
}

# Event types by what they are about. Time is not an event to an analyst: ClockTicked is not stored.
CATEGORIES: dict[str, tuple[str, ...]] = {
    "invoice": (
        "InvoiceIssued",
        "InvoiceCancelled",
        "InvoiceAdjusted",
        "InvoiceDueDateChanged",
        "InvoiceWrittenOff",
        "WriteOffRecovered",
    ),
    "credit": ("CreditMemoIssued",),
    "payment": (
        "PaymentReceived",
        "PaymentIdentified",
        "PaymentPlacedOnAccount",
        "PaymentReversed",
        "PaymentRefunded",
        "RemittanceReceived",
        "IdentificationRefused",
        "IdentificationRequested",
        "ReceiptMoved",
    ),
    "application": (
        "CashApplied",
        "CashUnapplied",
        "MatchEvaluated",
        "ApplicationCarried",
        "ApplicationRecalled",
        "ApplicationSettled",
    ),
    "approval": ("ApprovalDecided",),
    "exception": ("ExceptionFlagged", "ExceptionReviewed", "ExceptionResolved", "ExceptionRouted"),
    "promise": ("PromiseMade", "PromiseWithdrawn"),
    "dispute": ("DisputeOpened", "DisputeAssigned", "DisputeResolved"),
    "activity": ("ContactAttempted", "NoticeSent", "UserActivityLogged"),
    "account": ("AccountChanged", "AccountHoldPlaced", "AccountHoldReleased"),
    "reference": ("CompanyConfigured", "ExchangeRateSet"),
}
CATEGORY_OF = {event: category for category, events in CATEGORIES.items() for event in events}
NOT_STORED = frozenset({"ClockTicked"})
# An event type that is newer than this table: stored all the same, to be sorted in by the next release.
OTHER_CATEGORY = "other"

# Put in front of every row of every table.
POSITION_FIELDS: tuple[dict[str, Any], ...] = (
    {"name": "_topic", "type": "string"},
    {"name": "_partition", "type": "int"},
    {"name": "_offset", "type": "long"},
    {"name": "_appended_at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
)


def event_row_schema() -> dict[str, Any]:
    """The Avro schema of an events row without its position: the order in which `sinks.transcode` writes it."""
    texts = ("event_type", "category")
    fields = [
        *({"name": name, "type": "string"} for name in texts),
        *({"name": name, "type": type_} for name, type_ in ENVELOPE_HEAD.items()),
        *({"name": name, "type": "string"} for name in (*SUBJECTS, "currency")),
        {"name": "amount", "type": ["null", _AMOUNT]},
        {"name": "payload", "type": "string"},
        *({"name": name, "type": type_} for name, type_ in ENVELOPE_TAIL.items()),
    ]
    return {"type": "record", "name": "EventRow", "fields": fields}
