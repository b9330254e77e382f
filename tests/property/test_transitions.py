"""Aging transitions of every line form a chain through its buckets (SEMANTICS 2.12)."""

from collections import defaultdict
from itertools import pairwise

from hypothesis import given

from jobs.effects import AgingTransition, LedgerEntry
from tests.jobs.examples import examples
from tests.property.histories import COMPANIES, History, histories
from tests.property.playing import Play

SETTINGS = {settings.code: settings for settings in COMPANIES}
NOT_DUE = "not_due"
NONE = "none"

Line = tuple[str, str, str, int]


def _chains(play: Play) -> dict[Line, list[AgingTransition]]:
    chains: dict[Line, list[AgingTransition]] = defaultdict(list)
    for moved in play.out.transitions:
        chains[moved.company, moved.document_type, moved.document_id, moved.instalment or 0].append(moved)
    return chains


@examples(60)
@given(histories())
def test_each_begins_where_the_one_before_it_ended_or_after_a_gap(history: History) -> None:
    """After a gap (closed, reopened) a line begins from none if it is overdue, else silently from not due."""
    for chain in _chains(Play().all(history.log)).values():
        assert chain[0].from_bucket in {NONE, NOT_DUE}
        for before, after in pairwise(chain):
            assert after.from_bucket in {before.to_bucket, NONE, NOT_DUE}
            assert after.local_date >= before.local_date


@examples(60)
@given(histories())
def test_each_leads_to_the_bucket_of_its_day_and_moves(history: History) -> None:
    for chain in _chains(Play().all(history.log)).values():
        for moved in chain:
            buckets = SETTINGS[moved.company].aging
            assert moved.to_bucket == buckets.name(moved.local_date - moved.due_date)
            assert moved.from_bucket != moved.to_bucket
            assert moved.open_minor > 0
            assert (moved.from_bucket, moved.to_bucket) != (NONE, NOT_DUE)


@examples(40)
@given(histories())
def test_the_last_one_of_an_open_line_names_the_bucket_in_which_it_is(history: History) -> None:
    play = Play().all(history.log)
    clock = play.fold.clock_micros
    assert clock is not None
    chains = _chains(play)
    for line, (amount, due_date) in _open_lines(play.out.entries, clock).items():
        if amount <= 0:
            continue
        buckets = SETTINGS[line[0]].aging
        now = buckets.name(SETTINGS[line[0]].calendar.day(clock) - due_date)
        if line in chains and now != NOT_DUE:
            assert chains[line][-1].to_bucket == now
        elif line not in chains:
            assert now == NOT_DUE


def _open_lines(entries: list[LedgerEntry], clock: int) -> dict[Line, tuple[int, int]]:
    """(open amount, due date) of invoice lines on the clock's day; lines in several places are left out."""
    places: dict[Line, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for entry in entries:
        today = SETTINGS[entry.company].calendar.day(clock)  # type: ignore[arg-type]  # an instant
        if entry.balance_class == "invoice" and entry.effective_date <= today:
            line = entry.company, entry.item_type, entry.item_id, entry.instalment
            places[line][entry.due_date] += entry.delta_minor
    found = {line: [(amount, due) for due, amount in of.items() if amount] for line, of in places.items()}
    return {line: amounts[0] for line, amounts in found.items() if len(amounts) == 1}
