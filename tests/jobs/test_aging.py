"""Live aging: totals, transitions and item records (SEMANTICS 2.1, 2.4, 2.5, 2.7, 2.12)."""

from tests.jobs.books import Books, day, iso, minor


def test_an_invoice_counts_in_its_bucket_from_its_posting_date_on() -> None:
    books = Books(start="2026-01-10T00:00:00Z")
    books.invoice("I1", "100.00", posting_date="2026-01-12", due_date="2026-01-31")
    assert books.out.live == {}
    assert books.item("I1").open_minor == minor("100.00")
    books.tick("2026-01-12T00:00:00Z")
    assert books.buckets() == {"not_due": minor("100.00")}
    assert books.transitions("I1") == []


def test_due_today_is_not_due_and_tomorrow_it_is_overdue() -> None:
    books = Books()
    books.invoice("I1", "100.00", due_date="2026-01-31")
    books.tick("2026-01-31T23:59:59Z")
    assert books.buckets() == {"not_due": minor("100.00")}
    books.tick("2026-02-01T00:00:00Z")
    assert books.buckets() == {"1-30": minor("100.00")}
    assert books.live().as_of == day("2026-02-01")


def test_a_transition_says_what_moved_where_and_when() -> None:
    books = Books(timezone="America/New_York")
    books.invoice("I1", "100.00", currency="USD", due_date="2026-01-31", instalments=[(7, "2026-01-31", "100.00")])
    books.tick("2026-02-02T00:00:00Z")
    (moved,) = books.out.transitions
    assert (moved.company, moved.account_id, moved.document_type, moved.document_id) == ("FR01", "C1", "invoice", "I1")
    assert (moved.instalment, moved.currency, moved.open_minor, moved.due_date) == (
        7, "USD", minor("100.00"), day("2026-01-31"),
    )  # fmt: skip
    assert (iso(moved.local_date), moved.from_bucket, moved.to_bucket) == ("2026-02-01", "not_due", "1-30")
    assert moved.fired_at == books.settings.calendar.midnight(day("2026-02-01"))


def test_a_document_without_instalments_has_transitions_without_number() -> None:
    books = Books(start="2026-03-01T00:00:00Z")
    books.invoice("I1", "1.00", due_date="2026-02-01")
    assert [transition.instalment for transition in books.out.transitions] == [None]


def test_a_partial_payment_leaves_the_rest_in_its_bucket_without_a_transition() -> None:
    books = Books(start="2026-02-10T00:00:00Z")
    books.invoice("I1", "100.00", document_date="2026-01-01", due_date="2026-01-31")
    books.payment("R1", "30.00")
    before = len(books.out.transitions)
    books.apply("A1", "30.00")
    assert books.buckets() == {"1-30": minor("70.00")}
    assert books.live().unapplied_minor == 0
    assert len(books.out.transitions) == before


def test_credits_have_columns_of_their_own_and_the_total_may_be_negative() -> None:
    books = Books()
    books.invoice("I1", "10.00", due_date="2026-01-31")
    books.credit_memo("M1", "4.00")
    books.payment("R1", "30.00")
    books.payment("R2", "5.00", on_account=True)
    live = books.live()
    assert (live.credits_minor, live.unapplied_minor, live.on_account_minor) == (400, 3000, 500)
    assert live.total_minor == minor("-29.00")


def test_each_currency_has_totals_of_its_own() -> None:
    books = Books()
    books.invoice("I1", "10.00", currency="EUR")
    books.invoice("I2", "10", currency="JPY")
    assert (books.live("EUR").total_minor, books.live("JPY").total_minor) == (1000, 10)


def test_totals_are_put_out_only_when_they_change() -> None:
    books = Books()
    books.invoice("I1", "10.00", due_date="2026-01-31")
    effects = books.move_due_date("I1", "2026-02-28").effects
    assert "AccountAging" not in {type(effect).__name__ for effect in effects}
    assert "Item" in {type(effect).__name__ for effect in effects}


