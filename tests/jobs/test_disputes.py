"""Disputes: the contested slice and its way out (SEMANTICS 2.7, 5)."""

import pytest

from jobs.events import DisputeAssigned
from tests.jobs.books import Books, iso, minor, nothing, reason


@pytest.fixture
def books() -> Books:
    opened = Books(start="2026-03-02T09:00:00Z")
    opened.invoice("I1", "100.00", due_date="2026-04-30")
    return opened


def entries(books: Books) -> list[tuple[str, int, str]]:
    return [(entry.entry_type, entry.delta_minor, iso(entry.effective_date)) for entry in books.out.disputes]


def test_a_dispute_counts_from_the_local_day_on_which_it_was_opened() -> None:
    books = Books(start="2026-03-02T09:00:00Z", timezone="Asia/Tokyo")
    books.invoice("I1", "100.00")
    books.tick("2026-03-03T16:00:00Z")
    books.dispute("D1", "30.00")
    assert entries(books) == [("opened", 3000, "2026-03-04")]
    assert books.item("I1").disputed_minor == minor("30.00")
    assert books.live().disputed_minor == minor("30.00")
    assert books.live().total_minor == minor("100.00")


@pytest.mark.parametrize("outcome", ["rejected", "withdrawn"])
def test_decided_for_us_it_is_collectible_at_once(books: Books, outcome: str) -> None:
    books.dispute("D1", "30.00")
    books.tick("2026-03-05T09:00:00Z")
    books.resolve("D1", outcome)
    assert entries(books)[1:] == [("resolved", -3000, "2026-03-05")]
    assert books.live().disputed_minor == 0


def test_upheld_it_stays_disputed_until_a_credit(books: Books) -> None:
    books.dispute("D1", "30.00")
    books.resolve("D1", "upheld")
    assert books.live().disputed_minor == minor("30.00")
    books.credit_memo("M1", "20.00", invoice_id="I1")
    assert books.live().disputed_minor == minor("10.00")
    books.credit_memo("M2", "20.00", invoice_id="I1")
    assert books.live().disputed_minor == 0
    assert books.item("I1").open_minor == minor("60.00")


def test_a_payment_settles_no_dispute(books: Books) -> None:
    books.dispute("D1", "30.00")
    books.resolve("D1", "upheld")
    books.payment("R1", "50.00")
    books.apply("A1", "50.00")
    assert books.live().disputed_minor == minor("30.00")


def test_a_credit_settles_only_upheld_disputes_in_order_of_id(books: Books) -> None:
    for dispute_id in ("D3", "D1", "D2"):
        books.dispute(dispute_id, "10.00")
    books.resolve("D3", "upheld")
    books.resolve("D1", "upheld")
    books.credit_memo("M1", "15.00", invoice_id="I1")
    credited = [(entry.dispute_id, entry.delta_minor) for entry in books.out.disputes if entry.entry_type == "credited"]
    assert credited == [("D1", -1000), ("D3", -500)]
    assert books.live().disputed_minor == minor("15.00")


def test_it_is_resolved_once(books: Books) -> None:
    books.dispute("D1", "30.00")
    books.resolve("D1", "rejected")
    assert books.resolve("D1", "upheld").outcome == "duplicate"
    assert books.live().disputed_minor == 0


def test_the_same_id_after_its_resolution_reopens_the_case(books: Books) -> None:
    books.dispute("D1", "30.00")
    books.resolve("D1", "withdrawn")
    books.dispute("D1", "20.00")
    assert [entry[0] for entry in entries(books)] == ["opened", "resolved", "reopened"]
    assert books.live().disputed_minor == minor("20.00")


def test_reopening_an_upheld_one_replaces_what_was_waiting_for_its_credit(books: Books) -> None:
    books.dispute("D1", "30.00")
    books.resolve("D1", "upheld")
    books.dispute("D1", "45.00")
    assert books.live().disputed_minor == minor("45.00")
    books.resolve("D1", "rejected")
    assert books.live().disputed_minor == 0


def test_a_resolution_dated_before_the_opening_takes_effect_with_it(books: Books) -> None:
    books.tick("2026-03-10T09:00:00Z")
    books.dispute("D1", "30.00")
    books.resolve("D1", "rejected", occurred_at="2026-03-05T09:00:00Z")
    assert entries(books) == [("opened", 3000, "2026-03-10"), ("resolved", -3000, "2026-03-10")]


def test_the_same_dispute_twice_counts_once_and_other_content_is_a_conflict(books: Books) -> None:
    books.dispute("D1", "30.00")
    assert books.dispute("D1", "30.0").outcome == "duplicate"
    assert reason(books.dispute("D1", "31.00")) == "conflicting_duplicate"
    assert reason(books.dispute("D1", "30.00", reason_code="OTHER")) == "conflicting_duplicate"


def test_what_cannot_be_disputed_is_rejected_with_its_reason(books: Books) -> None:
    assert reason(books.dispute("D1", "1.00", invoice_id="NONE")) == "unknown_document"
    assert reason(books.dispute("D1", "1.00", account_id="C2")) == "unknown_document"
    assert reason(books.dispute("D1", "-1.00")) == "wrong_sign"
    assert reason(books.dispute("D1", "0.001")) == "invalid_amount"
    assert reason(books.dispute("D1", "1.00", currency="USD")) == "currency_mismatch"
    assert reason(books.resolve("D1", "upheld")) == "unknown_document"
    assert reason(books.record(DisputeAssigned, dispute_id="D1")) == "unknown_document"
    books.cancel("I1")
    assert reason(books.dispute("D1", "1.00")) == "document_cancelled"


def test_a_dispute_of_nothing_changes_nothing(books: Books) -> None:
    assert nothing(books.dispute("D1", "0.00"))
    assert books.dispute("D1", "5.00").outcome == "applied"


def test_a_cancelled_invoice_has_nothing_disputed(books: Books) -> None:
    books.dispute("D1", "30.00")
    books.cancel("I1")
    assert books.live().disputed_minor == 0
    assert books.resolve("D1", "rejected").outcome == "applied"
    assert books.live().disputed_minor == 0
