"""The content of a keyed document: a second event of its key is a duplicate or a conflict (SEMANTICS 4.5)."""

from collections.abc import Callable
from functools import cache
from hashlib import blake2b
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec

from jobs.events import Event
from jobs.verdicts import DUPLICATE, Duplicate, Rejected

_ENVELOPE = frozenset(Event.__struct_fields__)
_ENCODER = msgspec.msgpack.Encoder()


class _Payload(NamedTuple):
    """How to read the payload of an event type: all fields at once, and where each stands."""

    read: Callable[[Event], tuple[Any, ...]]
    position: dict[str, int]


@cache
def _payload(event_type: type[Event]) -> _Payload:
    # An effective date that is not given follows the envelope, which is no content: it is compared on its own.
    names = [name for name in event_type.__struct_fields__ if name not in _ENVELOPE and name != "effective_date"]
    return _Payload(attrgetter(*names, "event_id"), {name: position for position, name in enumerate(names)})


def content_of(event: Event, **defaults: object) -> bytes:
    """A digest of the payload, with defaults filled in and amounts of any scale made equal; without the envelope."""
    read, position = _payload(type(event))
    payload = list(read(event))
    payload[-1] = None  # the event id, read so that there are always several fields
    for name, value in defaults.items():
        payload[position[name]] = value
    at = position.get("amount_scale")
    if at is not None:
        amount, scale = payload[position["amount_minor"]], payload[at]
        while scale > 0 and amount % 10 == 0:
            amount //= 10
            scale -= 1
        payload[position["amount_minor"]], payload[at] = amount, scale
    return blake2b(_ENCODER.encode(payload), digest_size=12).digest()


def repeated(kind: str, document_id: str, before: bytes, content: bytes) -> Duplicate | Rejected:
    """The key is taken: the same content is a duplicate, other content a conflict."""
    if before == content:
        return DUPLICATE
    return Rejected(
        "conflicting_duplicate",
        f"{kind} {document_id} is already recorded with other content; correct it by its own event or use a new id",
    )
