"""The fold of one partition: (state, event) → (state, effects). Pure: the same log gives the same bytes.

The ledger folds first; the other jobs see what it posted. Time is an event: timers fire, in order of their instants,
when a `ClockTicked` passes them, and at once where an event creates one that is already past (DESIGN §2).
"""

from collections.abc import Callable
from itertools import groupby
from operator import attrgetter, itemgetter
from typing import cast

import msgspec

from jobs import aging, credit, daily, disputes, dunning, events, exceptions, forgetting, worklist
from jobs.company import CompanySettings, settings_from
from jobs.effects import Alert, Effect, Rejection, StepResult
from jobs.entities import SEPARATOR, Configuration, Time, key
from jobs.handlers import HANDLERS, PLANS, impossible_date
from jobs.ledger.deferral import AGAIN, FORWARDED, defer
from jobs.overview import overviews
from jobs.promises import follow as promises
from jobs.seen import SeenEvents, digest_of
from jobs.state import State
from jobs.step import Step
from jobs.values import Day, Instant
from jobs.verdicts import Rejected

_WOKEN: dict[str, Callable[[Step, str], None]] = {
    "document": forgetting.woken_document,
    "receipt": forgetting.woken_receipt,
    "unidentified": forgetting.woken_receipt,
    "dispute": disputes.woken,
    "promise": promises.woken,
    "exception": exceptions.woken,
}


