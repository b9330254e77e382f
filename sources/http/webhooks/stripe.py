"""Stripe: events of a webhook endpoint → written events.

A charge is the cash. `payment_intent.succeeded` tells of the same charge and gives the same event id, so it does not
matter which of the two an endpoint is subscribed to, or whether it gets both.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sources.bank.entry import ReturnReason
from sources.http.webhooks.mapped import (
    SKIPPED,
    Mapped,
    Naming,
    UnmappableError,
    decimal_text,
    mapping_of,
    text_of,
)

# https://docs.stripe.com/currencies: zero decimals; UGX and ISK have none in ISO 4217 but are sent with two.
_NO_DECIMALS = frozenset(
    "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split()  # noqa: SIM905  a table, read as one
)
_THREE_DECIMALS = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})
# Bank debits that fail late come as disputes; the others are cards'.
_REASONS: dict[str, ReturnReason] = {
    "insufficient_funds": "nsf",
    "bank_cannot_process": "nsf",
    "check_returned": "nsf",
    "incorrect_account_details": "nsf",
}
_OUTCOMES = {"won": "rejected", "lost": "upheld", "warning_closed": "withdrawn"}


def decimals(currency: str) -> int:
    """Decimals of the amounts that Stripe sends in a currency."""
    if currency in _NO_DECIMALS:
        return 0
    return 3 if currency in _THREE_DECIMALS else 2


def map_event(event: Mapping[str, Any], naming: Naming) -> Mapped:
    """What becomes of one event. Raises ``UnmappableError``; an unknown type is skipped."""
    kind = text_of(event, "type")
    found = mapping_of(mapping_of(event, "data"), "object")
    at = _instant(event.get("created"), "created")
    match kind:
        case "charge.succeeded" | "charge.captured":
            return _charge(found, at, naming)
        case "payment_intent.succeeded":
            return _intent(found, at, naming)
        case "refund.created" | "refund.updated" | "charge.refund.updated" | "refund.failed":
            return _refund(found, at, naming)
        case "charge.refunded":
            # Accounts of older versions get the refunds in it; the others get an event for each.
            refunds = mapping_of(found, "refunds").get("data")
            listed = refunds if isinstance(refunds, list) else []
            each = [_refund(refund, at, naming) for refund in listed if isinstance(refund, Mapping)]
            return Mapped(tuple(document for one in each for document in one.first))
        case "charge.dispute.created":
            return _dispute(found, at, naming)
        case "charge.dispute.funds_withdrawn":
            reason = _REASONS.get(str(found.get("reason")), "chargeback")
            return naming.reversed(_id(found, "charge"), at, reason)
        case "charge.dispute.funds_reinstated":
            return _reinstated(found, at, naming)
        case "charge.dispute.closed":
            outcome = _OUTCOMES.get(str(found.get("status")))
            if outcome is None:
                return SKIPPED
            return naming.dispute_resolved(text_of(found, "id"), at, outcome, mapping_of(found, "metadata"))
        case "payout.paid" | "payout.failed" | "payout.canceled":
            return naming.payout(text_of(found, "id"), kind.replace(".", "_"), at, _payout_fields(found))
        case _:
            return SKIPPED


def _charge(charge: Mapping[str, Any], at: str, naming: Naming) -> Mapped:
    """Cash once it is captured; an authorization alone is none."""
    if charge.get("captured") is not True:
        return SKIPPED
    captured = charge.get("amount_captured", charge.get("amount"))
    method = mapping_of(charge, "payment_method_details").get("type")
    amount, currency = _amount(captured, charge, "amount_captured")
    return naming.received(
        text_of(charge, "id"),
        amount=amount,
        currency=currency,
        at=at,
        method=method if isinstance(method, str) else "card",
        reference=_reference(charge),
        metadata=mapping_of(charge, "metadata"),
    )


def _intent(intent: Mapping[str, Any], at: str, naming: Naming) -> Mapped:
    amount, currency = _amount(intent.get("amount_received"), intent, "amount_received")
    kinds = intent.get("payment_method_types")
    method = kinds[0] if isinstance(kinds, list) and len(kinds) == 1 else None
    return naming.received(
        _id(intent, "latest_charge"),
        amount=amount,
        currency=currency,
        at=at,
        method=method if isinstance(method, str) else None,
        reference=_reference(intent),
        metadata=mapping_of(intent, "metadata"),
    )


def _refund(refund: Mapping[str, Any], at: str, naming: Naming) -> Mapped:
    """Refunds count once they have succeeded; one that fails afterwards brings the money back as cash of its own."""
    refund_id = text_of(refund, "id")
    status = refund.get("status")
    amount, currency = _amount(refund.get("amount"), refund, "amount")
    if status == "succeeded" and refund.get("balance_transaction", True) is not None:
        # Without a balance transaction no money moved: what was not captured of an authorization is released.
        return naming.refunded(refund_id, _id(refund, "charge"), at, amount, currency)
    if status == "failed" and refund.get("failure_balance_transaction"):
        return naming.received(
            f"{refund_id}/failed",
            amount=amount,
            currency=currency,
            at=at,
            method="refund_failed",
            reference=_id(refund, "charge"),
            metadata=mapping_of(refund, "metadata"),
        )
    return SKIPPED


def _dispute(dispute: Mapping[str, Any], at: str, naming: Naming) -> Mapped:
    amount, currency = _amount(dispute.get("amount"), dispute, "amount")
    reason = str(dispute.get("reason") or "general")
    return naming.disputed(text_of(dispute, "id"), at, amount, currency, reason, mapping_of(dispute, "metadata"))


def _reinstated(dispute: Mapping[str, Any], at: str, naming: Naming) -> Mapped:
    """A dispute that was won: the money comes back, as a receipt of its own, for the first one stays reversed."""
    amount, currency = _amount(dispute.get("amount"), dispute, "amount")
    return naming.received(
        f"{text_of(dispute, 'id')}/reinstated",
        amount=amount,
        currency=currency,
        at=at,
        method="dispute_won",
        reference=_id(dispute, "charge"),
        metadata=mapping_of(dispute, "metadata"),
    )


def _payout_fields(payout: Mapping[str, Any]) -> dict[str, str | None]:
    amount, currency = _amount(payout.get("amount"), payout, "amount")
    status = payout.get("status")
    return {"amount": amount, "currency": currency, "status": status if isinstance(status, str) else None}


def _amount(value: object, record: Mapping[str, Any], field: str) -> tuple[str, str]:
    currency = text_of(record, "currency").upper()
    return decimal_text(value, decimals(currency), field), currency


def _id(record: Mapping[str, Any], field: str) -> str:
    """The id of another object; Stripe may send the object itself instead (it was expanded)."""
    value = record.get(field)
    return text_of(value, "id") if isinstance(value, Mapping) else text_of(record, field)


def _reference(record: Mapping[str, Any]) -> str | None:
    words = record.get("description")
    return words if isinstance(words, str) and words else None


def _instant(seconds: object, field: str) -> str:
    if isinstance(seconds, bool) or not isinstance(seconds, int):
        raise UnmappableError("invalid_date", field, f"{field} is {seconds!r}, not seconds since 1970")
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
    except (OverflowError, OSError, ValueError) as error:
        raise UnmappableError("invalid_date", field, f"{field} is {seconds}, beyond the calendar") from error
