"""The state of a partition: steps that are kept or undone, timers, indexes, records to write and to restore from."""

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.company import settings_from
from jobs.entities import AccountState, Adjustment, key
from jobs.state import State
from jobs.values import Day, Instant
from tests.jobs.books import day, instant
from tests.jobs.examples import examples


def fresh() -> State:
    state = State()
    for code, zone in (("FR01", "Europe/Paris"), ("US01", "America/New_York")):
        state.companies[code] = settings_from({"code": code, "timezone": zone})
    return state


def account(wake: int | None = None, under: str = "", name: str = "") -> AccountState:
    return AccountState(None if wake is None else Day(wake), under, name=name)


A = key("account", "FR01", "A")
B = key("account", "FR01", "B")
U = key("account", "US01", "A")


def test_what_was_put_is_read_back_before_and_after_it_is_at_rest() -> None:
    state = fresh()
    state.put(A, account(name="Ada"))
    assert state.get(AccountState, A) == account(name="Ada")
    state.finish()
    changes = state.take_changes()
    other = fresh()
    for changed, value in changes:
        other.restore(changed, value)
    other.restored()
    assert other.get(AccountState, A) == account(name="Ada")
    assert other.get(AccountState, B) is None


def test_only_what_changed_is_written_and_once() -> None:
    state = fresh()
    state.put(A, account(name="Ada"))
    state.put(B, account(name="Bea"))
    state.finish()
    state.put(A, account(name="Eve"))
    state.finish()
    assert [changed for changed, _ in state.take_changes()] == [A, B]
    assert state.take_changes() == []


def test_a_removed_entity_leaves_a_tombstone_only_where_it_had_been_written() -> None:
    state = fresh()
    state.put(A, account())
    state.finish()
    state.take_changes()
    state.remove(A)
    state.put(B, account())
    state.finish()
    state.remove(B)
    state.finish()
    assert state.take_changes() == [(A, None)]
    assert list(state.keys("account")) == []
    assert state.statistics() == {"account": 0, "bytes": 0}


def test_keys_hold_what_is_not_written_yet_and_not_what_is_removed() -> None:
    """A review of all entities must not depend on where a batch ended."""
    state = fresh()
    state.put(A, account())
    state.finish()
    assert list(state.keys("account")) == [A]
    state.take_changes()
    state.remove(A)
    state.put(B, account())
    assert list(state.keys("account")) == [B]


def test_listings_follow_what_is_kept() -> None:
    state = fresh()
    state.put(B, account(under="shelf"))
    state.put(A, account(under="shelf"))
    assert state.listed("shelf") == []
    state.keep()
    assert state.listed("shelf") == [A, B]
    assert state.lists("shelf")
    state.put(A, account(under="other"))
    state.remove(B)
    state.finish()
    assert (state.listed("shelf"), state.listed("other")) == ([], [A])
    assert not state.lists("shelf")


def test_timers_wake_at_the_local_midnight_of_their_company_in_order() -> None:
    state = fresh()
    march = day("2026-03-01")
    state.put(U, account(march))
    state.put(B, account(march))
    state.put(A, account(march))
    state.finish()
    paris, new_york = instant("2026-02-28T23:00:00Z"), instant("2026-03-01T05:00:00Z")
    assert state.next_wake() == paris
    assert state.due_at(paris) == [("FR01", march, A), ("FR01", march, B)]
    assert state.next_wake() == new_york
    assert state.due_at(new_york) == [("US01", march, U)]
    assert state.next_wake() is None


def test_a_timer_that_was_moved_or_removed_does_not_wake() -> None:
    state = fresh()
    state.put(A, account(10))
    state.put(B, account(10))
    state.finish()
    state.put(A, account(20))
    state.remove(B)
    state.finish()
    wake = state.next_wake()
    assert wake == state.companies["FR01"].calendar.midnight(Day(20))
    assert [found for _, _, found in state.due_at(wake)] == [A]


def test_a_timer_set_back_to_a_day_it_had_before_wakes_once() -> None:
    state = fresh()
    for wake in (10, 20, 10):
        state.put(A, account(wake))
        state.finish()
    first = state.next_wake()
    assert first is not None
    assert state.due_at(first) == [("FR01", 10, A)]
    assert state.next_wake() is None


