"""What a scenario's events came to: every effect of the fold, kept for the expectations to look at."""

from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any

from jobs import CompanySettings, Fold
from jobs.effects import (
    Account,
    AgingTransition,
    Alert,
    DisputeCase,
    DisputeEntry,
    Effect,
    ExceptionCase,
    Item,
    LedgerEntry,
    Promise,
    Receipt,
    Rejection,
)
from jobs.kpi import Books, CaseMoment
from jobs.values import Day, Instant


@dataclass(frozen=True)
class Rate:
    """One unit of `base_currency` is `rate` units of `quote_currency` from a date on."""

    company: str
    base_currency: str
    quote_currency: str
    rate: Decimal
    rate_date: Day
    recorded_at: Instant


@dataclass
class World:
    """Effects by kind, in order. Latest states by key, histories as lists."""

    companies: dict[str, CompanySettings]
    fold: Fold
    clock: Instant | None = None
    entries: list[LedgerEntry] = field(default_factory=list)
    items: dict[tuple[str, str, str], Item] = field(default_factory=dict)
    receipts: dict[tuple[str, str], Receipt] = field(default_factory=dict)
    transitions: list[AgingTransition] = field(default_factory=list)
    disputes: list[DisputeEntry] = field(default_factory=list)
    accounts: list[Account] = field(default_factory=list)
    promises: dict[tuple[str, str], Promise] = field(default_factory=dict)
    exceptions: dict[tuple[str, str], ExceptionCase] = field(default_factory=dict)
    dispute_cases: dict[tuple[str, str], DisputeCase] = field(default_factory=dict)
    alerts: list[Alert] = field(default_factory=list)
    exception_history: list[ExceptionCase] = field(default_factory=list)
    activities: dict[str, set[tuple[str, str]]] = field(default_factory=dict)
    occurred: dict[str, Instant] = field(default_factory=dict)
    steps: dict[str, int] = field(default_factory=dict)  # event id → number of the first step that had it
    rejected: list[tuple[str, str]] = field(default_factory=list)
    rates: list[Rate] = field(default_factory=list)

    def take(self, effects: list[Effect]) -> None:
        """Add the effects of one step."""
        for effect in effects:
            history = self._histories.get(type(effect))
            if history is not None:
                history.append(effect)
            match effect:
                case Item():
                    self.items[effect.company, effect.document_type, effect.document_id] = effect
                case Receipt():
                    self.receipts[effect.company, effect.payment_id] = effect
                case Promise():
                    self.promises[effect.company, effect.promise_id] = effect
                case ExceptionCase():
                    self.exceptions[effect.company, effect.exception_id] = effect
                case DisputeCase():
                    self.dispute_cases[effect.company, effect.dispute_id] = effect
                case Rejection():
                    self.rejected.append((effect.event_id, effect.reason))
                case _:
                    pass

    def log_activity(self, company: str, entity_type: str | None, entity_id: str | None) -> None:
        """A user's logged activity; one without an entity is about nothing that the key figures count."""
        if entity_id is not None:
            self.activities.setdefault(company, set()).add(((entity_type or "").lower(), entity_id))

    @cached_property
    def _histories(self) -> dict[type[Effect], list[Any]]:
        return {
            LedgerEntry: self.entries,
            AgingTransition: self.transitions,
            DisputeEntry: self.disputes,
            Account: self.accounts,
            Alert: self.alerts,
            ExceptionCase: self.exception_history,
        }

    def books(self, company: str, currency: str) -> Books:
        """What the key figures of a company and currency are computed from."""
        return Books(
            self.today(company),
            [entry for entry in self.entries if (entry.company, entry.currency) == (company, currency)],
            [
                receipt
                for receipt in self.receipts.values()
                if (receipt.company, receipt.currency) == (company, currency)
            ],
            [
                promise
                for promise in self.promises.values()
                if (promise.company, promise.currency) == (company, currency)
            ],
            [
                self._moment(case)
                for case in self.exception_history
                if case.company == company and case.currency in {None, currency}
            ],
            frozenset(self.activities.get(company, ())),
        )

    def _moment(self, case: ExceptionCase) -> CaseMoment:
        """When a case reached its status: when that happened, not when it was learned (SEMANTICS 5, 7)."""
        at = self.occurred.get(case.event_id, case.recorded_at)
        return CaseMoment(case.exception_id, case.status, at, self.companies[case.company].calendar.day(at))

    def today(self, company: str) -> Day:
        """The company's local date at the clock."""
        return self.companies[company].calendar.day(self.clock or Instant(0))

    def parents(self, company: str, as_of: Day, known_as_of: Instant | None) -> dict[str, str]:
        """Child → parent, valid on a date (SEMANTICS 2.10)."""
        valid: dict[str, str] = {}
        changes = [
            (account.effective_date, position, account)
            for position, account in enumerate(self.accounts)
            if account.company == company
            and account.effective_date <= as_of
            and (known_as_of is None or account.recorded_at <= known_as_of)
        ]
        for _, _, account in sorted(changes, key=lambda change: change[:2]):
            if account.parent_account_id is not None:
                valid[account.account_id] = account.parent_account_id
        return valid

    def rate(self, company: str, currency: str, base: str, as_of: Day, known_as_of: Instant | None) -> Decimal | None:
        """Units of `base` for one unit of `currency` on a date; None where no rate is known (SEMANTICS 1.6)."""
        if currency == base:
            return Decimal(1)
        found: tuple[tuple[bool, Day, int], Decimal] | None = None
        for position, rate in enumerate(self.rates):
            if rate.rate_date > as_of or (known_as_of is not None and rate.recorded_at > known_as_of):
                continue
            pair = (rate.base_currency, rate.quote_currency)
            if pair not in {(currency, base), (base, currency)}:
                continue
            rank = (rate.company == company, rate.rate_date, position)
            if found is None or rank > found[0]:
                found = rank, rate.rate if pair == (currency, base) else 1 / rate.rate
        return None if found is None else found[1]
