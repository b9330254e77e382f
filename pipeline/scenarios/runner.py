"""Runs a scenario in process on the pure jobs: no broker, the same contracts, the same fold (SCENARIOS §2)."""

from collections import deque
from dataclasses import dataclass
from decimal import Decimal

import msgspec

from avro.text import InvalidEvent, parse_event
from jobs import EVENT_TYPES, Fold
from jobs.effects import Carried, Effect
from jobs.events import ClockTicked, CompanyConfigured, Event
from jobs.values import Day, Instant, moment_of
from jobs.verdicts import REASONS
from pipeline.scenarios.comparison import Mismatch
from pipeline.scenarios.expectations import check
from pipeline.scenarios.format import ClockStep, EventStep, ExpectStep, Scenario
from pipeline.scenarios.world import Rate, World


@dataclass(frozen=True)
class Failure:
    """An expectation that does not hold, or a step that cannot be run."""

    scenario: str
    step: int
    expectation: str
    mismatches: list[Mismatch]
    line: int = 0


class _Run:
    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.fold = Fold()
        self.world = World({company.code: company for company in scenario.companies}, self.fold)
        self.failures: list[Failure] = []
        for company in scenario.companies:
            self._fold(_configured(company.code, msgspec.json.encode(company).decode()))

    def event(self, step: EventStep) -> None:
        clock = self.world.clock
        if clock is None or step.at > clock:
            self.tick(step.at)
        recorded_at = max(step.at, self.world.clock or step.at)
        defaults = {
            "event_id": str(step.number),
            "company": self.scenario.companies[0].code,
            "occurred_at": moment_of(step.at).isoformat(),
            "recorded_at": moment_of(recorded_at).isoformat(),
            "region": "",
            "source": "scenario",
            "actor_id": "",
            "actor_role": "",
        }
        document = step.document
        self.world.steps.setdefault(str(document.get("event_id", step.number)), step.number)
        if document.get("event") == "AccountChanged" and document.get("credit_limit") is not None:
            defaults["currency"] = self._limit_currency(document, defaults["company"])
        try:
            name, record = parse_event(document, defaults)
        except InvalidEvent as error:
            if error.reason in REASONS:
                self.world.rejected.append((str(document.get("event_id", step.number)), error.reason))
            else:
                mismatch = Mismatch("event", "a valid event", str(error))
                what = f"event {document.get('event')}"
                self.failures.append(Failure(self.scenario.name, step.number, what, [mismatch], step.line))
            return
        if name == "ExchangeRateSet":
            self._rate(record)
        elif name == "UserActivityLogged":
            self.world.log_activity(record["company"], record["entity_type"], record["entity_id"])
        elif name in EVENT_TYPES:
            event = msgspec.convert(record, EVENT_TYPES[name])
            self.world.occurred.setdefault(event.event_id, event.occurred_at)
            self._fold(event)

    def tick(self, at: Instant) -> None:
        self.world.clock = at if self.world.clock is None else max(at, self.world.clock)
        self._fold(_ticked(at))

    def expect(self, step: ExpectStep) -> None:
        for expectation, line in zip(step.expectations, step.lines, strict=True):
            mismatches = check(expectation, self.world)
            if mismatches:
                self.failures.append(Failure(self.scenario.name, step.number, str(expectation), mismatches, line))

    def _limit_currency(self, document: dict[str, object], default_company: str) -> str:
        """A limit without a currency is in that of the account, else in the company's base currency (SEMANTICS 6.2)."""
        company, account = str(document.get("company", default_company)), document.get("account_id")
        known = [
            state.currency
            for state in self.world.accounts
            if (state.company, state.account_id) == (company, account) and state.currency is not None
        ]
        settings = self.world.companies.get(company)
        return known[-1] if known else "" if settings is None else settings.base_currency

    def _fold(self, first: Event) -> None:
        waiting = deque([first])
        while waiting:
            effects: list[Effect] = self.fold.step(waiting.popleft()).effects
            waiting.extend(effect.event for effect in effects if isinstance(effect, Carried))
            self.world.take(effects)
        self.fold.take_changes()

    def _rate(self, record: dict[str, object]) -> None:
        fields = msgspec.convert(record, _RateFields)
        self.world.rates.append(
            Rate(
                fields.company,
                fields.base_currency,
                fields.quote_currency,
                Decimal(fields.rate),
                fields.rate_date,
                fields.recorded_at,
            )
        )


class _RateFields(msgspec.Struct):
    company: str
    base_currency: str
    quote_currency: str
    rate: str
    rate_date: Day
    recorded_at: Instant


def run(scenario: Scenario) -> list[Failure]:
    """Run all steps; the failures in order, none where the scenario holds."""
    current = _Run(scenario)
    for step in scenario.steps:
        match step:
            case EventStep():
                current.event(step)
            case ClockStep():
                current.tick(step.at)
            case ExpectStep():
                current.expect(step)
    return current.failures


def _envelope(event_id: str, company: str, at: Instant) -> dict[str, object]:
    return {
        "event_id": event_id,
        "company": company,
        "account_id": None,
        "occurred_at": at,
        "recorded_at": at,
        "region": "",
    }


def _ticked(at: Instant) -> ClockTicked:
    return msgspec.convert({**_envelope(f"clock/{at}", "*", at), "at": at}, ClockTicked)


def _configured(company: str, settings: str) -> CompanyConfigured:
    envelope = _envelope(f"company/{company}", company, Instant(0))
    return msgspec.convert({**envelope, "version": "1", "settings": settings}, CompanyConfigured)
