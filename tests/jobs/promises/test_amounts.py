"""What an instalment needs and has (SEMANTICS 3.2, 3.3, 3.5, 3.9, 3.10)."""

import pytest

from jobs.entities import CountedCash, PromisedInstalment, PromiseState
from jobs.promises.amounts import dues, paid_in_window, paid_late, paid_late_days, target_of
from jobs.values import Day, Minor

WHOLE = (100, 1)
NINETY = (90, 1)


def promise(parts: list[tuple[int, int]], covered_open: int, *cash: tuple[int, int]) -> PromiseState:
    """A promise of (deadline, amount) parts; one part is no plan. `cash` is (value date, amount)."""
    first = 0 if len(parts) == 1 else 1
    return PromiseState(
        wake=None, listed_under="", account="C1", promise_id="P1", currency="EUR",
        amount=Minor(sum(amount for _, amount in parts)), made_on=Day(0), level=1, whole_account=False,
        invoice_ids=("I1",), covered_open=Minor(covered_open), content=b"",
        instalments=tuple(
            PromisedInstalment(number, Day(deadline), Minor(amount), Day(deadline))
            for number, (deadline, amount) in enumerate(parts, start=first)
        ),
        cash=tuple(CountedCash(Day(day), Minor(amount)) for day, amount in cash),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("amount", "percent", "expected"),
    [
        (100, (100, 1), 100),
        (100, (90, 1), 90),
        (99, (90, 1), 90),
        (1, (1, 1), 1),
        (300, (333, 10), 100),
        (0, (90, 1), 0),
    ],
)
def test_the_threshold_share_is_rounded_up_for_less_is_less(
    amount: int, percent: tuple[int, int], expected: int
) -> None:
    assert target_of(amount, *percent) == expected


class TestOnePayment:
    def test_cash_up_to_the_deadline_counts_and_later_cash_is_late(self) -> None:
        of = promise([(10, 100)], 40, (5, 20), (10, 30), (11, 10))
        (due,) = dues(of, WHOLE)
        assert due == (100, 100, 50, 10)
        assert (due.satisfied, due.remainder) == (False, 50)
        assert (paid_in_window(of), paid_late(of)) == (50, 10)

    def test_what_credits_took_is_not_asked_for_and_cash_that_does_not_count_neither(self) -> None:
        (due,) = dues(promise([(10, 100)], 30, (5, 20)), WHOLE)
        assert (due.amount, due.remainder) == (50, 30)

    def test_more_than_promised_counts_whole(self) -> None:
        (due,) = dues(promise([(10, 100)], 0, (5, 250)), NINETY)
        assert (due.amount, due.target, due.paid, due.satisfied, due.remainder) == (100, 90, 250, True, 0)

    def test_of_nothing_nothing_is_kept(self) -> None:
        (due,) = dues(promise([(10, 100)], 0), WHOLE)
        assert due == (0, 0, 0, 0)
        assert not due.satisfied


class TestPlan:
    def test_each_part_sees_the_cash_of_its_own_window_oldest_part_first(self) -> None:
        first, second, third = dues(
            promise([(10, 100), (20, 100), (30, 100)], 50, (10, 60), (15, 90), (25, 100)), WHOLE
        )
        assert (first.paid, first.late) == (60, 40)
        assert (second.paid, second.late) == (50, 50)
        assert (third.paid, third.late) == (50, 0)

    def test_credits_shorten_it_from_its_last_part(self) -> None:
        amounts = [due.amount for due in dues(promise([(10, 100), (20, 100), (30, 100)], 70, (10, 60)), WHOLE)]
        assert amounts == [100, 30, 0]

    def test_a_part_that_reached_its_share_leaves_the_rest_to_the_next(self) -> None:
        first, second = dues(promise([(10, 100), (20, 100)], 20, (10, 90), (20, 90)), NINETY)
        assert (first.paid, first.late, first.satisfied) == (90, 0, True)
        assert (second.paid, second.satisfied) == (90, True)

    def test_a_part_that_did_not_is_filled_first(self) -> None:
        first, second = dues(promise([(10, 100), (20, 100)], 21, (10, 89), (20, 90)), NINETY)
        assert (first.paid, first.late, first.satisfied) == (89, 11, False)
        assert (second.paid, second.satisfied) == (79, False)


class TestDaysLate:
    def test_without_late_cash_there_are_none(self) -> None:
        assert paid_late_days(promise([(10, 100)], 0, (10, 100))) is None
        assert paid_late_days(promise([(10, 100)], 100)) is None

    def test_they_run_to_the_cash_that_came_last_whatever_it_was_for(self) -> None:
        assert paid_late_days(promise([(10, 100)], 50, (12, 20), (15, 30))) == 5
        assert paid_late_days(promise([(10, 50)], 0, (12, 20), (15, 30), (40, 200))) == 30

    def test_of_a_plan_from_its_last_deadline(self) -> None:
        assert paid_late_days(promise([(10, 50), (20, 50)], 0, (12, 50), (21, 50))) == 1
