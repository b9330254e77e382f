"""Which rows are too old, by rule and class of company. Pure: dates in, conditions of ClickHouse out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from sinks.errors import SinkProblem
from sinks.migrations.ddl import literal
from sinks.retention.holds import Hold

RULES = ("events", "activity", "ledger", "alerts", "snapshots", "forecasts")
ARRIVAL = "_appended_at"
_DAY = timedelta(days=1)


class Aged(NamedTuple):
    """A table of which a rule deletes rows by the time of their arrival, or by the day that `time` gives, of which
    Kafka knows nothing. `where` names the rows that are meant. Expressions for company and account are empty texts
    where a row has none."""

    table: str
    rule: str
    where: str = ""
    company: str = "company"
    account: str = "account_id"
    time: str = ARRIVAL


_ACTIVITY = "event_type = 'UserActivityLogged'"
TABLES = (
    Aged("events", "events", f"NOT {_ACTIVITY}"),
    Aged("events", "activity", _ACTIVITY),
    Aged("activity_hourly_versions", "activity", account="''", time="local_date"),
    Aged("rejected_events", "events"),
    Aged("failed_events_versions", "events", company="ifNull(company, '')", account="''"),
    Aged("alerts_log", "alerts"),
    Aged("actions_log", "alerts"),
    Aged("aging_transitions_log", "alerts"),
    Aged("aging_daily_versions", "snapshots", time="as_of"),
    Aged("invoice_forecasts_versions", "forecasts", time="as_of"),
)

# Tables of which nothing is deleted, and why.
KEPT = {
    "accounts_log": "as-of answers by collector and group need who was in charge then; small",
    "companies_versions": "settings without which no answer can be read; small",
    "exchange_rates_versions": "rates without which no amount can be told in base currency; small",
    "exchange_rates_log": "rates as they were known, for the same answers as of a past moment; small",
    "account_aging_versions": "one current row per account and currency",
    "key_figures_daily_versions": "one row per company, currency and day",
    "forecast_backtests_versions": "a few rows per company and month: how good forecasts were",
    "openings": "sums that answers start from; made anew when postings go",
    "opening_items": "sums that answers start from; made anew when postings go",
    "closes_versions": "what was reported stays what was reported",
    "aging_as_reported_versions": "what was reported stays what was reported",
    "key_figures_as_reported_versions": "what was reported stays what was reported",
    "events_monthly_versions": "all that is left of events that are gone",
    "event_chain": "proof for the rows that are left; a chain has no gaps",
    "audit_anchors": "proof: how far each chain had come",
    "erasures": "proof that and when somebody asked; never whose data it was",
    "erased_rows": "without them erased rows could not be verified",
    "legal_holds_versions": "proof of what was kept, by whom and why",
    "retention_runs": "proof of what was deleted, by whom and when",
    "removed_positions": "positions that arrears reconcile need not miss",
    "retired_items": "empty but for the moments of a run",
    "retired_states": "empty but for the moments of a run",
}


@dataclass(frozen=True)
class Policy:
    """Days by rule; `classes` gives the class of a company, `class_days` has `CLASS.RULE` where the class differs.
    `hot_days` of the raw log come before its cold volume (empty = it has none) and its monthly counts."""

    days: Mapping[str, int]
    hot_days: int
    classes: Mapping[str, str] = field(default_factory=dict)
    class_days: Mapping[str, int] = field(default_factory=dict)
    cold_volume: str = ""

    def __post_init__(self) -> None:
        """Raises SinkProblem for days of a class or a rule that is not there."""
        for name in self.class_days:
            class_, _, rule = name.rpartition(".")
            if rule not in RULES:
                raise SinkProblem(f"retention.class_days: {name} names no rule", f"Rules are {', '.join(RULES)}")
            if class_ not in self.classes.values():
                raise SinkProblem(f"retention.class_days: no company has the class {class_!r}", "See retention.classes")

    def days_of(self, rule: str, company: str) -> int:
        """How many days a company's rows are kept."""
        return self.class_days.get(f"{self.classes.get(company, '')}.{rule}", self.days[rule])

    def cutoff(self, rule: str, company: str, now: datetime) -> datetime:
        """What is older is deleted: a midnight, UTC."""
        return _midnight(now) - self.days_of(rule, company) * _DAY

    def counted_before(self, now: datetime) -> datetime:
        """A first of a month: months before it are counted. It lies behind the hot days and behind every cut-off of the
        raw log, so that nothing goes uncounted; only a month that is not over yet waits."""
        companies = ("", *self.classes)
        cutoffs = [self.cutoff(rule, company, now) for rule in ("events", "activity") for company in companies]
        latest = max(_midnight(now) - self.hot_days * _DAY, *cutoffs)
        return min((latest.replace(day=1) + 32 * _DAY).replace(day=1), _midnight(now).replace(day=1))

    def cutoff_expression(self, rule: str, company: str, now: datetime) -> str:
        """The cut-off of the company that an expression gives, as an expression."""
        by_moment: dict[datetime, list[str]] = {}
        for code in sorted(self.classes):
            by_moment.setdefault(self.cutoff(rule, code, now), []).append(code)
        cases = [
            f"{company} IN ({', '.join(map(literal, codes))}), {moment_literal(moment)}"
            for moment, codes in by_moment.items()
        ]
        default = moment_literal(self.cutoff(rule, "", now))
        return f"multiIf({', '.join(cases)}, {default})" if cases else default


