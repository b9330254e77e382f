"""Rows that change: a document that comes again with other content must be told apart from one that comes again.

An event id that derives from the document alone is the same for every version of its row, so that the worker would
take a corrected amount for a repetition and ignore it. Rows of tables and change streams therefore have a digest of
the content behind the id of a keyed document. Read again it is the same event; changed, it is another one under the
same business key, which the worker refuses aloud as `conflicting_duplicate` (SEMANTICS 4.5).
"""

from hashlib import blake2b
from typing import Any

import msgspec

from sources.values import ParsedEvent

# Documents whose content the ledger compares by their business key, so that a second id for them does no harm.
KEYED_DOCUMENTS = frozenset(
    {
        "CashApplied",
        "CreditMemoIssued",
        "InvoiceAdjusted",
        "InvoiceIssued",
        "InvoiceWrittenOff",
        "NoticeSent",
        "PaymentReceived",
        "PromiseMade",
        "RemittanceReceived",
    }
)
# Events that say how something is from now on: told again at a later time they change nothing.
STANDING = frozenset({"AccountChanged", "AccountHoldPlaced", "AccountHoldReleased", "InvoiceDueDateChanged"})
# When and by whom it was said is no content (as in the ledger's own comparison).
_ENVELOPE = frozenset(
    {
        "event_id",
        "occurred_at",
        "recorded_at",
        "region",
        "source",
        "actor_id",
        "actor_role",
        "correlation_id",
    }
)
_ENCODER = msgspec.json.Encoder(order="deterministic", decimal_format="string")
_DIGEST_BYTES = 6


def versioned(event: ParsedEvent) -> ParsedEvent:
    """The event with the digest of its content behind its id, where it is a keyed document; else as it is."""
    if event.name not in KEYED_DOCUMENTS:
        return event
    record: dict[str, Any] = {**event.record, "event_id": f"{event.record['event_id']}@{_digest(event.record)}"}
    return ParsedEvent(event.name, record, event.position)


def _digest(record: dict[str, Any]) -> str:
    # What is not given is left out, so that a field which a later release adds changes no id.
    content = {name: value for name, value in record.items() if name not in _ENVELOPE and value not in (None, [])}
    return blake2b(_ENCODER.encode(content), digest_size=_DIGEST_BYTES).hexdigest()
