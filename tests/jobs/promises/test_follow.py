"""Which promise counts which cash (SEMANTICS 3.2, 3.5, 3.11), and how long promises are remembered (1.8)."""

import pytest

from tests.jobs.desk import Desk


@pytest.fixture
def desk() -> Desk:
    """Invoices I1 and I2 of 100.00 each, on Thursday 2 April."""
    desk = Desk(timezone="Europe/Paris")
    desk.tick("2026-04-02T09:00:00Z")
    desk.invoice("I1", "100.00")
    desk.invoice("I2", "100.00")
    return desk


def paid(desk: Desk, promise_id: str) -> tuple[int, int]:
    """(in the window, late)"""
    promise = desk.promises[promise_id]
    return promise.paid_in_window_minor, promise.paid_late_minor


def test_cash_applied_before_the_promise_was_recorded_does_not_count_though_it_is_of_that_day(desk: Desk) -> None:
    desk.pay("R1", "40.00")
    desk.promise("P1", "100.00", "2026-04-10", "I1")
    desk.pay("R2", "10.00")
    assert paid(desk, "P1") == (1_000, 0)
    desk.unapply("A-R1")
    assert paid(desk, "P1") == (1_000, 0)


def test_a_promise_that_was_kept_leaves_the_cash_to_the_one_that_follows_it(desk: Desk) -> None:
    desk.promise("P1", "40.00", "2026-04-10", "I1")
    desk.pay("R1", "40.00")
    desk.promise("P2", "60.00", "2026-04-10", "I1")
    desk.pay("R2", "60.00")
    assert (paid(desk, "P1"), paid(desk, "P2")) == ((4_000, 0), (6_000, 0))


def test_a_broken_one_is_paid_late_by_what_keeps_the_one_that_follows_it(desk: Desk) -> None:
    desk.promise("P1", "100.00", "2026-04-03", "I1")
    desk.tick("2026-04-07T09:00:00Z")
    desk.promise("P2", "100.00", "2026-04-10", "I1")
    desk.pay("R1", "100.00")
    assert (paid(desk, "P1"), desk.status("P1")) == ((0, 10_000), "broken")
    assert (paid(desk, "P2"), desk.status("P2")) == ((10_000, 0), "kept")
    assert [row.status for row in desk.rows("promise_broken")] == ["raised", "resolved"]


def test_one_of_the_account_counts_where_the_naming_one_cannot(desk: Desk) -> None:
    desk.promise("ALL", "200.00", "2026-04-20")
    desk.promise("ONE", "100.00", "2026-04-03", "I1")
    desk.tick("2026-04-07T09:00:00Z")
    desk.pay("R1", "70.00")
    assert (paid(desk, "ONE"), paid(desk, "ALL")) == ((0, 7_000), (7_000, 0))


def test_credits_are_no_cash(desk: Desk) -> None:
    desk.promise("P1", "200.00", "2026-04-10", "I1", "I2")
    desk.credit_memo("M1", "50.00")
    desk.apply("A1", "50.00", credit_memo_id="M1")
    assert paid(desk, "P1") == (0, 0)
    assert desk.promises["P1"].effective_amount_minor == 15_000


def test_what_a_parked_application_brings_counts_when_it_is_applied(desk: Desk) -> None:
    desk.payment("R1", "30.00")
    desk.apply("A1", "30.00", invoice_id="I9")
    desk.invoice("I9", "30.00")
    desk.promise("P1", "30.00", "2026-04-10", "I9")
    assert desk.status("P1") == "void"


def test_cash_that_moves_from_one_covered_invoice_to_another_counts_once(desk: Desk) -> None:
    desk.promise("P1", "200.00", "2026-04-10", "I1", "I2")
    desk.pay("R1", "80.00", "I1")
    desk.unapply("A-R1")
    desk.apply("A2", "80.00", invoice_id="I2")
    assert paid(desk, "P1") == (8_000, 0)


def test_a_reversal_thirteen_months_later_still_finds_it_and_it_goes_after_that(desk: Desk) -> None:
    desk.promise("P1", "100.00", "2026-04-10", "I1")
    desk.pay("R1", "100.00")
    desk.tick("2027-05-05T09:00:00Z")
    desk.restart()
    assert desk.fold.statistics()["promise"] == 1
    desk.reverse("R1")
    assert desk.status("P1") == "broken"
    desk.tick("2028-06-07T09:00:00Z")
    desk.fold.take_changes()
    assert desk.fold.statistics()["promise"] == 1
    desk.tick("2028-06-09T09:00:00Z")
    desk.fold.take_changes()
    assert desk.fold.statistics()["promise"] == 0


def test_what_was_promised_for_an_invoice_goes_with_it(desk: Desk) -> None:
    desk.promise("P1", "100.00", "2026-04-10", "I1")
    desk.pay("R1", "100.00")
    desk.fold.take_changes()
    desk.tick("2027-12-31T09:00:00Z")
    desk.fold.take_changes()
    counts = desk.fold.statistics()
    assert (counts["document"], counts["coverage"], counts["promise"]) == (1, 0, 0)
