"""What a payment is for, before or after it: joining, lines, deductions, mismatch (SEMANTICS 4.3)."""

import pytest

from tests.jobs.books import reason
from tests.jobs.desk import Desk


@pytest.fixture
def desk() -> Desk:
    """Invoices I1, I2, I3 of 100.00, on Monday 2 March."""
    desk = Desk()
    desk.tick("2026-03-02T09:00:00Z")
    for invoice in ("I1", "I2", "I3"):
        desk.invoice(invoice, "100.00", due_date="2026-12-31")
    return desk


def open_of(desk: Desk) -> list[int]:
    return [desk.item(invoice).open_minor for invoice in ("I1", "I2", "I3")]


class TestJoins:
    def test_the_payment_it_names_before_or_after(self, desk: Desk) -> None:
        desk.payment("R1", "100.00")
        desk.payment("R2", "100.00")
        desk.remit("T1", ("I1", "100.00"), payment_id="R2")
        desk.remit("T3", ("I2", "100.00"), payment_id="R3")
        desk.payment("R4", "100.00")
        assert open_of(desk) == [0, 10_000, 10_000]
        desk.payment("R3", "100.00")
        assert open_of(desk) == [0, 0, 10_000]
        assert [desk.receipt(each).status for each in ("R1", "R2", "R3", "R4")] == [
            "unapplied", "applied", "applied", "unapplied"
        ]  # fmt: skip

    def test_not_that_of_another_account(self, desk: Desk) -> None:
        desk.payment("R1", "100.00", account_id="C2")
        desk.remit("T1", ("I1", "100.00"), payment_id="R1")
        assert open_of(desk)[0] == 10_000

    @pytest.mark.parametrize(
        ("payments", "joined"),
        [
            ([("R1", "90.00", "2026-03-02"), ("R2", "100.00", "2026-03-02")], "R2"),
            ([("R1", "100.00", "2026-03-02"), ("R2", "100.00", "2026-03-01")], "R2"),
            ([("R1", "90.00", "2026-03-01"), ("R2", "80.00", "2026-02-27")], "R2"),
            ([("R1", "90.00", "2026-03-01"), ("R2", "80.00", "2026-03-01")], "R1"),
        ],
    )
    def test_the_oldest_of_equal_total_else_the_oldest(
        self, desk: Desk, payments: list[tuple[str, str, str]], joined: str
    ) -> None:
        for payment_id, amount, value_date in payments:
            desk.payment(payment_id, amount, value_date=value_date)
        desk.remit("T1", ("I1", "100.00"))
        assert desk.receipt(joined).applied_minor == desk.receipt(joined).amount_minor
        assert sum(desk.receipt(payment_id).applied_minor > 0 for payment_id, _, _ in payments) == 1

    def test_one_that_is_applied_in_part_only_where_none_is_unapplied(self, desk: Desk) -> None:
        desk.payment("R1", "100.00", value_date="2026-02-27")
        desk.apply("A1", "20.00", invoice_id="I3")
        desk.payment("R2", "90.00")
        desk.remit("T1", ("I1", "100.00"))
        assert open_of(desk) == [1_000, 10_000, 8_000]
        desk.remit("T2", ("I2", "80.00"))
        assert open_of(desk) == [1_000, 2_000, 8_000]

    @pytest.mark.parametrize("named", ["payer_reference", "end_to_end_id", "bank_reference"])
    def test_of_two_equal_ones_of_a_day_that_of_the_same_reference(self, desk: Desk, named: str) -> None:
        """The trace number that the payer's advice quotes, the bank has under one of its names for a transfer."""
        desk.payment("R1", "100.00", **{named: "A"})
        desk.payment("R2", "100.00", **{named: "B"})
        desk.remit("T1", ("I1", "100.00"), payer_reference="B")
        assert desk.receipt("R2").status == "applied"

    def test_one_that_waits_is_joined_by_the_payment_of_its_total(self, desk: Desk) -> None:
        desk.remit("T1", ("I1", "100.00"))
        desk.remit("T2", ("I2", "60.00"))
        desk.payment("R1", "60.00")
        assert open_of(desk) == [10_000, 4_000, 10_000]
        desk.payment("R2", "100.00")
        assert open_of(desk) == [0, 4_000, 10_000]

    def test_cash_on_account_only_where_it_is_named(self, desk: Desk) -> None:
        desk.payment("R1", "100.00", on_account=True)
        desk.remit("T1", ("I1", "100.00"))
        assert open_of(desk)[0] == 10_000
        desk.remit("T2", ("I2", "100.00"), payment_id="R1")
        assert open_of(desk)[1] == 0


class TestLines:
    def test_in_their_order_up_to_the_payment(self, desk: Desk) -> None:
        desk.payment("R1", "150.00")
        desk.remit("T1", ("I3", "100.00"), ("I1", "80.00"), ("I2", "10.00"))
        assert open_of(desk) == [5_000, 10_000, 0]
        mismatch = desk.exceptions["T1/mismatch"]
        assert (mismatch.subject_id, mismatch.amount_minor, mismatch.status) == ("R1", 4_000, "flagged")

    def test_what_a_refund_took_is_not_there(self, desk: Desk) -> None:
        desk.payment("R1", "100.00")
        desk.refund("R1", "30.00")
        desk.remit("T1", ("I1", "100.00"), payment_id="R1")
        assert open_of(desk)[0] == 3_000

    def test_one_that_does_not_fit_is_rejected_and_the_others_stand(self, desk: Desk) -> None:
        desk.invoice("D1", "10.00", currency="USD")
        desk.cancel("I3")
        desk.payment("R1", "310.00")
        desk.remit("T1", ("I1", "100.01"), ("D1", "10.00"), ("I3", "99.99"), ("I2", "100.00"))
        assert open_of(desk)[:2] == [10_000, 0]
        reasons = [rejection.reason for rejection in desk.out.rejections]
        assert reasons == ["over_application", "currency_mismatch", "document_cancelled"]

    def test_for_an_unknown_invoice_it_parks_with_its_share(self, desk: Desk) -> None:
        desk.payment("R1", "100.00")
        desk.remit("T1", ("I9", "60.00"), ("I1", "60.00"))
        assert (desk.receipt("R1").unapplied_minor, open_of(desk)[0]) == (6_000, 6_000)
        desk.invoice("I9", "60.00")
        assert (desk.receipt("R1").status, desk.item("I9").status, desk.out.rejections) == ("applied", "paid", [])

    def test_parked_and_no_longer_fitting_a_line_of_it_is_refused_and_not_an_application(self, desk: Desk) -> None:
        desk.payment("R1", "100.00")
        desk.remit("T1", ("I9", "60.00"), ("I1", "40.00"))
        desk.invoice("I9", "50.00")
        assert (desk.receipt("R1").unapplied_minor, open_of(desk)[0], desk.item("I9").open_minor) == (
            6_000, 6_000, 5_000,
        )  # fmt: skip
        (refused,) = desk.out.rejections
        assert (refused.event_type, refused.reason, refused.late) == ("RemittanceReceived", "over_application", True)

    def test_the_same_advice_again_is_a_duplicate_or_a_conflict(self, desk: Desk) -> None:
        desk.payment("R1", "50.00")
        desk.remit("T1", ("I1", "50.00"))
        assert desk.remit("T1", ("I1", "50.00")).outcome == "duplicate"
        assert reason(desk.remit("T1", ("I1", "51.00"))) == "conflicting_duplicate"
        assert reason(desk.remit("T2", ("I1", "-1.00"))) == "wrong_sign"
        assert reason(desk.remit("T2", ("I1", "1.00"), account_id=None)) == "unknown_payment"
