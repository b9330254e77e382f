"""Accounts do not disturb each other, and a defect disturbs nothing (DESIGN §2, §3)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs import fold as fold_module
from jobs.effects import Effect
from jobs.events import ClockTicked, CompanyConfigured, Event
from jobs.handlers import HANDLERS
from jobs.seen import SeenEvents
from tests.jobs.examples import examples
from tests.property.histories import ACCOUNTS, History, histories
from tests.property.playing import Play, encoded, restarted, state_of


def _of(account: str, play: Play) -> list[bytes]:
    effects: list[Effect] = [
        effect for _, _, effects in play.steps for effect in effects if getattr(effect, "account_id", None) == account
    ]
    return encoded(effects)


def _interleaved(log: list[Event], data: st.DataObject) -> list[Event]:
    """Another order of the log that keeps the order of each account, and what stands on which side of a tick."""
    order: list[Event] = []
    waiting: dict[str | None, list[Event]] = {}

    def release() -> None:
        while any(waiting.values()):
            account = data.draw(st.sampled_from(sorted((name for name in waiting if waiting[name]), key=str)))
            order.append(waiting[account].pop(0))

    for event in log:
        if isinstance(event, ClockTicked | CompanyConfigured):
            release()
            order.append(event)
        else:
            waiting.setdefault(event.account_id, []).append(event)
    release()
    return order


@examples(30)
@given(histories(40, crossing=False), st.data())
def test_how_the_events_of_several_accounts_interleave_does_not_matter(history: History, data: st.DataObject) -> None:
    one, other = Play().all(history.log), Play().all(_interleaved(history.log, data))
    for _, account in ACCOUNTS:
        assert _of(account, one) == _of(account, other)
    assert state_of(one.fold) == state_of(other.fold)


@examples(30)
@given(histories(crossing=False))
def test_an_account_has_the_same_history_alone_as_among_others(history: History) -> None:
    together = Play().all(history.log)
    for _, account in ACCOUNTS:
        own = [
            event
            for event in history.log
            if event.account_id == account or isinstance(event, ClockTicked | CompanyConfigured)
        ]
        assert _of(account, Play().all(own)) == _of(account, together)


@pytest.mark.source
@examples(30)
@given(histories(crossing=False), st.data())
def test_a_step_that_fails_leaves_the_state_as_it_was(history: History, data: st.DataObject) -> None:
    """Each failing event is left out; the rest gives the same bytes as a log without it."""
    failing = data.draw(st.sets(st.integers(0, len(history.log) - 1), max_size=6))
    disturbed, undisturbed = Play(), Play()
    for position, event in enumerate(history.log):
        if position in failing and type(event) in HANDLERS:
            _fail(disturbed, event, after_handler=position % 2 == 0)
            continue
        assert encoded(disturbed.take(event)) == encoded(undisturbed.take(event))
        assert disturbed.fold.next_wake_micros() == undisturbed.fold.next_wake_micros()
    assert state_of(disturbed.fold) == state_of(undisturbed.fold)
    assert restarted(disturbed.fold).next_wake_micros() == undisturbed.fold.next_wake_micros()


def _fail(play: Play, event: Event, *, after_handler: bool) -> None:
    """Fold an event whose handler, or whatever follows it, has a defect."""

    def defect(*_: Any) -> None:
        raise RuntimeError("a defect")

    before = play.fold.next_wake_micros()
    with pytest.MonkeyPatch.context() as patch:
        if after_handler:
            patch.setattr(SeenEvents, "add", defect)
        else:
            patch.setitem(HANDLERS, type(event), defect)
        try:
            result = play.fold.step(event)
        except RuntimeError:
            pass
        else:  # it did not come as far as the defect, and changed nothing
            assert result.outcome in {"rejected", "duplicate"} or not result.effects
    assert play.fold.next_wake_micros() == before


@examples(20)
@given(histories(crossing=False), st.data())
def test_a_midnight_that_fails_can_be_tried_again(history: History, data: st.DataObject) -> None:
    position = data.draw(st.integers(1, len(history.log)))
    disturbed, undisturbed = Play().all(history.log[:position]), Play().all(history.log[:position])
    midnight = history.log[-1]

    def defect(*_: Any) -> None:
        raise RuntimeError("a defect")

    with pytest.MonkeyPatch.context() as patch:
        for kind in fold_module._WOKEN:
            if kind in {"document", "receipt"}:
                patch.setitem(fold_module._WOKEN, kind, defect)
        try:
            disturbed.fold.step(midnight)
        except RuntimeError:
            assert disturbed.fold.clock_micros == undisturbed.fold.clock_micros
            assert disturbed.fold.next_wake_micros() == undisturbed.fold.next_wake_micros()
            assert state_of(disturbed.fold) == state_of(undisturbed.fold)
        else:
            return
    assert encoded(disturbed.take(midnight)) == encoded(undisturbed.take(midnight))
