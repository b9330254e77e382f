"""As-of answers from ledger entries: any two dates, three credit modes (SEMANTICS 1.2, 1.4, 2.5)."""

from hypothesis import given
from hypothesis import strategies as st

from jobs.as_of import OpenLine, age
from jobs.buckets import Buckets
from jobs.company import CreditMode
from jobs.values import Day, Minor
from tests.jobs.books import Books, day, instant, minor
from tests.jobs.examples import examples

BUCKETS = Buckets((30, 60))
TODAY = Day(20_000)


def line(balance_class: str, days_past_due: int, item: str = "X") -> OpenLine:
    return OpenLine("A", "C1", "invoice", item, 0, balance_class, "EUR", Day(TODAY - days_past_due))


LINES = {
    line("invoice", 0): Minor(100),
    line("invoice", 31): Minor(50),
    line("invoice", 61): Minor(20),
    line("credit", 1): Minor(-30),
    line("unapplied", 0): Minor(-15),
    line("on_account", 61): Minor(-25),
}


def test_separate_keeps_credits_out_of_the_buckets() -> None:
    report = age(LINES, TODAY, BUCKETS)
    assert report.buckets == {"not_due": 100, "1-30": 0, "31-60": 50, "61+": 20}
    assert (report.unapplied, report.on_account, report.credits) == (15, 25, 30)
    assert (report.total, report.reconciliation_gap) == (100, 0)


def test_own_date_puts_each_credit_into_the_bucket_of_its_own_date() -> None:
    report = age(LINES, TODAY, BUCKETS, "own_date")
    assert report.buckets == {"not_due": 85, "1-30": -30, "31-60": 50, "61+": -5}
    assert (report.unapplied, report.on_account, report.credits, report.total) == (0, 0, 0, 100)


def test_oldest_first_reduces_the_oldest_bucket_and_leaves_no_credit_where_it_fits() -> None:
    report = age(LINES, TODAY, BUCKETS, "oldest_first")
    assert report.buckets == {"not_due": 100, "1-30": 0, "31-60": 0, "61+": 0}
    assert (report.unapplied, report.on_account, report.credits, report.total) == (0, 0, 0, 100)


def test_oldest_first_leaves_what_exceeds_all_buckets_in_credits() -> None:
    report = age({**LINES, line("credit", 5, "Y"): Minor(-200)}, TODAY, BUCKETS, "oldest_first")
    assert set(report.buckets.values()) == {0}
    assert (report.credits, report.total, report.reconciliation_gap) == (100, -100, 0)


amounts = st.dictionaries(
    st.builds(
        line,
        st.sampled_from(["invoice", "credit", "unapplied", "on_account"]),
        st.integers(-40, 90),
        st.sampled_from("ABC"),
    ),
    st.integers(1, 500),
    max_size=10,
)


@examples(200)
@given(amounts, st.sampled_from(["separate", "own_date", "oldest_first"]))
def test_every_credit_mode_has_the_same_total_and_no_gap(drawn: dict[OpenLine, int], mode: CreditMode) -> None:
    lines = {of: Minor(amount if of.balance_class == "invoice" else -amount) for of, amount in drawn.items()}
    report = age(lines, TODAY, BUCKETS, mode)
    assert report.total == sum(lines.values())
    assert report.reconciliation_gap == 0
    assert min(report.unapplied, report.on_account, report.credits) >= 0
    if mode == "oldest_first":
        assert min(report.buckets.values()) >= 0
        assert report.credits == 0 or not any(report.buckets.values())


def test_what_is_known_later_changes_only_what_is_known_later() -> None:
    books = Books(start="2026-01-10T00:00:00Z")
    books.invoice("I1", "100.00")
    close = books.now
    books.tick("2026-01-20T00:00:00Z")
    books.adjust("J1", "-10.00", effective_date="2026-01-10")
    assert books.aging("2026-01-10").total == minor("90.00")
    assert books.aging("2026-01-10", known_as_of=close).total == minor("100.00")
    assert books.aging("2026-01-09").total == 0


def test_lines_that_net_to_zero_are_not_open() -> None:
    books = Books(start="2026-01-10T00:00:00Z")
    books.invoice("I1", "100.00", due_date="2026-01-31")
    books.move_due_date("I1", "2026-02-28")
    assert [of.due_date for of in books.lines("2026-01-10")] == [day("2026-02-28")]
    books.cancel("I1")
    assert books.lines("2026-01-10") == {}
    assert books.now == instant("2026-01-10T00:00:00Z")
