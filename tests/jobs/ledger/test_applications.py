"""Applications, parked ones, small balances, and the way back (SEMANTICS 1.3, 4.4, 4.6, 2.9)."""

import pytest

from tests.jobs.books import Books, iso, minor, nothing, reason


@pytest.fixture
def books() -> Books:
    opened = Books(start="2026-03-02T09:00:00Z")
    opened.invoice("I1", "100.00", due_date="2026-03-31")
    opened.payment("R1", "80.00")
    return opened


class TestEffectiveDate:
    @pytest.mark.parametrize(
        ("posted", "value", "applied", "expected"),
        [
            ("2026-03-05", "2026-03-04", "2026-03-03", "2026-03-05"),
            ("2026-03-03", "2026-03-05", "2026-03-04", "2026-03-05"),
            ("2026-03-03", "2026-03-04", "2026-03-05", "2026-03-05"),
        ],
    )
    def test_it_is_the_latest_of_three(self, posted: str, value: str, applied: str, expected: str) -> None:
        books = Books(start="2026-03-02T09:00:00Z")
        books.invoice("I1", "100.00", posting_date=posted)
        books.payment("R1", "80.00", value_date=value)
        books.apply("A1", "30.00", effective_date=applied)
        assert {iso(entry.effective_date) for entry in books.out.entries if entry.cause_id == "A1"} == {expected}

    def test_without_its_own_it_is_the_local_date_on_which_it_occurred(self) -> None:
        books = Books(start="2026-03-02T20:00:00Z", timezone="Asia/Tokyo")
        books.invoice("I1", "100.00")
        books.payment("R1", "80.00")
        books.apply("A1", "30.00", occurred_at="2026-03-04T16:00:00Z")
        assert iso(books.out.entries[-1].effective_date) == "2026-03-05"


class TestApplied:
    def test_both_sides_are_posted_in_one_step_with_what_an_analyst_needs(self, books: Books) -> None:
        books.apply("A1", "30.00", method="auto")
        invoice, payment = books.out.entries[-2:]
        assert (invoice.item_id, invoice.delta_minor, payment.item_id, payment.delta_minor) == ("I1", -3000, "R1", 3000)
        for entry in (invoice, payment):
            assert (entry.entry_type, entry.cause_id, entry.method, entry.event_id) == (
                "application",
                "A1",
                "auto",
                "3",
            )
            assert iso(entry.value_date or entry.due_date) == "2026-03-02"
        assert books.live().total_minor == minor("20.00")

    def test_a_named_instalment_is_filled_and_no_other(self) -> None:
        books = Books(start="2026-03-02T09:00:00Z")
        books.invoice("I1", "100.00", instalments=[(1, "2026-03-31", "60.00"), (2, "2026-04-30", "40.00")])
        books.payment("R1", "80.00")
        books.apply("A1", "40.00", instalment=2)
        assert [part.open_minor for part in books.item("I1").instalments] == [6000, 0]
        assert reason(books.apply("A2", "0.01", instalment=2)) == "over_application"
        assert reason(books.apply("A2", "60.01", instalment=1)) == "over_application"
        assert reason(books.apply("A2", "1.00", instalment=3)) == "unknown_document"

    def test_over_counts_whatever_is_recorded(self, books: Books) -> None:
        books.apply("A1", "70.00", effective_date="2027-01-01")
        assert reason(books.apply("A2", "10.01")) == "over_application"
        books.payment("R2", "50.00")
        assert reason(books.apply("A2", "30.01", payment_id="R2")) == "over_application"
        assert books.apply("A2", "30.00", payment_id="R2").outcome == "applied"

    def test_a_credit_memo_cannot_be_paid(self, books: Books) -> None:
        books.credit_memo("M1", "10.00")
        assert reason(books.apply("A1", "5.00", invoice_id="M1")) == "wrong_sign"

    def test_an_application_of_zero_changes_nothing(self, books: Books) -> None:
        assert nothing(books.apply("A1", "0.00"))
        assert nothing(books.apply("A1", "0.00", payment_id="NONE"))
        assert books.apply("A1", "5.00").outcome == "applied"

    def test_what_names_no_source_is_rejected(self, books: Books) -> None:
        assert reason(books.apply("A1", "5.00", payment_id=None)) == "unknown_payment"
        assert reason(books.apply("A1", "5.00", payment_id="R2")) == "unknown_payment"
        assert reason(books.apply("A1", "5.00", account_id="C2")) == "unknown_payment"
        assert reason(books.apply("A1", "5.00", credit_memo_id="M1")) == "unknown_document"

    def test_reasons_have_an_order(self, books: Books) -> None:
        books.payment("R2", "1.00", currency="USD")
        books.invoice("I2", "1.00")
        books.cancel("I2")
        assert reason(books.apply("A1", "-9.00", payment_id="NONE", invoice_id="I2")) == "unknown_payment"
        assert reason(books.apply("A1", "-9.00", payment_id="R2", invoice_id="I2")) == "document_cancelled"
        assert reason(books.apply("A1", "-9.00", payment_id="R2")) == "currency_mismatch"
        assert reason(books.apply("A1", "-900.00")) == "wrong_sign"
        assert reason(books.apply("A1", "900.00")) == "over_application"

    def test_decimals_and_a_currency_of_its_own_are_checked(self, books: Books) -> None:
        assert reason(books.apply("A1", "5.001")) == "invalid_amount"
        assert reason(books.apply("A1", "5.00", currency="USD")) == "currency_mismatch"
        assert books.apply("A1", "5.00", currency="EUR").outcome == "applied"

    def test_the_same_application_again_is_a_duplicate_or_a_conflict(self, books: Books) -> None:
        books.apply("A1", "30.00")
        assert books.apply("A1", "30").outcome == "duplicate"
        assert books.apply("A1", "30.00", effective_date="2026-03-02").outcome == "duplicate"
        assert reason(books.apply("A1", "30.00", effective_date="2026-03-03")) == "conflicting_duplicate"
        assert reason(books.apply("A1", "31.00")) == "conflicting_duplicate"
        books.unapply("A1")
        assert books.apply("A1", "30.00").outcome == "duplicate"
        assert books.item("I1").open_minor == minor("100.00")


