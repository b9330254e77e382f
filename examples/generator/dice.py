"""Seeded chance that gives the same bytes on every Python: only ``Random.random()`` is guaranteed to stay as it is."""

import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Dice:
    """A stream of chance of its own name, so that a change in one part of the history leaves the others alone."""

    def __init__(self, *names: object) -> None:
        self._random = random.Random("arrears/" + "/".join(map(str, names)))  # noqa: S311  samples, not secrets

    def chance(self, percent: float) -> bool:
        """True in `percent` of a hundred cases."""
        return self._random.random() * 100 < percent

    def between(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return low + int(self._random.random() * (high - low + 1))

    def pick(self, choices: Sequence[T]) -> T:
        """One of the choices."""
        return choices[self.between(0, len(choices) - 1)]

    def weighted(self, choices: Sequence[tuple[T, int]]) -> T:
        """One of the choices, each as often as its weight."""
        drawn = self.between(1, sum(weight for _, weight in choices))
        for choice, weight in choices:
            drawn -= weight
            if drawn <= 0:
                return choice
        raise AssertionError("weights are positive")
