"""Aging lines: every movement is additive, so that the ledger answers for any day (SEMANTICS 1.1, 1.2, 2.4)."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from jobs.entities import Line, Placement
from jobs.lines import Movement, cleared, opened, placed, posted
from jobs.values import Day, Minor
from tests.jobs.examples import examples

OPENED = Placement(Day(10), "invoice", Day(40))


def moves(movements: list[Movement]) -> list[tuple[int, int, int]]:
    """(effective day, age date, delta) of movements."""
    return [(movement.effective, movement.placement.age_date, movement.delta) for movement in movements]


def test_a_line_opens_with_its_whole_amount_on_the_day_of_its_placement() -> None:
    line, movements = opened(1, Minor(500), OPENED)
    assert moves(movements) == [(10, 40, 500)]
    assert (line.open_at(Day(9)), line.open_at(Day(10)), line.open) == (0, 500, 500)


def test_a_posting_before_the_line_exists_takes_effect_on_its_first_day() -> None:
    line, _ = opened(1, Minor(500), OPENED)
    line, movements = posted(line, Minor(-200), Day(3))
    assert moves(movements) == [(10, 40, -200)]
    assert (line.open_at(Day(9)), line.open_at(Day(10))) == (0, 300)


def test_postings_of_one_day_are_one_posting() -> None:
    line, _ = opened(1, Minor(500), OPENED)
    for amount in (-100, -50):
        line, _ = posted(line, Minor(amount), Day(20))
    line, _ = posted(line, Minor(-25), Day(15))
    line, _ = posted(line, Minor(5), Day(15))
    assert line.postings == ((10, 500), (15, -20), (20, -150))


def test_a_new_due_date_moves_what_is_open_and_what_is_posted_later() -> None:
    line, _ = opened(1, Minor(500), OPENED)
    line, _ = posted(line, Minor(-100), Day(30))
    line, movements = placed(line, Placement(Day(20), "invoice", Day(70)))
    assert moves(movements) == [(20, 40, -500), (20, 70, 500), (30, 40, 100), (30, 70, -100)]


def test_a_posting_dated_before_a_due_date_change_moves_along_with_it() -> None:
    line, _ = opened(1, Minor(500), OPENED)
    line, _ = placed(line, Placement(Day(20), "invoice", Day(70)))
    line, _ = placed(line, Placement(Day(30), "invoice", Day(90)))
    _, movements = posted(line, Minor(-100), Day(15))
    assert moves(movements) == [(15, 40, -100), (20, 40, 100), (20, 70, -100), (30, 70, 100), (30, 90, -100)]


def test_a_late_change_holds_only_until_the_next_known_one() -> None:
    line, _ = opened(1, Minor(500), OPENED)
    line, _ = placed(line, Placement(Day(30), "invoice", Day(90)))
    line, movements = placed(line, Placement(Day(20), "invoice", Day(70)))
    assert moves(movements) == [(20, 40, -500), (20, 70, 500), (30, 70, -500), (30, 40, 500)]
    assert [line.placement_at(Day(on)).age_date for on in (19, 20, 29, 30)] == [40, 70, 70, 90]


def test_a_change_on_the_day_of_an_earlier_one_replaces_it() -> None:
    line, _ = opened(1, Minor(500), OPENED)
    line, _ = placed(line, Placement(Day(20), "invoice", Day(70)))
    line, movements = placed(line, Placement(Day(20), "invoice", Day(80)))
    assert moves(movements) == [(20, 70, -500), (20, 80, 500)]
    assert len(line.placements) == 2


def test_a_change_that_changes_nothing_moves_nothing() -> None:
    line, _ = opened(1, Minor(500), OPENED)
    _, movements = placed(line, Placement(Day(20), "invoice", Day(40)))
    assert movements == []


def test_a_change_dated_before_the_line_exists_counts_from_its_first_day() -> None:
    line, _ = opened(1, Minor(500), OPENED)
    line, movements = placed(line, Placement(Day(2), "invoice", Day(70)))
    assert moves(movements) == [(10, 40, -500), (10, 70, 500)]
    assert line.placements == (Placement(Day(10), "invoice", Day(70)),)


def test_a_cleared_line_is_zero_from_that_day_on_and_unchanged_before() -> None:
    line, _ = opened(1, Minor(500), OPENED)
    line, _ = posted(line, Minor(-200), Day(25))
    line, movements = cleared(line, Day(20))
    assert moves(movements) == [(20, 40, -500), (25, 40, 200)]
    assert [line.open_at(Day(on)) for on in (10, 19, 20, 24, 25, 99)] == [500, 500, 0, 0, 0, 0]


def test_clearing_before_the_line_exists_clears_it_from_its_first_day() -> None:
    line, _ = opened(1, Minor(500), OPENED)
    line, movements = cleared(line, Day(2))
    assert moves(movements) == [(10, 40, -500)]
    assert line.open_at(Day(10)) == 0


def test_clearing_an_empty_line_moves_nothing() -> None:
    line, _ = opened(1, Minor(500), OPENED)
    line, _ = posted(line, Minor(-500), Day(12))
    assert cleared(line, Day(20))[1] == []


FIRST, LAST = 5, 30
days = st.integers(FIRST - 5, LAST)
operations = st.lists(
    st.one_of(
        st.tuples(st.just("post"), days, st.integers(-300, 300)),
        st.tuples(st.just("place"), days, st.integers(50, 56)),
        st.tuples(st.just("park"), days, st.integers(50, 56)),
        st.tuples(st.just("clear"), days, st.just(0)),
    ),
    max_size=14,
)


class DayByDay:
    """The obvious form of a line: all postings and placements, looked through anew for every day."""

    def __init__(self, amount: int, placement: Placement) -> None:
        self.postings: list[tuple[int, int]] = [(placement.since, amount)]
        self.placements: dict[int, tuple[str, int]] = {placement.since: (placement.balance_class, placement.age_date)}

    def post(self, on: int, delta: int) -> None:
        self.postings.append((max(FIRST, on), delta))

    def place(self, on: int, balance_class: str, age_date: int) -> None:
        self.placements[max(FIRST, on)] = (balance_class, age_date)

    def clear(self, on: int) -> None:
        for each in range(max(FIRST, on), LAST + 2):
            self.postings.append((each, -self.total(each)))

    def total(self, on: int) -> int:
        return sum(delta for effective, delta in self.postings if effective <= on)

    def stands(self, on: int) -> dict[tuple[str, int], int]:
        if on < FIRST or not self.total(on):
            return {}
        return {self.placements[max(since for since in self.placements if since <= on)]: self.total(on)}


@examples(300)
@given(st.integers(1, 1000), operations)
def test_the_sum_of_all_movements_is_the_balance_of_every_day_at_its_place(
    amount: int, steps: list[tuple[str, int, int]]
) -> None:
    start = Placement(Day(FIRST), "invoice", Day(50))
    line, movements = opened(1, Minor(amount), start)
    expected = DayByDay(amount, start)
    for what, on, value in steps:
        line, made = _changed(line, what, on, value)
        movements += made
        if what == "post":
            expected.post(on, value)
        elif what == "clear":
            expected.clear(on)
        else:
            expected.place(on, "invoice" if what == "place" else "on_account", value)
    for on in range(LAST + 2):
        sums: Counter[tuple[str, int]] = Counter()
        for movement in movements:
            if movement.effective <= on:
                sums[movement.placement.balance_class, movement.placement.age_date] += movement.delta
        assert {place: total for place, total in sums.items() if total} == expected.stands(on), f"day {on}"
        assert line.open_at(Day(on)) == expected.total(on)
    assert line.open == expected.total(LAST + 1)


def _changed(line: Line, what: str, on: int, value: int) -> tuple[Line, list[Movement]]:
    if what == "post":
        return posted(line, Minor(value), Day(on))
    if what == "clear":
        return cleared(line, Day(on))
    return placed(line, Placement(Day(on), "invoice" if what == "place" else "on_account", Day(value)))
