"""What a partition knows beside its accounts: settings, applied events, time."""

from typing import Self

import msgspec

from jobs.values import Day, Instant


class Configuration(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The settings of a company as JSON, and their version."""

    wake: Day | None
    listed_under: str
    version: str
    settings: str


class Seen(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Digests of applied event ids, sixteen bytes each, in order; `day` (UTC) is when the last came in."""

    wake: Day | None
    listed_under: str
    day: Day
    digests: bytes


class Time(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The clock of the partition: the latest tick."""

    wake: Day | None
    listed_under: str
    at: Instant

    @classmethod
    def of(cls, at: Instant) -> Self:
        """The clock at an instant."""
        return cls(None, "", at)
