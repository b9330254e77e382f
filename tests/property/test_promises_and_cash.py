"""Promises and cash alerts by the fold are those by the list of events (SEMANTICS 3, 4.2)."""

from collections import Counter
from datetime import UTC
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from jobs.company import CompanySettings
from jobs.effects import Alert, Effect, Promise, Rejection
from jobs.events import ClockTicked, CompanyConfigured, Event
from jobs.values import Instant, moment_of
from tests.jobs.examples import examples
from tests.jobs.written import ticked
from tests.property.oracle import CashOracle, PromiseOracle, Row
from tests.property.playing import Play, restarted
from tests.property.promise_histories import promise_histories

History = tuple[CompanySettings, list[Event]]
_BREACHES = {"promise_broken", "promise_partially_kept"}


def _alerts(play: Play, *kinds: str) -> list[Alert]:
    """The alerts whose kinds begin so."""
    effects = (effect for _, _, effects in play.steps for effect in effects)
    return [effect for effect in effects if isinstance(effect, Alert) and effect.kind.startswith(kinds)]


def _show(oracle: PromiseOracle | CashOracle, play: Play, event: Event) -> list[Effect]:
    """An event for both; the oracle does not see what the ledger rejects."""
    taken = len(play.steps)
    effects = play.take(event)
    if isinstance(event, ClockTicked):
        oracle.tick(moment_of(event.at))
    elif not isinstance(event, CompanyConfigured):
        refused = any(isinstance(effect, Rejection) for effect in effects)
        if play.steps[taken][1] == "applied" and not refused:
            oracle.take(event)
    return effects


def _row(alert: Alert) -> Row:
    at = moment_of(alert.raised_at).astimezone(UTC)
    supersedes = alert.supersedes is not None
    return at, alert.subject, alert.kind, alert.status, alert.amount_minor or 0, supersedes


def _by_instant(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: row[:2])


@examples(200)
@given(promise_histories())
def test_they_are_what_adding_everything_up_anew_after_every_event_gives(history: History) -> None:
    settings, log = history
    play, oracle = Play(), PromiseOracle(settings)
    stated: dict[str, Promise] = {}
    for event in log:
        effects = _show(oracle, play, event)
        stated |= {effect.promise_id: effect for effect in effects if isinstance(effect, Promise)}
        for promise_id, made in oracle.promises.items():
            promise = stated[promise_id]
            where = (promise_id, event)
            assert promise.status == made.status, where
            assert promise.level == made.level, where
            assert [part.status for part in promise.instalments] == [part.status for part in made.parts if made.plan], (
                where
            )
            if not made.ended:
                figures = promise.paid_in_window_minor, promise.paid_late_minor, promise.paid_late_days
                assert figures == oracle.paid(made), where
    assert _by_instant([_row(alert) for alert in _alerts(play, "promise")]) == _by_instant(oracle.rows)


@examples(60)
@given(promise_histories())
def test_unapplied_cash_is_told_as_looking_at_every_receipt_every_day_would(history: History) -> None:
    settings, log = history
    play, oracle = Play(), CashOracle(settings)
    for event in log:
        _show(oracle, play, event)
    assert _by_instant([_row(alert) for alert in _alerts(play, "un")]) == _by_instant(oracle.rows)


@examples(40)
@given(promise_histories())
def test_no_alert_is_raised_twice_and_each_ends_once(history: History) -> None:
    rows = Counter(
        (alert.alert_id, alert.status)
        for _, _, effects in Play().all(history[1]).steps
        for alert in effects
        if isinstance(alert, Alert) and alert.status != "escalated"
    )
    assert not [row for row, count in rows.items() if count > 1]
    begun = {alert_id for alert_id, status in rows if status in {"raised", "corrected"}}
    assert {alert_id for alert_id, status in rows if status == "resolved"} <= begun


@examples(40)
@given(promise_histories())
def test_no_promise_is_broken_before_its_deadline_has_passed(history: History) -> None:
    for alert in _alerts(Play().all(history[1]), "promise"):
        assert alert.deadline is not None
        if alert.kind in _BREACHES:
            assert alert.raised_at >= alert.deadline


@examples(40)
@given(promise_histories())
def test_what_a_breach_supersedes_was_put_out_before_or_needed_no_row(history: History) -> None:
    known: set[str] = set()
    for alert in _alerts(Play().all(history[1]), "promise"):
        if alert.supersedes is not None:
            assert alert.supersedes in known or alert.supersedes.startswith("promise_kept/")
            assert alert.supersedes != alert.alert_id
        known.add(alert.alert_id)


@examples(30)
@given(promise_histories())
def test_a_replay_with_restarts_gives_the_same_alerts(history: History) -> None:
    once, again = Play().all(history[1]), Play()
    for position, event in enumerate(history[1]):
        if position % 7 == 3:
            again.fold = restarted(again.fold)
        again.take(event)
    assert _alerts(again, "promise", "un") == _alerts(once, "promise", "un")


@examples(40)
@given(promise_histories(), st.randoms(use_true_random=False))
def test_how_often_the_clock_ticks_does_not_matter(history: History, choose: Random) -> None:
    """Timers fire at their own instants, however long the clock was silent (SEMANTICS 2.12)."""
    _, log = history
    often: list[Event] = []
    clock = 0
    for event in log:
        if isinstance(event, ClockTicked):
            between = sorted(choose.randint(clock, event.at) for _ in range(4)) if clock else []
            often += [ticked(Instant(at)) for at in between]
            clock = event.at
        often.append(event)
    rarely, frequently = Play().all(log), Play().all(often)
    kinds = ("promise", "un")
    assert [_row(alert) for alert in _alerts(frequently, *kinds)] == [_row(alert) for alert in _alerts(rarely, *kinds)]
