"""What an event costs does not grow with its account: counted in entities read, changed and listed, and bytes written.

An account with a hundred thousand open invoices or fifty thousand parked applications costs what a small one does.
"""

from collections.abc import Callable
from typing import TypeVar

import msgspec
import pytest

from jobs import fold as fold_module
from jobs.state import State
from tests.jobs.desk import Desk

E = TypeVar("E", bound=msgspec.Struct)
Work = Callable[[Desk], object]

_FEW, _MANY = 5, 150
_NOISE = 1.25  # longer numbers take a byte more
_SEEN = 2  # a tick looks at the oldest event ids


class CountingState(State):
    """A state that counts what is asked of it."""

    operations = 0

    def get(self, entity: type[E], key: str) -> E | None:
        self.operations += 1
        return super().get(entity, key)

    def put(self, key: str, entity: msgspec.Struct) -> None:
        self.operations += 1
        super().put(key, entity)

    def listed(self, under: str) -> list[str]:
        found = super().listed(under)
        self.operations += 1 + len(found)
        return found


@pytest.fixture(autouse=True)
def counting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every fold of this module counts."""
    monkeypatch.setattr(fold_module, "State", CountingState)


def open_invoices(desk: Desk, count: int) -> None:
    for number in range(count):
        desk.invoice(f"B{number}", "10.00", due_date="2026-06-01")


def overdue_invoices(desk: Desk, count: int) -> None:
    for number in range(count):
        desk.invoice(f"B{number}", "10.00", document_date="2025-11-01", due_date="2025-12-01")


def unapplied_payments(desk: Desk, count: int) -> None:
    for number in range(count):
        desk.payment(f"B{number}", "7.00")


def parked_applications(desk: Desk, count: int) -> None:
    for number in range(count):
        desk.payment(f"B{number}", "7.00")
        desk.apply(f"B{number}", "1.00", payment_id=f"B{number}", invoice_id=f"X{number}")


def parked_applications_of_one_payment(desk: Desk, count: int) -> None:
    desk.payment("BIG", "9000.00")
    for number in range(count):
        desk.apply(f"B{number}", "1.00", payment_id="BIG", invoice_id=f"X{number}")


def invoices_paid_by_one_payment(desk: Desk, count: int) -> None:
    desk.payment("BIG", "9000.00")
    for number in range(count):
        desk.invoice(f"B{number}", "10.00", due_date="2026-06-01")
        desk.apply(f"B{number}", "10.00", payment_id="BIG", invoice_id=f"B{number}")


def open_promises(desk: Desk, count: int) -> None:
    for number in range(count):
        desk.invoice(f"B{number}", "10.00", due_date="2026-06-01")
        desk.promise(f"B{number}", "10.00", "2026-02-01", f"B{number}")


BALLAST = (
    open_invoices,
    overdue_invoices,
    unapplied_payments,
    parked_applications,
    parked_applications_of_one_payment,
    invoices_paid_by_one_payment,
    open_promises,
)
EVENTS: dict[str, Work] = {
    "an invoice": lambda desk: desk.invoice("N", "5.00", due_date="2026-06-01"),
    "an overdue invoice": lambda desk: desk.invoice("N", "5.00", due_date="2025-12-20", document_date="2025-12-01"),
    "a payment": lambda desk: desk.payment("N", "5.00"),
    "an application": lambda desk: desk.apply("N", "3.00", payment_id="P1"),
    "an application that parks": lambda desk: desk.apply("N", "3.00", payment_id="P1", invoice_id="X"),
    "an application taken back": lambda desk: desk.unapply("A2"),
    "a payment reversed": lambda desk: desk.reverse("P2"),
    "an adjustment": lambda desk: desk.adjust("N", "1.00", invoice_id="I1"),
    "a credit memo": lambda desk: desk.credit_memo("N", "5.00", invoice_id="I1"),
    "a write-off": lambda desk: desk.write_off("N", "5.00", invoice_id="I1"),
    "a cancellation": lambda desk: desk.cancel("I2"),
    "a due date": lambda desk: desk.move_due_date("I1", "2026-07-01"),
    "a dispute": lambda desk: desk.dispute("N", "5.00", invoice_id="I1"),
    "a promise": lambda desk: desk.promise("N", "5.00", "2026-02-01", "I1"),
    "a notice": lambda desk: desk.notice("N", 1, "I1"),
    "a remittance": lambda desk: desk.remit("N", ("I1", "3.00"), payment_id="P1"),
    "a credit limit": lambda desk: desk.change(credit_limit_minor=100),
    "a tick": lambda desk: desk.tick("2026-01-01T10:00:00Z"),
}


def cost(prepare: Callable[[Desk, int], None], count: int, work: Work) -> tuple[int, int]:
    """Operations on the state, and bytes of the records that were written."""
    desk = Desk()
    desk.invoice("I1", "50.00", due_date="2026-06-01")
    desk.invoice("I2", "50.00", due_date="2026-06-01")
    desk.payment("P2", "20.00")
    desk.apply("A2", "20.00", payment_id="P2", invoice_id="I2")
    desk.payment("P1", "20.00")
    prepare(desk, count)
    desk.fold.take_changes()
    state = desk.fold._state
    assert isinstance(state, CountingState)
    state.operations = 0
    work(desk)
    changes = desk.fold.take_changes()
    return state.operations, sum(len(value or b"") for key, value in changes if not key.startswith("seen"))


@pytest.mark.source
@pytest.mark.parametrize("prepare", BALLAST)
def test_an_event_costs_the_same_whatever_its_account_holds(prepare: Callable[[Desk, int], None]) -> None:
    for name, work in EVENTS.items():
        operations, written = cost(prepare, _FEW, work)
        operations_of_many, written_of_many = cost(prepare, _MANY, work)
        assert operations_of_many <= operations * _NOISE + _SEEN, name
        assert written_of_many <= written * _NOISE, name


@pytest.mark.source
def test_a_midnight_costs_the_items_that_change_and_the_advice_for_the_account_once() -> None:
    def midnight(desk: Desk) -> None:
        desk.tick("2026-01-02T00:00:00Z")

    quiet, _ = cost(open_invoices, _FEW, midnight)
    assert cost(open_invoices, _MANY, midnight)[0] <= quiet * _NOISE + _SEEN
    few, _ = cost(overdue_invoices, _FEW, midnight)
    many, _ = cost(overdue_invoices, _MANY, midnight)
    assert (many - few) / (_MANY - _FEW) <= 5  # each open item is listed, read with its promises, and nothing more
