"""Invoices and debit memos: issued, cancelled, adjusted, due later (SEMANTICS 1.5, 2.3, 2.4, 2.11)."""

import pytest

from tests.jobs.books import Books, iso, minor, nothing, reason


@pytest.fixture
def books() -> Books:
    return Books(start="2026-03-02T09:00:00Z")


def entries(books: Books, entry_type: str) -> list[tuple[int, str, str]]:
    """(delta, effective date, due date) of a kind of entry."""
    return [
        (entry.delta_minor, iso(entry.effective_date), iso(entry.due_date))
        for entry in books.out.entries
        if entry.entry_type == entry_type
    ]


class TestIssued:
    def test_the_whole_amount_is_posted_on_the_posting_date(self, books: Books) -> None:
        books.invoice("I1", "100.00", posting_date="2026-03-05", due_date="2026-03-31", reference="PO 7", region="EMEA")
        (entry,) = books.out.entries
        assert (entry.item_type, entry.item_id, entry.instalment, entry.balance_class) == (
            "invoice",
            "I1",
            0,
            "invoice",
        )
        assert (entry.delta_minor, iso(entry.effective_date), iso(entry.due_date)) == (
            10_000,
            "2026-03-05",
            "2026-03-31",
        )
        assert (entry.entry_type, entry.event_id, entry.entry_number, entry.region) == ("invoice", "1", 1, "EMEA")
        assert books.item("I1").reference == "PO 7"

    def test_each_instalment_is_a_line_of_its_own(self, books: Books) -> None:
        books.invoice("I1", "100.00", instalments=[(1, "2026-03-31", "60.00"), (2, "2026-04-30", "40.00")])
        assert entries(books, "invoice") == [(6000, "2026-03-02", "2026-03-31"), (4000, "2026-03-02", "2026-04-30")]

    def test_a_debit_memo_is_owed_like_an_invoice(self, books: Books) -> None:
        books.invoice("I1", "100.00", document_type="debit_memo", due_date="2026-03-31")
        assert entries(books, "debit_memo") == [(10_000, "2026-03-02", "2026-03-31")]
        assert books.live().total_minor == minor("100.00")

    def test_without_a_posting_date_it_posts_on_its_document_date(self, books: Books) -> None:
        books.invoice("I1", "1.00", document_date="2026-02-20")
        assert entries(books, "invoice") == [(100, "2026-02-20", "2026-02-20")]

    @pytest.mark.parametrize(
        ("payload", "why"),
        [
            ({"account_id": None}, "unknown_document"),
            ({"document_type": "credit_memo"}, "unknown_document"),
            ({"amount_minor": -1}, "wrong_sign"),
            ({"instalments": [(1, "2026-03-31", "60.00"), (2, "2026-04-30", "39.99")]}, "invalid_amount"),
            ({"instalments": [(1, "2026-03-31", "60.00"), (1, "2026-04-30", "40.00")]}, "invalid_amount"),
            ({"instalments": [(0, "2026-03-31", "100.00")]}, "invalid_amount"),
            ({"instalments": [(1, "2026-03-31", "120.00"), (2, "2026-04-30", "-20.00")]}, "wrong_sign"),
            ({"instalments": [(1, "2026-03-31", "100.00"), (2, "2026-04-30", "0.00")]}, "wrong_sign"),
        ],
    )
    def test_what_is_no_invoice_is_rejected(self, books: Books, payload: dict[str, object], why: str) -> None:
        minor_of = payload.pop("amount_minor", None)
        amount = "100.00" if minor_of is None else "-0.01"
        assert reason(books.invoice("I1", amount, **payload)) == why
        assert books.invoice("I1", "100.00").outcome == "applied"

    def test_a_code_that_is_no_currency_is_rejected(self, books: Books) -> None:
        assert reason(books.invoice("I1", "1", currency="XXY")) == "invalid_amount"

    def test_an_invoice_of_zero_is_taken_and_leaves_its_key_free(self, books: Books) -> None:
        assert nothing(books.invoice("I1", "0.00"))
        assert books.invoice("I1", "5.00").outcome == "applied"

    def test_issued_again_it_is_a_duplicate_or_a_conflict(self, books: Books) -> None:
        books.invoice("I1", "100.00", due_date="2026-03-31")
        assert books.invoice("I1", "100.00", due_date="2026-03-31", posting_date="2026-03-02").outcome == "duplicate"
        assert reason(books.invoice("I1", "100.00", due_date="2026-04-01")) == "conflicting_duplicate"
        assert reason(books.invoice("I1", "100.00", due_date="2026-03-31", reference="X")) == "conflicting_duplicate"
        books.cancel("I1")
        assert books.invoice("I1", "100.00", due_date="2026-03-31").outcome == "duplicate"

    def test_a_debit_memo_of_the_same_number_is_another_document(self, books: Books) -> None:
        books.invoice("I1", "100.00")
        assert books.invoice("I1", "70.00", document_type="debit_memo").outcome == "applied"
        assert books.live().total_minor == minor("170.00")


