"""What is too rare in random histories: one company's events, written down, after all others."""

from collections.abc import Iterator

from jobs.company import CompanySettings
from jobs.events import (
    CashApplied,
    CreditMemoIssued,
    Event,
    ExceptionFlagged,
    ExceptionResolved,
    ExceptionReviewed,
    InvoiceAdjusted,
    InvoiceCancelled,
    InvoiceDueDateChanged,
    InvoiceIssued,
    PaymentReceived,
    PaymentReversed,
)
from jobs.values import Day, Instant
from tests.jobs.written import written

SETTINGS = CompanySettings(code="SP01", timezone="America/New_York", small_balance={"EUR": "0.50"})
_EXCEPTION = {"exception_type": "short_pay", "subject_type": "invoice", "subject_id": "I1"}
_DAY = 86_400_000_000


def special(now: Instant) -> Iterator[Event]:
    """Heard of at one instant; `today` less so many days is when it happened."""
    today = Day(now // _DAY)
    number = 0

    def told(kind: type[Event], ago: int, /, account: str = "C1", **payload: object) -> Event:
        nonlocal number
        number += 1
        given: dict[str, object] = {"account_id": account, "occurred_at": now - ago * _DAY, **payload}
        return written(kind, now, f"special-{number}", SETTINGS.code, **given)

    def invoice(name: str, ago: int, amount: str, account: str = "C1", **payload: object) -> Event:
        days = {"document_date": Day(today - ago), "due_date": Day(today - ago + 30), **payload}
        return told(InvoiceIssued, ago, account, invoice_id=name, amount=amount, **days)

    def paid(name: str, ago: int, amount: str, account: str = "C1") -> Event:
        return told(PaymentReceived, ago, account, payment_id=name, amount=amount, value_date=Day(today - ago))

    def applied(name: str, ago: int, invoice_id: str, amount: str, account: str = "C1", **payload: object) -> Event:
        given = {"effective_date": Day(today - ago), "method": "auto", **payload}
        return told(CashApplied, ago, account, application_id=name, invoice_id=invoice_id, amount=amount, **given)

    # An application dated before a due date that was changed meanwhile.
    yield invoice("I1", 100, "100.00")
    yield told(InvoiceDueDateChanged, 40, invoice_id="I1", due_date=Day(today + 10))
    yield paid("R1", 90, "60.00")
    yield applied("A1", 80, "I1", "60.00", payment_id="R1")
    # A credit memo that another account has used, and that is cancelled then.
    yield invoice("I2", 60, "100.00", "C2")
    yield told(CreditMemoIssued, 50, credit_memo_id="K1", amount="80.00", document_date=Day(today - 50))
    yield applied("A2", 45, "I2", "50.00", credit_memo_id="K1", invoice_account_id="C2")
    yield told(InvoiceCancelled, 30, invoice_id="K1", effective_date=Day(today - 30))
    # A cancelled invoice that was adjusted and paid in part; a payment for another account that bounces.
    yield invoice("I3", 70, "200.00")
    yield told(InvoiceAdjusted, 65, adjustment_id="J1", invoice_id="I3", amount="-20.00")
    yield paid("R3", 60, "50.00")
    yield applied("A3", 60, "I3", "50.00", payment_id="R3")
    yield told(InvoiceCancelled, 20, invoice_id="I3", effective_date=Day(today - 20))
    yield invoice("I4", 25, "75.40", "C2")
    yield paid("R4", 15, "75.00")
    yield applied("A4", 15, "I4", "75.00", payment_id="R4", invoice_account_id="C2")
    yield told(PaymentReversed, 5, payment_id="R4", effective_date=Day(today - 5))
    # An exception that is resolved by a clock that is behind; one that is reopened.
    yield told(ExceptionFlagged, 10, exception_id="X1", **_EXCEPTION)
    yield told(ExceptionReviewed, 9, exception_id="X1")
    yield told(ExceptionResolved, 11, exception_id="X1", resolution="paid")
    yield told(ExceptionFlagged, 30, exception_id="X2", **_EXCEPTION)
    yield told(ExceptionResolved, 27, exception_id="X2", resolution="paid")
    yield told(ExceptionFlagged, 20, exception_id="X2", **_EXCEPTION)
    yield told(ExceptionReviewed, 19, exception_id="X2")
    yield told(ExceptionResolved, 15, exception_id="X2", resolution="paid again")
