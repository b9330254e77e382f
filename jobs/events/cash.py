"""Receipts and what they pay."""

import msgspec

from jobs.events.envelope import Event
from jobs.values import Day


class PaymentReceived(Event, frozen=True, kw_only=True):
    """Money in the bank. No account = unidentified (SEMANTICS 4.1)."""

    payment_id: str
    amount_minor: int
    currency: str
    value_date: Day
    method: str | None
    payer_reference: str | None
    bank_reference: str | None
    on_account: bool
    end_to_end_id: str | None = None


class PaymentIdentified(Event, frozen=True, kw_only=True):
    """The account of an unidentified payment was found; it owns the receipt from its value date (SEMANTICS 4.2)."""

    payment_id: str


class PaymentPlacedOnAccount(Event, frozen=True, kw_only=True):
    """The rest of a receipt is deliberately parked (SEMANTICS 4.1)."""

    payment_id: str


class RemittanceLine(msgspec.Struct, frozen=True, gc=False):
    """What the payer says a payment is for. `amount_minor` is what is applied; the deduction stands beside it."""

    invoice_id: str
    amount_minor: int
    amount_scale: int
    deduction_minor: int | None
    deduction_reason: str | None


class RemittanceReceived(Event, frozen=True, kw_only=True):
    """A remittance advice, before or after its payment (SEMANTICS 4.3)."""

    remittance_id: str
    payment_id: str | None
    payer_reference: str | None
    currency: str | None
    lines: tuple[RemittanceLine, ...]


class CashApplied(Event, frozen=True, kw_only=True):
    """A receipt or an open credit settles an invoice (SEMANTICS 1.3, 4.4)."""

    application_id: str
    payment_id: str | None
    credit_memo_id: str | None
    invoice_id: str
    invoice_account_id: str | None
    instalment: int | None
    amount_minor: int
    amount_scale: int
    currency: str | None
    effective_date: Day | None
    method: str
    confidence: float | None


class CashUnapplied(Event, frozen=True, kw_only=True):
    """An application is taken back; the cash is unapplied again."""

    application_id: str
    effective_date: Day | None
    reason: str | None


class PaymentReversed(Event, frozen=True, kw_only=True):
    """The money did not stay: NSF, chargeback, recall or a duplicate (SEMANTICS 2.9)."""

    payment_id: str
    effective_date: Day | None
    reason: str
    reference: str | None = None
    reason_code: str | None = None


class PaymentRefunded(Event, frozen=True, kw_only=True):
    """Unapplied money goes back to the payer (SEMANTICS 4.1)."""

    payment_id: str
    amount_minor: int
    amount_scale: int
    currency: str | None
    effective_date: Day | None
