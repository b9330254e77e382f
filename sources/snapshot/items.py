"""What a list of open items says, and what a list of payments beside it says. Amounts are minor units, above zero."""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from sources.values import ParsedEvent, Position

Kind = Literal["invoice", "credit_memo", "payment"]
# Each kind: the event that brings it into being, and the field that numbers it.
KINDS: Mapping[str, tuple[Kind, str]] = {
    "InvoiceIssued": ("invoice", "invoice_id"),
    "CreditMemoIssued": ("credit_memo", "credit_memo_id"),
    "PaymentReceived": ("payment", "payment_id"),
}
EVENT_OF: Mapping[Kind, tuple[str, str]] = {kind: (event, field) for event, (kind, field) in KINDS.items()}


def packed(record: Mapping[str, Any]) -> bytes:
    """A record in a fifth of its memory."""
    return msgspec.msgpack.encode(record)


def unpacked(data: bytes) -> dict[str, Any]:
    """The record again."""
    return msgspec.msgpack.decode(data, type=dict[str, Any])


class OpenItem(msgspec.Struct, frozen=True):
    """A row of the list. `amount` is that of the document, `open` what is left of it.

    `packed` is the record of the event that would bring it into being, as msgpack: a list has many items, and few of
    them are new. `due` are days since 1970-01-01.
    """

    kind: Kind
    number: str
    account: str | None
    currency: str
    amount: int
    open: int
    due: int | None
    packed: bytes
    position: Position

    @property
    def record(self) -> dict[str, Any]:
        """The record of the event that would bring it into being."""
        return unpacked(self.packed)

    @property
    def key(self) -> str:
        """What tells it from all other items."""
        return f"{self.kind}|{self.number}"


class Payment(msgspec.Struct, frozen=True):
    """A payment of the list of payments. `references` are texts by which it may name what it pays."""

    number: str
    account: str | None
    currency: str
    amount: int
    references: tuple[str, ...]
    event: ParsedEvent


class Application(msgspec.Struct, frozen=True):
    """An application that the list of payments names."""

    number: str
    payment: str
    invoice: str
    amount: int
    event: ParsedEvent
    original: bytes


class Companion(msgspec.Struct, frozen=True):
    """A list of payments for the days between two lists of open items."""

    payments: tuple[Payment, ...] = ()
    applications: tuple[Application, ...] = ()
