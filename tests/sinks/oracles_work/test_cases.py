"""Disputes and exceptions against the events that opened, reviewed and resolved them (SEMANTICS 2.7, 5)."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from jobs.money import decimal_of
from tests.sinks.oracles_work.asking import CENTS, Rows, ask, quotient, same, windows
from tests.sinks.oracles_work.debts import Debts, Move, date_at
from tests.sinks.oracles_work.desks import Sent
from tests.sinks.oracles_work.judged import utc
from tests.sinks.oracles_work.playing import Played

pytestmark = pytest.mark.clickhouse

HOUR = 3_600_000_000


@dataclass
class Contest:
    """A dispute as it goes on. `entries` are (day, known since, amount, invoice)."""

    dispute_id: str
    account: str
    invoice: str
    amount: int
    left: int
    opened: int
    reason: str
    outcome: str | None = None
    credited: int = 0
    entries: list[tuple[int, int, int, str]] = field(default_factory=list)
    reasons: list[tuple[int, int, str]] = field(default_factory=list)

    def change(self, day: int, known: int, amount: int) -> None:
        if amount:
            self.entries.append((max(day, self.opened), known, amount, self.invoice))
            self.left += amount


class Contests(Debts):
    """Disputes of a company, and the credits that settle them."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.disputes: dict[str, Contest] = {}

    def take(self, sent: Sent) -> None:
        before = len(self.moves)
        super().take(sent)
        for move in self.moves[before:]:
            applied = self.applied.get(move.cause)
            if applied is not None and applied.value_date is None:
                self._credit(move, sent.at)
        record = sent.record
        day = self.day(record["occurred_at"])
        if sent.name == "DisputeOpened":
            self._open(record, day, sent.at)
        elif sent.name == "DisputeResolved":
            dispute = self.disputes[record["dispute_id"]]
            if dispute.outcome is None:
                dispute.outcome = record["outcome"]
                upheld = dispute.outcome == "upheld"
                dispute.change(day, sent.at, -(min(dispute.credited, dispute.left) if upheld else dispute.left))

    def _open(self, record: dict[str, Any], day: int, known: int) -> None:
        name, invoice, amount = record["dispute_id"], record["invoice_id"], record["amount_minor"]
        former = self.disputes.get(name)
        if former is not None and former.outcome is None:
            return
        dispute = Contest(name, record["account_id"], invoice, amount, 0, day, record["reason_code"])
        if former is not None:
            dispute.reasons, dispute.entries = former.reasons, former.entries
            if former.invoice != invoice:
                former.change(day, known, -former.left)
            dispute.left = former.left
        dispute.reasons.append((day, known, dispute.reason))
        dispute.change(day, known, amount - dispute.left)
        self.disputes[name] = dispute

    def _credit(self, move: Move, known: int) -> None:
        """A credit settles what is upheld, then counts for what is still open; taken back, the last first."""
        mine = sorted(
            (each for each in self.disputes.values() if each.invoice == move.line[0]), key=lambda each: each.dispute_id
        )
        rest = abs(move.minor)
        if move.minor < 0:
            for each in mine:
                if each.outcome == "upheld":
                    part = min(rest, each.left)
                    each.change(move.day, known, -part)
                    rest -= part
            for each in mine:
                if each.outcome is None:
                    part = min(rest, each.left - each.credited)
                    each.credited += part
                    rest -= part
            return
        for each in reversed(mine):
            if each.outcome is None:
                part = min(rest, each.credited)
                each.credited -= part
                rest -= part
            elif each.outcome == "upheld":
                part = min(rest, each.amount - each.left)
                each.change(move.day, known, part)
                rest -= part


