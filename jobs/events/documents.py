"""Invoices and credit memos: what is owed, and everything but cash that changes it."""

import msgspec

from jobs.events.envelope import Event
from jobs.values import Day


class Instalment(msgspec.Struct, frozen=True, gc=False):
    """A part of a document with its own due date, or of a promise with its own promised date."""

    number: int
    due_date: Day
    amount_minor: int


class InvoiceIssued(Event, frozen=True, kw_only=True):
    """A document that the customer owes. `posting_date` None = the document date (SEMANTICS 1.3, 2.3, 2.11)."""

    invoice_id: str
    document_type: str
    document_date: Day
    posting_date: Day | None
    due_date: Day | None
    amount_minor: int
    currency: str
    instalments: tuple[Instalment, ...] | None
    payment_terms: str | None
    reference: str | None


class InvoiceCancelled(Event, frozen=True, kw_only=True):
    """The document nets to zero from the effective date (SEMANTICS 1.5)."""

    invoice_id: str
    effective_date: Day | None
    reason: str | None


class InvoiceAdjusted(Event, frozen=True, kw_only=True):
    """A signed correction of what is owed (SEMANTICS 2.3)."""

    adjustment_id: str
    invoice_id: str
    amount_minor: int
    amount_scale: int
    currency: str | None
    effective_date: Day | None
    reason: str | None


class InvoiceDueDateChanged(Event, frozen=True, kw_only=True):
    """A new due date, valid from the day of the event (SEMANTICS 2.4)."""

    invoice_id: str
    due_date: Day
    instalment: int | None


class InvoiceWrittenOff(Event, frozen=True, kw_only=True):
    """The amount leaves the receivables at its effective date (SEMANTICS 2.8)."""

    write_off_id: str
    invoice_id: str
    amount_minor: int
    amount_scale: int
    currency: str | None
    effective_date: Day | None
    reason: str | None


class WriteOffRecovered(Event, frozen=True, kw_only=True):
    """A written-off amount is owed again (SEMANTICS 2.8)."""

    write_off_id: str
    amount_minor: int
    amount_scale: int
    currency: str | None
    effective_date: Day | None


class CreditMemoIssued(Event, frozen=True, kw_only=True):
    """A credit for the customer, against an invoice or open (SEMANTICS 2.5, 2.6)."""

    credit_memo_id: str
    amount_minor: int
    currency: str
    document_date: Day
    invoice_id: str | None
    reason: str | None


class DisputeOpened(Event, frozen=True, kw_only=True):
    """The customer contests a part of an invoice (SEMANTICS 2.7, 5)."""

    dispute_id: str
    invoice_id: str
    amount_minor: int
    amount_scale: int
    currency: str | None
    reason_code: str


class DisputeAssigned(Event, frozen=True, kw_only=True):
    """Somebody takes the dispute on, which is its review (SEMANTICS 5)."""

    dispute_id: str
    assigned_to: str


class DisputeResolved(Event, frozen=True, kw_only=True):
    """upheld (a credit is expected), rejected (collectible again) or withdrawn (SEMANTICS 5)."""

    dispute_id: str
    outcome: str
