"""Arithmetic of aging lines: dated postings, and moves between due dates or balance classes.

Every function returns the changed line and the movements that become ledger entries. Movements are additive: the sum
of all movements up to a day, by placement, is the balance of that day, whatever the order in which they were
recorded (SEMANTICS 1.1, 1.2).
"""

from bisect import bisect_left
from itertools import pairwise
from typing import NamedTuple

import msgspec

from jobs.entities import Line, Placement
from jobs.values import Day, Minor


class Movement(NamedTuple):
    """A change of a balance on a day, at the place where the balance stands on that day."""

    effective: Day
    placement: Placement
    delta: Minor


def opened(number: int, amount: Minor, placement: Placement) -> tuple[Line, list[Movement]]:
    """A new line whose whole amount is posted on the day of its placement."""
    line = Line(number, amount, (placement,), ((placement.since, amount),))
    return line, [Movement(placement.since, placement, amount)]


def posted(line: Line, delta: Minor, day: Day) -> tuple[Line, list[Movement]]:
    """Post `delta` on a day, or on the line's first day if that is later.

    Where the balance moved to another place after that day, the delta moves along.
    """
    first = line.placements[0].since
    effective = max(first, day)
    line_after = msgspec.structs.replace(line, postings=_with_posting(line.postings, effective, delta))
    placements = line.placements
    if len(placements) == 1:
        return line_after, [Movement(effective, placements[0], delta)]
    movements = [Movement(effective, line.placement_at(effective), delta)]
    for before, after in pairwise(placements):
        if after.since > effective:
            movements += _move(after.since, before, after, delta)
    return line_after, movements


def placed(line: Line, placement: Placement) -> tuple[Line, list[Movement]]:
    """From `placement.since` on the balance stands elsewhere: another due date (SEMANTICS 2.4) or class (4.1).

    Only the time until the next known move changes. A change on the day of an earlier one replaces it.
    """
    since = max(placement.since, line.placements[0].since)
    placement = msgspec.structs.replace(placement, since=since)
    former = line.placement_at(since)
    kept = tuple(known for known in line.placements if known.since != since)
    position = bisect_left([known.since for known in kept], since)
    placements = (*kept[:position], placement, *kept[position:])
    until = kept[position].since if position < len(kept) else None
    movements: list[Movement] = []
    if (former.balance_class, former.age_date) != (placement.balance_class, placement.age_date):
        movements += _move(since, former, placement, line.open_at(since))
        for day, delta in line.postings:
            if day > since and (until is None or day < until):
                movements += _move(day, former, placement, delta)
        if until is not None:
            movements += _move(until, placement, former, line.open_at(Day(until - 1)))
    return msgspec.structs.replace(line, placements=placements), movements


def cleared(line: Line, day: Day) -> tuple[Line, list[Movement]]:
    """Net the line to zero from a day on, at every later date too (SEMANTICS 1.5)."""
    movements: list[Movement] = []
    day = max(day, line.placements[0].since)
    contra = [(day, line.open_at(day)), *((later, delta) for later, delta in line.postings if later > day)]
    for effective, amount in contra:
        if amount:
            line, made = posted(line, Minor(-amount), effective)
            movements += made
    return line, movements


def _move(day: Day, origin: Placement, destination: Placement, amount: Minor) -> list[Movement]:
    if not amount:
        return []
    return [Movement(day, origin, Minor(-amount)), Movement(day, destination, amount)]


def _with_posting(postings: tuple[tuple[Day, Minor], ...], day: Day, delta: Minor) -> tuple[tuple[Day, Minor], ...]:
    if not postings or postings[-1][0] < day:
        return (*postings, (day, delta))
    if postings[-1][0] == day:
        return (*postings[:-1], (day, Minor(postings[-1][1] + delta)))
    position = bisect_left(postings, (day,))
    if postings[position][0] == day:
        merged = (day, Minor(postings[position][1] + delta))
        return (*postings[:position], merged, *postings[position + 1 :])
    return (*postings[:position], (day, delta), *postings[position:])