def condition(
    policy: Policy,
    aged: Aged,
    now: datetime,
    holds: Iterable[Hold],
    firsts: Mapping[str, Mapping[int, int]] | None,
    *,
    with_holds: bool = True,
) -> str:
    """Which rows of a table a rule deletes. `firsts` are Kafka's first offsets by topic and partition: what it still
    holds stays, so that both sides can be compared; None = Kafka does not matter."""
    cutoff = policy.cutoff_expression(aged.rule, aged.company, now)
    parts = [f"{aged.time} < {cutoff if aged.time == ARRIVAL else f'toDate32({cutoff})'}"]
    if aged.where:
        parts.append(aged.where)
    if firsts is not None and aged.time == ARRIVAL:
        parts.append(let_go(firsts))
    if with_holds and (held := held_condition(holds, aged.company, aged.account)):
        parts.append(f"NOT {held}")
    return " AND ".join(f"({part})" for part in parts)


def let_go(firsts: Mapping[str, Mapping[int, int]]) -> str:
    """A condition: Kafka does not hold the record of the row any more."""
    cases = [
        f"_topic = {literal(topic)}, {[offsets.get(number, 0) for number in range(max(offsets, default=-1) + 1)]}"
        "[toInt64(_partition) + 1]"
        for topic, offsets in sorted(firsts.items())
        if offsets
    ]
    return f"_offset < multiIf({', '.join(cases)}, 0)" if cases else "0"


def held_condition(holds: Iterable[Hold], company: str, account: str) -> str:
    """A condition: a legal hold covers the row; empty when there is none."""
    whole = sorted({hold.company for hold in holds if not hold.account_id})
    single = sorted({(hold.company, hold.account_id) for hold in holds if hold.account_id})
    parts = []
    if whole:
        parts.append(f"{company} IN ({', '.join(map(literal, whole))})")
    if single:
        pairs = ", ".join(f"({literal(one)}, {literal(other)})" for one, other in single)
        parts.append(f"({company}, {account}) IN ({pairs})")
    return f"({' OR '.join(parts)})" if parts else ""


def cold_ttl(days: int, volume: str) -> str:
    """The TTL clause that moves rows to a volume."""
    return f"toDateTime(_appended_at) + INTERVAL {days} DAY TO VOLUME {literal(volume)}"


def moment_literal(moment: datetime) -> str:
    """An instant as ClickHouse wants it."""
    text = moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    return f"toDateTime64('{text}', 6, 'UTC')"


def _midnight(now: datetime) -> datetime:
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
