"""Events that the jobs write for another account, which may live in another partition (SEMANTICS 4.2, 4.7)."""

from jobs.events.envelope import Event
from jobs.values import Day


class ApplicationCarried(Event, frozen=True, kw_only=True):
    """Cash or a credit of `origin_account_id` for an invoice of the account of the envelope."""

    application_id: str
    payment_id: str | None
    credit_memo_id: str | None
    invoice_id: str
    instalment: int | None
    amount_minor: int
    currency: str
    effective_date: Day | None
    value_date: Day
    receipt_amount_minor: int
    on_account: bool
    method: str
    origin_account_id: str
    objection: str | None = None


class ApplicationSettled(Event, frozen=True, kw_only=True):
    """What became of a carried application: applied, rejected, parked, arrived (its invoice), unapplied or reversed."""

    application_id: str
    payment_id: str | None
    credit_memo_id: str | None
    invoice_id: str
    outcome: str
    reason: str | None
    amount_minor: int
    currency: str
    effective_date: Day | None


class ApplicationRecalled(Event, frozen=True, kw_only=True):
    """The origin takes a carried application back; `entry_type` is unapplication or reversal."""

    application_id: str
    invoice_id: str
    entry_type: str
    effective_date: Day
    reason: str | None


class IdentificationRequested(Event, frozen=True, kw_only=True):
    """An account was found for unidentified cash, which lies with the company."""

    payment_id: str
    identified_account_id: str


class IdentificationRefused(Event, frozen=True, kw_only=True):
    """The receipt that an account asked for cannot be handed over."""

    payment_id: str
    reason: str


class ReceiptMoved(Event, frozen=True, kw_only=True):
    """Identified cash arrives at its account."""

    payment_id: str
    amount_minor: int
    refunded_minor: int
    currency: str
    value_date: Day
    method: str | None
    payer_reference: str | None
    bank_reference: str | None
    on_account: bool
    end_to_end_id: str | None = None
