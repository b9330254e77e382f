"""Chances of being paid at an age, of what is not paid yet: a discrete hazard by day (Kaplan and Meier, 1958).

An age is a number of days after the due date; negative before it. An invoice counts from its issue (it cannot be paid
earlier), and as long as it is known to be open (censoring).
"""

from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import NamedTuple

FIRST_AGE = -180
LAST_AGE = 540
AGES = LAST_AGE - FIRST_AGE + 1


class Spell(NamedTuple):
    """A share of an invoice from its issue until it was paid, or until it is known no longer.

    `begin` and `end` are ages in days; `weight` is the share of the invoice (1.0 = all of it).
    """

    begin: int
    end: int
    paid: bool
    weight: float


class Hazard:
    """Chance by age of being paid on that day, of what is open in its morning."""

    __slots__ = ("_chances", "_survivals")

    def __init__(self, chances: Sequence[float]) -> None:
        self._chances = tuple(chances)
        # Chance of being open after each age, from the first.
        self._survivals = tuple(accumulate((1.0 - chance for chance in self._chances), lambda a, b: a * b))

    def at(self, age: int) -> float:
        """The chance on a day; beyond the ends that of the end."""
        return self._chances[_index(age)]

    def open_after(self, age: int) -> float:
        """The chance that an invoice that was issued long ago is open after a day."""
        return self._survivals[_index(age)] if age >= FIRST_AGE else 1.0

    def paid_by(self, age: int, horizon: int) -> float:
        """The chance that what is open after the day `age` is paid within the next `horizon` days."""
        left = self.open_after(age)
        if age + horizon > LAST_AGE:
            tail = (1.0 - self._chances[-1]) ** (age + horizon - max(age, LAST_AGE))
            left_then = self._survivals[-1] * tail
            left = self._survivals[-1] if age >= LAST_AGE else left
        else:
            left_then = self.open_after(age + horizon)
        return 1.0 - left_then / left if left > 0.0 else 1.0

    def quantile(self, age: int, share: float) -> int:
        """The age by which that share of what is open after the day `age` is paid; the last age where it never is."""
        limit = self.open_after(age) * (1.0 - share)
        return next((later for later in range(age + 1, LAST_AGE) if self.open_after(later) <= limit), LAST_AGE)

    def shrunk_with(self, own: "Counts", strength: float) -> "Hazard":
        """The hazard of a smaller group: its own counts, as if `strength` invoices of this one were beside them."""
        return Hazard(
            tuple(
                (paid + strength * chance) / (at_risk + strength)
                for paid, at_risk, chance in zip(own.paid, own.at_risk, self._chances, strict=True)
            )
        )


class Counts(NamedTuple):
    """What was open in the morning of each age, and what of it was paid that day."""

    at_risk: Sequence[float]
    paid: Sequence[float]


def count(spells: Iterable[Spell]) -> Counts:
    """The counts of a group, one pass over its spells."""
    changes = [0.0] * (AGES + 1)
    paid = [0.0] * AGES
    for spell in spells:
        begin, end = _index(spell.begin), _index(max(spell.begin, spell.end))
        changes[begin] += spell.weight
        changes[end + 1] -= spell.weight
        if spell.paid:
            paid[end] += spell.weight
    at_risk = list(accumulate(changes[:AGES]))
    # Sums of shares leave a rest of rounding where nothing is at risk.
    return Counts([value if value > 1e-9 else 0.0 for value in at_risk], paid)


def pooled(counts: Counts, window: int = 3) -> Hazard:
    """The hazard of all, smoothed over neighbouring days; where too few are left, that of the days before.

    It has no zeros at ages where something was at risk: what never happened yet may happen.
    """
    chances: list[float] = []
    last = 1.0 / AGES
    for age in range(AGES):
        first, end = max(0, age - window), min(AGES, age + window + 1)
        at_risk, paid = sum(counts.at_risk[first:end]), sum(counts.paid[first:end])
        if at_risk >= 1.0:
            last = (paid + 0.5) / (at_risk + 0.5 * AGES)
        chances.append(min(last, 1.0))
    return Hazard(chances)


def _index(age: int) -> int:
    return min(max(age, FIRST_AGE), LAST_AGE) - FIRST_AGE
