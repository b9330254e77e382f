"""Which lines an amount fills (SEMANTICS 2.3)."""

from hypothesis import given
from hypothesis import strategies as st

from jobs.entities import Line, Placement
from jobs.ledger.allocation import last, numbered, oldest_first, part_of
from jobs.values import Day, Minor
from tests.jobs.examples import examples


def line(number: int, due: int, amount: int) -> Line:
    return Line(number, Minor(amount), (Placement(Day(0), "invoice", Day(due)),), ((Day(0), Minor(amount)),))


LINES = (line(1, 50, 100), line(2, 30, 100), line(3, 40, 100))


def test_the_earliest_due_date_is_filled_first_then_the_next() -> None:
    assert oldest_first(LINES, Minor(250)) == ((2, 100), (3, 100), (1, 50))


def test_of_equal_due_dates_the_lowest_number_is_filled_first() -> None:
    assert oldest_first((line(2, 30, 10), line(1, 30, 10)), Minor(15)) == ((1, 10), (2, 5))


def test_closed_lines_are_passed_over() -> None:
    assert oldest_first((line(1, 10, 0), line(2, 20, 5)), Minor(5)) == ((2, 5),)


def test_the_last_line_is_the_one_due_last() -> None:
    assert last(LINES).number == 1
    assert last((line(1, 30, 10), line(2, 30, 10))).number == 2


def test_a_line_is_found_by_its_number() -> None:
    assert numbered(LINES, 3) is LINES[2]
    assert numbered(LINES, 9) is None


def test_a_part_of_an_allocation_takes_its_beginning() -> None:
    allocation = ((2, Minor(100)), (3, Minor(50)))
    assert part_of(allocation, Minor(120)) == ((2, 100), (3, 20))
    assert part_of(allocation, Minor(100)) == ((2, 100),)
    assert part_of(allocation, Minor(0)) == ()


@examples(100)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 50)), min_size=1, max_size=6), st.data())
def test_an_amount_that_fits_is_allocated_whole_and_no_line_is_overfilled(
    drawn: list[tuple[int, int]], data: st.DataObject
) -> None:
    lines = tuple(line(number, due, amount) for number, (due, amount) in enumerate(drawn, start=1))
    amount = data.draw(st.integers(0, sum(each.open for each in lines)))
    allocation = oldest_first(lines, Minor(amount))
    open_of = {each.number: each.open for each in lines}
    assert sum(part for _, part in allocation) == amount
    assert all(0 < part <= open_of[number] for number, part in allocation)
    dues = {each.number: each.due_date for each in lines}
    assert [dues[number] for number, _ in allocation] == sorted(dues[number] for number, _ in allocation)
