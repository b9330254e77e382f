"""Write-offs and recoveries (SEMANTICS 2.8)."""

import pytest

from tests.jobs.books import Books, iso, minor, nothing, reason


@pytest.fixture
def books() -> Books:
    opened = Books(start="2026-03-02T09:00:00Z")
    opened.invoice("I1", "100.00", instalments=[(1, "2026-03-31", "60.00"), (2, "2026-04-30", "40.00")])
    return opened


def open_parts(books: Books) -> list[int]:
    return [part.open_minor for part in books.item("I1").instalments]


def test_it_takes_the_oldest_first_and_a_recovery_puts_it_back_where_it_was(books: Books) -> None:
    books.write_off("W1", "70.00")
    assert open_parts(books) == [0, 3000]
    books.recover("W1", "65.00")
    assert open_parts(books) == [6000, 3500]
    books.recover("W1", "5.00")
    assert open_parts(books) == [6000, 4000]


def test_it_takes_effect_on_its_date_but_not_before_the_posting(books: Books) -> None:
    books.write_off("W1", "10.00", effective_date="2026-03-20")
    books.write_off("W2", "10.00", effective_date="2026-02-20")
    written_off = [iso(entry.effective_date) for entry in books.out.entries if entry.entry_type == "write_off"]
    assert written_off == ["2026-03-20", "2026-03-02"]


def test_a_recovery_takes_effect_at_the_earliest_with_its_write_off(books: Books) -> None:
    books.write_off("W1", "10.00", effective_date="2026-03-20")
    books.recover("W1", "4.00", effective_date="2026-03-10")
    books.recover("W1", "4.00", effective_date="2026-03-25")
    recovered = [iso(entry.effective_date) for entry in books.out.entries if entry.entry_type == "recovery"]
    assert recovered == ["2026-03-20", "2026-03-25"]


def test_the_last_closing_entry_decides_the_status(books: Books) -> None:
    books.payment("R1", "30.00")
    books.apply("A1", "30.00")
    books.write_off("W1", "70.00")
    assert books.item("I1").status == "written_off"
    books.recover("W1", "1.00")
    assert books.item("I1").status == "open"
    books.payment("R2", "1.00")
    books.apply("A2", "1.00", payment_id="R2")
    assert books.item("I1").status == "paid"


def test_what_does_not_fit_is_rejected_with_its_reason(books: Books) -> None:
    assert reason(books.write_off("W1", "1.00", invoice_id="NONE")) == "unknown_document"
    assert reason(books.write_off("W1", "100.01")) == "over_application"
    assert reason(books.write_off("W1", "-1.00")) == "wrong_sign"
    assert reason(books.write_off("W1", "1.001")) == "invalid_amount"
    assert reason(books.write_off("W1", "1.00", currency="USD")) == "currency_mismatch"
    assert nothing(books.write_off("W1", "0.00"))
    books.credit_memo("M1", "10.00")
    assert reason(books.write_off("W1", "1.00", invoice_id="M1")) == "wrong_sign"
    books.cancel("I1")
    assert reason(books.write_off("W1", "1.00")) == "document_cancelled"


def test_a_recovery_that_does_not_fit_is_rejected_with_its_reason(books: Books) -> None:
    assert reason(books.recover("W1", "1.00")) == "unknown_document"
    books.write_off("W1", "10.00")
    assert reason(books.recover("W1", "1.00", account_id="C2")) == "unknown_document"
    assert reason(books.recover("W1", "10.01")) == "over_application"
    assert reason(books.recover("W1", "-1.00")) == "wrong_sign"
    assert reason(books.recover("W1", "1.001")) == "invalid_amount"
    assert reason(books.recover("W1", "1.00", currency="USD")) == "currency_mismatch"
    assert nothing(books.recover("W1", "0.00"))
    books.recover("W1", "10.00")
    assert reason(books.recover("W1", "0.01")) == "over_application"
    books.cancel("I1")
    assert reason(books.recover("W1", "1.00")) == "document_cancelled"


def test_the_same_write_off_again_is_a_duplicate_or_a_conflict(books: Books) -> None:
    books.write_off("W1", "10.00", effective_date="2026-03-02")
    assert books.write_off("W1", "10.00").outcome == "duplicate"
    assert reason(books.write_off("W1", "10.00", effective_date="2026-03-03")) == "conflicting_duplicate"
    assert reason(books.write_off("W1", "11.00")) == "conflicting_duplicate"
    assert reason(books.write_off("W1", "10.00", reason="bankrupt")) == "conflicting_duplicate"
    assert books.live().total_minor == minor("90.00")
