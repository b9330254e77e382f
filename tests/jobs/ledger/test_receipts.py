"""Receipts: received, placed on account, refunded, reversed (SEMANTICS 2.9, 4.1)."""

import pytest

from jobs.events import PaymentIdentified
from tests.jobs.books import Books, iso, minor, nothing, reason


@pytest.fixture
def books() -> Books:
    opened = Books(start="2026-03-02T09:00:00Z")
    opened.invoice("I1", "100.00", due_date="2026-03-31")
    return opened


def state(books: Books) -> tuple[str, int, int]:
    """(status, unapplied, applied)."""
    receipt = books.receipt("R1")
    return receipt.status, receipt.unapplied_minor, receipt.applied_minor


class TestStates:
    def test_unapplied_then_partially_applied_then_applied(self, books: Books) -> None:
        books.payment("R1", "80.00")
        assert state(books) == ("unapplied", 8000, 0)
        books.apply("A1", "30.00")
        assert state(books) == ("partially_applied", 5000, 3000)
        books.apply("A2", "50.00")
        assert state(books) == ("applied", 0, 8000)

    def test_on_account_stays_on_account_while_something_is_left(self, books: Books) -> None:
        books.payment("R1", "80.00", on_account=True)
        assert state(books) == ("on_account", 8000, 0)
        books.apply("A1", "30.00")
        assert state(books) == ("on_account", 5000, 3000)
        books.apply("A2", "50.00")
        assert state(books) == ("applied", 0, 8000)
        books.unapply("A2")
        assert state(books) == ("on_account", 5000, 3000)

    def test_refunded_whole_in_part_or_beside_an_application(self, books: Books) -> None:
        books.payment("R1", "80.00")
        books.refund("R1", "20.00")
        assert state(books) == ("unapplied", 6000, 0)
        books.apply("A1", "30.00")
        assert state(books) == ("partially_applied", 3000, 3000)
        books.refund("R1", "30.00")
        assert state(books) == ("applied", 0, 3000)
        assert books.receipt("R1").refunded_minor == minor("50.00")
        books.payment("R2", "5.00")
        books.refund("R2", "5.00")
        assert books.receipt("R2").status == "refunded"

    def test_reversed_it_has_nothing_left_and_nothing_applied(self, books: Books) -> None:
        books.payment("R1", "80.00")
        books.apply("A1", "30.00")
        books.reverse("R1")
        assert state(books) == ("reversed", 0, 0)

    def test_without_an_account_it_is_unidentified_and_in_nobodys_balance(self, books: Books) -> None:
        books.payment("R1", "80.00", account_id=None)
        assert state(books) == ("unidentified", 8000, 0)
        assert [entry.item_id for entry in books.out.entries] == ["I1"]
        assert reason(books.apply("A1", "1.00")) == "unknown_payment"
        books.record(PaymentIdentified, payment_id="R1")
        assert state(books) == ("unapplied", 8000, 0)
        assert books.live().unapplied_minor == minor("80.00")


class TestReceived:
    def test_it_is_a_negative_line_aged_from_its_value_date(self, books: Books) -> None:
        books.payment("R1", "80.00", value_date="2026-03-20", method="wire")
        entry = books.out.entries[-1]
        assert (entry.item_type, entry.balance_class, entry.delta_minor, entry.method) == (
            "payment", "unapplied", -8000, "wire",
        )  # fmt: skip
        assert (iso(entry.effective_date), iso(entry.due_date)) == ("2026-03-20", "2026-03-20")
        assert entry.value_date == entry.effective_date
        assert books.live().unapplied_minor == 0
        books.tick("2026-03-20T00:00:00Z")
        assert books.live().unapplied_minor == minor("80.00")

    def test_what_is_no_payment_is_rejected_with_its_reason(self, books: Books) -> None:
        assert reason(books.payment("R1", "-1.00")) == "wrong_sign"
        assert reason(books.payment("R1", "1", currency="XXY")) == "invalid_amount"
        assert nothing(books.payment("R1", "0.00"))
        books.payment("R1", "1.00")
        assert books.payment("R1", "1.00").outcome == "duplicate"
        assert reason(books.payment("R1", "1.00", method="cheque")) == "conflicting_duplicate"


