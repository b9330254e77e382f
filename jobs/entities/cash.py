"""Receipts, cash of other accounts, remittances."""

import msgspec

from jobs.entities.lines import Line
from jobs.events.cash import RemittanceLine
from jobs.values import Day, Instant, Minor


class ReceiptState(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A payment received. `lines` is one line: its postings are negative while the cash is unapplied.

    `carried` is cash on its way to another account's invoice; `moved_to` the account that an identification found, to
    which the receipt has gone. `alert_*` is the stage of the unapplied-cash alert that is open (SEMANTICS 4.2).
    """

    wake: Day | None
    listed_under: str
    account: str
    payment_id: str
    currency: str
    amount: Minor
    value_date: Day
    method: str | None
    payer_reference: str | None
    bank_reference: str | None
    region: str
    content: bytes
    lines: tuple[Line, ...]
    on_account: bool = False
    applied: Minor = Minor(0)
    refunded: Minor = Minor(0)
    carried: Minor = Minor(0)
    reversed_on: Day | None = None
    moved_to: str | None = None
    alert_kind: str = ""
    alert_stage: int = 0
    alert_number: int = 0
    end_to_end_id: str | None = None

    @property
    def unapplied(self) -> Minor:
        """Amount less net applications and refunds, wherever it lies (SEMANTICS 4.1)."""
        return Minor(self.amount - self.applied - self.refunded)

    @property
    def remainder(self) -> Minor:
        """What is neither applied nor refunded."""
        if self.reversed_on is not None or self.moved_to is not None:
            return Minor(0)
        return self.unapplied

    @property
    def available(self) -> Minor:
        """What can still be applied or refunded: the remainder without what is on its way."""
        if self.reversed_on is not None or self.moved_to is not None:
            return Minor(0)
        return Minor(self.remainder - self.carried)

    @property
    def status(self) -> str:
        """SEMANTICS 4.1."""
        if self.reversed_on is not None:
            return "reversed"
        if self.moved_to is not None:
            return "identified"
        if not self.account:
            return "unidentified"
        if self.remainder == 0:
            return "applied" if self.applied else "refunded"
        if self.on_account:
            return "on_account"
        return "partially_applied" if self.applied else "unapplied"


class Awaited(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A receipt on its way to the account that identified it, and the events for it that came before it, in order.

    Each is (event type, event as msgpack); they are taken up again when the receipt is there, or refused.
    """

    wake: Day | None
    listed_under: str
    account: str
    deferred: tuple[tuple[str, bytes], ...] = ()


class ForeignSource(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Cash or a credit of another account, at the account of the invoice that it pays (SEMANTICS 4.7)."""

    wake: Day | None
    listed_under: str
    account: str
    item_type: str
    item_id: str
    invoice_id: str
    currency: str
    amount: Minor
    value_date: Day
    balance_class: str
    region: str


class Remittance(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A remittance advice; listed under its account while it waits for its payment.

    Without an account it explains unidentified cash, and waits with the company until that is identified.
    """

    wake: Day | None
    listed_under: str
    account: str
    remittance_id: str
    payment_id: str | None
    payer_reference: str | None
    currency: str | None
    lines: tuple[RemittanceLine, ...]
    received_on: Day
    recorded_at: Instant
    event_id: str
    content: bytes
    region: str = ""


class Reference(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A payment under a reference by which banks name it; listed under that reference."""

    wake: Day | None
    listed_under: str
    receipt: str