@pytest.mark.parametrize("others", [0, 1])
@pytest.mark.parametrize("before", [10, 20])
def test_what_is_set_to_a_day_that_is_firing_fires_once_more_at_that_instant(before: int, others: int) -> None:
    """Advice is computed after the items of the same midnight have moved."""
    state = fresh()
    for position in range(1 + others):
        state.put(key("account", "FR01", f"other-{position}"), account(10))
    state.put(A, account(before, name="first"))
    state.finish()
    midnight = state.companies["FR01"].calendar.midnight(Day(10))
    state.due_at(midnight)
    state.remove(key("account", "FR01", "other-0"))
    state.put(A, account(10, name="second"))
    state.keep()
    assert state.next_wake() == midnight
    assert ("FR01", 10, A) in state.due_at(midnight)
    state.put(A, account(30))
    state.finish()
    assert [on for _, company, on in state._midnights if A in state._timers[company].get(on, {})] == [30]


def test_new_settings_move_the_midnights() -> None:
    state = fresh()
    state.put(A, account(day("2026-03-01")))
    state.finish()
    state.companies["FR01"] = settings_from({"code": "FR01", "timezone": "Asia/Tokyo"})
    state.rebuild_timers("FR01")
    assert state.next_wake() == instant("2026-02-28T15:00:00Z")


class Picture(NamedTuple):
    """Everything of a state that anybody can observe."""

    records: dict[str, bytes]
    entities: dict[str, AccountState | None]
    listed: dict[str, list[str]]
    timers: list[tuple[Instant, str, Day, str]]


def picture(state: State) -> Picture:
    timers = sorted(
        (state.companies[company].calendar.midnight(on), company, on, waiting)
        for company, days in state._timers.items()
        for on, keys in days.items()
        for waiting in keys
    )
    return Picture(
        dict(state._resting),
        {each: state.get(AccountState, each) for each in KEYS},
        {under: state.listed(under) for under in ("", "x", "y")},
        timers,
    )


KEYS = [key("account", company, name) for company in ("FR01", "US01") for name in "ABC"]
changes = st.one_of(
    st.tuples(st.just("put"), st.sampled_from(KEYS), st.none() | st.integers(0, 5), st.sampled_from(["", "x", "y"])),
    st.tuples(st.just("remove"), st.sampled_from(KEYS), st.none(), st.just("")),
    st.tuples(st.sampled_from(["keep", "fire"]), st.just(""), st.none(), st.just("")),
)


def perform(state: State, what: str, on: str, wake: int | None, under: str) -> None:
    if what == "put":
        state.put(on, account(wake, under))
    elif what == "remove":
        state.remove(on)
    elif what == "keep":
        state.keep()
    else:
        state.keep()
        upcoming = state.next_wake()
        if upcoming is not None:
            state.due_at(upcoming)


@examples(200)
@given(st.lists(changes, max_size=12), st.booleans(), st.lists(changes, max_size=12))
def test_an_undone_step_leaves_everything_as_it_was(
    before: list[tuple[str, str, int | None, str]], written: bool, step: list[tuple[str, str, int | None, str]]
) -> None:
    state = fresh()
    for change in before:
        if change[0] != "fire":
            perform(state, *change)
    state.finish()
    if written:
        state.take_changes()
    expected, upcoming = picture(state), state.next_wake()
    for change in step:
        perform(state, *change)
    state.undo()
    state.finish()
    assert picture(state) == expected
    assert state.next_wake() == upcoming
    assert bool(state.take_changes()) == (bool(expected.entities) and not written and _any_put(expected))


def _any_put(of: Picture) -> bool:
    return any(entity is not None for entity in of.entities.values())


@examples(200)
@given(st.lists(st.tuples(st.lists(changes, max_size=6), st.booleans()), max_size=8))
def test_a_restored_state_is_the_one_that_was_written(
    steps: list[tuple[list[tuple[str, str, int | None, str]], bool]],
) -> None:
    state = fresh()
    topic: list[tuple[str, bytes | None]] = []
    for step, commit in steps:
        for change in step:
            if change[0] != "fire":
                perform(state, *change)
        state.finish()
        if commit:
            topic += state.take_changes()
    topic += state.take_changes()
    other = fresh()
    for changed, value in topic:
        other.restore(changed, value)
    other.restored()
    assert picture(other) == picture(state)
    assert other.next_wake() == state.next_wake()
    assert other.statistics() == state.statistics()


def test_a_kind_that_is_not_declared_cannot_be_stored() -> None:
    state = fresh()
    state.restore(key("riddle", "FR01", "1"), b"\x92\xc0\xa0")
    with pytest.raises(KeyError):
        state.put(key("riddle", "FR01", "1"), Adjustment(None, "", b""))
