"""Who sent a webhook, and the provider's events in it with their bytes."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from sources.http.problems import HttpProblem
from sources.http.webhooks import signatures
from sources.http.webhooks.registry import Endpoint
from sources.http.webhooks.signatures import TooOldError, WrongSignatureError

_AUTHENTICATE = {"www-authenticate": 'Basic realm="arrears"'}


class ProviderEvent(msgspec.Struct, frozen=True):
    """One event of a provider: parsed, and as it was sent. `is_test` says that no money has moved."""

    document: Mapping[str, Any]
    original: bytes
    is_test: bool = False


class _Events(msgspec.Struct):
    events: list[msgspec.Raw]


class _AdyenItem(msgspec.Struct, rename={"item": "NotificationRequestItem"}):
    item: msgspec.Raw


class _AdyenItems(msgspec.Struct, rename={"items": "notificationItems"}):
    items: list[_AdyenItem]
    live: str | bool = True


def sender_of(
    endpoints: Sequence[Endpoint], headers: Mapping[bytes, bytes], body: bytes
) -> tuple[Endpoint, list[ProviderEvent]]:
    """The endpoint whose secret fits, and the events. Raises ``HttpProblem`` 401 when none does, 400 for no JSON.

    All endpoints of one provider share an address: the signature says which of them was meant, so a company's events
    can only come from who knows that company's secret.
    """
    provider = endpoints[0].provider
    refused: WrongSignatureError | None = None
    events = _events(provider, body) if provider == "adyen" else []
    if provider == "adyen" and not events:
        raise HttpProblem(400, "no_events", "the request holds no notification item, so nothing in it is signed")
    for endpoint in endpoints:
        try:
            _check(endpoint, headers, body, events)
        except TooOldError as error:
            raise HttpProblem(401, "too_old", str(error)) from error
        except WrongSignatureError as error:
            refused = error
        else:
            return endpoint, events or _events(provider, body)
    raise HttpProblem(401, "wrong_signature", str(refused), headers=_AUTHENTICATE if provider == "adyen" else None)


def _check(endpoint: Endpoint, headers: Mapping[bytes, bytes], body: bytes, events: Sequence[ProviderEvent]) -> None:
    def header(name: bytes) -> str:
        return headers.get(name, b"").decode("latin-1")

    if endpoint.provider == "stripe":
        signatures.stripe(header(b"stripe-signature"), body, endpoint.secrets, time.time(), endpoint.tolerance_seconds)
    elif endpoint.provider == "gocardless":
        signatures.gocardless(header(b"webhook-signature"), body, endpoint.secrets)
    else:
        if endpoint.user or endpoint.password:
            signatures.basic_authorization(header(b"authorization"), endpoint.user, endpoint.password)
        for event in events:
            signatures.adyen(event.document, endpoint.secrets)


def _events(provider: str, body: bytes) -> list[ProviderEvent]:
    try:
        is_test = False
        if provider == "stripe":
            raw = [body]
        elif provider == "gocardless":
            raw = [bytes(one) for one in msgspec.json.decode(body, type=_Events).events]
        else:
            delivery = msgspec.json.decode(body, type=_AdyenItems)
            is_test = str(delivery.live).lower() == "false"
            raw = [bytes(one.item) for one in delivery.items]
        documents = [msgspec.json.decode(one, type=dict[str, Any]) for one in raw]
        return [
            ProviderEvent(document, one, is_test or document.get("livemode") is False)
            for document, one in zip(documents, raw, strict=True)
        ]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        words = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise HttpProblem(400, "malformed_json", f"the body is not what {provider} sends: {words}") from error
