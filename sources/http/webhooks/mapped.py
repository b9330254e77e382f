"""What a provider's event becomes: written events (SCENARIOS §1), or nothing on purpose.

Cash from a provider goes in without an account, and is identified by a second event when the provider's metadata name
the account. Later events of the same payment (refunds, chargebacks, failures) name only the provider's id: the ledger
keeps the receipt under the company and lets them follow it to its account (ADR 0007), so none of them has to know it.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from sources.bank.entry import ReturnReason

Document = dict[str, Any]


class UnmappableError(Exception):
    """A provider's event that should become events and cannot. `field` is the provider's name of what is wrong."""

    def __init__(self, reason: str, field: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.field = field
        self.message = message


class Mapped(msgspec.Struct, frozen=True):
    """`first` is acknowledged before `then` is sent: what identifies cash must not overtake it. Neither = skipped."""

    first: tuple[Document, ...] = ()
    then: tuple[Document, ...] = ()

    @property
    def is_skipped(self) -> bool:
        """Whether nothing comes of it."""
        return not self.first and not self.then


SKIPPED = Mapped()


class Naming(msgspec.Struct, frozen=True):
    """Where the events of an endpoint belong, and under which keys of the metadata account and invoice are named."""

    provider: str
    company: str
    account_key: str = "account_id"
    invoice_key: str = "invoice_id"

    def event_id(self, event: str, provider_id: str) -> str:
        """The id of an event about a provider's object: the same for every delivery, as ADR 0030 has it."""
        parts = (self.provider, self.company, event, provider_id)
        return "/".join(part.replace("%", "%25").replace("/", "%2F") for part in parts)

    def account(self, metadata: Mapping[str, Any]) -> str | None:
        """The account that the metadata name."""
        return _text(metadata.get(self.account_key))

    def invoice(self, metadata: Mapping[str, Any]) -> str | None:
        """The invoice that the metadata name."""
        return _text(metadata.get(self.invoice_key))

    def received(
        self,
        payment_id: str,
        *,
        amount: str,
        currency: str,
        at: str,
        value_date: str | None = None,
        method: str | None,
        reference: str | None,
        metadata: Mapping[str, Any],
    ) -> Mapped:
        """Cash, its account where it is known, and what it pays where an invoice is named, too.

        The invoice is told by a remittance: an application would be refused until the identification has arrived.
        """
        account, invoice = self.account(metadata), self.invoice(metadata)
        cash = self.event(
            "PaymentReceived",
            payment_id,
            at,
            payment_id=payment_id,
            amount=amount,
            currency=currency,
            value_date=value_date or at[:10],
            method=method,
            payer_reference=reference,
        )
        if account is None:
            return Mapped((cash,))
        found = self.event("PaymentIdentified", payment_id, at, account_id=account, payment_id=payment_id)
        if invoice is None:
            return Mapped((cash,), (found,))
        remittance = self.event(
            "RemittanceReceived",
            payment_id,
            at,
            account_id=account,
            remittance_id=payment_id,
            payment_id=payment_id,
            currency=currency,
            lines=[{"invoice_id": invoice, "amount": amount}],
        )
        return Mapped((cash,), (found, remittance))

    def reversed(self, payment_id: str, at: str, reason: ReturnReason) -> Mapped:
        """The money did not stay."""
        return Mapped((self.event("PaymentReversed", payment_id, at, payment_id=payment_id, reason=reason),))

    def refunded(self, refund_id: str, payment_id: str, at: str, amount: str, currency: str) -> Mapped:
        """Money that goes back to the payer."""
        fields = {"payment_id": payment_id, "amount": amount, "currency": currency}
        return Mapped((self.event("PaymentRefunded", refund_id, at, **fields),))

    def disputed(
        self, dispute_id: str, at: str, amount: str, currency: str, reason: str, metadata: Mapping[str, Any]
    ) -> Mapped:
        """A dispute about an invoice, where the metadata name it and its account; else nothing is known to dispute."""
        account, invoice = self.account(metadata), self.invoice(metadata)
        if account is None or invoice is None:
            return SKIPPED
        fields = {"dispute_id": dispute_id, "invoice_id": invoice, "amount": amount, "currency": currency}
        return Mapped((self.event("DisputeOpened", dispute_id, at, account_id=account, reason_code=reason, **fields),))

    def dispute_resolved(self, dispute_id: str, at: str, outcome: str, metadata: Mapping[str, Any]) -> Mapped:
        """The end of a dispute that ``disputed`` told of."""
        account = self.account(metadata)
        if account is None or self.invoice(metadata) is None:
            return SKIPPED
        fields = {"dispute_id": dispute_id, "outcome": outcome, "account_id": account}
        return Mapped((self.event("DisputeResolved", dispute_id, at, **fields),))

    def payout(self, payout_id: str, action: str, at: str, changes: Mapping[str, str | None]) -> Mapped:
        """Money that the provider pays out: it was received before, so this is logged and is no cash."""
        fields = {
            "action": action,
            "entity_type": "payout",
            "entity_id": payout_id,
            "succeeded": True,
            "changes": {name: {"new": value} for name, value in changes.items() if value is not None},
        }
        return Mapped((self.event("UserActivityLogged", f"{payout_id}/{action}", at, **fields),))

    def event(self, name: str, provider_id: str, at: str, **fields: Any) -> Document:  # noqa: ANN401  written values
        """A written event."""
        return {
            "event": name,
            "event_id": self.event_id(name, provider_id),
            "company": self.company,
            "source": self.provider,
            "actor_id": self.provider,
            "occurred_at": at,
            **fields,
        }


def _text(value: object) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def decimal_text(amount: object, decimals: int, field: str) -> str:
    """An integer of a provider's minor units as a decimal text. Raises ``UnmappableError``."""
    if isinstance(amount, bool) or not isinstance(amount, int):
        raise UnmappableError("invalid_amount", field, f"{field} is {amount!r}, not a whole number of minor units")
    digits = str(abs(amount)).rjust(decimals + 1, "0")
    sign = "-" if amount < 0 else ""
    return f"{sign}{digits[:-decimals]}.{digits[-decimals:]}" if decimals else f"{sign}{digits}"


def text_of(record: Mapping[str, Any], field: str) -> str:
    """A text that must be there. Raises ``UnmappableError``."""
    value = record.get(field)
    if not isinstance(value, str) or not value:
        raise UnmappableError("missing_field", field, f"the provider's event has no {field}")
    return value


def mapping_of(record: Mapping[str, Any], field: str) -> Mapping[str, Any]:
    """A record inside a record, empty where there is none."""
    value = record.get(field)
    return value if isinstance(value, Mapping) else {}
