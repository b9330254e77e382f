"""Lists of open items, compared: the events lead from one to the other, and say what is inferred."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avro.text import parse_event, write_event
from sources.snapshot import Companion, Difference, OpenItem, State, compare
from sources.snapshot.items import EVENT_OF, Application, Kind, Payment, packed
from sources.values import ParsedEvent, Position
from tests.sources.books import Books, fold

DAY = dt.date(2026, 3, 1)
HERE = Position("open-items.csv", 2)


def days(day: int) -> int:
    """A day of March 2026 as days since 1970-01-01."""
    return (DAY + dt.timedelta(days=day - 1) - dt.date(1970, 1, 1)).days


def record_of(kind: Kind, number: str, account: str | None, amount: int, currency: str, due: int) -> dict[str, Any]:
    """The event that a row would be for any other reader."""
    event, field = EVENT_OF[kind]
    minor = f"{amount // 100}.{amount % 100:02}" if currency != "JPY" else str(amount)
    written: dict[str, Any] = {
        "event": event, "event_id": f"erp/FR01/{event}/{number}", "company": "FR01", "region": "", "source": "erp",
        "account_id": account, "occurred_at": "2026-02-27T12:00:00Z", field: number, "amount": minor,
        "currency": currency,
    }  # fmt: skip
    dated = {"value_date": "2026-02-27"} if kind == "payment" else {"document_date": "2026-02-27"}
    if kind == "invoice":
        dated["due_date"] = (dt.date(1970, 1, 1) + dt.timedelta(days=due)).isoformat()
    return parse_event({**written, **dated}, {"actor_id": "erp", "actor_role": "system"})[1]


def item(
    number: str, open_amount: int, account: str | None = "C1", *, kind: Kind = "invoice", due: int = 31,
    amount: int | None = None, currency: str = "EUR",
) -> OpenItem:  # fmt: skip
    """A row of a list, due on a day of March."""
    whole = open_amount if amount is None else amount
    record = record_of(kind, number, account, whole, currency, days(due))
    due_date = days(due) if kind == "invoice" else None
    return OpenItem(kind, number, account, currency, whole, open_amount, due_date, packed(record), HERE)


class Nights:
    """Lists of one company, night after night, and the ledger that their events come to."""

    def __init__(self) -> None:
        self.state = State("FR01", "test")
        self.events: list[ParsedEvent] = []
        self.night = 0

    def next(self, *items: OpenItem, companion: Companion | None = None, nights: int = 1) -> Difference:
        """Compare with the list of a later night."""
        self.night += nights
        as_of = (DAY + dt.timedelta(days=self.night)).isoformat()
        made = compare(
            self.state, items, source="erp", as_of=as_of, occurred_at=f"{as_of}T12:00:00Z", companion=companion
        )
        self.state = made.state
        self.events += made.events
        return made

    @property
    def books(self) -> Books:
        """The ledger after all nights."""
        return fold("FR01", self.events)


def said(difference: Difference) -> list[str]:
    """The names of the events, inferred ones with a question mark."""
    return [event.name + "?" * (event.record["actor_role"] == "inferred") for event in difference.events]


def written(difference: Difference, name: str) -> dict[str, Any]:
    """The only event of a name, as people write it."""
    (found,) = [event for event in difference.events if event.name == name]
    return write_event(found.name, found.record)


def test_the_first_list_brings_everything_in() -> None:
    nights = Nights()
    made = nights.next(item("I1", 100_00), item("M1", 30_00, kind="credit_memo"), item("P1", 5_00, kind="payment"))
    assert said(made) == ["InvoiceIssued", "CreditMemoIssued", "PaymentReceived"]
    assert nights.books.open == {("invoice", "I1"): 100_00, ("credit_memo", "M1"): 30_00, ("payment", "P1"): 5_00}


def test_the_same_list_twice_says_nothing() -> None:
    nights = Nights()
    rows = (item("I1", 100_00), item("M1", 30_00, kind="credit_memo"), item("U1", 9_00, None, kind="payment"))
    nights.next(*rows)
    assert said(nights.next(*rows)) == []


def test_what_was_paid_before_the_first_list_is_adjusted_not_invented_as_cash() -> None:
    nights = Nights()
    made = nights.next(item("I1", 60_00, amount=100_00))
    assert said(made) == ["InvoiceIssued", "InvoiceAdjusted?"]
    assert written(made, "InvoiceIssued")["amount"] == "100.00"
    assert written(made, "InvoiceAdjusted")["amount"] == "-40.00"


def test_what_is_gone_without_a_trace_is_adjusted_and_says_why() -> None:
    nights = Nights()
    nights.next(item("I1", 100_00), item("I2", 10_00))
    made = nights.next(item("I2", 10_00))
    adjusted = written(made, "InvoiceAdjusted")
    assert said(made) == ["InvoiceAdjusted?"]
    assert (adjusted["amount"], adjusted["effective_date"]) == ("-100.00", "2026-03-03")
    assert (adjusted["reason"], adjusted["actor_role"]) == ("inferred_from_snapshot", "inferred")
    assert (made.report.found["gone"], made.report.inferred) == (1, {"InvoiceAdjusted": 1})


def test_a_credit_that_became_less_with_an_invoice_was_applied_to_it() -> None:
    nights = Nights()
    nights.next(item("I1", 100_00), item("I2", 40_00, due=5), item("M1", 40_00, kind="credit_memo"),
                item("P1", 80_00, kind="payment"))  # fmt: skip
    made = nights.next(item("I1", 30_00), item("P1", 10_00, kind="payment", amount=80_00))
    applied = [write_event(event.name, event.record) for event in made.events]
    assert [(one.get("credit_memo_id") or one["payment_id"], one["invoice_id"], one["amount"]) for one in applied] == [
        ("M1", "I2", "40.00"),
        ("P1", "I1", "70.00"),
    ]
    assert said(made) == ["CashApplied?", "CashApplied?"]


def test_a_payment_that_became_less_alone_left_the_account_and_a_credit_memo_was_spent() -> None:
    nights = Nights()
    nights.next(item("P1", 80_00, kind="payment"), item("M1", 30_00, kind="credit_memo"))
    assert said(nights.next(item("M1", 10_00, kind="credit_memo"))) == ["PaymentRefunded?", "InvoiceAdjusted?"]
    assert nights.books.open == {("payment", "P1"): 0, ("credit_memo", "M1"): 10_00}


def test_another_due_date_is_what_the_list_shows() -> None:
    nights = Nights()
    nights.next(item("I1", 100_00, due=10))
    made = nights.next(item("I1", 100_00, due=20))
    assert said(made) == ["InvoiceDueDateChanged"]
    assert written(made, "InvoiceDueDateChanged")["due_date"] == "2026-03-20"


def test_an_amount_that_grew_is_adjusted() -> None:
    nights = Nights()
    nights.next(item("I1", 100_00))
    made = nights.next(item("I1", 104_50))
    assert (said(made), written(made, "InvoiceAdjusted")["amount"]) == (["InvoiceAdjusted?"], "4.50")


def test_what_comes_back_is_open_again_under_its_number_and_later_under_a_new_one() -> None:
    nights = Nights()
    nights.next(item("I1", 100_00), item("I2", 7_00))
    nights.next(item("I2", 7_00))
    made = nights.next(item("I1", 100_00), item("I2", 7_00))
    assert (said(made), made.report.found["back"]) == (["InvoiceAdjusted?"], 1)
    nights.next(item("I2", 7_00))
    assert (
        written(nights.next(item("I1", 100_00), item("I2", 7_00), nights=400), "InvoiceIssued")["invoice_id"] == "I1/2"
    )


def test_an_item_of_another_customer_is_closed_there_and_opened_here() -> None:
    nights = Nights()
    nights.next(item("I1", 100_00, "C1"))
    made = nights.next(item("I1", 100_00, "C2"))
    assert said(made) == ["InvoiceIssued", "InvoiceAdjusted?"]
    issued = written(made, "InvoiceIssued")
    assert (issued["invoice_id"], issued["account_id"], issued["reference"]) == ("I1/2", "C2", "I1")
    assert nights.books.balances == {("C1", "EUR"): 0, ("C2", "EUR"): 100_00}


def test_cash_whose_owner_was_found_is_identified() -> None:
    nights = Nights()
    nights.next(item("P1", 80_00, None, kind="payment"))
    assert said(nights.next(item("P1", 80_00, "C1", kind="payment"))) == ["PaymentIdentified"]
    assert nights.books.balances[("C1", "EUR")] == -80_00


def payment(number: str, amount: int, account: str = "C1", references: Sequence[str] = ()) -> Payment:
    """A payment of the list of payments."""
    record = record_of("payment", number, account, amount, "EUR", 0)
    return Payment(number, account, "EUR", amount, tuple(references), ParsedEvent("PaymentReceived", record, HERE))


def application(number: str, paid_by: str, invoice: str, amount: int) -> Application:
    """An application of the list of payments."""
    _, record = parse_event(
        {"event": "CashApplied", "event_id": number, "company": "FR01", "account_id": "C1", "region": "",
         "occurred_at": "2026-03-02T12:00:00Z", "application_id": number, "payment_id": paid_by,
         "invoice_id": invoice, "amount": f"{amount / 100:.2f}", "currency": "EUR", "method": "auto",
         "source": "erp", "actor_id": "erp", "actor_role": "system"}, {},
    )  # fmt: skip
    return Application(number, paid_by, invoice, amount, ParsedEvent("CashApplied", record, HERE), b"row")


def test_payments_explain_what_is_gone_before_anything_is_adjusted() -> None:
    nights = Nights()
    nights.next(item("I1", 100_00, due=1), item("I2", 60_00, due=9), item("I3", 25_00, due=20))
    paid = Companion((payment("P1", 60_00), payment("P2", 25_00, references=["I1"])))
    made = nights.next(item("I1", 75_00, due=1), companion=paid)
    assert said(made) == ["PaymentReceived", "PaymentReceived", "CashApplied?", "CashApplied?", "InvoiceAdjusted?"]
    applied = {(event.record["payment_id"], event.record["invoice_id"]) for event in made.events[2:4]}
    assert applied == {("P1", "I2"), ("P2", "I1")}
    assert nights.books.open == {("invoice", "I1"): 75_00, ("invoice", "I2"): 0, ("invoice", "I3"): 0,
                                 ("payment", "P1"): 0, ("payment", "P2"): 0}  # fmt: skip


def test_cash_that_explains_nothing_waits_unapplied_for_a_later_list() -> None:
    nights = Nights()
    nights.next(item("I1", 100_00))
    assert said(nights.next(item("I1", 100_00), companion=Companion((payment("P1", 100_00),)))) == ["PaymentReceived"]
    assert said(nights.next(companion=Companion((payment("P1", 100_00),)))) == ["CashApplied?"]


def test_applications_that_the_payments_name_are_facts() -> None:
    nights = Nights()
    nights.next(item("I1", 100_00), item("I2", 60_00))
    paid = Companion((payment("P1", 160_00),), (application("A1", "P1", "I1", 90_00), application("A2", "P1", "I9", 1)))
    made = nights.next(item("I2", 60_00), companion=paid)
    assert said(made) == ["PaymentReceived", "CashApplied", "CashApplied?"]
    assert [(one.number, why) for one, why in made.refused] == [("A2", "neither list has an open item for it")]
    assert nights.books.open == {("invoice", "I1"): 0, ("invoice", "I2"): 60_00, ("payment", "P1"): 60_00}
    assert said(nights.next(item("I2", 60_00), companion=paid)) == []


_KINDS: list[Kind] = ["invoice", "credit_memo", "payment"]
_ROWS = st.builds(
    lambda kind, number, account, currency, left, more, due: item(
        f"{kind[0]}{number}",
        left,
        account or (None if kind == "payment" else "C1"),
        kind=kind,
        due=due,
        amount=left + more,
        currency=currency,
    ),
    st.sampled_from(_KINDS),
    st.integers(1, 4),
    st.sampled_from(["C1", "C2", ""]),
    st.sampled_from(["EUR", "EUR", "EUR", "JPY"]),
    st.integers(1, 300),
    st.integers(0, 60),
    st.integers(1, 31),
)
_LISTS = st.lists(st.lists(_ROWS, max_size=8, unique_by=lambda row: row.key), min_size=1, max_size=6)
_PAYMENTS = st.lists(
    st.builds(payment, st.sampled_from(["R1", "R2", "R3", "R4"]), st.integers(1, 400), st.sampled_from(["C1", "C2"])),
    max_size=3,
    unique_by=lambda one: one.number,
)


def _check(nights: Nights, rows: Sequence[OpenItem], received: set[str]) -> None:
    books = nights.books
    assert [(one.event_id, one.message) for one in books.rejected] == []
    by_number: dict[tuple[str, str], int] = {}
    for known in nights.state.items:
        for part in known.parts:
            by_number[known.kind, part.number] = part.open
    left = {("payment", known.number): known.left for known in nights.state.payments}
    assert books.open == {**by_number, **left}
    totals = {(row.kind, row.number): row.open for row in rows}
    of_state = {(known.kind, known.number): known.open for known in nights.state.items if known.open}
    assert of_state == totals
    for row in rows:
        if row.kind == "invoice":
            known = next(one for one in nights.state.items if one.key == row.key)
            assert books.due["invoice", known.parts[-1].number] == row.due
            assert books.account["invoice", known.parts[-1].number] == row.account
    assert {known.number for known in nights.state.payments} <= received


@settings(max_examples=150, deadline=None)
@given(_LISTS)
def test_folding_the_events_gives_the_last_list_whatever_came_before(lists: list[list[OpenItem]]) -> None:
    nights = Nights()
    for rows in lists:
        nights.next(*rows)
        assert said(nights.next(*rows, nights=0)) == []
    _check(nights, lists[-1], set())


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.lists(_ROWS, max_size=6, unique_by=lambda row: row.key), _PAYMENTS), min_size=1, max_size=5)
)
def test_payments_beside_the_lists_change_nothing_of_that(
    steps: list[tuple[list[OpenItem], list[Payment]]],
) -> None:
    nights, received = Nights(), set[str]()
    for rows, payments in steps:
        received |= {one.number for one in payments}
        nights.next(*rows, companion=Companion(tuple(payments)))
    _check(nights, steps[-1][0], received)


@given(_LISTS)
def test_a_step_that_is_taken_again_gives_the_same_events(lists: list[list[OpenItem]]) -> None:
    nights = Nights()
    for rows in lists:
        before = nights.state
        first = nights.next(*rows)
        as_of = nights.state.as_of
        again = compare(before, rows, source="erp", as_of=as_of, occurred_at=f"{as_of}T12:00:00Z")
        assert again.events == first.events
    ids = [event.record["event_id"] for event in nights.events]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("kind", _KINDS)
def test_a_list_that_flickers_keeps_its_books(kind: Kind) -> None:
    nights = Nights()
    for left in (50, 20, 90, 0, 70, 0, 10):
        rows = [item("X1", left, kind=kind, amount=90)] if left else []
        nights.next(*rows)
        _check(nights, rows, set())
