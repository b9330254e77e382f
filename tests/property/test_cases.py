"""Alerts of exceptions and disputes against a slow reading of SEMANTICS 5, day by day."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs import settings_from
from jobs.company import CompanySettings
from jobs.effects import Alert
from jobs.events import (
    DisputeAssigned,
    DisputeOpened,
    DisputeResolved,
    Event,
    ExceptionFlagged,
    ExceptionResolved,
    ExceptionReviewed,
    InvoiceIssued,
)
from jobs.values import Instant, instant_of, moment_of
from tests.jobs.examples import examples
from tests.jobs.written import configured, ticked, written
from tests.property.playing import Play

_HOUR = 3_600_000_000
_START = instant_of(datetime(2026, 3, 26, 9, tzinfo=ZoneInfo("UTC")))  # before clock changes, Easter and May
_HOLIDAYS = ("2026-04-03", "2026-04-06", "2026-05-01")

Row = tuple[str, Instant]
EventOf = Callable[[str, Instant, str, str], Event]
Entry = tuple[str, int, int]
"""What happens, to which case, and how many hours after the one before it (late: how many hours ago it occurred)."""

entries = st.lists(
    st.tuples(
        st.sampled_from(("open", "open", "late", "review", "resolve", "wait")),
        st.integers(0, 2),
        st.sampled_from((0, 1, 7, 24, 24, 30, 49, 100, 400)),
    ),
    min_size=8,
    max_size=40,
)
companies = st.builds(
    lambda zone, review, resolve: settings_from(
        {"code": "X01", "timezone": zone, "review_within_days": review, "resolve_within_days": resolve,
         "holidays": _HOLIDAYS}
    ),
    st.sampled_from(("UTC", "Europe/Paris", "America/Santiago", "Pacific/Chatham")),
    st.integers(0, 3),
    st.integers(0, 6),
)  # fmt: skip


@dataclass
class SlowCase:
    """One case as the rule describes it."""

    opened_on: date
    reviewed: bool = False
    resolved: bool = False
    passed: set[str] = field(default_factory=set)
    alerting: bool = False


class SlowDesk:
    """Cases of one company, looked at one day after the other."""

    def __init__(self, settings: CompanySettings) -> None:
        self.zone = ZoneInfo(settings.timezone)
        self.holidays = set(settings.holidays)
        self.limits = {"review": settings.review_within_days, "resolve": settings.resolve_within_days}
        self.cases: dict[str, SlowCase] = {}
        self.rows: dict[str, list[Row]] = defaultdict(list)
        self.clock = Instant(0)

    def local_day(self, at: Instant) -> date:
        return moment_of(at).astimezone(self.zone).date()

    def last_day(self, opened_on: date, days: int) -> date:
        day = opened_on
        while days:
            day += timedelta(days=1)
            if day.weekday() < 5 and day not in self.holidays:
                days -= 1
        return day

    def midnight_after(self, day: date) -> Instant:
        begins = datetime.combine(day + timedelta(days=1), time(), self.zone)
        return instant_of(begins.astimezone(ZoneInfo("UTC")))

    def look(self, until: Instant) -> None:
        """Every limit that ended by an instant, the earlier one first, the review before the resolution."""
        for name, case in self.cases.items():
            due = sorted((self.last_day(case.opened_on, days), kind == "resolve", kind)
                         for kind, days in self.limits.items())  # fmt: skip
            for last_day, _, kind in due:
                ends = self.midnight_after(last_day)
                if case.resolved or kind in case.passed or ends > until:
                    continue
                case.passed.add(kind)
                if kind == "review" and case.reviewed:
                    continue
                self.rows[name].append(("escalated" if case.alerting else "raised", max(ends, self.clock)))
                case.alerting = True

    def tick(self, at: Instant) -> None:
        self.look(at)
        self.clock = at

    def quiet(self, name: str) -> None:
        if self.cases[name].alerting:
            self.rows[name].append(("resolved", self.clock))
            self.cases[name].alerting = False

    def open(self, name: str, occurred: Instant) -> None:
        if name not in self.cases or self.cases[name].resolved:
            self.cases[name] = SlowCase(self.local_day(occurred))
            self.look(self.clock)

    def review(self, name: str) -> None:
        case = self.cases.get(name)
        if case is not None and not case.reviewed and not case.resolved:
            self.quiet(name)
            case.reviewed = True

    def resolve(self, name: str) -> None:
        case = self.cases.get(name)
        if case is not None and not case.resolved:
            self.quiet(name)
            case.resolved = True


def _exception(what: str, now: Instant, event_id: str, case: str) -> Event:
    if what == "open":
        return written(ExceptionFlagged, now, event_id, "X01", account_id="C1", exception_id=case,
                       exception_type="other", subject_type="payment", subject_id="R1")  # fmt: skip
    if what == "review":
        return written(ExceptionReviewed, now, event_id, "X01", account_id="C1", exception_id=case)
    return written(ExceptionResolved, now, event_id, "X01", account_id="C1", exception_id=case, resolution="done")


def _dispute(what: str, now: Instant, event_id: str, case: str) -> Event:
    if what == "open":
        return written(DisputeOpened, now, event_id, "X01", account_id="C1", dispute_id=case, invoice_id="I1",
                       amount="5.00", currency="EUR")  # fmt: skip
    if what == "review":
        return written(DisputeAssigned, now, event_id, "X01", account_id="C1", dispute_id=case)
    return written(DisputeResolved, now, event_id, "X01", account_id="C1", dispute_id=case, outcome="rejected")


@pytest.mark.parametrize(("kind", "event_of"), [("exception_overdue", _exception), ("dispute_overdue", _dispute)])
@examples(150)
@given(settings=companies, history=entries)
def test_alerts_come_when_the_slow_reading_says_so(
    kind: str, event_of: EventOf, settings: CompanySettings, history: list[Entry]
) -> None:
    play, desk, now = Play(), SlowDesk(settings), _START
    invoice = written(InvoiceIssued, now, "invoice", "X01", account_id="C1", invoice_id="I1", amount="100.00",
                      currency="EUR", document_date="2026-03-26", due_date="2027-03-26")  # fmt: skip
    play.all([configured(settings), ticked(now), invoice])
    desk.tick(now)
    for number, (what, which, hours) in enumerate(history):
        if what != "late":
            now = Instant(now + hours * _HOUR)
            play.take(ticked(now))
            desk.tick(now)
        name, event_id = f"X{which}", f"e{number}"
        if what == "wait":
            continue
        if what in {"open", "late"}:
            occurred = Instant(now - hours * _HOUR) if what == "late" else now
            event = event_of("open", now, event_id, name)
            play.take(msgspec.structs.replace(event, occurred_at=occurred))
            desk.open(name, occurred)
        else:
            play.take(event_of(what, now, event_id, name))
            (desk.review if what == "review" else desk.resolve)(name)
    last = Instant(now + 40 * 24 * _HOUR)
    play.take(ticked(last))
    desk.tick(last)
    rows: dict[str, list[Row]] = defaultdict(list)
    for _, _, effects in play.steps:
        for effect in effects:
            if isinstance(effect, Alert) and effect.kind == kind:
                rows[effect.subject].append((effect.status, effect.raised_at))
    assert rows == {name: expected for name, expected in desk.rows.items() if expected}
