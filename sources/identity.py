"""Event ids derived from the source document, so that the same document read twice gives the same event.

``<source>/<company>/<event>/<business key>``. A second delivery of a document is then ignored as a duplicate
(SEMANTICS 4.5). Events that can happen to one document several times have their time in the key.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

# Fields of the record that tell two events of a kind apart. Every event that a source may send is listed.
BUSINESS_KEYS: Mapping[str, tuple[str, ...]] = {
    "AccountChanged": ("account_id", "occurred_at"),
    "AccountHoldPlaced": ("account_id", "occurred_at"),
    "AccountHoldReleased": ("account_id", "occurred_at"),
    "ApprovalDecided": ("subject_type", "subject_id", "occurred_at"),
    "CashApplied": ("application_id",),
    "CashUnapplied": ("application_id",),
    "ContactAttempted": ("activity_id",),
    "CreditMemoIssued": ("credit_memo_id",),
    "DisputeAssigned": ("dispute_id", "occurred_at"),
    "DisputeOpened": ("dispute_id", "occurred_at"),
    "DisputeResolved": ("dispute_id", "occurred_at"),
    "ExceptionFlagged": ("exception_id", "occurred_at"),
    "ExceptionResolved": ("exception_id", "occurred_at"),
    "ExceptionReviewed": ("exception_id", "occurred_at"),
    "ExceptionRouted": ("exception_id", "occurred_at"),
    "ExchangeRateSet": ("base_currency", "quote_currency", "rate_date"),
    "InvoiceAdjusted": ("adjustment_id",),
    "InvoiceCancelled": ("invoice_id",),
    "InvoiceDueDateChanged": ("invoice_id", "instalment", "due_date", "occurred_at"),
    "InvoiceIssued": ("document_type", "invoice_id"),
    "InvoiceWrittenOff": ("write_off_id",),
    "MatchEvaluated": ("payment_id", "occurred_at"),
    "NoticeSent": ("notice_id",),
    "PaymentIdentified": ("payment_id", "account_id"),
    "PaymentPlacedOnAccount": ("payment_id", "occurred_at"),
    "PaymentReceived": ("payment_id",),
    "PaymentRefunded": ("payment_id", "occurred_at"),
    "PaymentReversed": ("payment_id",),
    "PromiseMade": ("promise_id",),
    "PromiseWithdrawn": ("promise_id",),
    "RemittanceReceived": ("remittance_id",),
    "UserActivityLogged": ("actor_id", "action", "entity_type", "entity_id", "occurred_at"),
    "WriteOffRecovered": ("write_off_id", "occurred_at"),
}
_DATES = frozenset({"due_date", "rate_date"})
_TIMES = frozenset({"occurred_at"})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def derive_event_id(name: str, record: Mapping[str, Any]) -> str:
    """The id of an event that came without one, out of its Avro record."""
    parts = [str(record["source"]), str(record["company"]), name]
    parts += [_text(field, record[field]) for field in BUSINESS_KEYS[name]]
    return "/".join(part.replace("%", "%25").replace("/", "%2F") for part in parts)


def _text(field: str, value: object) -> str:
    if value is None:
        return ""
    if field in _DATES and isinstance(value, int):
        return (date(1970, 1, 1) + timedelta(days=value)).isoformat()
    if field in _TIMES and isinstance(value, int):
        return (_EPOCH + timedelta(microseconds=value)).isoformat().replace("+00:00", "Z")
    return str(value)
