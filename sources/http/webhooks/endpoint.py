"""`POST /v1/webhooks/<provider>`: signature, mapping, acknowledgement, and the answer that the provider expects."""

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from sources import metrics
from sources.http.bodies import Body
from sources.http.counting import count_request
from sources.http.events import Shared
from sources.http.intake import Prepared, Taken
from sources.http.limits import Memory
from sources.http.problems import HttpProblem, Receive, Scope, Send, answer_failure, respond
from sources.http.webhooks import adyen, gocardless, stripe
from sources.http.webhooks.details import Details
from sources.http.webhooks.mapped import SKIPPED, Mapped, UnmappableError
from sources.http.webhooks.registry import Endpoint, Provider
from sources.http.webhooks.senders import ProviderEvent, sender_of
from sources.intake import Intake, RefusedError, SourceOptions, now_utc

LOOK_UPS_AT_ONCE = 8
BYTES_MAX = 1024 * 1024
"""Of a delivery: the largest, 250 events of GoCardless, have a quarter of it."""
_SHARE_OF_MEMORY = 4
logger = logging.getLogger(__name__)


class WebhookEndpoint:
    """The endpoints of one provider. Answers 2xx for what is done with: mapped, skipped or in `ar.failed`."""

    def __init__(self, shared: Shared, path: str, provider: Provider, endpoints: Sequence[Endpoint]) -> None:
        self._shared = shared
        self._path = path
        self._provider = provider
        self._endpoints = endpoints
        # Who sends is known only when the body is there, so nobody unknown may hold what others need.
        self._memory = Memory(shared.options.in_flight_bytes_max // _SHARE_OF_MEMORY)
        self._options = msgspec.structs.replace(
            shared.options,
            request_bytes_max=min(BYTES_MAX, shared.options.request_bytes_max),
            decompressed_bytes_max=min(BYTES_MAX, shared.options.decompressed_bytes_max),
        )
        redactor = shared.options.redactor
        self._intakes = {
            endpoint.company: Intake(SourceOptions(company=endpoint.company, redactor=redactor), provider)
            for endpoint in endpoints
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One delivery."""
        started = time.perf_counter()
        body = Body(self._memory)
        try:
            status = await self._take(dict(scope["headers"]), receive, send, body)
        except Exception as error:  # noqa: BLE001  every request is answered
            status = await answer_failure(error, send)
        finally:
            body.close()
        count_request(self._path, status, time.perf_counter() - started)

    async def _take(self, headers: Mapping[bytes, bytes], receive: Receive, send: Send, body: Body) -> int:
        if not self._endpoints:
            detail = f"no endpoint of {self._provider} is set up; name it in the file of api.webhooks_file"
            raise HttpProblem(404, "no_endpoint", detail, closes=True)
        self._shared.acknowledged.admit()
        await body.read(headers, receive, self._options)
        endpoint, events = sender_of(self._endpoints, headers, body.data)
        first, then = await self._read(endpoint, events)
        await self._shared.acknowledged.deliver(first.records)
        await self._shared.acknowledged.deliver(then.records)
        first.count()
        then.count()
        if self._provider == "adyen":
            await respond(send, 200, b"[accepted]", b"text/plain; charset=utf-8")
        else:
            await respond(send, 200, msgspec.json.encode({"received": len(events)}))
        return 200

    async def _read(self, endpoint: Endpoint, events: Sequence[ProviderEvent]) -> tuple[Taken, Taken]:
        """What to send first, and what after the acknowledgement of that."""
        shared = self._shared
        first, then = (Taken(self._path, now_utc, shared.acknowledged, shared.options.redactor) for _ in range(2))
        intake = self._intakes[endpoint.company]
        for index, (event, mapped) in enumerate(zip(events, await _mapped(endpoint, events), strict=True)):
            outcome = "mapped"
            try:
                if isinstance(mapped, UnmappableError):
                    raise RefusedError(mapped.reason, mapped.field, mapped.message)  # noqa: TRY301
                # All of a provider's event is taken, or nothing of it.
                ready: list[list[Prepared]] = [
                    [taken.prepare(document, intake, index) for document in documents]
                    for taken, documents in ((first, mapped.first), (then, mapped.then))
                ]
            except RefusedError as refused:
                outcome = "rejected"
                logger.warning("%s: %s (%s)", self._path, refused.message, refused.reason)
                first.reject(index, refused, event.original, endpoint.company, event.document.get("id"))
            else:
                for taken, prepared in zip((first, then), ready, strict=True):
                    for one in prepared:
                        taken.add(one)
                if mapped.is_skipped:
                    outcome = "skipped"
            metrics.WEBHOOK_EVENTS.labels(self._provider, outcome).inc()
        return first, then


async def _mapped(endpoint: Endpoint, events: Sequence[ProviderEvent]) -> list[Mapped | UnmappableError]:
    """What becomes of each event, some of which have to be asked for at the provider."""
    room = asyncio.Semaphore(LOOK_UPS_AT_ONCE)
    async with Details(endpoint) as details:

        async def map_one(event: ProviderEvent) -> Mapped | UnmappableError:
            if event.is_test and not endpoint.test:
                return SKIPPED
            try:
                async with room:
                    return await _map_one(endpoint, event.document, details)
            except UnmappableError as error:
                return error

        return list(await asyncio.gather(*(map_one(event) for event in events)))


async def _map_one(endpoint: Endpoint, event: Mapping[str, Any], details: Details) -> Mapped:
    if endpoint.provider == "adyen":
        return adyen.map_item(event, endpoint.naming, endpoint.cash_on)
    if endpoint.provider == "gocardless":
        return await gocardless.map_event(event, endpoint.naming, details.gocardless)
    charge_id = stripe.charge_to_ask_for(event)
    charge = await details.stripe_charge(charge_id) if charge_id is not None else {}
    return stripe.map_event(event, endpoint.naming, charge)
