"""The events that the jobs fold, as frozen records. Field names and order are those of the Avro contracts."""

from jobs.events.accounts import AccountChanged, AccountHoldPlaced, AccountHoldReleased
from jobs.events.carried import (
    ApplicationCarried,
    ApplicationRecalled,
    ApplicationSettled,
    IdentificationRefused,
    IdentificationRequested,
    ReceiptMoved,
)
from jobs.events.cash import (
    CashApplied,
    CashUnapplied,
    PaymentIdentified,
    PaymentPlacedOnAccount,
    PaymentReceived,
    PaymentRefunded,
    PaymentReversed,
    RemittanceLine,
    RemittanceReceived,
)
from jobs.events.collections import NoticeSent
from jobs.events.documents import (
    CreditMemoIssued,
    DisputeAssigned,
    DisputeOpened,
    DisputeResolved,
    Instalment,
    InvoiceAdjusted,
    InvoiceCancelled,
    InvoiceDueDateChanged,
    InvoiceIssued,
    InvoiceWrittenOff,
    WriteOffRecovered,
)
from jobs.events.envelope import Event
from jobs.events.exceptions import ExceptionFlagged, ExceptionResolved, ExceptionReviewed, ExceptionRouted
from jobs.events.promises import PromisedPart, PromiseMade, PromiseWithdrawn
from jobs.events.system import ClockTicked, CompanyConfigured

__all__ = [
    "AccountChanged",
    "AccountHoldPlaced",
    "AccountHoldReleased",
    "ApplicationCarried",
    "ApplicationRecalled",
    "ApplicationSettled",
    "CashApplied",
    "CashUnapplied",
    "ClockTicked",
    "CompanyConfigured",
    "CreditMemoIssued",
    "DisputeAssigned",
    "DisputeOpened",
    "DisputeResolved",
    "Event",
    "ExceptionFlagged",
    "ExceptionResolved",
    "ExceptionReviewed",
    "ExceptionRouted",
    "IdentificationRefused",
    "IdentificationRequested",
    "Instalment",
    "InvoiceAdjusted",
    "InvoiceCancelled",
    "InvoiceDueDateChanged",
    "InvoiceIssued",
    "InvoiceWrittenOff",
    "NoticeSent",
    "PaymentIdentified",
    "PaymentPlacedOnAccount",
    "PaymentReceived",
    "PaymentRefunded",
    "PaymentReversed",
    "PromiseMade",
    "PromiseWithdrawn",
    "PromisedPart",
    "ReceiptMoved",
    "RemittanceLine",
    "RemittanceReceived",
    "WriteOffRecovered",
]