class TestParked:
    def test_it_waits_and_holds_nothing_back(self, books: Books) -> None:
        assert books.apply("A1", "80.00", invoice_id="I9").outcome == "applied"
        assert (books.receipt("R1").status, books.live().unapplied_minor) == ("unapplied", 8000)
        books.apply("A2", "50.00")
        books.invoice("I9", "80.00")
        assert [(rejected.event_id, rejected.reason) for rejected in books.out.rejections] == [
            ("3", "over_application")
        ]
        assert books.item("I9").open_minor == minor("80.00")
        assert books.apply("A1", "30.00", invoice_id="I9").outcome == "applied"

    def test_it_takes_effect_when_its_invoice_posts(self, books: Books) -> None:
        books.apply("A1", "30.00", invoice_id="I9")
        books.tick("2026-03-20T09:00:00Z")
        books.invoice("I9", "30.00", posting_date="2026-03-15")
        assert [books.open_at("I9", f"2026-03-{on}") for on in ("14", "15")] == [0, 0]
        assert [books.open_at("R1", f"2026-03-{on}", "payment") for on in ("14", "15")] == [-8000, -5000]
        assert books.item("I9").status == "paid"

    def test_several_are_applied_in_order_of_arrival(self, books: Books) -> None:
        for application_id in ("Z", "M", "A"):
            books.apply(application_id, "40.00", invoice_id="I9")
        books.restart()
        books.invoice("I9", "60.00")
        applied = [entry.cause_id for entry in books.out.entries if entry.item_id == "I9" and entry.cause_id]
        assert applied == ["Z"]
        assert [rejected.event_id for rejected in books.out.rejections] == ["4", "5"]

    def test_taken_back_before_the_invoice_it_is_dropped(self, books: Books) -> None:
        books.apply("A1", "30.00", invoice_id="I9")
        assert books.unapply("A1").outcome == "applied"
        assert books.unapply("A1").outcome == "duplicate"
        books.invoice("I9", "30.00")
        assert books.item("I9").open_minor == minor("30.00")

    def test_its_payment_may_have_bounced_meanwhile(self, books: Books) -> None:
        books.apply("A1", "30.00", invoice_id="I9")
        books.reverse("R1")
        books.invoice("I9", "30.00")
        assert [rejected.reason for rejected in books.out.rejections] == ["over_application"]
        assert books.live().total_minor == minor("130.00")

    def test_another_accounts_invoice_of_that_number_is_not_it(self, books: Books) -> None:
        books.apply("A1", "30.00", invoice_id="I9")
        books.invoice("I9", "30.00", account_id="C2")
        assert books.item("I9").open_minor == minor("30.00")

    def test_the_same_application_again_is_a_duplicate_or_a_conflict(self, books: Books) -> None:
        books.apply("A1", "30.00", invoice_id="I9")
        assert books.apply("A1", "30.00", invoice_id="I9").outcome == "duplicate"
        assert reason(books.apply("A1", "31.00", invoice_id="I9")) == "conflicting_duplicate"


