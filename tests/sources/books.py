"""The pure ledger over events of sources: what is open of each document, and each account's balance."""

from collections import Counter, deque
from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec

from jobs import EVENT_TYPES, Fold
from jobs.effects import Carried, Item, LedgerEntry, Receipt, Rejection
from jobs.events import CompanyConfigured
from sources import ParsedEvent

# What tells a document from another: kind (invoice, credit_memo, payment) and number.
Number = tuple[str, str]


class Books(NamedTuple):
    """What events came to. Amounts are minor units; what is open of credits and payments is positive."""

    open: dict[Number, int]
    due: dict[Number, int]
    account: dict[Number, str]
    balances: Counter[tuple[str, str]]
    rejected: list[Rejection]


def fold(company: str, events: Iterable[ParsedEvent], timezone: str = "UTC") -> Books:
    """Fold events in their order, hops between accounts at once."""
    ledger = Fold()
    books = Books({}, {}, {}, Counter(), [])
    envelope = {"event_id": "", "company": company, "account_id": None, "occurred_at": 0, "recorded_at": 0}
    settings = msgspec.json.encode({"code": company, "timezone": timezone}).decode()
    waiting: deque[Any] = deque()
    waiting.append(msgspec.convert({**envelope, "region": "", "version": "1", "settings": settings}, CompanyConfigured))
    _drain(ledger, waiting, books)
    for event in events:
        if event.name in EVENT_TYPES:
            waiting.append(msgspec.convert(event.record, EVENT_TYPES[event.name]))
            _drain(ledger, waiting, books)
    return books


def _drain(ledger: Fold, waiting: deque[Any], books: Books) -> None:
    while waiting:
        for effect in ledger.step(waiting.popleft()).effects:
            match effect:
                case Carried():
                    waiting.append(effect.event)
                case Item():
                    kind = "credit_memo" if effect.document_type == "credit_memo" else "invoice"
                    number = (kind, effect.document_id)
                    books.open[number] = abs(effect.open_minor)
                    books.due[number] = effect.due_date
                    books.account[number] = effect.account_id
                case Receipt():
                    number = ("payment", effect.payment_id)
                    books.open[number] = 0 if effect.status == "reversed" else effect.unapplied_minor
                    books.account[number] = effect.account_id
                case LedgerEntry():
                    books.balances[effect.account_id, effect.currency] += effect.delta_minor
                case Rejection():
                    books.rejected.append(effect)
                case _:
                    pass
    ledger.take_changes()
