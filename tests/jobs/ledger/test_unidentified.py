"""What a bank says of cash whose owner it does not know: remittances go along, returns find it by reference."""

import pytest

from tests.jobs.books import reason
from tests.jobs.desk import Desk


@pytest.fixture
def desk() -> Desk:
    """Invoices I1 of 100.00 and I2 of 50.00 of C1; nothing paid yet."""
    desk = Desk()
    desk.tick("2026-03-02T09:00:00Z")
    desk.invoice("I1", "100.00", due_date="2026-12-31")
    desk.invoice("I2", "50.00", due_date="2026-12-31")
    return desk


class TestRemittance:
    def test_waits_with_the_cash_and_is_applied_when_that_is_identified(self, desk: Desk) -> None:
        desk.payment("R1", "150.00", account_id=None)
        desk.remit("M1", ("I1", "100.00"), ("I2", "50.00"), account_id=None, payment_id="R1")
        assert desk.item("I1").open_minor == 10_000
        desk.identify("R1", "C1")
        assert (desk.item("I1").status, desk.item("I2").status) == ("paid", "paid")
        assert desk.receipt("R1").status == "applied"

    def test_before_its_payment(self, desk: Desk) -> None:
        desk.remit("M1", ("I1", "100.00"), account_id=None, payment_id="R1")
        desk.payment("R1", "100.00", account_id=None)
        desk.identify("R1", "C1")
        assert desk.item("I1").status == "paid"

    def test_after_the_identification_follows_the_cash(self, desk: Desk) -> None:
        desk.payment("R1", "100.00", account_id=None)
        desk.identify("R1", "C1")
        desk.remit("M1", ("I1", "100.00"), account_id=None, payment_id="R1")
        assert desk.item("I1").status == "paid"

    def test_on_its_way_with_the_cash(self, desk: Desk) -> None:
        desk.held = True
        desk.payment("R1", "100.00", account_id=None)
        desk.identify("R1", "C1")
        desk.remit("M1", ("I1", "100.00"), account_id=None, payment_id="R1")
        desk.deliver()
        assert desk.item("I1").status == "paid"

    def test_a_second_one_of_the_same_content_is_a_duplicate_of_other_content_a_conflict(self, desk: Desk) -> None:
        desk.payment("R1", "100.00", account_id=None)
        desk.remit("M1", ("I1", "100.00"), account_id=None, payment_id="R1")
        again = desk.remit("M1", ("I1", "100.00"), account_id=None, payment_id="R1")
        assert again.outcome == "duplicate"
        assert reason(desk.remit("M1", ("I1", "99.00"), account_id=None, payment_id="R1")) == "conflicting_duplicate"
        desk.identify("R1", "C1")
        assert desk.item("I1").status == "paid"

    def test_that_names_neither_account_nor_payment_explains_nothing(self, desk: Desk) -> None:
        assert reason(desk.remit("M1", ("I1", "100.00"), account_id=None)) == "unknown_payment"

    def test_a_mismatch_is_flagged_at_the_account(self, desk: Desk) -> None:
        desk.payment("R1", "120.00", account_id=None)
        desk.remit("M1", ("I1", "100.00"), account_id=None, payment_id="R1")
        assert desk.exceptions == {}
        desk.identify("R1", "C1")
        assert desk.exceptions["M1/mismatch"].exception_type == "remittance_mismatch"


