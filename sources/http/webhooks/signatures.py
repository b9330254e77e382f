"""How each provider signs what it sends. All comparisons take the same time, whatever differs."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Any

FUTURE_SECONDS_MAX = 60
"""How far ahead of ours a provider's clock may be."""
_ADYEN_ITEM = (
    "pspReference", "originalReference", "merchantAccountCode", "merchantReference", "amount.value",
    "amount.currency", "eventCode", "success",
)  # fmt: skip


class WrongSignatureError(Exception):
    """The sender is not who it says, or what it sent was changed, or it is too old."""


class TooOldError(WrongSignatureError):
    """It was signed rightly, at another time: somebody sends again what was sent before, or a clock is wrong."""


def stripe(header: str, body: bytes, secrets: Sequence[str], now_seconds: float, tolerance_seconds: float) -> None:
    """``Stripe-Signature: t=<seconds>,v1=<hex>[,v1=<hex>]``: HMAC-SHA256 over ``<t>.<body>``.

    While a secret is rotated Stripe signs with both, so any of ours may fit any of theirs. Only v1 counts: v0 is a
    test's. Raises ``WrongSignatureError``, and ``TooOldError`` for what is older than the tolerance.
    """
    timestamp = ""
    signatures = []
    for part in header.split(","):
        name, _, value = part.strip().partition("=")
        if name == "t":
            timestamp = value
        elif name == "v1":
            signatures.append(value)
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 16) or not signatures:
        raise WrongSignatureError("the header Stripe-Signature has no t or no v1")
    signed = timestamp.encode() + b"." + body
    fits = False
    for secret in secrets:
        expected = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
        for signature in signatures:
            fits |= _same(expected, signature)
    if not fits:
        raise WrongSignatureError("the signature does not fit the body")
    age = now_seconds - int(timestamp)
    if age > tolerance_seconds or age < -FUTURE_SECONDS_MAX:
        raise TooOldError(f"it was signed {age:,.0f} seconds ago; at most {tolerance_seconds:g} are allowed")


def gocardless(header: str, body: bytes, secrets: Sequence[str]) -> None:
    """``Webhook-Signature``: HMAC-SHA256 over the body, in hex. Raises ``WrongSignatureError``."""
    fits = False
    for secret in secrets:
        fits |= _same(hmac.new(secret.encode(), body, hashlib.sha256).hexdigest(), header.strip().lower())
    if not fits:
        raise WrongSignatureError("the signature does not fit the body")


def adyen(item: Mapping[str, Any], keys: Sequence[str]) -> None:
    """``additionalData.hmacSignature`` of a notification item: HMAC-SHA256 in base64 over fields joined by colons.

    The keys are hexadecimal. Raises ``WrongSignatureError``.
    """
    extra = item.get("additionalData")
    given = extra.get("hmacSignature") if isinstance(extra, Mapping) else None
    if not isinstance(given, str):
        raise WrongSignatureError("the item has no additionalData.hmacSignature")
    signed = ":".join(_adyen_field(item, name) for name in _ADYEN_ITEM).encode()
    fits = False
    for key in keys:
        digest = hmac.new(adyen_key(key), signed, hashlib.sha256).digest()
        fits |= _same(base64.b64encode(digest).decode(), given)
    if not fits:
        raise WrongSignatureError(f"the signature does not fit the item {item.get('pspReference')}")


def adyen_key(key: str) -> bytes:
    """The bytes of a hexadecimal key. Raises ``ValueError``."""
    try:
        return binascii.unhexlify(key)
    except (binascii.Error, ValueError) as error:
        raise ValueError("an HMAC key of Adyen is hexadecimal") from error


def basic_authorization(header: str, user: str, password: str) -> None:
    """HTTP basic authentication. Raises ``WrongSignatureError``."""
    expected = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
    if not _same(expected, header):
        raise WrongSignatureError("user name or password is wrong")


def _adyen_field(item: Mapping[str, Any], name: str) -> str:
    value: Any = item
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _same(expected: str, given: str) -> bool:
    return hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace"))