def test_disputes_by_age(client: Client, played: Played) -> None:
    contests = {code: Contests(desk.settings) for code, desk in played.desks.items()}
    for code, own in contests.items():
        own.all(played.happened(code))
    bands: Counter[str] = Counter()
    for window in windows(played, 4, 8):
        expected: Rows = {}
        for code, own in contests.items():
            currency = played.desks[code].currency
            for name, dispute in own.disputes.items():
                entries = [each for each in dispute.entries if each[0] <= window.last and each[1] <= window.instant]
                by_invoice: Counter[str] = Counter()
                for _, _, amount, invoice in entries:
                    by_invoice[invoice] += amount
                for invoice, amount in by_invoice.items():
                    if not amount:
                        continue
                    days = sorted({day for day, _, _, own_invoice in entries if own_invoice == invoice})
                    standing = [
                        sum(minor for on, _, minor, of in entries if of == invoice and on <= day) for day in days
                    ]
                    since = max(
                        day
                        for number, day in enumerate(days)
                        if standing[number] and not (number and standing[number - 1])
                    )
                    age = window.last - since
                    reasons = [each for each in dispute.reasons if each[0] <= window.last and each[1] <= window.instant]
                    expected[code, dispute.account, name, currency] = {
                        "document_id": invoice,
                        "reason_code": max(reasons, key=lambda each: each[:2])[2],
                        "opened_on": date_at(since),
                        "age_days": age,
                        "band": "0-30" if age <= 30 else "31-60" if age <= 60 else "61-90" if age <= 90 else "91+",
                        "contested": decimal_of(amount, currency),
                    }
                    bands[str(expected[code, dispute.account, name, currency]["band"])] += 1
        same(
            ask(client, "dispute_aging", "company account_id dispute_id currency", window, "as_of", "known_as_of"),
            expected,
        )
    assert len(bands) == 4


@dataclass(frozen=True)
class Moment:
    """An exception reaches a status."""

    company: str
    account: str
    case: str
    kind: str
    status: str
    at: int
    day: int
    event_id: str
    known: int


MOMENT = ("company", "account_id", "exception_id", "exception_type", "status", "local_date", "event_id")
STATUS = {"ExceptionFlagged": "flagged", "ExceptionReviewed": "reviewed", "ExceptionResolved": "resolved"}


def moments(played: Played) -> dict[tuple[str, str], list[Moment]]:
    """By company and case, in the order of the log. What says again what is already so is no moment."""
    found: dict[tuple[str, str], list[Moment]] = defaultdict(list)
    for code, desk in played.desks.items():
        debts = Debts(desk.settings)
        for sent in played.happened(code):
            status = STATUS.get(sent.name)
            if status is None:
                continue
            record = sent.record
            history = found[code, record["exception_id"]]
            now = history[-1].status if history else "resolved"
            if (
                status == now
                or (status == "flagged" and now != "resolved")
                or (status == "reviewed" and now == "resolved")
            ):
                continue
            kind = record.get("exception_type") or history[-1].kind
            at = record["occurred_at"]
            history.append(
                Moment(
                    code,
                    record["account_id"] or "",
                    record["exception_id"],
                    kind,
                    status,
                    at,
                    debts.day(at),
                    record["event_id"],
                    sent.at,
                )
            )
    return found


def test_moments_of_exceptions(client: Client, played: Played) -> None:
    rows = client.query("SELECT * FROM exception_moments").named_results()
    found = Counter((*(row[name] for name in MOMENT), row["happened_at"].replace(tzinfo=None)) for row in rows)
    expected = Counter(
        (each.company, each.account, each.case, each.kind, each.status, date_at(each.day), each.event_id, utc(each.at))
        for history in moments(played).values()
        for each in history
    )
    assert found == expected
    assert {row[4] for row in found} == set(STATUS.values())


def test_how_exceptions_were_resolved(client: Client, played: Played) -> None:
    histories = moments(played)
    reopened = 0
    for window in windows(played, 5, 6):
        sums: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        for history in histories.values():
            past = [each for each in history if each.day <= window.last and each.known <= window.instant]
            for number, each in enumerate(past):
                own = sums[each.company, each.kind]
                inside = window.first <= each.day
                before = past[:number]
                if each.status == "flagged":
                    own["flagged"] += inside
                    reopened += bool(before)
                elif each.status == "reviewed" and not any(one.status == "reviewed" for one in before):
                    own["reviewed"] += inside
                    own["to_review"] += inside * (each.at - past[0].at)
                elif each.status == "resolved":
                    own["resolved"] += inside
                    own["to_resolve"] += inside * (each.at - max(one.at for one in before if one.status == "flagged"))
            if past:
                sums[past[-1].company, past[-1].kind]["unresolved"] += past[-1].status != "resolved"
        expected = {
            key: {
                **{name: own[name] for name in ("flagged", "reviewed", "resolved", "unresolved")},
                "hours_to_review": quotient(own["to_review"], own["reviewed"] * HOUR, CENTS),
                "hours_to_resolve": quotient(own["to_resolve"], own["resolved"] * HOUR, CENTS),
            }
            for key, own in sums.items()
        }
        names = "from_date", "to_date", "known_as_of"
        same(ask(client, "exception_resolution", "company exception_type", window, *names), expected)
    assert reopened