class TestSmallBalance:
    @pytest.fixture
    def tolerant(self) -> Books:
        books = Books(start="2026-03-02T09:00:00Z", small_balance={"EUR": "0.50"})
        books.invoice("I1", "100.00")
        books.payment("R1", "200.00")
        return books

    def test_a_short_payment_within_it_closes_the_invoice(self, tolerant: Books) -> None:
        tolerant.apply("A1", "99.50")
        assert (tolerant.item("I1").open_minor, tolerant.item("I1").status) == (0, "paid")
        entry = next(entry for entry in tolerant.out.entries if entry.reason == "small_balance")
        assert (entry.entry_type, entry.delta_minor, entry.cause_id) == ("write_off", -50, "A1")
        assert tolerant.live().total_minor == minor("-100.50")

    def test_a_shorter_one_does_not(self, tolerant: Books) -> None:
        tolerant.apply("A1", "99.49")
        assert tolerant.item("I1").open_minor == minor("0.51")

    def test_nor_one_of_a_disputed_invoice(self, tolerant: Books) -> None:
        tolerant.dispute("D1", "0.40")
        tolerant.apply("A1", "99.60")
        assert tolerant.item("I1").open_minor == minor("0.40")

    @pytest.mark.parametrize("how", ["unapplied", "reversed", "cancelled"])
    def test_it_goes_back_with_its_payment(self, tolerant: Books, how: str) -> None:
        tolerant.apply("A1", "99.60")
        if how == "unapplied":
            tolerant.unapply("A1")
        elif how == "reversed":
            tolerant.reverse("R1")
        else:
            tolerant.cancel("I1")
        cash = 0 if how == "reversed" else 20_000
        owed = 0 if how == "cancelled" else 10_000
        assert (tolerant.live().total_minor, tolerant.live().unapplied_minor) == (owed - cash, cash)
        assert tolerant.item("I1").open_minor == owed


class TestTakenBack:
    def test_the_invoice_is_open_and_the_cash_unapplied_from_its_date_on(self, books: Books) -> None:
        books.apply("A1", "30.00")
        books.tick("2026-03-20T09:00:00Z")
        books.unapply("A1", effective_date="2026-03-10")
        assert [books.open_at("I1", f"2026-03-{on}") for on in ("09", "10")] == [7000, 10_000]
        assert books.receipt("R1").status == "unapplied"

    def test_never_before_the_application_took_effect(self, books: Books) -> None:
        books.apply("A1", "30.00", effective_date="2026-03-15")
        books.unapply("A1", effective_date="2026-03-10")
        assert {iso(entry.effective_date) for entry in books.out.entries if entry.cause_id == "A1"} == {"2026-03-15"}

    def test_it_goes_back_to_the_instalments_it_came_from(self) -> None:
        books = Books(start="2026-03-02T09:00:00Z")
        books.invoice("I1", "100.00", instalments=[(1, "2026-03-31", "60.00"), (2, "2026-04-30", "40.00")])
        books.payment("R1", "80.00")
        books.apply("A1", "70.00")
        books.move_due_date("I1", "2026-01-31", instalment=2)
        books.unapply("A1")
        assert [part.open_minor for part in books.item("I1").instalments] == [6000, 4000]

    def test_only_once_and_only_what_is_there(self, books: Books) -> None:
        assert reason(books.unapply("A1")) == "unknown_document"
        books.apply("A1", "30.00")
        assert reason(books.unapply("A1", account_id="C2")) == "unknown_document"
        books.unapply("A1")
        assert books.unapply("A1").outcome == "duplicate"
