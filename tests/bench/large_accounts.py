"""Events of an account with very many open invoices or parked applications, against the same events of a small one."""

import random
import time
from collections.abc import Iterable, Iterator

import msgspec

from jobs import EVENT_TYPES, Fold
from jobs.events import Event

OPEN_INVOICES = 100_000
PARKED_APPLICATIONS = 50_000
_SMALL = 20
_MEASURED = 3_000
_BATCH = 2_000
_DAY = 86_400_000_000
_TODAY = 20_454  # 2026-01-01


def main() -> None:
    """Measure and print."""
    for name, count, ballast in (
        ("open invoices", OPEN_INVOICES, _invoices),
        ("parked applications", PARKED_APPLICATIONS, _parked),
    ):
        small, large = (_microseconds_an_event(ballast(size)) for size in (_SMALL, count))
        label = f"{count:,} {name} in one account"
        print(f"{label:<43}{large:>6.1f} us an event  {large / small:.2f} x {_SMALL} of them")
    print(f"advice of one midnight for {OPEN_INVOICES:,} overdue {_midnight(OPEN_INVOICES):>6.2f} s")


def _microseconds_an_event(ballast: Iterator[Event]) -> float:
    """What the fold and its state records cost for one more event of the account, in CPU time."""
    fold = _opened(ballast)
    more = list(_business(_MEASURED // 3))
    started = time.process_time()
    _take(fold, more)
    return (time.process_time() - started) / len(more) * 1e6


def _midnight(count: int) -> float:
    """Seconds of the midnight after the invoices came in, all of them overdue."""
    fold = _opened(_invoice(f"I{number}", 10_000, due=_TODAY - 3) for number in range(count))
    started = time.process_time()
    fold.step(_event("ClockTicked", "midnight", at=(_TODAY + 1) * _DAY))
    return time.process_time() - started


def _opened(ballast: Iterable[Event]) -> Fold:
    fold = Fold()
    fold.step(_event("CompanyConfigured", "settings", version="1", settings='{"code": "FR01"}'))
    fold.step(_event("ClockTicked", "tick", at=_TODAY * _DAY))
    _take(fold, ballast)
    return fold


def _take(fold: Fold, events: Iterable[Event]) -> None:
    for number, event in enumerate(events, start=1):
        fold.step(event)
        if number % _BATCH == 0:
            fold.take_changes()
    fold.take_changes()


def _invoices(count: int) -> Iterator[Event]:
    for number in range(count):
        yield _invoice(f"I{number}", 10_000, due=_TODAY + 30)


def _parked(count: int) -> Iterator[Event]:
    """Payments whose applications wait for invoices that have not come."""
    for number in range(count):
        yield _payment(f"P{number}", 10_000)
        yield _application(f"A{number}", f"P{number}", f"X{number}", 5_000)
    yield from _invoices(_SMALL)


def _business(count: int) -> Iterator[Event]:
    """An invoice, a payment, and the payment applied to one of the invoices that were there before."""
    draw = random.Random(1)
    for number in range(count):
        yield _invoice(f"M{number}", 10_000, due=_TODAY + 30)
        yield _payment(f"N{number}", 100)
        yield _application(f"N{number}", f"N{number}", f"I{draw.randrange(_SMALL)}", 1)


def _invoice(invoice_id: str, amount: int, due: int) -> Event:
    return _event("InvoiceIssued", f"i{invoice_id}", invoice_id=invoice_id, document_type="invoice",
                  amount_minor=amount, currency="EUR", document_date=_TODAY, due_date=due)  # fmt: skip


def _payment(payment_id: str, amount: int) -> Event:
    return _event("PaymentReceived", f"p{payment_id}", payment_id=payment_id, amount_minor=amount, currency="EUR",
                  value_date=_TODAY, on_account=False)  # fmt: skip


def _application(application_id: str, payment_id: str, invoice_id: str, amount: int) -> Event:
    return _event("CashApplied", f"a{application_id}", application_id=application_id, payment_id=payment_id,
                  invoice_id=invoice_id, amount_minor=amount, amount_scale=2, method="auto")  # fmt: skip


def _event(name: str, event_id: str, **payload: object) -> Event:
    """An event of the one account, with None for what is not given."""
    event_type = EVENT_TYPES[name]
    at = _TODAY * _DAY
    given = {"event_id": event_id, "company": "FR01", "account_id": "C1", "occurred_at": at, "recorded_at": at,
             "region": "", **payload}  # fmt: skip
    return msgspec.convert({field: given.get(field) for field in event_type.__struct_fields__}, event_type)


if __name__ == "__main__":
    main()
