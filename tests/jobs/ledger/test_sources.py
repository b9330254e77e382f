"""What an application draws from (SEMANTICS 1.3, 4.4, 4.7)."""

from jobs import settings_from
from jobs.entities import Document, ForeignSource, Line, Placement, ReceiptState
from jobs.ledger.sources import foreign_key, remainder, source_key, source_of, usable_from, value_date
from jobs.state import State
from jobs.step import Step
from jobs.values import Day, Instant, Minor

LINE = Line(0, Minor(-100), (Placement(Day(5), "unapplied", Day(5)),), ((Day(5), Minor(-100)),))
RECEIPT = ReceiptState(
    None, "", "C1", "R1", "EUR", Minor(100), Day(5), None, None, None, "", b"", (LINE,), applied=Minor(30),
    refunded=Minor(10), carried=Minor(20),
)  # fmt: skip
MEMO = Document(
    None, "", "C1", "credit_memo", "M1", "EUR", Minor(-100), Day(3), Day(4), "", None, b"", (LINE,), carried=Minor(25)
)
FOREIGN = ForeignSource(None, "", "PA", "payment", "R9", "I1", "EUR", Minor(80), Day(6), "unapplied", "")
FOREIGN_CREDIT = ForeignSource(None, "", "PA", "credit_memo", "M9", "I1", "EUR", Minor(80), Day(6), "credit", "")


def step() -> Step:
    return Step(State(), settings_from({"code": "FR01"}), "e1", Instant(0), None, [])


def test_what_is_left_is_without_what_is_on_its_way_to_another_account() -> None:
    assert [remainder(source) for source in (RECEIPT, MEMO, FOREIGN)] == [40, 75, 80]


def test_cash_has_a_value_date_and_credits_have_none() -> None:
    assert [value_date(source) for source in (RECEIPT, MEMO, FOREIGN, FOREIGN_CREDIT)] == [5, None, 6, None]


def test_cash_settles_from_its_value_date_on_a_credit_from_its_posting() -> None:
    assert [usable_from(source) for source in (RECEIPT, MEMO, FOREIGN, FOREIGN_CREDIT)] == [5, 4, 6, 6]


def test_each_is_found_under_its_own_key_with_what_the_step_did_to_it() -> None:
    now = step()
    now.state.put(source_key(now, "R1", None), RECEIPT)
    now.put_document(source_key(now, None, "M1"), MEMO)
    now.state.put(foreign_key(now, "A1"), FOREIGN)
    found = [source_of(now, at) for at in (source_key(now, "R1", None), source_key(now, None, "M1"))]
    assert found == [RECEIPT, MEMO]
    assert source_of(now, foreign_key(now, "A1")) == FOREIGN
    assert source_of(now, source_key(now, "R2", None)) is None
    assert source_key(now, "R1", "M1") == source_key(now, "R1", None)
