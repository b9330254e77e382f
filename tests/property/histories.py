"""Random histories of a receivables ledger: plausible ones, with everything in between that should not happen.

A history is drawn as a list of numbers, one for each entry, so that a failing one shrinks by leaving entries out
(0 is nothing). Each number seeds the choice of an event that refers, mostly, to what came before it: accounts with
invoices, payments and credits in three currencies, dates before and after today, clock jumps, duplicates and conflicts.
"""

from dataclasses import dataclass
from random import Random

from hypothesis import strategies as st

from jobs.events import Event
from jobs.values import Day, Instant
from tests.jobs.written import day, ticked
from tests.property.moves import FIRST_KINDS, KINDS
from tests.property.writer import ACCOUNTS, COMPANIES, DAY, Writer

__all__ = ["ACCOUNTS", "COMPANIES", "History", "first_day", "histories", "history_of"]


@dataclass(frozen=True)
class History:
    """A log, in order: settings, ticks, and events of several accounts."""

    events: tuple[Event, ...]

    @property
    def log(self) -> list[Event]:
        """The whole of it."""
        return list(self.events)


def history_of(seeds: list[int], *, crossing: bool = True) -> History:
    """The history that a list of numbers stands for; 0 stands for nothing."""
    writer = Writer(crossing=crossing)
    for seed in seeds:
        if seed:
            _write(writer, Random(seed))
    writer.events.append(ticked(Instant(writer.now + 40 * DAY)))
    return History(tuple(writer.events))


def _write(writer: Writer, choose: Random) -> None:
    """One entry: perhaps a tick, then an event of an account, or one that was there before."""
    if choose.random() < 0.35:
        writer.advance(choose)
    if writer.count and choose.random() < 0.06:
        writer.again(choose)
        return
    account = choose.choice(writer.accounts)
    kinds = FIRST_KINDS if account.empty and choose.random() < 0.9 else KINDS
    move = choose.choices([each for each, _ in kinds], [weight for _, weight in kinds])[0]
    move(writer, choose, account)


def histories(entries_max: int = 90, *, crossing: bool = True) -> st.SearchStrategy[History]:
    """Histories of up to so many entries; without `crossing` no event of one account touches another."""
    numbers = st.lists(st.integers(0, 2**30), min_size=entries_max // 2, max_size=entries_max)
    return numbers.map(lambda seeds: history_of(seeds, crossing=crossing))


def first_day() -> Day:
    """A day before anything in a history."""
    return day("2025-10-01")
