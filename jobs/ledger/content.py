"""The content of a keyed document: a second event of its key is a duplicate or a conflict (SEMANTICS 4.5)."""

from functools import cache
from hashlib import blake2b

import msgspec

from jobs.events import Event
from jobs.verdicts import DUPLICATE, Duplicate, Rejected

_ENVELOPE = frozenset(Event.__struct_fields__)
_ENCODER = msgspec.msgpack.Encoder()


@cache
def _payload_fields(event_type: type[Event]) -> tuple[str, ...]:
    # An effective date that is not given follows the envelope, which is no content: it is compared on its own.
    return tuple(name for name in event_type.__struct_fields__ if name not in _ENVELOPE and name != "effective_date")


def content_of(event: Event, **defaults: object) -> bytes:
    """A digest of the payload, with defaults filled in and amounts of any scale made equal; without the envelope."""
    payload = {name: getattr(event, name) for name in _payload_fields(type(event))}
    payload.update(defaults)
    scale = payload.get("amount_scale")
    if scale is not None:
        amount = payload["amount_minor"]
        while scale > 0 and amount % 10 == 0:
            amount //= 10
            scale -= 1
        payload["amount_minor"], payload["amount_scale"] = amount, scale
    return blake2b(_ENCODER.encode(list(payload.values())), digest_size=12).digest()


def repeated(kind: str, document_id: str, before: bytes, content: bytes) -> Duplicate | Rejected:
    """The key is taken: the same content is a duplicate, other content a conflict."""
    if before == content:
        return DUPLICATE
    return Rejected(
        "conflicting_duplicate",
        f"{kind} {document_id} is already recorded with other content; correct it by its own event or use a new id",
    )
