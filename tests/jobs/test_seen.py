"""Event ids that were applied before: remembered over restarts, forgotten after `KEPT_DAYS` (SEMANTICS 4.5)."""

from jobs.company import settings_from
from jobs.seen import KEPT_DAYS, SeenEvents, digest_of
from jobs.state import State
from jobs.values import Instant
from tests.jobs.books import instant

DAY = 86_400_000_000
START = instant("2026-01-01T12:00:00Z")


def memory() -> tuple[State, SeenEvents]:
    state = State()
    state.companies["A"] = settings_from({"code": "A"})
    return state, SeenEvents(state)


def add(seen: SeenEvents, numbers: range, at: int) -> None:
    for number in numbers:
        seen.add(digest_of("A", f"event-{number}"), Instant(at))


def known(seen: SeenEvents, numbers: range) -> list[int]:
    return [number for number in numbers if digest_of("A", f"event-{number}") in seen]


def written(state: State, seen: SeenEvents) -> list[tuple[str, bytes | None]]:
    seen.flush()
    state.finish()
    return state.take_changes()


def test_what_was_added_is_known_at_once_and_nothing_else() -> None:
    _, seen = memory()
    add(seen, range(3), START)
    assert known(seen, range(10)) == [0, 1, 2]


def test_an_id_belongs_to_its_company() -> None:
    _, seen = memory()
    seen.add(digest_of("A", "1"), START)
    assert digest_of("B", "1") not in seen
    assert digest_of("A1", "") not in seen


def test_many_ids_lie_in_chunks_that_are_written_as_they_fill() -> None:
    state, seen = memory()
    add(seen, range(100), START)
    assert len(written(state, seen)) == 2
    add(seen, range(100, 110), START)
    assert len(written(state, seen)) == 1
    assert written(state, seen) == []
    assert state.statistics()["seen"] == 2


def test_a_restart_knows_them_all_and_goes_on_where_it_was() -> None:
    state, seen = memory()
    records: dict[str, bytes | None] = {}
    for position in range(0, 300, 30):
        add(seen, range(position, position + 30), START)
        records.update(written(state, seen))
    other_state, other = memory()
    for changed, value in records.items():
        other_state.restore(changed, value)
    other_state.restored()
    other.restored()
    assert known(other, range(400)) == list(range(300))
    for one_state, one in ((state, seen), (other_state, other)):
        add(one, range(300, 310), START)
        one.flush()
        one_state.finish()
    assert state.take_changes() == other_state.take_changes()


def test_full_chunks_are_forgotten_after_their_time_and_a_partial_one_is_kept() -> None:
    state, seen = memory()
    add(seen, range(64), START)
    written(state, seen)
    add(seen, range(64, 70), START + 100 * DAY)
    written(state, seen)
    seen.forget(Instant(START + KEPT_DAYS * DAY))
    assert known(seen, range(70)) == list(range(70))
    seen.forget(Instant(START + (KEPT_DAYS + 1) * DAY))
    assert known(seen, range(70)) == list(range(64, 70))
    state.finish()
    assert [value for _, value in state.take_changes()] == [None]
    seen.forget(Instant(START + (KEPT_DAYS + 1000) * DAY))
    assert known(seen, range(70)) == list(range(64, 70))


def test_a_restart_after_forgetting_knows_what_was_left() -> None:
    state, seen = memory()
    records: dict[str, bytes | None] = {}
    add(seen, range(64), START)
    records.update(written(state, seen))
    add(seen, range(64, 130), START + 400 * DAY)
    records.update(written(state, seen))
    seen.forget(Instant(START + (KEPT_DAYS + 1) * DAY))
    records.update(written(state, seen))
    other_state, other = memory()
    for changed, value in records.items():
        other_state.restore(changed, value)
    other_state.restored()
    other.restored()
    assert known(other, range(130)) == known(seen, range(130)) == list(range(64, 130))
    other.forget(Instant(START + (KEPT_DAYS + 401) * DAY))
    assert known(other, range(130)) == [128, 129]


def test_when_they_are_written_shows_neither_in_the_chunks_nor_in_what_is_forgotten() -> None:
    """Two lives with the same events and ticks, one written after each event, one only at the end."""
    states = []
    for each in (True, False):
        state, seen = memory()
        records: dict[str, bytes | None] = {}
        for number, day in enumerate([0] * 70 + [200] * 70 + [KEPT_DAYS + 100] * 10):
            add(seen, range(number, number + 1), START + day * DAY)
            if number in {139, 149}:
                seen.forget(Instant(START + (KEPT_DAYS + day + 1) * DAY))
            if each:
                records.update(written(state, seen))
        records.update(written(state, seen))
        states.append({key: value for key, value in records.items() if value is not None})
    assert states[0] == states[1]
    assert len(states[0]) < 3
