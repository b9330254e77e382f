"""What a provider's event names and does not tell, asked for at the provider's own API.

GoCardless's events say no amount. Stripe's disputes do not say whose charge it was, nor how much it was in all.
"""

import re
from collections.abc import Mapping
from typing import Any, Self

import aiohttp

from sources.http.problems import HttpProblem
from sources.http.webhooks.mapped import UnmappableError
from sources.http.webhooks.registry import Endpoint

SECONDS_MAX = 5.0
_ID = re.compile(r"[A-Za-z0-9_]+")
_GOCARDLESS_VERSION = "2015-07-06"
_RETRY_SECONDS = 30


class Details:
    """Look-ups of one request. Use as an asynchronous context."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Nothing is opened before the first look-up."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close what was opened."""
        if self._session is not None:
            await self._session.close()

    async def gocardless(self, resource: str, resource_id: str) -> Mapping[str, Any]:
        """A payment or a refund. Raises ``UnmappableError`` for none, ``HttpProblem`` 503 when it must wait."""
        if not self._endpoint.access_token:
            message = f"the event says no amount of {resource_id}, and the endpoint has no access_token to ask for it"
            raise UnmappableError("missing_field", "amount", message)
        document = await self._get(f"/{resource}/{resource_id}", resource_id)
        found = document.get(resource)
        if not isinstance(found, Mapping):
            raise _not_now(f"GoCardless answered something else than {resource}")
        return found

    async def stripe_charge(self, charge_id: str) -> Mapping[str, Any]:
        """A charge; empty where there is none, and without access_token. Raises ``HttpProblem`` 503, too."""
        if not self._endpoint.access_token:
            return {}
        try:
            return await self._get(f"/v1/charges/{charge_id}", charge_id)
        except UnmappableError:
            return {}

    async def _get(self, path: str, resource_id: str) -> Mapping[str, Any]:
        """A document. The provider sends a webhook again that was answered 503."""
        provider = self._endpoint.provider
        if not _ID.fullmatch(resource_id):
            raise UnmappableError("invalid_value", "links", f"{resource_id!r} is no id of {provider}")
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=SECONDS_MAX))
        headers = {"Authorization": f"Bearer {self._endpoint.access_token}"}
        if provider == "gocardless":
            headers["GoCardless-Version"] = _GOCARDLESS_VERSION
        try:
            async with self._session.get(
                self._endpoint.address + path, headers=headers, allow_redirects=False
            ) as response:
                if response.status == 404:
                    raise UnmappableError("unknown_document", "links", f"{provider} has no {path}")
                if response.status != 200:
                    raise _not_now(f"{provider} answered {response.status}")
                found = await response.json()
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise _not_now(f"{provider} could not be asked: {type(error).__name__} {error}") from error
        if not isinstance(found, Mapping):
            raise _not_now(f"{provider} answered something else than a document")
        return found


def _not_now(why: str) -> HttpProblem:
    return HttpProblem(503, "provider_unavailable", f"{why}; send it again", retry_after_seconds=_RETRY_SECONDS)