class TestReturn:
    @pytest.mark.parametrize("reference", ["E2E-1", "BANK-1"])
    def test_finds_unidentified_cash_by_what_the_bank_calls_it(self, desk: Desk, reference: str) -> None:
        desk.payment("R1", "100.00", account_id=None, end_to_end_id="E2E-1", bank_reference="BANK-1")
        assert desk.reverse("return-7", account_id=None, reference=reference).outcome == "applied"
        assert desk.receipt("R1").status == "reversed"

    def test_follows_it_to_its_account_and_reopens_the_invoice(self, desk: Desk) -> None:
        desk.payment("R1", "100.00", account_id=None, end_to_end_id="E2E-1")
        desk.identify("R1", "C1")
        desk.apply("A1", "100.00")
        assert desk.item("I1").status == "paid"
        desk.reverse("return-7", account_id=None, reference="E2E-1")
        assert desk.item("I1").open_minor == 10_000
        assert desk.receipt("R1").status == "reversed"

    def test_by_an_account_that_knows_whose_it_is(self, desk: Desk) -> None:
        desk.payment("R1", "100.00", account_id=None, end_to_end_id="E2E-1")
        desk.identify("R1", "C1")
        assert desk.reverse("return-7", reference="E2E-1").outcome == "applied"
        assert desk.receipt("R1").status == "reversed"

    @pytest.mark.parametrize("reference", ["E2E-1", "BANK-1"])
    def test_of_cash_that_came_with_its_account_and_is_used_up(self, desk: Desk, reference: str) -> None:
        """A direct debit that the table of payers knew, applied at once, comes back a week later."""
        desk.payment("R1", "100.00", end_to_end_id="E2E-1", bank_reference="BANK-1")
        desk.apply("A1", "100.00")
        assert desk.item("I1").status == "paid"
        assert desk.reverse("return-7", reference=reference).outcome == "applied"
        assert desk.item("I1").open_minor == 10_000
        assert reason(desk.reverse("return-8", account_id="C2", reference=reference)) == "unknown_payment"

    def test_of_cash_that_was_identified_and_is_used_up_by_its_account(self, desk: Desk) -> None:
        desk.payment("R1", "100.00", account_id=None, end_to_end_id="E2E-1")
        desk.identify("R1", "C1")
        desk.apply("A1", "100.00")
        assert desk.reverse("return-7", reference="E2E-1").outcome == "applied"
        assert desk.item("I1").open_minor == 10_000

    def test_references_are_forgotten_with_their_payment(self, desk: Desk) -> None:
        desk.payment("R1", "100.00", end_to_end_id="E2E-1", bank_reference="BANK-1")
        desk.apply("A1", "100.00")
        assert len(list(desk.fold._state.keys("reference"))) == 2
        desk.tick("2027-05-15T09:00:00Z")
        assert list(desk.fold._state.keys("receipt")) == []
        assert list(desk.fold._state.keys("reference")) == []

    def test_the_payment_id_counts_first(self, desk: Desk) -> None:
        desk.payment("R1", "100.00", account_id=None, end_to_end_id="E2E-1")
        desk.payment("R2", "100.00", account_id=None, end_to_end_id="E2E-2")
        desk.reverse("R2", account_id=None, reference="E2E-1")
        assert (desk.receipt("R1").status, desk.receipt("R2").status) == ("unidentified", "reversed")

    def test_of_several_payments_of_one_reference_none_is_guessed(self, desk: Desk) -> None:
        desk.payment("R1", "100.00", account_id=None, end_to_end_id="RENT")
        desk.payment("R2", "100.00", account_id=None, end_to_end_id="RENT")
        assert reason(desk.reverse("return-7", account_id=None, reference="RENT")) == "unknown_payment"
        desk.reverse("R1", account_id=None)
        assert desk.reverse("return-7", account_id=None, reference="RENT").outcome == "applied"
        assert desk.receipt("R2").status == "reversed"

    def test_told_twice_by_two_files_is_one(self, desk: Desk) -> None:
        desk.payment("R1", "100.00", account_id=None, end_to_end_id="E2E-1")
        desk.reverse("return-7", account_id=None, reference="E2E-1")
        assert desk.reverse("return-8", account_id=None, reference="E2E-1").outcome == "duplicate"

    def test_of_unknown_cash_is_refused(self, desk: Desk) -> None:
        assert reason(desk.reverse("return-7", account_id=None, reference="E2E-9")) == "unknown_payment"
        assert reason(desk.reverse("return-7", reference="E2E-9")) == "unknown_payment"
