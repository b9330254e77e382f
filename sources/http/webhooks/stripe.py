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


def charge_to_ask_for(event: Mapping[str, Any]) -> str | None:
    """The id of the charge that ``map_event`` would like to see, and that the event only names."""
    found = mapping_of(mapping_of(event, "data"), "object")
    charge = found.get("charge")
    is_about_one = str(event.get("type")).startswith("charge.dispute.") or event.get("type") == "refund.failed"
    return charge if is_about_one and isinstance(charge, str) and charge else None


def map_event(event: Mapping[str, Any], naming: Naming, charge: Mapping[str, Any] | None = None) -> Mapped:
    """What becomes of one event. Raises ``UnmappableError``; an unknown type is skipped.

    `charge` is the one that ``charge_to_ask_for`` names, where it could be asked for: its metadata say whose dispute it
    is, and its amount whether all of it is disputed.
    """
    kind = text_of(event, "type")
    found = mapping_of(mapping_of(event, "data"), "object")
    charge = charge or mapping_of(found, "charge")
    metadata = {**mapping_of(charge, "metadata"), **mapping_of(found, "metadata")}
    at = _instant(event.get("created"), "created")
    match kind:
        case "charge.succeeded" | "charge.captured":
            return _charge(found, at, naming)
        case "payment_intent.succeeded":
            return _intent(found, at, naming)
        case "refund.created" | "refund.updated" | "charge.refund.updated" | "refund.failed":
            return _refund(found, at, naming, metadata)
        case "charge.refunded":
            # Accounts of older versions get the refunds in it; the others get an event for each.
            refunds = mapping_of(found, "refunds").get("data")
            listed = refunds if isinstance(refunds, list) else []
            each = [_refund(refund, at, naming, metadata) for refund in listed if isinstance(refund, Mapping)]
            return Mapped(tuple(document for one in each for document in one.first))
        case "charge.dispute.created":
            return _dispute(found, at, naming, metadata)
        case "charge.dispute.funds_withdrawn":
            return _withdrawn(found, at, naming, charge)
        case "charge.dispute.funds_reinstated":
            return _reinstated(found, at, naming, metadata)
        case "charge.dispute.closed":
            outcome = _OUTCOMES.get(str(found.get("status")))
            if outcome is None:
                return SKIPPED
            return naming.dispute_resolved(text_of(found, "id"), at, outcome, metadata)
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


def _refund(refund: Mapping[str, Any], at: str, naming: Naming, metadata: Mapping[str, Any]) -> Mapped:
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
            metadata=metadata,
        )
    return SKIPPED


def _dispute(dispute: Mapping[str, Any], at: str, naming: Naming, metadata: Mapping[str, Any]) -> Mapped:
    amount, currency = _amount(dispute.get("amount"), dispute, "amount")
    reason = str(dispute.get("reason") or "general")
    return naming.disputed(text_of(dispute, "id"), at, amount, currency, reason, metadata)


def _withdrawn(dispute: Mapping[str, Any], at: str, naming: Naming, charge: Mapping[str, Any]) -> Mapped:
    """The payment is reversed as a whole; where less than all of it is disputed, the rest is a receipt of its own.

    What the rest pays is left to people: its invoice reopens in another partition, at a time that is not known here.
    """
    charge_id = _id(dispute, "charge")
    reversal = naming.reversed(charge_id, at, _REASONS.get(str(dispute.get("reason")), "chargeback"))
    captured, refunded = charge.get("amount_captured"), charge.get("amount_refunded", 0)
    disputed = dispute.get("amount")
    if not (isinstance(captured, int) and isinstance(refunded, int) and isinstance(disputed, int)):
        return reversal
    left = captured - refunded - disputed
    if left <= 0 or charge.get("currency") != dispute.get("currency"):
        return reversal
    amount, currency = _amount(left, dispute, "amount")
    rest = naming.received(
        f"{charge_id}/after/{text_of(dispute, 'id')}",
        amount=amount,
        currency=currency,
        at=at,
        value_date=_instant(charge.get("created"), "created")[:10],
        method="undisputed",
        reference=charge_id,
        metadata={**mapping_of(charge, "metadata"), naming.invoice_key: None},
    )
    return Mapped((*reversal.first, *rest.first), rest.then)


def _reinstated(dispute: Mapping[str, Any], at: str, naming: Naming, metadata: Mapping[str, Any]) -> Mapped:
    """A dispute that was won: the money comes back, as a receipt of its own, for the first one stays reversed."""
    amount, currency = _amount(dispute.get("amount"), dispute, "amount")
    return naming.received(
        f"{text_of(dispute, 'id')}/reinstated",
        amount=amount,
        currency=currency,
        at=at,
        method="dispute_won",
        reference=_id(dispute, "charge"),
        metadata=metadata,
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