def test_a_closed_item_has_no_transition_and_leaves_the_totals() -> None:
    books = Books(start="2026-02-10T00:00:00Z")
    books.invoice("I1", "10.00", document_date="2026-01-01", due_date="2026-01-31")
    books.write_off("W1", "10.00")
    assert books.buckets() == {}
    assert books.transitions("I1") == [("2026-02-10", "none", "1-30")]
    item = books.item("I1")
    assert (item.status, item.open_minor, item.closed_date) == ("written_off", 0, day("2026-02-10"))


def test_the_item_record_names_the_oldest_due_date_that_is_open() -> None:
    books = Books()
    books.invoice("I1", "30.00", instalments=[(1, "2026-03-31", "10.00"), (2, "2026-01-31", "20.00")])
    assert iso(books.item("I1").due_date) == "2026-01-31"
    books.payment("R1", "30.00")
    books.apply("A1", "20.00")
    item = books.item("I1")
    assert iso(item.due_date) == "2026-03-31"
    assert [(part.number, part.amount_minor, part.open_minor) for part in item.instalments] == [
        (1, 1000, 1000),
        (2, 2000, 0),
    ]
    books.apply("A2", "10.00")
    assert iso(books.item("I1").due_date) == "2026-03-31"


def test_a_disputed_slice_is_never_more_than_what_is_open_today() -> None:
    books = Books()
    books.invoice("I1", "100.00")
    books.dispute("D1", "80.00")
    assert books.live().disputed_minor == minor("80.00")
    books.payment("R1", "50.00", value_date="2026-01-05")
    books.apply("A1", "50.00")
    assert books.live().disputed_minor == minor("80.00")
    books.tick("2026-01-05T00:00:00Z")
    assert books.live().disputed_minor == minor("50.00")
    assert books.live().total_minor == minor("50.00")


def test_a_due_date_set_twice_on_one_day_counts_as_last_set() -> None:
    books = Books(start="2026-02-10T00:00:00Z")
    books.invoice("I1", "10.00", document_date="2026-01-01", due_date="2026-01-31")
    books.move_due_date("I1", "2026-03-31")
    books.move_due_date("I1", "2026-01-05")
    assert books.transitions("I1") == [
        ("2026-02-10", "none", "1-30"),
        ("2026-02-10", "1-30", "not_due"),
        ("2026-02-10", "not_due", "31-60"),
    ]
    assert books.buckets() == {"31-60": minor("10.00")}


def test_a_reopened_item_starts_from_none_where_it_is_overdue() -> None:
    books = Books(start="2026-02-10T00:00:00Z")
    books.invoice("I1", "10.00", document_date="2026-01-01", due_date="2026-01-31")
    books.payment("R1", "10.00")
    books.apply("A1", "10.00")
    books.tick("2026-03-10T00:00:00Z")
    books.unapply("A1")
    assert books.transitions("I1") == [("2026-02-10", "none", "1-30"), ("2026-03-10", "none", "31-60")]


def test_a_live_total_is_the_same_after_a_restart() -> None:
    books = Books(timezone="Asia/Kathmandu")
    books.invoice("I1", "10.00", due_date="2026-01-31")
    books.payment("R1", "3.00")
    books.restart()
    books.tick("2026-02-10T00:00:00Z")
    assert books.buckets() == {"1-30": minor("10.00")}
    books.apply("A1", "3.00")
    assert books.live().total_minor == minor("7.00")


def test_a_midnight_moves_an_item_between_buckets_and_does_not_repeat_its_state() -> None:
    books = Books()
    books.invoice("I1", "100.00", due_date="2026-01-31")
    issued = books.item("I1")
    books.tick("2026-02-01T00:00:00Z")
    assert [moved.to_bucket for moved in books.out.transitions] == ["1-30"]
    assert books.item("I1") is issued
    books.payment("R1", "40.00", value_date="2026-02-10")
    received = books.receipt("R1")
    books.tick("2026-02-20T00:00:00Z")
    assert books.receipt("R1") is received
    books.apply("A1", "40.00")
    assert (books.item("I1").open_minor, books.receipt("R1").status) == (minor("60.00"), "applied")
