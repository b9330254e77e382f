"""GoCardless: events of a webhook → written events.

An event names a payment or a refund but not its amount: that comes from the provider's own API (``details``).
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from sources.bank.entry import ReturnReason
from sources.bank.reasons import return_reason
from sources.http.webhooks.mapped import SKIPPED, Mapped, Naming, decimal_text, mapping_of, text_of

Details = Callable[[str, str], Awaitable[Mapping[str, Any]]]
"""``details("payments", "PM123")`` is that resource as the provider's API has it."""

_DECIMALS = 2  # of every currency that GoCardless collects
_FAILURES: dict[str, ReturnReason] = {"failed": "nsf", "late_failure_settled": "nsf", "charged_back": "chargeback"}
_OBJECTIONS = frozenset({"authorisation_disputed", "refund_requested", "mandate_cancelled", "payment_stopped"})


async def map_event(event: Mapping[str, Any], naming: Naming, details: Details) -> Mapped:
    """What becomes of one event. Raises ``UnmappableError``; unknown resources and actions are skipped."""
    resource, action = text_of(event, "resource_type"), text_of(event, "action")
    at = text_of(event, "created_at")
    links = mapping_of(event, "links")
    if resource == "payments":
        return await _payment(event, action, text_of(links, "payment"), at, naming, details)
    if resource == "refunds":
        return await _refund(action, text_of(links, "refund"), at, naming, details)
    if resource == "payouts" and action == "paid":
        return naming.payout(text_of(links, "payout"), "payout_paid", at, {})
    return SKIPPED


async def _payment(
    event: Mapping[str, Any], action: str, payment_id: str, at: str, naming: Naming, details: Details
) -> Mapped:
    if action in _FAILURES:
        return naming.reversed(payment_id, at, _reason(event, action))
    if action not in {"confirmed", "chargeback_cancelled"}:
        # created, submitted, cancelled: no money yet; paid_out: the money that was confirmed before.
        return SKIPPED
    payment = await details("payments", payment_id)
    metadata = {**mapping_of(payment, "metadata"), **mapping_of(event, "resource_metadata")}
    own = action == "confirmed"
    charged_on = payment.get("charge_date")
    amount, currency = _amount(payment)
    return naming.received(
        payment_id if own else f"{payment_id}/{text_of(event, 'id')}",
        amount=amount,
        currency=currency,
        at=at,
        value_date=charged_on if own and isinstance(charged_on, str) else None,
        method="direct_debit" if own else "chargeback_cancelled",
        reference=_text(payment.get("reference")) or _text(payment.get("description")),
        metadata=metadata,
    )


def _reason(event: Mapping[str, Any], action: str) -> ReturnReason:
    """By the code of the scheme, else by the cause that GoCardless names, else by what has happened."""
    details = mapping_of(event, "details")
    if action == "charged_back":
        return "chargeback"
    otherwise: ReturnReason = "chargeback" if str(details.get("cause")) in _OBJECTIONS else _FAILURES[action]
    code = details.get("reason_code")
    return return_reason(code, otherwise) if isinstance(code, str) else otherwise


async def _refund(action: str, refund_id: str, at: str, naming: Naming, details: Details) -> Mapped:
    """A refund counts when it is on its way; one that comes back is cash of its own."""
    if action not in {"created", "failed", "bounced", "funds_returned"}:
        return SKIPPED
    refund = await details("refunds", refund_id)
    payment_id = text_of(mapping_of(refund, "links"), "payment")
    amount, currency = _amount(refund)
    if action == "created":
        return naming.refunded(refund_id, payment_id, at, amount, currency)
    return naming.received(
        f"{refund_id}/failed",
        amount=amount,
        currency=currency,
        at=at,
        method="refund_failed",
        reference=payment_id,
        metadata=mapping_of(refund, "metadata"),
    )


def _amount(resource: Mapping[str, Any]) -> tuple[str, str]:
    return decimal_text(resource.get("amount"), _DECIMALS, "amount"), text_of(resource, "currency")


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
