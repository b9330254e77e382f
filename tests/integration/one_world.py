"""Many scenarios as one history: every scenario has companies of its own, and all share one clock and one log.

A scenario knows no time but the clock's, and nothing of other companies; so scenarios can be played side by side, their
steps in the order of their instants. The clock ticks at every instant at which any of them does something. Expectations
are looked at when all is written: as of the scenario's clock, because whatever came later bears a later instant; or
where that is not enough, as of the position of the log, for which the history waits until everything is applied.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from avro.text import parse_event
from jobs import CompanySettings
from jobs.effects import Carried, Effect
from jobs.events import ClockTicked, CompanyConfigured, Event
from jobs.values import Instant, moment_of
from pipeline.scenarios import Scenario
from pipeline.scenarios.format import ClockStep, EventStep, ExpectStep, Step
from pipeline.scenarios.runner import _Run
from tests.integration.installed import LogWriter
from tests.integration.settling import Cut, Cutting

Waiting = deque[tuple[Instant, Step]]
Refused = tuple[int, str, str]  # instant, event id, reason
# Expectations that are questions to the fold, which has no past: they are answered from the state topic.
OF_THE_FOLD = frozenset({"account", "notices_due", "worklist"})
NOT_FOLDED = frozenset({"ExchangeRateSet", "UserActivityLogged"})


class InProcess(_Run):
    """The scenario on the pure jobs, as `arrears check` runs it: what it folds is what is written into the log."""

    def __init__(self, scenario: Scenario) -> None:
        self.folded: list[Event] = []
        self.reached_others = False
        super().__init__(scenario)

    def _fold(self, first: Event) -> None:
        if not isinstance(first, ClockTicked | CompanyConfigured):
            self.folded.append(first)
        self.world.take = self._take  # type: ignore[method-assign]
        super()._fold(first)

    def _take(self, effects: list[Effect]) -> None:
        self.reached_others |= any(isinstance(effect, Carried) for effect in effects)
        type(self.world).take(self.world, effects)


@dataclass(frozen=True)
class Look:
    """Expectations of a scenario, and where in the history they stand: at an instant, or where `cut` says so."""

    step: int
    expectations: list[dict[str, Any]]
    clock: Instant
    cut: Cut | None
    refused_at_source: tuple[Refused, ...]

    @property
    def asks_the_fold(self) -> bool:
        """Whether anything is asked that only the state answers."""
        return any(OF_THE_FOLD & expectation.keys() for expectation in self.expectations)


@dataclass
class Part:
    """A scenario in the common history: its companies and event ids are marked, so that nobody else has them."""

    scenario: Scenario
    mark: str
    refused_at_source: list[Refused] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.in_process = InProcess(self.scenario)

    def company(self, code: str) -> str:
        """The code that a company has in the common history."""
        return f"{code}{self.mark}"

    def own(self, text: str) -> str:
        """A code or id as the scenario has it."""
        return text.replace(self.mark, "")

    def companies(self) -> list[CompanySettings]:
        """The settings to publish."""
        return [
            msgspec.structs.replace(company, code=self.company(company.code)) for company in self.scenario.companies
        ]

    def write(self, step: EventStep, clock: Instant, writer: LogWriter) -> None:
        """The event of a step, marked, into the log; or what the reader of the scenario has against it."""
        rejections = len(self.in_process.world.rejected)
        self.in_process.folded.clear()
        self.in_process.event(step)
        if self.in_process.reached_others:
            # Partitions are written side by side: the time must be where the event leads before the event is read.
            writer.flush()
        for event in self.in_process.folded:
            writer.event(
                msgspec.structs.replace(event, company=self.company(event.company), event_id=event.event_id + self.mark)
            )
        if step.document["event"] in NOT_FOLDED:
            self._write_unfolded(step, clock, writer)
        elif not self.in_process.folded:
            refused = self.in_process.world.rejected[rejections:]
            self.refused_at_source += [(clock, event_id, reason) for event_id, reason in refused]

    def _write_unfolded(self, step: EventStep, clock: Instant, writer: LogWriter) -> None:
        """Rates and logged activities: no job folds them, but the log has them."""
        defaults = {
            "event_id": str(step.number),
            "company": self.scenario.companies[0].code,
            "occurred_at": moment_of(step.at).isoformat(),
            "recorded_at": moment_of(clock).isoformat(),
            **dict.fromkeys(("region", "source", "actor_id", "actor_role"), ""),
        }
        name, record = parse_event(step.document, defaults)
        marked = {"company": self.company(record["company"]), "event_id": record["event_id"] + self.mark}
        writer.record(name, record | marked)


def parts_of(scenarios: Iterable[Scenario]) -> list[Part]:
    """Each scenario with a mark of its own."""
    return [Part(scenario, f"~{number:03d}") for number, scenario in enumerate(scenarios)]


def play(parts: list[Part], writer: LogWriter, settling: Cutting) -> None:
    """Write the whole history, and note for every expectation where it stands."""
    waiting = {part.mark: deque(_timed(part)) for part in parts}
    for at in sorted({instant for timed in waiting.values() for instant, _ in timed}):
        writer.tick(at)
        acting = [part for part in parts if waiting[part.mark] and waiting[part.mark][0][0] == at]
        while acting:
            looking = [(part, step) for part in acting if (step := _act(part, waiting[part.mark], at, writer))]
            looks = {part.mark: _look(part, step, at, waiting[part.mark]) for part, step in looking}
            must_cut = any(look.asks_the_fold or goes_on for look, goes_on in looks.values())
            if must_cut or any(part.in_process.reached_others for part in acting):
                writer.flush()
                settling.settle()
            cut = settling.cut() if must_cut else None
            for part, _ in looking:
                part.looks.append(replace(looks[part.mark][0], cut=cut))
            acting = [part for part in acting if waiting[part.mark] and waiting[part.mark][0][0] == at]
    writer.flush()
    settling.settle()


def _look(part: Part, step: ExpectStep, at: Instant, waiting: Waiting) -> tuple[Look, bool]:
    """The look, and whether the scenario goes on at that instant, where the clock does not tell before from after."""
    look = Look(step.number, step.expectations, at, None, tuple(part.refused_at_source))
    return look, bool(waiting) and waiting[0][0] == at


def _timed(part: Part) -> Iterator[tuple[Instant, Step]]:
    """The steps with the scenario's clock at each: an event in the past happens now."""
    clock = Instant(0)
    for step in part.scenario.steps:
        if not isinstance(step, ExpectStep):
            clock = max(clock, step.at)
        yield clock, step


def _act(part: Part, waiting: Waiting, at: Instant, writer: LogWriter) -> ExpectStep | None:
    """Write events of this instant, up to one that reaches other accounts, or up to an expectation, which is returned.

    What goes to another account must have arrived there before the next step, as it has in process.
    """
    part.in_process.reached_others = False
    while waiting and waiting[0][0] == at:
        _, step = waiting.popleft()
        match step:
            case ExpectStep():
                return step
            case ClockStep():
                part.in_process.tick(step.at)
            case EventStep():
                part.write(step, at, writer)
        if part.in_process.reached_others:
            return None
    return None
