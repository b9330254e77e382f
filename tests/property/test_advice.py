"""The advice that was published last is what the state asks for, on every day that has begun (SEMANTICS 6).

Accounts are not looked at every midnight, only where something may have changed; this is the law that makes it right.
"""

from collections.abc import Iterable

from hypothesis import given

from jobs import Fold
from jobs.daily import HOLD_RECOMMENDED, NOTHING_DUE, NOTICE_DUE, WORKLIST
from jobs.effects import Action, Effect
from jobs.events import ClockTicked
from tests.jobs.examples import examples
from tests.property.histories import ACCOUNTS, COMPANIES, History, histories
from tests.property.playing import Play

Row = tuple[str, int | None, tuple[str, ...], dict[str, int], int | None, tuple[str, ...]]


@examples(150)
@given(histories())
def test_what_was_advised_last_is_what_the_state_asks_for(history: History) -> None:
    play = Play()
    advice: dict[tuple[str, str], list[Row]] = {}
    for event in history.log:
        days = _days(play.fold)
        advice.update(_published(play.take(event)))
        if isinstance(event, ClockTicked):
            for company, account in ACCOUNTS:
                if company in days and _days(play.fold)[company] != days[company]:
                    assert advice.get((company, account), []) == _asked_for(play.fold, company, account)


def _days(fold: Fold) -> dict[str, int]:
    """Today, by company."""
    return {company.code: company.calendar.day(fold.clock_micros) for company in COMPANIES if fold.clock_micros}


def _published(effects: Iterable[Effect]) -> dict[tuple[str, str], list[Row]]:
    """The sets of advice of a step, the latest of each account; none where nothing is due."""
    found: dict[tuple[str, str], list[Row]] = {}
    latest: dict[tuple[str, str], int] = {}
    for action in effects:
        if isinstance(action, Action):
            account = (action.company, action.account_id)
            if latest.get(account) != action.local_date:
                latest[account], found[account] = action.local_date, []
            if action.kind != NOTHING_DUE:
                found[account].append(
                    (action.kind, action.level, action.invoice_ids, action.amounts, action.score, action.rules)
                )
    return found


def _asked_for(fold: Fold, company: str, account: str) -> list[Row]:
    rows: list[Row] = [
        (NOTICE_DUE, notice.level, notice.invoice_ids, dict(notice.amounts), None, ())
        for notice in fold.notices_due(company)
        if notice.account == account
    ]
    for row in fold.worklist(company):
        if row.account == account:
            rules = tuple(f"{rule}={points}" for rule, points in sorted(row.rules.items()))
            rows.append((WORKLIST, None, (), dict(row.amounts), row.score, rules))
    reasons = fold.credit(company, account).hold_reasons
    if reasons:
        rows.append((HOLD_RECOMMENDED, None, (), {}, None, reasons))
    return rows