class Fold:
    """The state of one partition and the step that changes it. Not thread-safe."""

    def __init__(self) -> None:
        self._state = State()
        self._seen = SeenEvents(self._state)
        self._clock: Instant | None = None
        self._days: dict[str, Day] = {}  # today, by company

    def step(self, event: events.Event) -> StepResult:
        """Fold one event. Raises only for a defect of a job, and then the state is as it was before the event."""
        try:
            result = self._step(event)
        except BaseException:
            self._state.undo()
            raise
        self._state.finish()
        return result

    def _step(self, event: events.Event) -> StepResult:
        plan = PLANS.get(type(event))
        if plan is None:
            if isinstance(event, events.ClockTicked):
                return self._tick(event)
            return self._configure(cast("events.CompanyConfigured", event))
        settings = self._state.companies.get(event.company)
        if settings is None:
            advice = f"company {event.company!r} is not configured; add its file and run `arrears companies apply`"
            return self._rejected(event, Rejected("unknown_company", advice))
        digest = digest_of(event.company, event.event_id)
        if digest in self._seen:
            return StepResult("duplicate", [])
        refused = impossible_date(event, plan.days)
        if refused is not None:
            return self._rejected(event, refused)
        if plan.moves_money and event.amount_minor == 0:  # type: ignore[attr-defined]  # changes no state (1.5)
            self._seen.add(digest, event.recorded_at)
            return StepResult("applied", [])
        clock = self._clock
        effects: list[Effect] = []
        step = Step(
            self._state,
            settings,
            event.event_id,
            event.recorded_at if clock is None or event.recorded_at > clock else clock,
            None if clock is None else self._today(settings, clock),
            effects,
        )
        verdict = None if defer(step, event) else HANDLERS[type(event)](step, event)
        if isinstance(verdict, Rejected):
            return self._rejected(event, verdict)
        if verdict is not None:
            return StepResult("duplicate", [])
        _follow(step)
        if list(map(type, effects)).count(Alert) > 1:
            effects = _alerts_by_subject(effects)
        self._state.keep()
        if clock is not None:
            self._fire(clock, effects)
        self._seen.add(digest, step.recorded_at)
        return StepResult("applied", effects)

    def _today(self, settings: CompanySettings, clock: Instant) -> Day:
        """The company's local date at the clock."""
        today = self._days.get(settings.code)
        if today is None:
            today = self._days[settings.code] = settings.calendar.day(clock)
        return today

    def _rejected(self, event: events.Event, verdict: Rejected) -> StepResult:
        self._state.undo()
        # What had to wait was taken under its own id; this is its second coming.
        event_id = event.event_id.removesuffix(AGAIN).removesuffix(FORWARDED)
        rejection = Rejection(
            event_id=event_id,
            late=event_id != event.event_id,
            event_type=type(event).__name__,
            company=event.company,
            account_id=event.account_id,
            reason=verdict.reason,
            message=verdict.message,
            recorded_at=event.recorded_at if self._clock is None else max(event.recorded_at, self._clock),
        )
        return StepResult("rejected", [rejection])

    # Time

    def _tick(self, event: events.ClockTicked) -> StepResult:
        effects: list[Effect] = []
        if self._clock is None or event.at > self._clock:
            self._fire(event.at, effects)
            self._clock = event.at
            self._days.clear()
            self._state.put(key("clock", "*"), Time.of(event.at))
            self._seen.forget(event.at)
        return StepResult("clock", effects)

    def _fire(self, until: Instant, effects: list[Effect]) -> None:
        """Fire all timers up to an instant, in order of instant, company and key; alerts of one instant by subject."""
        while True:
            instant = self._state.next_wake()
            if instant is None or instant > until:
                return
            fired: list[Effect] = []
            for (company, day), timers in groupby(self._state.due_at(instant), key=itemgetter(0, 1)):
                self._midnight(company, day, [entity_key for _, _, entity_key in timers], instant, until, fired)
            self._state.keep()
            effects += _alerts_by_subject(fired)

    def _midnight(
        self, company: str, day: Day, due: list[str], instant: Instant, until: Instant, effects: list[Effect]
    ) -> None:
        """A local day of a company begins: what waits for it is woken kind by kind, the advice last."""
        settings = self._state.companies[company]
        now = instant if self._clock is None or instant > self._clock else self._clock
        step = Step(
            self._state,
            settings,
            f"clock/{company}/{day}",
            now,
            max(day, settings.calendar.day(now)),  # a day that the company's time zone skips is over at once
            effects,
            settings.calendar.day(until),
        )
        by_kind: dict[str, list[str]] = {}
        for entity_key in due:
            by_kind.setdefault(entity_key.split(SEPARATOR, 1)[0], []).append(entity_key)
        _wake(step, by_kind)

    # Settings

    def _configure(self, event: events.CompanyConfigured) -> StepResult:
        try:
            settings = settings_from(msgspec.json.decode(event.settings))
        except (ValueError, AttributeError, msgspec.DecodeError) as error:
            return self._rejected(event, Rejected("unknown_company", f"settings of {event.company}: {error}"))
        if settings.code != event.company:
            return self._rejected(
                event, Rejected("unknown_company", f"settings of {event.company} carry code {settings.code}")
            )
        before = self._state.companies.get(event.company)
        self._state.put(key("company", event.company), Configuration(None, "", event.version, event.settings))
        self._state.companies[event.company] = settings
        self._days.clear()
        effects: list[Effect] = []
        if before is not None and before != settings:
            try:
                self._state.rebuild_timers(event.company)
                self._review(settings, event, effects)
            except BaseException:
                self._state.companies[event.company] = before
                self._days.clear()
                raise
        return StepResult("configured", effects)

    def _review(self, settings: CompanySettings, event: events.CompanyConfigured, effects: list[Effect]) -> None:
        """Buckets or days may have changed: every open item of the company is seen anew."""
        clock = self._clock
        recorded_at = event.recorded_at if clock is None else max(event.recorded_at, clock)
        today = None if clock is None else settings.calendar.day(clock)
        step = Step(self._state, settings, event.event_id, recorded_at, today, effects)
        by_kind: dict[str, list[str]] = {}
        for kind in (*_WOKEN, "balance"):
            keys = sorted(self._state.keys(kind))
            by_kind[kind] = [entity_key for entity_key in keys if entity_key.split(SEPARATOR, 2)[1] == settings.code]
        _wake(step, by_kind)

    # Questions, answered from the current state

    def notices_due(self, company: str) -> list[dunning.Notice]:
        """The notices that are due on the company's local date, by account and level (SEMANTICS 6.1)."""
        step = self._question(company)
        return [
            notice
            for account in self._accounts(company)
            for notice in dunning.notices_due(step, account, overviews(step, account))
        ]

    def worklist(self, company: str) -> list[worklist.WorklistRow]:
        """The accounts to call, first things first (SEMANTICS 6.3)."""
        step = self._question(company)
        rows = [worklist.row(step, account, overviews(step, account)) for account in self._accounts(company)]
        return sorted((row for row in rows if row is not None), key=lambda row: row.order)

    def credit(self, company: str, account: str, currency: str | None = None) -> credit.Standing:
        """Exposure, hold and dunning level of an account (SEMANTICS 6.2)."""
        step = self._question(company)
        seen = overviews(step, account)
        return credit.standing(step, account, currency, seen, dunning.highest_level(seen))

    def _question(self, company: str) -> Step:
        settings = self._state.companies[company]
        clock = self._clock
        today = None if clock is None else settings.calendar.day(clock)
        return Step(self._state, settings, "", clock or Instant(0), today, [])

    def _accounts(self, company: str) -> list[str]:
        split = (balance_key.split(SEPARATOR) for balance_key in self._state.keys("balance"))
        return sorted({parts[2] for parts in split if parts[1] == company})

    # State

    def restore(self, entity_key: str, value: bytes | None) -> None:
        """One record of the state topic, in the order of the topic; None is a tombstone."""
        self._state.restore(entity_key, value)

    def restored(self) -> None:
        """All records are in."""
        for company_key in list(self._state.keys("company")):
            configuration = self._state.get(Configuration, company_key)
            if configuration is not None:
                settings = settings_from(msgspec.json.decode(configuration.settings))
                self._state.companies[settings.code] = settings
        self._state.restored()
        self._seen.restored()
        clock = self._state.get(Time, key("clock", "*"))
        self._clock = None if clock is None else clock.at

    def take_changes(self) -> list[tuple[str, bytes | None]]:
        """State records to write since the last call; None is a tombstone."""
        self._seen.flush()
        self._state.finish()
        return self._state.take_changes()

    @property
    def clock_micros(self) -> Instant | None:
        """The latest tick, in microseconds; None before the first."""
        return self._clock

    @property
    def companies(self) -> dict[str, str]:
        """Version of the settings of every configured company."""
        versions = {}
        for code in sorted(self._state.companies):
            configuration = self._state.get(Configuration, key("company", code))
            versions[code] = "" if configuration is None else configuration.version
        return versions

    def next_wake_micros(self) -> Instant | None:
        """The instant of the next timer, in microseconds."""
        return self._state.next_wake()

    def statistics(self) -> dict[str, int]:
        """Entities by kind, and bytes at rest."""
        return self._state.statistics()


def _follow(step: Step) -> None:
    """After the handler: promises see what was posted, then live aging, then what looks at the account as a whole."""
    promises.follow(step)
    aging.settle(step)
    credit.follow(step)
    daily.schedule(step)


def _wake(step: Step, by_kind: dict[str, list[str]]) -> None:
    """Wake entities, in order of kind; advice is given when live aging has followed what they did."""
    for kind, woken in _WOKEN.items():
        for entity_key in by_kind.get(kind, ()):
            woken(step, entity_key)
    _follow(step)
    for balance_key in by_kind.get("balance", ()):
        daily.woken(step, balance_key)


def _alerts_by_subject(effects: list[Effect]) -> list[Effect]:
    """The effects of one instant: alerts last, by subject; everything else in the order in which it was put out."""
    alerts = [effect for effect in effects if isinstance(effect, Alert)]
    if not alerts:
        return effects
    others = [effect for effect in effects if not isinstance(effect, Alert)]
    return others + sorted(alerts, key=attrgetter("subject"))
