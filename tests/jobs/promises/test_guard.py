"""Cash on hand keeps a promise out of "broken" (SEMANTICS 3.4)."""

import pytest

from tests.jobs.desk import Desk


@pytest.fixture
def desk() -> Desk:
    """Invoice I1 of 100.00, promised on Thursday 2 April by Friday the 10th."""
    desk = Desk(timezone="Europe/Paris")
    desk.tick("2026-04-02T09:00:00Z")
    desk.invoice("I1", "100.00")
    desk.promise("P1", "100.00", "2026-04-10", "I1")
    return desk


def judged(desk: Desk) -> str:
    desk.tick("2026-04-11T09:00:00Z")
    return desk.status("P1")


@pytest.mark.parametrize(
    ("value_date", "expected"),
    [("2026-04-01", "broken"), ("2026-04-02", "pending_cash"), ("2026-04-10", "pending_cash"),
     ("2026-04-11", "broken")],
)  # fmt: skip
def test_it_lies_in_the_window(desk: Desk, value_date: str, expected: str) -> None:
    desk.payment("R1", "100.00", value_date=value_date)
    assert judged(desk) == expected


def test_several_receipts_count_together_on_account_or_not(desk: Desk) -> None:
    desk.payment("R1", "60.00", on_account=True)
    desk.payment("R2", "40.00")
    assert judged(desk) == "pending_cash"


def test_a_cent_less_than_the_remainder_does_not_cover_it(desk: Desk) -> None:
    desk.payment("R1", "60.00", on_account=True)
    desk.payment("R2", "39.99")
    assert judged(desk) == "broken"


def test_only_what_is_left_of_a_receipt(desk: Desk) -> None:
    desk.invoice("I2", "30.00")
    desk.payment("R1", "129.00")
    desk.apply("A1", "30.00", invoice_id="I2")
    assert judged(desk) == "broken"


def test_what_was_paid_back_bounced_or_is_nobodys_does_not_count(desk: Desk) -> None:
    desk.payment("R1", "100.00")
    desk.refund("R1", "1.00")
    desk.payment("R2", "100.00")
    desk.reverse("R2")
    desk.payment("R3", "100.00", account_id=None)
    desk.payment("R4", "100.00", account_id="C2")
    desk.payment("R5", "100.00", currency="USD")
    assert judged(desk) == "broken"


def test_the_remainder_is_that_of_the_threshold() -> None:
    desk = Desk(timezone="Europe/Paris", promise_threshold_percent="90")
    desk.tick("2026-04-02T09:00:00Z")
    desk.invoice("I1", "100.00")
    desk.promise("P1", "100.00", "2026-04-10", "I1")
    desk.pay("R1", "50.00")
    desk.payment("R2", "40.00")
    assert judged(desk) == "pending_cash"
    assert desk.rows("promise_pending_cash")[0].amount == 4_000


def test_an_instalment_that_waits_takes_its_share_before_the_next(desk: Desk) -> None:
    desk.invoice("I2", "200.00")
    parts = [(1, "2026-04-13", "100.00"), (2, "2026-04-14", "100.00")]
    desk.promise("P2", "200.00", "2026-04-14", "I2", instalments=parts)
    desk.pay("R0", "100.00", "I1")
    desk.payment("R1", "150.00")
    desk.tick("2026-04-15T09:00:00Z")
    assert [part.status for part in desk.promises["P2"].instalments] == ["pending_cash", "broken"]


def test_it_may_be_applied_elsewhere_and_is_waited_for_nevertheless(desk: Desk) -> None:
    desk.invoice("I2", "100.00")
    desk.payment("R1", "100.00")
    assert judged(desk) == "pending_cash"
    desk.apply("A1", "100.00", invoice_id="I2")
    assert desk.status("P1") == "pending_cash"
    desk.tick("2026-04-18T09:00:00Z")
    assert desk.status("P1") == "broken"