class TestPlacedOnAccount:
    def test_what_is_unapplied_changes_its_column_from_that_day_on(self, books: Books) -> None:
        books.payment("R1", "80.00")
        books.tick("2026-03-10T09:00:00Z")
        books.park("R1")
        before, after = books.aging("2026-03-09"), books.aging("2026-03-10")
        assert (before.unapplied, before.on_account) == (8000, 0)
        assert (after.unapplied, after.on_account) == (0, 8000)
        assert before.total == after.total

    def test_only_once_and_only_what_is_there(self, books: Books) -> None:
        assert reason(books.park("R1")) == "unknown_payment"
        books.payment("R1", "80.00")
        assert reason(books.park("R1", account_id="C2")) == "unknown_payment"
        books.park("R1")
        assert books.park("R1").outcome == "duplicate"
        books.payment("R2", "80.00")
        books.reverse("R2")
        assert books.park("R2").outcome == "duplicate"


class TestRefunded:
    def test_it_leaves_on_its_date_and_not_before_the_money_came(self, books: Books) -> None:
        books.payment("R1", "80.00", value_date="2026-03-10")
        books.refund("R1", "30.00", effective_date="2026-03-05")
        assert [books.aging(f"2026-03-{on}").unapplied for on in ("09", "10")] == [0, 5000]

    def test_what_does_not_fit_is_rejected_with_its_reason(self, books: Books) -> None:
        assert reason(books.refund("R1", "1.00")) == "unknown_payment"
        books.payment("R1", "80.00")
        books.apply("A1", "30.00")
        assert reason(books.refund("R1", "50.01")) == "over_application"
        assert reason(books.refund("R1", "-1.00")) == "wrong_sign"
        assert reason(books.refund("R1", "1.001")) == "invalid_amount"
        assert reason(books.refund("R1", "1.00", currency="USD")) == "currency_mismatch"
        assert nothing(books.refund("R1", "0.00"))
        books.reverse("R1")
        assert reason(books.refund("R1", "1.00")) == "over_application"


class TestReversed:
    def test_its_invoices_reopen_with_their_original_due_dates(self, books: Books) -> None:
        books.invoice("I2", "50.00", due_date="2026-06-30")
        books.payment("R1", "150.00")
        books.apply("A1", "100.00")
        books.apply("A2", "50.00", invoice_id="I2")
        books.tick("2026-05-15T09:00:00Z")
        books.reverse("R1")
        assert books.buckets() == {"31-60": minor("100.00"), "not_due": minor("50.00")}
        assert books.aging("2026-05-14").total == 0

    def test_what_was_refunded_does_not_come_back(self, books: Books) -> None:
        books.payment("R1", "80.00")
        books.refund("R1", "30.00")
        books.tick("2026-03-10T09:00:00Z")
        books.reverse("R1")
        assert books.aging("2026-03-10").unapplied == 0
        assert books.live().total_minor == minor("100.00")

    def test_dated_before_a_refund_it_is_zero_from_its_own_date_on(self, books: Books) -> None:
        books.payment("R1", "80.00")
        books.refund("R1", "30.00", effective_date="2026-03-20")
        books.reverse("R1", effective_date="2026-03-10")
        assert [books.aging(f"2026-03-{on}").unapplied for on in ("09", "10", "20", "25")] == [8000, 0, 0, 0]

    def test_cash_on_account_leaves_its_column(self, books: Books) -> None:
        books.payment("R1", "80.00")
        books.tick("2026-03-05T09:00:00Z")
        books.park("R1")
        books.tick("2026-03-10T09:00:00Z")
        books.reverse("R1")
        live = books.live()
        assert (live.unapplied_minor, live.on_account_minor, live.total_minor) == (0, 0, 10_000)

    def test_only_once_and_only_what_is_there(self, books: Books) -> None:
        assert reason(books.reverse("R1")) == "unknown_payment"
        books.payment("R1", "80.00")
        assert reason(books.reverse("R1", account_id="C2")) == "unknown_payment"
        assert reason(books.reverse("R1", account_id=None)) == "unknown_payment"
        books.reverse("R1")
        assert books.reverse("R1", effective_date="2026-03-20").outcome == "duplicate"
        assert reason(books.apply("A1", "1.00")) == "over_application"
