"""Which lines of a document an amount fills (SEMANTICS 2.3)."""

from jobs.entities import Line
from jobs.values import Minor

Allocation = tuple[tuple[int, Minor], ...]
"""(instalment number, amount) in the order in which they were filled."""


def oldest_first(lines: tuple[Line, ...], amount: Minor) -> Allocation:
    """Fill the open lines by due date, oldest first. The caller has checked that the amount fits."""
    allocation = []
    rest = amount
    for line in sorted(lines, key=_by_due_date) if len(lines) > 1 else lines:
        filled = min(rest, line.open)
        if filled > 0:
            allocation.append((line.number, Minor(filled)))
            rest = Minor(rest - filled)
        if not rest:
            break
    return tuple(allocation)


def last(lines: tuple[Line, ...]) -> Line:
    """The line due last, to which a positive adjustment goes."""
    return max(lines, key=_by_due_date)


def numbered(lines: tuple[Line, ...], number: int) -> Line | None:
    """The line of an instalment number."""
    return next((line for line in lines if line.number == number), None)


def part_of(allocation: Allocation, amount: Minor) -> Allocation:
    """The first `amount` of an allocation, for what is taken back only in part."""
    taken = []
    rest = amount
    for number, filled in allocation:
        part = min(rest, filled)
        if part > 0:
            taken.append((number, Minor(part)))
            rest = Minor(rest - part)
    return tuple(taken)


def _by_due_date(line: Line) -> tuple[int, int]:
    return line.due_date, line.number
