"""How accounts pay, and what makes their scores, against sums over dated moves (SEMANTICS 2, 7)."""

from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from jobs.money import decimal_of
from tests.sinks.oracles_work.asking import CENTS, RATIO, Rows, Window, ask, quotient, same, windows
from tests.sinks.oracles_work.debts import Debts, Paid, date_at
from tests.sinks.oracles_work.judged import judged, known
from tests.sinks.oracles_work.playing import Played

pytestmark = pytest.mark.clickhouse


@pytest.fixture(scope="module")
def debts(played: Played) -> dict[str, Debts]:
    return {code: Debts(desk.settings).all(played.happened(code)) for code, desk in played.desks.items()}


def _mean(payments: list[Paid]) -> tuple[int, int]:
    return sum(each.minor * each.days_late for each in payments), sum(each.minor for each in payments)


def percentile(values: list[int], share: Fraction) -> Fraction:
    """Between the two values next to a place in their order, by where it lies between them."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def behaviour(played: Played, debts: dict[str, Debts], window: Window) -> Rows:
    expected: Rows = {}
    for code, own in debts.items():
        currency = played.desks[code].currency
        by_account: dict[str, list[Paid]] = defaultdict(list)
        for paid in own.paid(window.last, window.instant):
            if paid.value_date > window.last - 365:
                by_account[paid.account].append(paid)
        for account, payments in by_account.items():
            recent = [each for each in payments if each.value_date > window.last - 90]
            older = [each for each in payments if each.value_date <= window.last - 90]
            now, before = quotient(*_mean(recent), CENTS), quotient(*_mean(older), CENTS)
            whole = sum(each.minor for each in payments)
            late = [each.days_late for each in payments]
            expected[code, account, currency] = {
                "payments": len(payments),
                "paid": decimal_of(whole, currency),
                "days_late_mean": quotient(*_mean(payments), CENTS),
                "days_late_p50": quotient(percentile(late, Fraction(1, 2)), 1, CENTS),
                "days_late_p90": quotient(percentile(late, Fraction(9, 10)), 1, CENTS),
                "on_time_share": quotient(sum(each.minor for each in payments if each.days_late <= 0), whole, RATIO),
                "days_late_recent": now,
                "trend": None if now is None or before is None else now - before,
                "last_paid_on": date_at(max(each.value_date for each in payments)),
            }
    return expected


def test_how_accounts_pay(client: Client, played: Played, debts: dict[str, Debts]) -> None:
    trends = 0
    for window in windows(played, 1, 8):
        expected = behaviour(played, debts, window)
        same(ask(client, "payment_behaviour", "company account_id currency", window, "as_of", "known_as_of"), expected)
        trends += sum(row["trend"] is not None for row in expected.values())
    assert trends


def test_scores_are_the_sum_of_their_parts(client: Client, played: Played, debts: dict[str, Debts]) -> None:
    broken = {code: [(states[0].account, states) for states in judged(played, code).values()] for code in played.desks}
    rules: set[str] = set()
    # Days on which somebody's oldest line gives a half: as many points as there are sixths of its days.
    first = [
        min(due for bill in own.bills.values() for dues in bill.dues.values() for _, _, due in dues)
        for own in debts.values()
    ]
    halves = [Window(due + 15, due + 15, None) for due in first[:3]]
    rounded = 0
    for window in (*windows(played, 10, 5), *halves):
        expected: Rows = {}
        late = behaviour(played, debts, window)
        for code, own in debts.items():
            currency = played.desks[code].currency
            lines: dict[str, list[tuple[int, int]]] = defaultdict(list)
            for (invoice, _), (minor, due) in own.open_lines(window.last, window.instant).items():
                lines[own.bills[invoice].account].append((minor, window.last - due))
            for account, owed in lines.items():
                unkept = 0
                for of, states in broken[code]:
                    state = known(states, window.instant)
                    unkept += (
                        of == account
                        and state is not None
                        and state.status == "broken"
                        and window.last - 365 < state.deadline <= window.last
                    )
                rounded += max(days for _, days in owed) == 15
                found = _points(owed, late.get((code, account, currency), {}), unkept)
                parts = sorted(
                    ((rule, points) for rule, points in found.items() if points), key=lambda each: (-each[1], each[0])
                )
                rules |= {rule for rule, _ in parts}
                expected[code, account, currency] = {
                    "score": sum(found.values()),
                    "parts": [f"{rule}={points}" for rule, points in parts],
                }
        same(ask(client, "risk_score", "company account_id currency", window, "as_of", "known_as_of"), expected)
    assert rounded
    assert rules == {"pays_late", "overdue_share", "oldest_overdue", "broken_promises", "getting_later"}


def _points(owed: list[tuple[int, int]], late: dict[str, Any], unkept: int) -> dict[str, int]:
    """What the rules give for (open, days past due) of all lines, how the account pays, and promises it broke."""
    whole = sum(minor for minor, _ in owed)
    overdue = sum(minor for minor, days in owed if days > 0)
    return {
        "pays_late": _bounded(Fraction(late.get("days_late_mean") or 0), 30),
        "overdue_share": _bounded(Fraction(25 * overdue, whole), 25) if whole > 0 else 0,
        "oldest_overdue": _bounded(Fraction(max(days for _, days in owed), 6), 15),
        "broken_promises": _bounded(Fraction(10 * unkept), 20),
        "getting_later": _bounded(Fraction(late.get("trend") or 0), 10),
    }


def _bounded(points: Fraction, most: int) -> int:
    """Between 0 and its most, rounded half up."""
    bounded = min(Fraction(most), max(Fraction(0), points))
    return int((Decimal(bounded.numerator) / bounded.denominator).quantize(Decimal(1), ROUND_HALF_UP))
