"""What a fold puts out: frozen records that become the output topics. Field names are those of the Avro contracts.

Amounts are minor units of `currency`; a positive delta increases what the customer owes.
"""

from typing import Literal

import msgspec

from jobs.events.envelope import Event
from jobs.values import Day, Instant, Minor


class Effect(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One output of the fold."""


class LedgerEntry(Effect, frozen=True, kw_only=True):
    """One dated, append-only change of a balance (SEMANTICS 1.1).

    Σ `delta_minor` over `effective_date` ≤ as-of and `recorded_at` ≤ known-as-of, by `balance_class` and `due_date`, is
    the aging at any two dates: moves between due dates or classes are zero-sum pairs. `due_date` is what the amount is
    aged from; credits carry their own date there. `entry_number` counts within the event.
    """

    company: str
    account_id: str
    item_type: str
    item_id: str
    instalment: int
    balance_class: str
    currency: str
    delta_minor: Minor
    effective_date: Day
    recorded_at: Instant
    due_date: Day
    entry_type: str
    event_id: str
    entry_number: int
    cause_id: str | None
    value_date: Day | None
    method: str | None
    reason: str | None
    region: str


class InstalmentState(msgspec.Struct, frozen=True, gc=False):
    """One aging line of a document."""

    number: int
    due_date: Day
    amount_minor: Minor
    open_minor: Minor


class Item(Effect, frozen=True, kw_only=True):
    """The state of a document after an event; `open_minor` counts everything recorded, whatever its effective date."""

    company: str
    account_id: str
    document_type: str
    document_id: str
    currency: str
    amount_minor: Minor
    open_minor: Minor
    status: str
    document_date: Day
    posting_date: Day
    due_date: Day
    disputed_minor: Minor
    instalments: tuple[InstalmentState, ...]
    reference: str | None
    closed_date: Day | None
    region: str
    recorded_at: Instant
    event_id: str


class Receipt(Effect, frozen=True, kw_only=True):
    """The state of a receipt after an event (SEMANTICS 4.1). An empty `account_id` is unidentified cash."""

    company: str
    account_id: str
    payment_id: str
    currency: str
    amount_minor: Minor
    unapplied_minor: Minor
    applied_minor: Minor
    refunded_minor: Minor
    status: str
    value_date: Day
    method: str | None
    payer_reference: str | None
    bank_reference: str | None
    recorded_at: Instant
    event_id: str


class AccountAging(Effect, frozen=True, kw_only=True):
    """Live totals of an account in one currency on the company's local date `as_of` (SEMANTICS 1.4, 2.5, 2.12).

    unapplied, on-account and credits are positive; total = Σ buckets - unapplied - on-account - credits.
    """

    company: str
    account_id: str
    currency: str
    as_of: Day
    buckets: tuple[str, ...]
    bucket_minor: tuple[Minor, ...]
    unapplied_minor: Minor
    on_account_minor: Minor
    credits_minor: Minor
    disputed_minor: Minor
    total_minor: Minor
    recorded_at: Instant
    event_id: str


class AgingTransition(Effect, frozen=True, kw_only=True):
    """An item is in another bucket than before, or arrives overdue (from `none`) (SEMANTICS 2.12)."""

    company: str
    account_id: str
    document_type: str
    document_id: str
    instalment: int | None
    currency: str
    local_date: Day
    from_bucket: str
    to_bucket: str
    open_minor: Minor
    due_date: Day
    fired_at: Instant
    event_id: str


class DisputeEntry(Effect, frozen=True, kw_only=True):
    """One dated change of the disputed slice of a document (SEMANTICS 2.7)."""

    company: str
    account_id: str
    dispute_id: str
    document_type: str
    document_id: str
    currency: str
    delta_minor: Minor
    effective_date: Day
    recorded_at: Instant
    entry_type: str
    reason_code: str | None
    event_id: str
    entry_number: int


class Account(Effect, frozen=True, kw_only=True):
    """Master data of an account, valid from `effective_date` (the company's local date) on."""

    company: str
    account_id: str
    name: str | None
    parent_account_id: str | None
    credit_limit_minor: Minor | None
    currency: str | None
    risk_class: str | None
    segment: str | None
    collector_id: str | None
    dunning_block: bool
    on_hold: bool
    hold_reason: str | None
    effective_date: Day
    recorded_at: Instant
    event_id: str


class Alert(Effect, frozen=True, kw_only=True):
    """Something a person must know. The id is deterministic: a replay raises no new alerts (SEMANTICS 3.13)."""

    alert_id: str
    company: str
    account_id: str | None
    kind: str
    subject: str
    status: str
    severity: str
    amount_minor: Minor | None
    currency: str | None
    deadline: Instant | None
    supersedes: str | None
    message: str
    raised_at: Instant
    event_id: str


class ExceptionCase(Effect, frozen=True, kw_only=True):
    """The state of an exception: flagged, reviewed or resolved (SEMANTICS 5)."""

    company: str
    account_id: str | None
    exception_id: str
    exception_type: str
    subject_type: str
    subject_id: str
    amount_minor: Minor | None
    currency: str | None
    status: str
    queue: str | None
    assigned_to: str | None
    resolution: str | None
    flagged_on: Day
    recorded_at: Instant
    event_id: str


class DisputeCase(Effect, frozen=True, kw_only=True):
    """The state of a dispute: open, assigned, or resolved with its outcome (SEMANTICS 5)."""

    company: str
    account_id: str
    dispute_id: str
    document_type: str
    document_id: str
    currency: str
    amount_minor: Minor
    outstanding_minor: Minor
    status: str
    outcome: str | None
    assigned_to: str | None
    reason_code: str
    opened_on: Day
    recorded_at: Instant
    event_id: str


class PromisedInstalmentState(msgspec.Struct, frozen=True, gc=False):
    """One instalment of a promise; number 0 where the promise is not a plan."""

    number: int
    promised_date: Day
    deadline: Day
    amount_minor: Minor
    paid_in_window_minor: Minor
    status: str


class Promise(Effect, frozen=True, kw_only=True):
    """The state of a promise to pay (SEMANTICS 3). `deadline` is the last day on which a payment counts."""

    company: str
    account_id: str
    promise_id: str
    currency: str
    amount_minor: Minor
    effective_amount_minor: Minor
    made_on: Day
    deadline: Day
    status: str
    level: int
    paid_in_window_minor: Minor
    paid_late_minor: Minor
    paid_late_days: int | None
    invoice_ids: tuple[str, ...]
    instalments: tuple[PromisedInstalmentState, ...]
    recorded_at: Instant
    event_id: str


class Action(Effect, frozen=True, kw_only=True):
    """Advice of a day: a notice that is due, a worklist row, a recommended hold (SEMANTICS 6).

    `amounts` are minor units by currency; `rules` name what the score or the hold comes from.
    """

    company: str
    account_id: str
    kind: str
    local_date: Day
    level: int | None
    invoice_ids: tuple[str, ...]
    amounts: dict[str, int]
    score: int | None
    rules: tuple[str, ...]
    recorded_at: Instant
    event_id: str


class Rejection(Effect, frozen=True, kw_only=True):
    """The event changed nothing, and why: `reason` is a code of SCENARIOS §2, `message` says what to do.

    `late` = it had been taken before it, or a line of it, was refused, so its id is used up; else the same event may
    come again and be accepted (SEMANTICS 4.5).
    """

    event_id: str
    event_type: str
    company: str
    account_id: str | None
    reason: str
    message: str
    recorded_at: Instant
    late: bool = False


class Carried(Effect, frozen=True, kw_only=True):
    """An event for another account, perhaps in another partition; published in the same commit (SEMANTICS 4.7)."""

    event: Event


Outcome = Literal["applied", "rejected", "duplicate", "clock", "configured"]


class StepResult(msgspec.Struct, frozen=True):
    """What one event came to, and its effects in order."""

    outcome: Outcome
    effects: list[Effect]
