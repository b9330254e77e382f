"""The same log gives the same bytes; what was applied once is not applied again (SEMANTICS 4.5, DESIGN §2)."""

from hypothesis import given
from hypothesis import strategies as st

from jobs.effects import LedgerEntry
from jobs.events import ClockTicked, CompanyConfigured
from jobs.seen import KEPT_DAYS
from tests.jobs.examples import examples
from tests.property.histories import History, histories
from tests.property.playing import Play, encoded, restarted, state_of
from tests.property.writer import DAY


@examples(30)
@given(histories())
def test_the_same_log_gives_the_same_bytes(history: History) -> None:
    one, other = Play().all(history.log), Play().all(history.log)
    for (_, outcome, effects), (_, other_outcome, other_effects) in zip(one.steps, other.steps, strict=True):
        assert (outcome, encoded(effects)) == (other_outcome, encoded(other_effects))
    assert state_of(one.fold) == state_of(other.fold)


@examples(40)
@given(histories())
def test_what_was_taken_is_ignored_when_it_is_read_again(history: History) -> None:
    play = Play().all(history.log)
    kept_since = (play.fold.clock_micros or 0) - (KEPT_DAYS - 1) * DAY
    taken = [event for event, outcome, _ in play.steps if outcome == "applied" and event.recorded_at >= kept_since]
    before = state_of(play.fold)
    for event in taken:
        result = play.fold.step(event)
        assert (result.outcome, result.effects) == ("duplicate", [])
    assert state_of(play.fold) == before


@examples(40)
@given(histories())
def test_settings_and_ticks_that_are_read_again_change_nothing(history: History) -> None:
    play = Play().all(history.log)
    before = state_of(play.fold)
    for event in history.log:
        if isinstance(event, ClockTicked | CompanyConfigured):
            assert play.fold.step(event).effects == []
    assert state_of(play.fold) == before


@examples(40)
@given(histories(), st.data())
def test_every_event_twice_in_a_row_is_every_event_once(history: History, data: st.DataObject) -> None:
    doubled = data.draw(st.integers(1, 5))
    once, twice = Play().all(history.log), Play()
    for position, event in enumerate(history.log):
        twice.take(event)
        if position % doubled == 0 and twice.steps[-1][1] == "applied":
            assert twice.take(event) == []
    assert state_of(twice.fold) == state_of(once.fold)
    assert encoded(twice.out.entries) == encoded(once.out.entries)


@examples(50)
@given(histories(), st.data())
def test_any_split_into_batches_with_restarts_between_gives_the_same_bytes(
    history: History, data: st.DataObject
) -> None:
    whole = Play().all(history.log)
    split = Play()
    ends = data.draw(st.sets(st.integers(0, len(history.log)), max_size=8))
    restarts = data.draw(st.sets(st.integers(0, len(history.log)), max_size=4))
    for position, event in enumerate(history.log):
        if position in ends:
            split.fold.take_changes()
        if position in restarts:
            split.fold = restarted(split.fold)
        split.take(event)
    for (_, outcome, effects), (_, other_outcome, other_effects) in zip(whole.steps, split.steps, strict=True):
        assert (outcome, encoded(effects)) == (other_outcome, encoded(other_effects))
    assert state_of(split.fold) == state_of(whole.fold)
    assert split.fold.next_wake_micros() == whole.fold.next_wake_micros()
    assert restarted(split.fold).next_wake_micros() == whole.fold.next_wake_micros()


@examples(30)
@given(histories())
def test_the_state_topic_alone_is_the_state(history: History) -> None:
    """Compaction keeps the last record of a key: in any order, these restore the fold."""
    play = Play()
    topic: dict[str, bytes | None] = {}
    for event in history.log:
        play.take(event)
        topic.update(play.fold.take_changes())
    restored = Play().fold
    for key, value in reversed(topic.items()):
        if value is not None:
            restored.restore(key, value)
    restored.restored()
    assert state_of(restored) == state_of(play.fold)
    assert restored.clock_micros == play.fold.clock_micros
    entities = {kind: count for kind, count in play.fold.statistics().items() if count}
    assert {kind: count for kind, count in restored.statistics().items() if count} == entities


@examples(30)
@given(histories())
def test_what_is_reported_as_of_a_past_moment_never_changes(history: History) -> None:
    """Once the clock has passed a moment, nothing is recorded at it or before it any more (SEMANTICS 1.2)."""
    play = Play()
    for event in history.log:
        clock = play.fold.clock_micros
        for effect in play.take(event):
            if isinstance(effect, LedgerEntry) and clock is not None:
                assert effect.recorded_at >= clock
