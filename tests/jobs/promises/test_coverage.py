"""Which invoices a promise keeps from being dunned (SEMANTICS 3.4, 3.14)."""

import pytest

from jobs.promises.coverage import coverage_key
from tests.jobs.desk import Desk


@pytest.fixture
def desk() -> Desk:
    """I1 and I2 of 100.00, overdue since 1 April, on Thursday 2 April."""
    desk = Desk()
    desk.tick("2026-03-02T09:00:00Z")
    desk.invoice("I1", "100.00", due_date="2026-03-31")
    desk.invoice("I2", "100.00", due_date="2026-03-31")
    desk.tick("2026-04-02T09:00:00Z")
    return desk


def dunned(desk: Desk) -> list[str]:
    return [invoice for _, _, invoices in desk.notices() for invoice in invoices]


def test_promises_are_listed_by_the_document_they_were_made_for() -> None:
    assert coverage_key("document\x1fFR01\x1finvoice\x1fI1") == "coverage\x1fFR01\x1finvoice\x1fI1"


def test_while_it_is_open_its_invoices_are_left_alone_and_others_are_not(desk: Desk) -> None:
    assert dunned(desk) == ["I1", "I2"]
    desk.promise("P1", "10.00", "2026-04-10", "I1")
    assert dunned(desk) == ["I2"]


def test_one_for_the_account_covers_what_was_open_then(desk: Desk) -> None:
    desk.promise("P1", "200.00", "2026-04-10")
    desk.invoice("I3", "50.00", due_date="2026-03-31")
    assert dunned(desk) == ["I3"]


@pytest.mark.parametrize("how", ["withdrawn", "broken", "kept"])
def test_when_it_no_longer_runs_what_is_left_is_asked_for(desk: Desk, how: str) -> None:
    desk.promise("P1", "60.00", "2026-04-10", "I1")
    match how:
        case "withdrawn":
            desk.withdraw("P1")
        case "broken":
            desk.tick("2026-04-13T09:00:00Z")
        case _:
            desk.pay("R1", "60.00")
    assert (desk.status("P1"), dunned(desk)) == (how, ["I1", "I2"])


def test_pending_cash_blocks_like_an_open_promise(desk: Desk) -> None:
    desk.promise("P1", "100.00", "2026-04-10", "I1")
    desk.payment("R1", "100.00")
    desk.tick("2026-04-13T09:00:00Z")
    assert desk.status("P1") == "pending_cash"
    assert "I1" not in dunned(desk)


def test_a_plan_that_broke_blocks_no_longer_though_a_part_of_it_is_open(desk: Desk) -> None:
    parts = [(1, "2026-04-03", "50.00"), (2, "2026-04-20", "50.00")]
    desk.promise("P1", "100.00", "2026-04-20", "I1", instalments=parts)
    assert dunned(desk) == ["I2"]
    desk.tick("2026-04-07T09:00:00Z")
    assert dunned(desk) == ["I1", "I2"]


def test_of_two_that_overlap_either_blocks(desk: Desk) -> None:
    desk.promise("ALL", "200.00", "2026-04-20")
    desk.promise("ONE", "100.00", "2026-04-20", "I1")
    desk.withdraw("ONE")
    assert dunned(desk) == []
    desk.withdraw("ALL")
    assert dunned(desk) == ["I1", "I2"]