class TestCancelled:
    def test_it_nets_to_zero_from_the_effective_date(self, books: Books) -> None:
        books.invoice("I1", "100.00", due_date="2026-03-31")
        books.tick("2026-03-20T09:00:00Z")
        books.cancel("I1", effective_date="2026-03-10")
        assert [books.open_at("I1", on) for on in ("2026-03-09", "2026-03-10", "2026-03-20")] == [10_000, 0, 0]
        item = books.item("I1")
        assert (item.status, item.open_minor, iso(item.closed_date or item.due_date)) == ("cancelled", 0, "2026-03-10")

    def test_never_before_it_was_posted(self, books: Books) -> None:
        books.invoice("I1", "100.00", posting_date="2026-03-20")
        books.cancel("I1", effective_date="2026-03-01")
        assert entries(books, "cancellation") == [(-10_000, "2026-03-20", "2026-03-02")]

    def test_its_cash_is_unapplied_from_that_date(self, books: Books) -> None:
        books.invoice("I1", "100.00")
        books.payment("R1", "60.00")
        books.apply("A1", "60.00")
        books.tick("2026-03-20T09:00:00Z")
        books.cancel("I1")
        assert books.aging("2026-03-19").unapplied == 0
        assert books.aging("2026-03-20").unapplied == minor("60.00")
        assert books.receipt("R1").status == "unapplied"

    def test_its_credit_memo_is_open_again(self, books: Books) -> None:
        books.invoice("I1", "100.00")
        books.credit_memo("M1", "30.00", invoice_id="I1")
        books.cancel("I1")
        assert books.live().credits_minor == minor("30.00")

    def test_a_due_date_changed_before_stays_in_the_history(self, books: Books) -> None:
        books.invoice("I1", "100.00", due_date="2026-03-31")
        books.move_due_date("I1", "2026-02-01")
        books.tick("2026-03-20T09:00:00Z")
        books.cancel("I1")
        assert books.aging("2026-03-02").buckets["1-30"] == minor("100.00")
        assert books.aging("2026-03-20").total == 0

    def test_only_once_and_only_what_exists(self, books: Books) -> None:
        assert reason(books.cancel("I1")) == "unknown_document"
        books.invoice("I1", "100.00")
        assert reason(books.cancel("I1", account_id="C2")) == "unknown_document"
        books.cancel("I1")
        assert books.cancel("I1", effective_date="2026-03-05").outcome == "duplicate"


