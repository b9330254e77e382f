"""Accounts: master data from a day on, holds placed by people (SEMANTICS 2.10, 6.2)."""

from jobs import StepResult
from jobs.effects import Account
from jobs.entities import AccountState, key
from jobs.events import AccountChanged, AccountHoldPlaced, AccountHoldReleased
from jobs.values import Day
from tests.jobs.books import Books, iso, minor, reason
from tests.jobs.written import day


def account(result: StepResult) -> Account:
    (found,) = (effect for effect in result.effects if isinstance(effect, Account))
    return found


def test_a_field_that_is_not_given_stays_as_it_is() -> None:
    books = Books()
    books.record(AccountChanged, name="Ada", parent_account_id="P1", credit_limit_minor=5000, currency="EUR")
    changed = account(books.record(AccountChanged, name="Ada Ltd"))
    assert (changed.name, changed.parent_account_id, changed.credit_limit_minor) == ("Ada Ltd", "P1", minor("50.00"))
    assert (changed.currency, changed.dunning_block, changed.on_hold) == ("EUR", False, False)


def test_a_limit_of_zero_is_a_limit() -> None:
    books = Books()
    assert account(books.record(AccountChanged, credit_limit_minor=0)).credit_limit_minor == 0


def test_it_is_valid_from_the_local_day_of_the_event() -> None:
    books = Books(timezone="Asia/Tokyo")
    books.tick("2026-03-01T16:00:00Z")
    assert iso(account(books.record(AccountChanged, name="Ada")).effective_date) == "2026-03-02"


def test_a_hold_is_placed_and_released_with_its_reason() -> None:
    books = Books()
    placed = account(books.record(AccountHoldPlaced, reason="bounced twice"))
    assert (placed.on_hold, placed.hold_reason) == (True, "bounced twice")
    released = account(books.record(AccountHoldReleased, reason="paid"))
    assert (released.on_hold, released.hold_reason) == (False, "paid")


def test_an_event_without_an_account_is_rejected() -> None:
    books = Books()
    for kind in (AccountChanged, AccountHoldPlaced, AccountHoldReleased):
        assert reason(books.record(kind, account_id=None, reason=None)) == "unknown_document"


def test_a_currency_that_does_not_exist_is_rejected() -> None:
    books = Books()
    assert reason(books.record(AccountChanged, currency="EURO")) == "invalid_amount"


def test_master_data_changes_no_balance() -> None:
    books = Books()
    books.invoice("I1", "10.00")
    books.record(AccountChanged, parent_account_id="P1")
    assert books.live().total_minor == minor("10.00")
    assert len(books.out.entries) == 1


def test_a_move_learned_late_counts_until_the_next_one_known() -> None:
    books = Books(start="2026-03-20T09:00:00Z")
    books.record(AccountChanged, parent_account_id="PC")
    books.record(AccountChanged, name="Ada", occurred_at="2026-03-12T09:00:00Z")
    late = books.record(AccountChanged, parent_account_id="PB", occurred_at="2026-03-10T09:00:00Z")
    rows = [effect for effect in late.effects if isinstance(effect, Account)]
    assert [(iso(row.effective_date), row.parent_account_id) for row in rows] == [
        ("2026-03-10", "PB"),
        ("2026-03-12", "PB"),
    ]
    assert account(books.record(AccountHoldPlaced, reason="late")).parent_account_id == "PC"


def test_a_limit_learned_late_does_not_undo_a_newer_one() -> None:
    books = Books(start="2026-03-20T09:00:00Z")
    books.record(AccountChanged, credit_limit_minor=100_000, currency="EUR")
    late = books.record(AccountChanged, credit_limit_minor=50_000, name="Ada", occurred_at="2026-03-10T09:00:00Z")
    rows = [effect for effect in late.effects if isinstance(effect, Account)]
    assert [(iso(row.effective_date), row.credit_limit_minor, row.name) for row in rows] == [
        ("2026-03-10", minor("500.00"), "Ada"),
        ("2026-03-20", minor("1000.00"), "Ada"),
    ]
    last = account(books.record(AccountHoldPlaced, reason="late"))
    assert (last.credit_limit_minor, last.name, last.on_hold) == (minor("1000.00"), "Ada", True)


def test_a_change_that_changes_nothing_later_is_put_out_for_its_day_only() -> None:
    books = Books(start="2026-03-20T09:00:00Z")
    books.record(AccountChanged, name="Ada Ltd")
    assert iso(
        account(books.record(AccountChanged, name="Ada", occurred_at="2026-03-10T09:00:00Z")).effective_date
    ) == ("2026-03-10")


def test_changes_older_than_closed_items_are_kept_as_one() -> None:
    books = Books(start="2026-01-05T09:00:00Z")
    for number in range(30):
        books.tick(iso(Day(day("2026-01-05") + 30 * number)) + "T09:00:00Z")
        books.record(AccountChanged, segment=f"S{number}", **({"parent_account_id": "P1"} if number == 0 else {}))
    state = books.fold._state.get(AccountState, key("account", "FR01", "C1"))
    assert state is not None
    assert len(state.changes) == 15  # 13 of the last 400 days, the newest, and one for all before
    last = account(books.record(AccountChanged, name="Ada"))
    assert (last.segment, last.parent_account_id, last.name) == ("S29", "P1", "Ada")
