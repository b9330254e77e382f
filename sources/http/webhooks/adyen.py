"""Adyen: standard webhooks (notification items) → written events.

The payment is known by the reference of its authorization, which captures, refunds and chargebacks name as
`originalReference`. Captures are the cash; where a merchant account captures by itself and is told of authorizations
only, the endpoint says ``cash_on = "authorisation"``.
"""

from collections.abc import Mapping
from typing import Any

from sources.bank.entry import ReturnReason
from sources.bank.reasons import return_reason
from sources.http.webhooks.mapped import SKIPPED, Mapped, Naming, decimal_text, mapping_of, text_of

# https://docs.adyen.com/development-resources/currency-codes: where Adyen differs from ISO 4217, and those of 0 and 3.
_DIFFERENT = {"CLP": 2, "CVE": 0, "IDR": 0, "ISK": 2}
_NO_DECIMALS = frozenset(
    "BIF DJF GNF JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".split()  # noqa: SIM905  a table, read as one
)
_THREE_DECIMALS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})
_METADATA = "metadata."
_DEBITS = ("sepadirectdebit", "directdebit", "ach")


def decimals(currency: str) -> int:
    """Decimals of the amounts that Adyen sends in a currency."""
    if currency in _DIFFERENT:
        return _DIFFERENT[currency]
    if currency in _NO_DECIMALS:
        return 0
    return 3 if currency in _THREE_DECIMALS else 2


def map_item(item: Mapping[str, Any], naming: Naming, cash_on: str) -> Mapped:
    """What becomes of one notification item. Raises ``UnmappableError``; an unknown event code is skipped."""
    code = text_of(item, "eventCode")
    succeeded = str(item.get("success")).lower() == "true"
    at = text_of(item, "eventDate")
    own = text_of(item, "pspReference")
    payment = item.get("originalReference") or own
    if not succeeded:
        # Requests that Adyen declined; a failure after success has an event code of its own.
        return SKIPPED
    match code:
        case "CAPTURE" if cash_on == "capture":
            return _cash(str(payment), item, at, naming)
        case "AUTHORISATION" if cash_on == "authorisation":
            return _cash(own, item, at, naming)
        case "CAPTURE_FAILED":
            return naming.reversed(str(payment), at, "nsf")
        case "CHARGEBACK":
            return naming.reversed(str(payment), at, _chargeback_reason(item))
        case "SECOND_CHARGEBACK":
            # The money that the won first one had brought back goes again.
            return naming.reversed(f"{own}/reversed", at, "chargeback")
        case "CHARGEBACK_REVERSED":
            return _cash(f"{own}/reversed", item, at, naming, method="chargeback_reversed")
        case "REFUND":
            amount, currency = _amount(item)
            return naming.refunded(own, str(payment), at, amount, currency)
        case "REFUND_FAILED" | "REFUNDED_REVERSED":
            return _cash(f"{own}/failed", item, at, naming, method="refund_failed")
        case "NOTIFICATION_OF_CHARGEBACK":
            amount, currency = _amount(item)
            reason = str(item.get("reason") or "chargeback")
            return naming.disputed(own, at, amount, currency, reason, metadata_of(item))
        case "PAYOUT_THIRDPARTY" | "PAIDOUT_REVERSED":
            amount, currency = _amount(item)
            return naming.payout(own, code.lower(), at, {"amount": amount, "currency": currency})
        case _:
            return SKIPPED


def metadata_of(item: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata of the payment, beside the references that every item has."""
    extra = mapping_of(item, "additionalData")
    named = {name.removeprefix(_METADATA): value for name, value in extra.items() if name.startswith(_METADATA)}
    known = {name: extra.get(name) for name in ("shopperReference",)}
    return {**known, "merchantReference": item.get("merchantReference"), **named}


def _chargeback_reason(item: Mapping[str, Any]) -> ReturnReason:
    """A direct debit that is given back has the reason code of its scheme; a card's is a chargeback."""
    code = mapping_of(item, "additionalData").get("chargebackReasonCode")
    paid_by = str(item.get("paymentMethod")).lower()
    if not any(word in paid_by for word in _DEBITS) or not isinstance(code, str):
        return "chargeback"
    return return_reason(code, "chargeback")


def _cash(payment_id: str, item: Mapping[str, Any], at: str, naming: Naming, method: str | None = None) -> Mapped:
    amount, currency = _amount(item)
    paid_by = item.get("paymentMethod")
    reference = item.get("merchantReference")
    return naming.received(
        payment_id,
        amount=amount,
        currency=currency,
        at=at,
        method=method or (paid_by if isinstance(paid_by, str) else None),
        reference=reference if isinstance(reference, str) and reference else None,
        metadata=metadata_of(item),
    )


def _amount(item: Mapping[str, Any]) -> tuple[str, str]:
    amount = mapping_of(item, "amount")
    currency = text_of(amount, "currency")
    return decimal_text(amount.get("value"), decimals(currency), "amount.value"), currency
