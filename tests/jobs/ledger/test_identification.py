"""Unidentified cash finds its account, and what was sent for it meanwhile waits (SEMANTICS 4.1, 4.2, 4.5)."""

import pytest

from jobs.events import PaymentIdentified
from tests.jobs.books import day, reason
from tests.jobs.desk import Desk


@pytest.fixture
def desk() -> Desk:
    """75.00 of Monday 2 March of which nobody knows whose they are; invoice I1 of 100.00 of C1."""
    desk = Desk()
    desk.tick("2026-03-02T09:00:00Z")
    desk.invoice("I1", "100.00", due_date="2026-12-31")
    desk.payment("R1", "75.00", account_id=None)
    return desk


def rejections(desk: Desk) -> list[tuple[str, str]]:
    return [(rejection.event_type, rejection.reason) for rejection in desk.out.rejections]


def test_the_account_owns_it_from_its_value_date_recorded_at_the_identification(desk: Desk) -> None:
    desk.tick("2026-03-04T09:00:00Z")
    before = desk.now
    desk.tick("2026-03-04T10:00:00Z")
    desk.identify("R1", "C1")
    assert desk.aging("2026-03-02").unapplied == 7_500
    assert desk.aging("2026-03-04", known_as_of=before).unapplied == 0
    assert (desk.receipt("R1").status, desk.receipt("R1").account_id) == ("unapplied", "C1")
    desk.apply("A1", "75.00")
    assert desk.receipt("R1").status == "applied"


def test_before_that_it_is_unknown_to_everybody(desk: Desk) -> None:
    assert reason(desk.apply("A1", "75.00")) == "unknown_payment"
    assert reason(desk.reverse("R1")) == "unknown_payment"
    assert desk.apply("A1", "75.00", payment_id="R1").outcome == "rejected"


@pytest.mark.parametrize("again", [None, "C1"])
def test_hearing_of_it_once_more_is_a_duplicate_of_other_content_a_conflict(desk: Desk, again: str | None) -> None:
    desk.identify("R1", "C1")
    assert desk.payment("R1", "75.00", account_id=again).outcome == "duplicate"
    assert reason(desk.payment("R1", "76.00", account_id=again)) == "conflicting_duplicate"


class TestRefused:
    def test_where_there_is_no_such_payment(self, desk: Desk) -> None:
        desk.identify("R9", "C1")
        assert rejections(desk) == [("PaymentIdentified", "unknown_payment")]

    def test_where_it_has_bounced(self, desk: Desk) -> None:
        desk.reverse("R1", account_id=None)
        desk.identify("R1", "C1")
        assert rejections(desk) == [("PaymentIdentified", "unknown_payment")]

    def test_where_the_account_has_another_payment_of_that_id(self, desk: Desk) -> None:
        """Nothing is lost: the cash is unidentified again, and may go back to its payer."""
        desk.payment("R1", "80.00", account_id="C1")
        desk.identify("R1", "C1")
        assert rejections(desk) == [("PaymentIdentified", "conflicting_duplicate")]
        assert (desk.receipt("R1").account_id, desk.receipt("R1").status) == ("", "unidentified")
        assert desk.aging("2026-03-02").unapplied == 8_000
        assert desk.reverse("R1", account_id=None).outcome == "applied"
        assert desk.receipt("R1").status == "reversed"
        assert desk.aging("2026-03-02").unapplied == 8_000

    def test_where_another_account_has_it(self, desk: Desk) -> None:
        desk.identify("R1", "C1")
        desk.identify("R1", "C1")
        assert rejections(desk) == []
        desk.identify("R1", "C2")
        assert rejections(desk) == [("PaymentIdentified", "conflicting_duplicate")]
        assert desk.receipt("R1").account_id == "C1"

    def test_without_an_account(self, desk: Desk) -> None:
        assert reason(desk.record(PaymentIdentified, payment_id="R1", account_id=None)) == "unknown_document"


class TestOnItsWay:
    """Two hops between partitions: what follows the identification finds the receipt however soon it comes."""

    def test_an_application_waits_for_it(self, desk: Desk) -> None:
        desk.held = True
        desk.identify("R1", "C1")
        assert desk.apply("A1", "75.00").outcome == "applied"
        assert desk.item("I1").open_minor == 10_000
        desk.deliver()
        assert desk.item("I1").open_minor == 2_500
        assert desk.receipt("R1").status == "applied"

    def test_so_does_everything_else_in_order(self, desk: Desk) -> None:
        desk.held = True
        desk.identify("R1", "C1")
        desk.apply("A1", "30.00")
        desk.unapply("A1")
        desk.refund("R1", "5.00")
        desk.park("R1")
        desk.deliver()
        assert rejections(desk) == []
        receipt = desk.receipt("R1")
        assert (receipt.status, receipt.unapplied_minor, receipt.refunded_minor) == ("on_account", 7_000, 500)

    def test_where_it_does_not_come_what_waited_is_judged_without_it(self, desk: Desk) -> None:
        desk.held = True
        desk.identify("R9", "C1")
        desk.apply("A1", "75.00", payment_id="R9")
        desk.deliver()
        assert rejections(desk) == [("PaymentIdentified", "unknown_payment"), ("CashApplied", "unknown_payment")]

    def test_what_the_bank_says_of_it_meanwhile_follows_it(self, desk: Desk) -> None:
        desk.held = True
        desk.identify("R1", "C1")
        desk.deliver(1)
        desk.reverse("R1", account_id=None)
        desk.deliver()
        assert (desk.receipt("R1").status, desk.aging("2026-03-02").total) == ("reversed", 10_000)

    def test_a_remittance_that_waited_for_it_joins_it(self, desk: Desk) -> None:
        desk.remit("T1", ("I1", "75.00"))
        desk.identify("R1", "C1")
        assert desk.receipt("R1").status == "applied"
        assert desk.item("I1").open_minor == 2_500

    def test_the_value_date_stays(self, desk: Desk) -> None:
        desk.tick("2026-03-20T09:00:00Z")
        desk.identify("R1", "C1")
        assert desk.receipt("R1").value_date == day("2026-03-02")
