"""Keys of entities, and the part of an entity that timers and indexes need."""

import msgspec

from jobs.values import Day

SEPARATOR = "\x1f"


def key(kind: str, company: str, *ids: str) -> str:
    """The key of an entity: kind, company, ids."""
    return SEPARATOR.join((kind, company, *ids))


class Head(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The part of an entity that timers and indexes need."""

    wake: Day | None
    listed_under: str
