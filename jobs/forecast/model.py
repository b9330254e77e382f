"""The model: one hazard for all, one for each segment shrunk to it, one for each account shrunk to its segment."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec

from jobs.forecast.hazard import Hazard, Spell, count, pooled

# As if so many invoices of all were beside those of a segment, and of a segment beside those of an account. Chosen on
# the first half of the public data set, by the error on its second quarter; the error is flat around them.
SEGMENT_STRENGTH = 40.0
ACCOUNT_STRENGTH = 2.0


class History(msgspec.Struct, frozen=True, gc=False):
    """One invoice as it was known at a date: what was paid at which age, and up to which age the rest is known.

    `issued` and `known_until` are ages in days after the due date, `paid` pairs of (age, share of the amount);
    `other` is the share that was credited or written off, which says nothing of paying.
    """

    account: str
    segment: str
    issued: int
    known_until: int
    paid: tuple[tuple[int, float], ...]
    other: float = 0.0

    def spells(self) -> Iterable[Spell]:
        """The shares of the invoice, each with its end."""
        for age, share in self.paid:
            yield Spell(self.issued, age, True, share)
        rest = 1.0 - self.other - sum(share for _, share in self.paid)
        if rest > 1e-9:
            yield Spell(self.issued, self.known_until, False, rest)


@dataclass(frozen=True)
class Forecast:
    """Fitted chances. An account or segment without a history has those of the next larger group."""

    everybody: Hazard
    segments: Mapping[str, Hazard]
    accounts: Mapping[tuple[str, str], Hazard]

    def of(self, account: str, segment: str) -> Hazard:
        """The hazard that holds for an account."""
        found = self.accounts.get((segment, account)) or self.segments.get(segment)
        return self.everybody if found is None else found


def fit(
    histories: Iterable[History],
    segment_strength: float = SEGMENT_STRENGTH,
    account_strength: float = ACCOUNT_STRENGTH,
) -> Forecast:
    """The model of these histories. The same histories in any order give the same chances."""
    by_account: dict[tuple[str, str], list[Spell]] = defaultdict(list)
    for history in histories:
        by_account[history.segment, history.account] += history.spells()
    by_segment: dict[str, list[Spell]] = defaultdict(list)
    for (segment, _), spells in sorted(by_account.items()):
        spells.sort()
        by_segment[segment] += spells
    everybody = pooled(count(spell for _, spells in sorted(by_segment.items()) for spell in spells))
    segments = {
        segment: everybody.shrunk_with(count(spells), segment_strength) for segment, spells in by_segment.items()
    }
    accounts = {
        (segment, account): segments[segment].shrunk_with(count(spells), account_strength)
        for (segment, account), spells in by_account.items()
    }
    return Forecast(everybody, segments, accounts)