class TestAdjusted:
    def test_more_goes_to_the_instalment_due_last_and_less_to_the_oldest(self, books: Books) -> None:
        books.invoice("I1", "100.00", instalments=[(1, "2026-04-30", "60.00"), (2, "2026-03-31", "40.00")])
        books.adjust("J1", "5.00")
        books.adjust("J2", "-50.00")
        assert entries(books, "adjustment") == [
            (500, "2026-03-02", "2026-04-30"),
            (-4000, "2026-03-02", "2026-03-31"),
            (-1000, "2026-03-02", "2026-04-30"),
        ]

    def test_it_may_bring_the_invoice_to_zero_but_not_below(self, books: Books) -> None:
        books.invoice("I1", "100.00")
        assert reason(books.adjust("J1", "-100.01")) == "over_application"
        books.adjust("J1", "-100.00")
        assert (books.item("I1").open_minor, books.item("I1").status) == (0, "paid")
        books.adjust("J2", "1.00")
        assert (books.item("I1").open_minor, books.item("I1").status) == (100, "open")

    def test_dated_before_the_posting_it_takes_effect_with_it(self, books: Books) -> None:
        books.invoice("I1", "100.00", posting_date="2026-03-10")
        books.adjust("J1", "5.00", effective_date="2026-03-01")
        assert entries(books, "adjustment")[0][1] == "2026-03-10"

    def test_the_same_adjustment_again_is_a_duplicate_or_a_conflict(self, books: Books) -> None:
        books.invoice("I1", "100.00")
        books.adjust("J1", "5.00")
        assert books.adjust("J1", "5").outcome == "duplicate"
        assert books.adjust("J1", "5.00", effective_date="2026-03-02").outcome == "duplicate"
        assert reason(books.adjust("J1", "5.00", effective_date="2026-03-03")) == "conflicting_duplicate"
        assert reason(books.adjust("J1", "-5.00")) == "conflicting_duplicate"

    def test_what_does_not_fit_is_rejected_with_its_reason(self, books: Books) -> None:
        assert reason(books.adjust("J1", "5.00")) == "unknown_document"
        books.invoice("I1", "100.00")
        assert reason(books.adjust("J1", "5.001")) == "invalid_amount"
        assert reason(books.adjust("J1", "5.00", currency="USD")) == "currency_mismatch"
        assert nothing(books.adjust("J1", "0.00"))
        books.cancel("I1")
        assert reason(books.adjust("J1", "5.00")) == "document_cancelled"

    def test_a_credit_memo_is_not_adjusted_beyond_zero(self, books: Books) -> None:
        books.credit_memo("M1", "50.00")
        assert reason(books.adjust("J1", "50.01", invoice_id="M1")) == "over_application"
        assert books.live().credits_minor == minor("50.00")


class TestDueDateChanged:
    def test_it_counts_from_the_local_day_of_the_event(self) -> None:
        books = Books(start="2026-03-02T16:00:00Z", timezone="Asia/Tokyo")
        books.invoice("I1", "100.00", due_date="2026-03-31")
        books.move_due_date("I1", "2026-02-28", occurred_at="2026-03-04T20:00:00Z")
        assert entries(books, "due_date_change") == [
            (-10_000, "2026-03-05", "2026-03-31"),
            (10_000, "2026-03-05", "2026-02-28"),
        ]

    def test_of_one_instalment_or_of_all(self, books: Books) -> None:
        books.invoice("I1", "100.00", instalments=[(1, "2026-03-31", "60.00"), (2, "2026-04-30", "40.00")])
        books.move_due_date("I1", "2026-05-31", instalment=1)
        assert [iso(part.due_date) for part in books.item("I1").instalments] == ["2026-05-31", "2026-04-30"]
        books.move_due_date("I1", "2026-06-30")
        assert [iso(part.due_date) for part in books.item("I1").instalments] == ["2026-06-30", "2026-06-30"]

    def test_a_closed_invoice_remembers_it_for_when_it_reopens(self, books: Books) -> None:
        books.invoice("I1", "100.00", due_date="2026-03-31")
        books.payment("R1", "100.00")
        books.apply("A1", "100.00")
        books.move_due_date("I1", "2026-02-01")
        books.unapply("A1")
        assert books.buckets() == {"1-30": minor("100.00")}

    def test_what_does_not_fit_is_rejected_with_its_reason(self, books: Books) -> None:
        assert reason(books.move_due_date("I1", "2026-04-30")) == "unknown_document"
        books.invoice("I1", "100.00")
        assert reason(books.move_due_date("I1", "2026-04-30", instalment=1)) == "unknown_document"
        books.cancel("I1")
        assert reason(books.move_due_date("I1", "2026-04-30")) == "document_cancelled"
