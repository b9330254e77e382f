"""Events for a receipt that is on its way to its account wait for it (SEMANTICS 4.2).

An identification takes two hops between partitions. An application that was recorded after it must find the receipt,
however soon it follows; so it is kept and taken up again, in order, when the receipt arrives or is refused.
"""

import msgspec

from jobs.effects import Carried
from jobs.entities import Awaited, account_key, key
from jobs.events import (
    CashApplied,
    CashUnapplied,
    Event,
    PaymentPlacedOnAccount,
    PaymentRefunded,
    PaymentReversed,
)
from jobs.step import Step

AGAIN = "/deferred"
FORWARDED = "/forwarded"  # to the account that owns the cash by now; a rejection names the event itself

_OF_A_RECEIPT = (CashApplied, PaymentPlacedOnAccount, PaymentRefunded, PaymentReversed)
_TYPES: dict[str, type[Event]] = {event_type.__name__: event_type for event_type in (*_OF_A_RECEIPT, CashUnapplied)}


def awaited_key(step: Step, payment_id: str) -> str:
    """Where the wait for a receipt is kept."""
    return key("awaited", step.company, payment_id)


def expect(step: Step, account: str, payment_id: str) -> None:
    """The account has asked for a receipt."""
    if step.state.get(Awaited, awaited_key(step, payment_id)) is None:
        listing = key("awaited", step.company, account)
        step.state.put(awaited_key(step, payment_id), Awaited(None, listing, account))


def defer(step: Step, event: Event) -> bool:
    """Keep an event whose receipt is on its way; whether it was kept."""
    if event.account_id is None or not step.state.lists(account_key("awaited", step.company, event.account_id)):
        return False
    found = _awaited_for(step, event)
    if found is None:
        return False
    awaited = step.state.get(Awaited, found)
    if awaited is None or awaited.account != event.account_id:
        return False
    kept = (type(event).__name__, msgspec.msgpack.encode(event))
    step.state.put(found, msgspec.structs.replace(awaited, deferred=(*awaited.deferred, kept)))
    return True


def _awaited_for(step: Step, event: Event) -> str | None:
    if isinstance(event, _OF_A_RECEIPT):
        return None if event.payment_id is None else awaited_key(step, event.payment_id)
    if isinstance(event, CashUnapplied):
        for waiting in step.state.listed(key("awaited", step.company, event.account_id or "")):
            awaited = step.state.get(Awaited, waiting)
            for name, kept in () if awaited is None else awaited.deferred:
                if name == "CashApplied" and _decoded(name, kept).application_id == event.application_id:  # type: ignore[attr-defined]
                    return waiting
    return None


def take_up(step: Step, payment_id: str) -> None:
    """The receipt is here, or will never be: what waited for it is published again, in order."""
    waiting = awaited_key(step, payment_id)
    awaited = step.state.get(Awaited, waiting)
    if awaited is None:
        return
    step.state.remove(waiting)
    for name, kept in awaited.deferred:
        event = _decoded(name, kept)
        again = msgspec.structs.replace(event, event_id=event.event_id + AGAIN, recorded_at=step.recorded_at)
        step.effects.append(Carried(event=again))


def _decoded(name: str, kept: bytes) -> Event:
    return msgspec.msgpack.decode(kept, type=_TYPES[name])
