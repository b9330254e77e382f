"""Promises by the rules, judged anew after every record, and when each of them came to what it is (SEMANTICS 3)."""

from collections import defaultdict
from datetime import UTC, datetime
from typing import NamedTuple

from jobs.company import CompanySettings
from jobs.values import instant_of, moment_of
from tests.property.oracle import PromiseOracle
from tests.sinks.oracles_work.debts import EPOCH
from tests.sinks.oracles_work.playing import Played


class State(NamedTuple):
    """A promise at one time, known to be so `since` an instant. Figures of one that has ended are None."""

    since: int
    account: str
    status: str
    level: int
    deadline: int
    whole: bool
    invoices: tuple[str, ...]
    effective: int | None
    paid: int | None
    late: int | None
    late_days: int | None


class Judge(PromiseOracle):
    """Notes every state of every promise. `at` is the instant of what is shown to it."""

    def __init__(self, settings: CompanySettings) -> None:
        super().__init__(settings)
        self.at = 0
        self.states: dict[str, list[State]] = defaultdict(list)

    def look(self) -> None:
        self.judge()
        for name, made in self.promises.items():
            figures = (None,) * 4 if made.ended else (sum(need.amount for need in self.needs(made)), *self.paid(made))
            deadline = (made.deadline - EPOCH).days
            invoices = tuple(dict.fromkeys(made.invoices))
            state = State(
                self._since(), made.account, made.status, made.level, deadline, made.whole, invoices, *figures
            )
            if not self.states[name] or self.states[name][-1][1:] != state[1:]:
                self.states[name].append(state)

    def _since(self) -> int:
        midnight = 0 if self.now is None else int(instant_of(self.now))
        return self.at or midnight


def judged(played: Played, company: str) -> dict[str, list[State]]:
    """Every state of every promise of a company, in order."""
    judge = Judge(played.desks[company].settings)
    judge.tick(moment_of(played.since))
    applied = {id(sent) for sent in played.happened(company)}
    for sent in played.of(company):
        if sent.name == "ClockTicked":
            judge.at = 0
            judge.tick(moment_of(sent.at))
        elif id(sent) in applied and sent.event is not None:
            judge.at = sent.at
            judge.take(sent.event)
    return judge.states


def known(states: list[State], instant: int) -> State | None:
    """The last state that was known."""
    before = [state for state in states if state.since <= instant]
    return before[-1] if before else None


def utc(micros: int) -> datetime:
    """An instant as ClickHouse gives it."""
    return moment_of(micros).astimezone(UTC).replace(tzinfo=None)  # type: ignore[arg-type]  # an instant
