"""Credit memos: against an invoice, or open until applied (SEMANTICS 2.5, 2.6)."""

import pytest

from tests.jobs.books import Books, iso, minor, nothing, reason


@pytest.fixture
def books() -> Books:
    return Books(start="2026-03-02T09:00:00Z")


def test_without_an_invoice_it_is_an_open_credit_from_its_own_date(books: Books) -> None:
    books.credit_memo("M1", "30.00", document_date="2026-02-20", reason="bonus")
    (entry,) = books.out.entries
    assert (entry.item_type, entry.balance_class, entry.delta_minor, entry.reason) == (
        "credit_memo", "credit", -3000, "bonus",
    )  # fmt: skip
    assert (iso(entry.effective_date), iso(entry.due_date)) == ("2026-02-20", "2026-02-20")
    assert books.item("M1", "credit_memo").open_minor == minor("-30.00")
    assert books.live().credits_minor == minor("30.00")


def test_it_reduces_the_invoice_it_names_up_to_what_is_open(books: Books) -> None:
    books.invoice("I1", "20.00")
    books.credit_memo("M1", "30.00", invoice_id="I1")
    assert (books.item("I1").open_minor, books.item("I1").status) == (0, "paid")
    assert books.item("M1", "credit_memo").open_minor == minor("-10.00")
    assert books.live().total_minor == minor("-10.00")


def test_it_counts_from_the_later_of_its_date_and_the_invoices_posting(books: Books) -> None:
    books.invoice("I1", "20.00", posting_date="2026-03-10")
    books.invoice("I2", "20.00", document_date="2026-02-01")
    books.credit_memo("M1", "5.00", document_date="2026-03-01", invoice_id="I1")
    books.credit_memo("M2", "5.00", document_date="2026-03-01", invoice_id="I2")
    applied = {entry.item_id: iso(entry.effective_date) for entry in books.out.entries if entry.item_type == "invoice"}
    assert applied == {"I1": "2026-03-10", "I2": "2026-03-01"}


def test_of_a_closed_or_cancelled_invoice_all_of_it_stays_open(books: Books) -> None:
    for invoice_id in ("I1", "I2"):
        books.invoice(invoice_id, "20.00")
    books.cancel("I1")
    books.write_off("W1", "20.00", invoice_id="I2")
    books.credit_memo("M1", "5.00", invoice_id="I1")
    books.credit_memo("M2", "6.00", invoice_id="I2")
    assert books.live().credits_minor == minor("11.00")


def test_for_an_invoice_not_seen_yet_it_waits_open(books: Books) -> None:
    books.credit_memo("M1", "30.00", invoice_id="I1")
    assert books.live().credits_minor == minor("30.00")
    books.invoice("I1", "20.00")
    assert books.item("I1").open_minor == 0
    assert books.live().credits_minor == minor("10.00")
    assert books.out.rejections == []


def test_what_it_waited_for_may_have_been_taken_meanwhile(books: Books) -> None:
    books.invoice("I2", "30.00")
    books.credit_memo("M1", "30.00", invoice_id="I1")
    books.apply("A1", "25.00", credit_memo_id="M1", invoice_id="I2")
    books.invoice("I1", "20.00")
    assert books.item("I1").open_minor == minor("15.00")
    assert books.live().credits_minor == 0
    assert books.out.rejections == []


def test_in_another_currency_than_what_it_waited_for_it_stays_open_and_that_is_refused(books: Books) -> None:
    books.credit_memo("M1", "30.00", invoice_id="I1")
    books.invoice("I1", "20.00", currency="USD")
    assert (books.item("I1").open_minor, books.live().credits_minor) == (minor("20.00"), minor("30.00"))
    (refused,) = books.out.rejections
    assert (refused.event_type, refused.reason, refused.late) == ("CreditMemoIssued", "currency_mismatch", True)


def test_an_open_credit_is_applied_like_cash(books: Books) -> None:
    books.invoice("I1", "20.00")
    books.credit_memo("M1", "30.00")
    books.apply("A1", "15.00", credit_memo_id="M1")
    assert reason(books.apply("A2", "15.01", credit_memo_id="M1")) == "over_application"
    assert (books.item("I1").open_minor, books.live().credits_minor) == (500, 1500)
    books.unapply("A1")
    assert (books.item("I1").open_minor, books.live().credits_minor) == (2000, 3000)


def test_cancelled_it_takes_back_what_it_paid_and_pays_no_more(books: Books) -> None:
    books.invoice("I1", "20.00")
    books.credit_memo("M1", "30.00", invoice_id="I1")
    books.tick("2026-03-10T09:00:00Z")
    books.cancel("M1")
    assert books.item("I1").open_minor == minor("20.00")
    assert (books.live().credits_minor, books.live().total_minor) == (0, 2000)
    assert reason(books.apply("A1", "1.00", credit_memo_id="M1")) == "document_cancelled"
    assert books.open_at("I1", "2026-03-09") == 0


def test_no_small_balance_is_written_off_for_a_credit() -> None:
    books = Books(start="2026-03-02T09:00:00Z", small_balance={"EUR": "0.50"})
    books.invoice("I1", "20.00")
    books.credit_memo("M1", "19.80", invoice_id="I1")
    assert books.item("I1").open_minor == minor("0.20")


def test_what_is_no_credit_memo_is_rejected_with_its_reason(books: Books) -> None:
    books.invoice("I1", "20.00")
    assert reason(books.credit_memo("M1", "1.00", account_id=None)) == "unknown_document"
    assert reason(books.credit_memo("M1", "-1.00")) == "wrong_sign"
    assert reason(books.credit_memo("M1", "1", currency="XXY")) == "invalid_amount"
    assert reason(books.credit_memo("M1", "1.00", currency="USD", invoice_id="I1")) == "currency_mismatch"
    assert nothing(books.credit_memo("M1", "0.00"))
    books.credit_memo("M1", "1.00")
    assert books.credit_memo("M1", "1.00").outcome == "duplicate"
    assert reason(books.credit_memo("M1", "1.00", reason="other")) == "conflicting_duplicate"
