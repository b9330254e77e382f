"""Keys of entities, and the part of an entity that timers and indexes need."""

from functools import lru_cache

import msgspec

from jobs.values import Day

SEPARATOR = "\x1f"


def key(kind: str, company: str, *ids: str) -> str:
    """The key of an entity: kind, company, ids."""
    return SEPARATOR.join((kind, company, *ids))


@lru_cache(maxsize=65_536)
def account_key(kind: str, company: str, account: str, *ids: str) -> str:
    """`key`, remembered: the keys and listings of an account come up again with every event."""
    return key(kind, company, account, *ids)


class Head(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The part of an entity that timers and indexes need."""

    wake: Day | None
    listed_under: str
