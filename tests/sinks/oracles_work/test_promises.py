"""How promises were kept, by account and as known at any time, against the rules (SEMANTICS 3, 7)."""

from collections import Counter, defaultdict

import pytest
from clickhouse_connect.driver.client import Client

from jobs.money import decimal_of
from tests.sinks.oracles_work.asking import CENTS, RATIO, Rows, ask, quotient, same, windows
from tests.sinks.oracles_work.debts import date_at
from tests.sinks.oracles_work.judged import State, judged, known
from tests.sinks.oracles_work.playing import Played

pytestmark = pytest.mark.clickhouse

JUDGED = ("kept", "partially_kept", "broken")
PENDING = ("open", "pending_cash")


@pytest.fixture(scope="module")
def promises(played: Played) -> dict[str, dict[str, list[State]]]:
    return {code: judged(played, code) for code in played.desks}


def _performance(states: list[State], currency: str) -> dict[str, object]:
    count = Counter(state.status for state in states)
    over = [state for state in states if state.status in JUDGED]
    owed = sum(state.effective or 0 for state in over)
    paid = sum(min(state.effective or 0, state.paid or 0) for state in over)
    late = [state.late_days for state in states if state.late_days is not None]
    return {
        "judged": len(over),
        **{status: count[status] for status in JUDGED},
        "pending": sum(count[status] for status in PENDING),
        "promised": decimal_of(owed, currency),
        "paid_in_time": decimal_of(paid, currency),
        "kept_rate": quotient(count["kept"], len(over), RATIO),
        "kept_rate_amount": quotient(paid, owed, RATIO),
        "days_late": quotient(sum(late), len(late), CENTS),
    }


def test_how_they_were_kept(client: Client, played: Played, promises: dict[str, dict[str, list[State]]]) -> None:
    seen: Counter[str] = Counter()
    for window in windows(played, 2, 8):
        expected: Rows = {}
        for code, own in promises.items():
            by_account: dict[str, list[State]] = defaultdict(list)
            for states in own.values():
                state = known(states, window.instant)
                if (
                    state is not None
                    and state.status in {*JUDGED, *PENDING}
                    and window.first <= state.deadline <= window.last
                ):
                    by_account[state.account].append(state)
                    seen[state.status] += 1
            currency = played.desks[code].currency
            for account, states in by_account.items():
                expected[code, account, currency] = _performance(states, currency)
        names = ("from_date", "to_date", "known_as_of")
        same(ask(client, "promise_performance", "company account_id currency", window, *names), expected)
    assert set(seen) == {*JUDGED, *PENDING}


def test_every_state_is_in_their_history(
    client: Client, played: Played, promises: dict[str, dict[str, list[State]]]
) -> None:
    """As known at any time, the last row of a promise is what it was then."""
    for window in windows(played, 3, 6):
        rows = client.query(
            "SELECT company, promise_id, argMax((account_id, status, level, deadline, invoice_ids, effective_amount, "
            "paid_in_window, paid_late, paid_late_days), _offset) FROM promise_history "
            "WHERE recorded_at <= {known_as_of:String} GROUP BY company, promise_id",
            parameters=window.parameters,
        ).result_rows
        found = {(company, promise): last for company, promise, last in rows}
        expected = {}
        for code, own in promises.items():
            currency = played.desks[code].currency
            for promise, states in own.items():
                state = known(states, window.instant)
                if state is None:
                    continue
                head = (
                    state.account,
                    state.status,
                    state.level,
                    date_at(state.deadline),
                    [] if state.whole else list(state.invoices),
                )
                figures = (
                    tuple(found.get((code, promise), ())[5:])
                    if state.paid is None
                    else (
                        *(decimal_of(minor or 0, currency) for minor in (state.effective, state.paid, state.late)),
                        state.late_days,
                    )
                )
                expected[code, promise] = (*head, *figures)
        assert found.keys() == expected.keys()
        for key, last in expected.items():
            assert tuple(found[key]) == last, key
