"""What is open, and contested, on any day as known at any moment: the fold against books kept by the rules alone."""

from collections import Counter

from hypothesis import given

from jobs.as_of import open_lines
from jobs.events import ClockTicked
from jobs.values import Day, Instant
from tests.jobs.examples import examples
from tests.jobs.written import configured
from tests.property.histories import History, histories
from tests.property.logs import KEPT, log_of
from tests.property.oracle import Journal, Line
from tests.property.playing import Play

_SETTINGS = {settings.code: settings for settings in KEPT}


@examples(60)
@given(histories())
def test_open_items_are_those_of_the_books_at_any_two_dates(history: History) -> None:
    play, journal = Play(), Journal(_SETTINGS)
    asked: list[tuple[Instant, Day, dict[Line, int], dict[tuple[str, str, str], int]]] = []
    for event in [*map(configured, KEPT), *log_of(history)]:
        if isinstance(event, ClockTicked):
            known = Instant(event.at - 1)
            days = _days(journal)
            asked += [(known, as_of, journal.lines(as_of), _contested(journal, as_of)) for as_of in days]
        play.take(event)
        journal.take(event)
    for known, as_of, lines, contested in asked:
        found = {
            Line(line.company, line.account_id, line.currency, line.item_type, line.item_id, line.instalment,
                 line.balance_class, line.due_date): int(amount)
            for line, amount in open_lines(play.out.entries, as_of, known).items()
        }  # fmt: skip
        assert found == lines
        sums: Counter[tuple[str, str, str]] = Counter()
        for entry in play.out.disputes:
            if entry.effective_date <= as_of and entry.recorded_at <= known:
                sums[entry.company, entry.document_type, entry.document_id] += entry.delta_minor
        assert {key: amount for key, amount in sums.items() if amount} == contested


def _days(journal: Journal) -> list[Day]:
    """Some of the days on which anything changed, the last of all among them, and the days before these."""
    days = sorted({change.day for paper in journal.papers.values() for part in paper.parts for change in part.changes})
    some = days[:: max(1, len(days) // 4)] + days[-1:]
    return sorted({Day(day + offset) for day in some for offset in (-1, 0)})


def _contested(journal: Journal, as_of: Day) -> dict[tuple[str, str, str], int]:
    found = {
        (paper.company, paper.kind, paper.number): journal.contested(paper, as_of) for paper in journal.papers.values()
    }
    return {key: amount for key, amount in found.items() if amount}
