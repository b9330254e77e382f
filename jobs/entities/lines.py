"""Aging lines: dated postings and the places where a balance stands."""

import msgspec

from jobs.values import Day, Minor


class Placement(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Where a balance stands from a day on: its class, and the date it is aged from."""

    since: Day
    balance_class: str
    age_date: Day


class Shown(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a line last contributed to the account's live totals."""

    column: str
    amount: Minor


class Line(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One aging line: an instalment, a whole document, or a receipt.

    `postings` are its dated deltas, merged by day and ascending; their sum is what is open, whatever the effective
    dates. `placements` are ascending by day.
    """

    number: int
    amount: Minor
    placements: tuple[Placement, ...]
    postings: tuple[tuple[Day, Minor], ...]
    shown: Shown | None = None

    @property
    def open(self) -> Minor:
        """Everything recorded, whatever its effective date."""
        total = 0
        for _, delta in self.postings:
            total += delta
        return Minor(total)

    def open_at(self, day: Day) -> Minor:
        """What is open at the end of a day."""
        total = 0
        for effective, delta in self.postings:
            if effective > day:
                break
            total += delta
        return Minor(total)

    def placement_at(self, day: Day) -> Placement:
        """The placement valid on a day; before the first one, the first."""
        placements = self.placements
        found = placements[0]
        if len(placements) == 1:
            return found
        for placement in placements[1:]:
            if placement.since > day:
                break
            found = placement
        return found

    @property
    def due_date(self) -> Day:
        """The due date last set."""
        return self.placements[-1].age_date
