"""A parent pays a child's invoice, and the ways back (SEMANTICS 4.7)."""

import pytest

from tests.jobs.books import Books, minor, reason


@pytest.fixture
def books() -> Books:
    opened = Books(start="2026-03-02T09:00:00Z", account="PA")
    opened.invoice("I1", "100.00", account_id="CH", due_date="2026-03-31")
    opened.payment("R1", "80.00")
    opened.credit_memo("M1", "50.00")
    return opened


def totals(books: Books) -> tuple[int, int]:
    """Live totals of parent and child; they are those of the ledger, and no line of it is on the wrong side."""
    found = []
    for account in ("PA", "CH"):
        report = books.aging("2026-03-02", account=account)
        assert books.live(account=account).total_minor == report.total
        assert min(report.unapplied, report.credits, *report.buckets.values()) >= 0
        found.append(report.total)
    return found[0], found[1]


def pay(books: Books, application_id: str = "A1", amount: str = "30.00", **payload: object) -> None:
    books.apply(application_id, amount, invoice_account_id="CH", **payload)


def test_both_balances_move_together(books: Books) -> None:
    pay(books)
    assert totals(books) == (minor("-100.00"), minor("70.00"))
    assert (books.receipt("R1").status, books.receipt("R1").applied_minor) == ("partially_applied", 3000)


def test_an_open_credit_pays_too(books: Books) -> None:
    pay(books, credit_memo_id="M1")
    assert totals(books) == (minor("-100.00"), minor("70.00"))
    assert books.item("M1", "credit_memo").open_minor == minor("-20.00")


@pytest.mark.parametrize("source", ["payment", "credit"])
@pytest.mark.parametrize("how", ["unapplied", "source gone", "invoice cancelled"])
def test_taken_back_everything_is_as_before_or_gone(books: Books, source: str, how: str) -> None:
    pay(books, **({"credit_memo_id": "M1"} if source == "credit" else {}))
    expected: tuple[int, int]
    if how == "unapplied":
        books.unapply("A1")
        expected = (minor("-130.00"), minor("100.00"))
    elif how == "invoice cancelled":
        books.cancel("I1", account_id="CH")
        expected = (minor("-130.00"), 0)
    elif source == "payment":
        books.reverse("R1")
        expected = (minor("-50.00"), minor("100.00"))
    else:
        books.cancel("M1")
        expected = (minor("-80.00"), minor("100.00"))
    assert totals(books) == expected


def test_what_does_not_fit_at_the_child_is_rejected_and_the_cash_is_free_again(books: Books) -> None:
    books.cancel("I1", account_id="CH")
    pay(books)
    assert [(rejected.event_id, rejected.reason) for rejected in books.out.rejections] == [("5", "document_cancelled")]
    assert books.refund("R1", "80.00").outcome == "applied"


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        ("80.01", None, "over_application"),
        ("-1.00", None, "wrong_sign"),
        ("1.00", "USD", "currency_mismatch"),
        ("-80.01", "USD", "currency_mismatch"),
    ],
)
@pytest.mark.parametrize("invoice", ["open", "cancelled", "unknown"])
def test_of_several_reasons_the_invoices_own_comes_first(
    books: Books, amount: str, currency: str | None, expected: str, invoice: str
) -> None:
    """The first of cancelled, currency, sign and over (SEMANTICS 4.4), whichever account sees it."""
    if invoice == "cancelled":
        books.cancel("I1", account_id="CH")
    before = totals(books)
    pay(books, amount=amount, currency=currency, invoice_id="I9" if invoice == "unknown" else "I1")
    assert [rejected.reason for rejected in books.out.rejections] == [
        "document_cancelled" if invoice == "cancelled" else expected
    ]
    assert totals(books) == before
    if invoice != "cancelled":
        pay(books)  # a rejected event leaves its key free (4.5)
        assert books.receipt("R1").applied_minor == 3000


def test_what_the_parent_alone_can_tell_is_rejected_at_once(books: Books) -> None:
    assert reason(books.apply("A1", "1.001", invoice_account_id="CH")) == "invalid_amount"
    books.cancel("M1")
    gone = books.apply("A1", "99.00", credit_memo_id="M1", invoice_account_id="CH")
    assert reason(gone) == "document_cancelled"
    assert reason(books.apply("A1", "1.00", payment_id="NONE", invoice_account_id="CH")) == "unknown_payment"
    assert books.apply("A1", "0.00", payment_id="NONE", invoice_account_id="CH").outcome == "applied"


def test_it_waits_for_the_childs_invoice_and_the_cash_is_free_meanwhile(books: Books) -> None:
    pay(books, invoice_id="I9")
    assert books.receipt("R1").unapplied_minor == minor("80.00")
    books.refund("R1", "60.00")
    books.invoice("I9", "30.00", account_id="CH")
    assert [rejected.reason for rejected in books.out.rejections] == ["over_application"]
    assert books.item("I9").open_minor == minor("30.00")


def test_waiting_it_is_applied_when_the_invoice_arrives(books: Books) -> None:
    pay(books, invoice_id="I9")
    books.invoice("I9", "30.00", account_id="CH")
    assert books.item("I9").status == "paid"
    assert books.receipt("R1").applied_minor == minor("30.00")
    assert totals(books) == (minor("-100.00"), minor("100.00"))


def test_the_same_application_again_is_a_duplicate_or_a_conflict(books: Books) -> None:
    pay(books)
    assert books.apply("A1", "30.00", invoice_account_id="CH").outcome == "duplicate"
    assert reason(books.apply("A1", "31.00", invoice_account_id="CH")) == "conflicting_duplicate"


def test_named_with_the_own_account_it_is_an_ordinary_application(books: Books) -> None:
    books.invoice("I2", "30.00")
    assert books.apply("A1", "30.00", invoice_id="I2", invoice_account_id="PA").outcome == "applied"
    assert books.item("I2").status == "paid"


def test_a_cancelled_credit_reopens_what_it_paid_in_the_same_words_whoever_owns_it(books: Books) -> None:
    books.invoice("I2", "40.00")
    books.apply("A2", "20.00", credit_memo_id="M1", invoice_id="I2")
    pay(books, credit_memo_id="M1")
    books.cancel("M1")
    reopened = {
        (entry.item_id, entry.entry_type, entry.delta_minor, entry.cause_id)
        for entry in books.out.entries
        if entry.item_type == "invoice" and entry.event_id.split("/")[0] == str(books._events)
    }
    assert reopened == {("I1", "reversal", 3000, "A1"), ("I2", "reversal", 2000, "A2")}
