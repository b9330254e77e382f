"""Which handler folds which event, and what is looked at before it does.

A new event type is a struct in `jobs/events`, a handler and a line here.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from jobs import accounts, disputes, dunning, events, exceptions
from jobs.ledger import (
    credit_memos,
    cross_account,
    identification,
    invoices,
    receipts,
    remittances,
    unapplication,
    write_offs,
)
from jobs.promises import made as promises
from jobs.step import Step
from jobs.values import Day
from jobs.verdicts import Rejected, Verdict

HANDLERS: dict[type[events.Event], Callable[[Step, Any], Verdict]] = {
    events.InvoiceIssued: invoices.issue,
    events.InvoiceCancelled: invoices.cancel,
    events.InvoiceAdjusted: invoices.adjust,
    events.InvoiceDueDateChanged: invoices.change_due_date,
    events.InvoiceWrittenOff: write_offs.write_off,
    events.WriteOffRecovered: write_offs.recover,
    events.CreditMemoIssued: credit_memos.issue,
    events.PaymentReceived: receipts.receive,
    events.PaymentPlacedOnAccount: receipts.place_on_account,
    events.PaymentRefunded: receipts.refund,
    events.PaymentReversed: receipts.reverse,
    events.PaymentIdentified: identification.identify,
    events.IdentificationRequested: identification.release,
    events.IdentificationRefused: identification.refuse,
    events.ReceiptMoved: identification.arrive,
    events.RemittanceReceived: remittances.receive,
    events.CashApplied: cross_account.apply,
    events.ApplicationCarried: cross_account.receive,
    events.ApplicationSettled: cross_account.settle,
    events.ApplicationRecalled: cross_account.recall,
    events.CashUnapplied: unapplication.unapply,
    events.DisputeOpened: disputes.open_dispute,
    events.DisputeAssigned: disputes.assign,
    events.DisputeResolved: disputes.resolve,
    events.PromiseMade: promises.make,
    events.PromiseWithdrawn: promises.withdraw,
    events.NoticeSent: dunning.sent,
    events.ExceptionFlagged: exceptions.flag,
    events.ExceptionReviewed: exceptions.review,
    events.ExceptionResolved: exceptions.resolve,
    events.ExceptionRouted: exceptions.route,
    events.AccountChanged: accounts.change,
    events.AccountHoldPlaced: accounts.place_hold,
    events.AccountHoldReleased: accounts.release_hold,
}

_MOVES_MONEY = (
    events.InvoiceIssued,
    events.InvoiceAdjusted,
    events.InvoiceWrittenOff,
    events.WriteOffRecovered,
    events.CreditMemoIssued,
    events.PaymentReceived,
    events.PaymentRefunded,
    events.CashApplied,
    events.DisputeOpened,
)

_FIRST_DAY = Day(-25_567)  # 1900-01-01
_LAST_DAY = Day(84_006)  # 2200-01-01
_FIRST_INSTANT = _FIRST_DAY * 86_400_000_000  # the same in microseconds
_LAST_INSTANT = _LAST_DAY * 86_400_000_000


class Plan(NamedTuple):
    """What to look at before an event type is handled; `days` are its fields that are dates."""

    days: tuple[str, ...]
    moves_money: bool


PLANS: dict[type[events.Event], Plan] = {
    event_type: Plan(
        tuple(name for name in event_type.__struct_fields__ if name.endswith("_date")),
        event_type in _MOVES_MONEY,
    )
    for event_type in HANDLERS
}

_FOLDED: tuple[type[events.Event], ...] = (*HANDLERS.keys(), events.ClockTicked, events.CompanyConfigured)

EVENT_TYPES: dict[str, type[events.Event]] = {event_type.__name__: event_type for event_type in _FOLDED}
"""Record name → the type that the fold takes; its fields are leading fields of the Avro record."""


def impossible_date(event: events.Event, days: tuple[str, ...]) -> Rejected | None:
    """A refusal where one of these dates, or the event's own instant, is none that a business means."""
    for name in days:
        day = getattr(event, name)
        if day is not None and not _FIRST_DAY <= day < _LAST_DAY:
            return Rejected("invalid_date", f"{name} lies outside the years 1900 to 2199")
    if not _FIRST_INSTANT <= event.occurred_at < _LAST_INSTANT:
        return Rejected("invalid_date", "occurred_at lies outside the years 1900 to 2199")
    for part in getattr(event, "instalments", None) or ():
        day = part.due_date if isinstance(part, events.Instalment) else part.promised_date
        if not _FIRST_DAY <= day < _LAST_DAY:
            return Rejected("invalid_date", f"the date of instalment {part.number} lies outside the years 1900 to 2199")
    return None
