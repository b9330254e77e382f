"""What was reported stays reported: answers as known at a past moment never change (SEMANTICS 1.1, 1.2)."""

from collections import defaultdict
from collections.abc import Iterable

from hypothesis import given

from jobs.as_of import OpenLine, age, open_lines
from jobs.effects import DisputeEntry
from jobs.events import ClockTicked
from jobs.values import Day, Instant, Minor
from tests.jobs.examples import examples
from tests.property.histories import COMPANIES, History, histories
from tests.property.playing import Play

SETTINGS = {settings.code: settings for settings in COMPANIES}
_ASKED = (-45, -1, 0, 3)  # days before and after the day on which the question is asked

Question = tuple[Day, Instant]


def _disputed(entries: Iterable[DisputeEntry], as_of: Day, known_as_of: Instant) -> dict[tuple[str, str], int]:
    sums: dict[tuple[str, str], int] = defaultdict(int)
    for entry in entries:
        if entry.effective_date <= as_of and entry.recorded_at <= known_as_of:
            sums[entry.company, entry.document_id] += entry.delta_minor
    return {document: amount for document, amount in sums.items() if amount}


@examples(60)
@given(histories())
def test_an_answer_as_known_before_the_clock_never_changes(history: History) -> None:
    play = Play()
    answers: dict[Question, tuple[dict[OpenLine, Minor], dict[tuple[str, str], int]]] = {}
    for event in history.log:
        play.take(event)
        if isinstance(event, ClockTicked) and play.fold.clock_micros is not None:
            known = Instant(play.fold.clock_micros - 1)  # what is recorded at the very instant may still arrive
            for offset in _ASKED:
                as_of = Day(SETTINGS["FR01"].calendar.day(known) + offset)
                answers[as_of, known] = (
                    open_lines(play.out.entries, as_of, known),
                    _disputed(play.out.disputes, as_of, known),
                )
    for (as_of, known), (lines, disputed) in answers.items():
        assert open_lines(play.out.entries, as_of, known) == lines
        assert _disputed(play.out.disputes, as_of, known) == disputed


@examples(40)
@given(histories())
def test_the_columns_add_up_at_any_two_dates_in_every_credit_mode(history: History) -> None:
    """SEMANTICS 1.4 holds for what was known at any moment, too, and the modes differ in their columns only."""
    play = Play()
    moments = []
    for event in history.log:
        play.take(event)
        if isinstance(event, ClockTicked) and play.fold.clock_micros is not None:
            moments.append(play.fold.clock_micros)
    entries = play.out.entries
    for known in moments[:: max(1, len(moments) // 8)]:
        days = sorted({entry.effective_date for entry in entries if entry.recorded_at <= known})
        for as_of in days[:: max(1, len(days) // 6)]:
            of: dict[tuple[str, str, str], dict[OpenLine, Minor]] = defaultdict(dict)
            for line, amount in open_lines(entries, as_of, known).items():
                of[line.company, line.account_id, line.currency][line] = amount
            for (company, account, currency), lines in of.items():
                control = sum(
                    entry.delta_minor
                    for entry in entries
                    if (entry.company, entry.account_id, entry.currency) == (company, account, currency)
                    and entry.effective_date <= as_of
                    and entry.recorded_at <= known
                )
                for mode in ("separate", "own_date", "oldest_first"):
                    report = age(lines, as_of, SETTINGS[company].aging, mode)
                    columns = report.unapplied + report.on_account + report.credits
                    assert sum(report.buckets.values()) - columns == report.total == control
                    assert report.reconciliation_gap == 0
