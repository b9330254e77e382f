"""Closed items stay addressable for at least 400 days, then they are forgotten (SEMANTICS 1.8)."""

import pytest

from tests.jobs.books import Books, minor, reason


def paid(closed_item_days: int = 400) -> Books:
    books = Books(start="2026-01-05T00:00:00Z", closed_item_days=closed_item_days)
    books.invoice("I1", "10.00", due_date="2026-01-31")
    books.payment("R1", "10.00")
    books.apply("A1", "10.00")
    return books


def kept(books: Books) -> set[str]:
    books.fold.take_changes()
    counts = books.fold.statistics()
    return {kind for kind in ("document", "receipt", "application") if counts.get(kind)}


def test_a_paid_invoice_can_be_reopened_400_days_later() -> None:
    books = paid()
    books.tick("2027-02-08T12:00:00Z")
    assert kept(books) == {"document", "receipt", "application"}
    assert books.reverse("R1").outcome == "applied"
    assert books.item("I1").open_minor == minor("10.00")
    assert books.buckets() == {"121+": minor("10.00")}


def test_after_that_receipt_applications_and_invoice_are_forgotten() -> None:
    books = paid()
    books.tick("2027-02-09T12:00:00Z")
    books.tick("2027-04-01T12:00:00Z")
    assert kept(books) == set()
    assert reason(books.reverse("R1")) == "unknown_payment"
    assert books.live().total_minor == 0


def test_the_company_may_keep_them_longer() -> None:
    books = paid(closed_item_days=1000)
    books.tick("2028-09-01T12:00:00Z")
    assert books.reverse("R1").outcome == "applied"


def test_an_open_item_is_never_forgotten() -> None:
    books = Books(start="2026-01-05T00:00:00Z")
    books.invoice("I1", "10.00")
    books.payment("R1", "4.00")
    books.credit_memo("M1", "3.00")
    books.tick("2036-01-05T00:00:00Z")
    assert (books.item("I1").open_minor, books.receipt("R1").unapplied_minor) == (1000, 400)
    assert books.apply("A1", "4.00").outcome == "applied"
    assert books.apply("A2", "3.00", credit_memo_id="M1").outcome == "applied"


def test_what_reopens_starts_to_count_anew() -> None:
    books = paid()
    books.tick("2027-01-01T00:00:00Z")
    books.unapply("A1")
    books.apply("A2", "10.00")
    books.tick("2028-01-15T00:00:00Z")
    assert books.reverse("R1").outcome == "applied"


def test_an_item_backfilled_years_after_it_was_paid_is_kept_from_today_on() -> None:
    books = Books(start="2026-01-05T00:00:00Z")
    books.invoice("I1", "10.00", document_date="2020-01-01", due_date="2020-01-31")
    books.payment("R1", "10.00", value_date="2020-01-20")
    books.apply("A1", "10.00", effective_date="2020-01-20")
    books.tick("2027-02-08T12:00:00Z")
    assert books.reverse("R1").outcome == "applied"


@pytest.mark.parametrize("how", ["cancelled", "moved", "written off"])
def test_a_date_in_the_future_that_changes_nothing_shortens_no_time(how: str) -> None:
    """A closed item with a posting or a move on a later day is still kept for its whole time."""
    books = Books(start="2026-01-05T00:00:00Z")
    books.invoice("I1", "10.00", due_date="2026-01-31")
    if how == "cancelled":
        books.payment("R1", "4.00")
        books.apply("A1", "4.00", effective_date="2026-02-20")
        books.cancel("I1")
    else:
        books.write_off("W1", "10.00")
    if how == "moved":
        books.move_due_date("I1", "2026-06-30", occurred_at="2026-02-20T00:00:00Z")
    books.tick("2026-03-10T00:00:00Z")
    assert books.invoice("I1", "10.00", document_date="2026-01-05", due_date="2026-01-31").outcome == "duplicate"
    books.tick("2027-06-10T00:00:00Z")
    assert books.invoice("I1", "10.00", document_date="2026-01-05", due_date="2026-01-31").outcome == "applied"


def test_a_receipt_that_paid_an_invoice_still_open_is_kept() -> None:
    """Cancelled years later, the invoice gives its cash back (SEMANTICS 1.5)."""
    books = Books(start="2026-01-05T00:00:00Z")
    books.invoice("I1", "10.00", due_date="2026-01-31")
    books.payment("R1", "4.00")
    books.apply("A1", "4.00")
    books.tick("2028-01-05T00:00:00Z")
    books.cancel("I1")
    assert books.live().unapplied_minor == minor("4.00")
    assert books.receipt("R1").unapplied_minor == minor("4.00")


def test_a_credit_memo_that_reduced_an_invoice_still_open_is_kept() -> None:
    books = Books(start="2026-01-05T00:00:00Z")
    books.invoice("I1", "10.00", due_date="2026-01-31")
    books.credit_memo("M1", "4.00", invoice_id="I1")
    books.tick("2028-01-05T00:00:00Z")
    books.cancel("I1")
    assert books.live().credits_minor == minor("4.00")


def test_a_restart_forgets_on_the_same_day() -> None:
    books, restarted = paid(), paid()
    restarted.restart()
    for day in range(5, 15):
        at = f"2027-02-{day:02}T00:00:00Z"
        assert [str(effect) for effect in books.tick(at)] == [str(effect) for effect in restarted.tick(at)]
        assert kept(books) == kept(restarted)
