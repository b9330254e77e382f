"""A payment or refund as GoCardless's own API has it: its events name it and say no amount."""

import re
from collections.abc import Mapping
from typing import Any, Self

import aiohttp

from sources.http.problems import HttpProblem
from sources.http.webhooks.mapped import UnmappableError
from sources.http.webhooks.registry import Endpoint

SECONDS_MAX = 5.0
_ID = re.compile(r"[A-Za-z0-9]+")
_VERSION = "2015-07-06"
_RETRY_SECONDS = 30


class GoCardlessDetails:
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

    async def __call__(self, resource: str, resource_id: str) -> Mapping[str, Any]:
        """The resource. Raises ``UnmappableError`` when there is none, ``HttpProblem`` 503 when it must wait.

        The provider sends a webhook again that was answered 503.
        """
        if not self._endpoint.access_token:
            message = f"the event says no amount of {resource_id}, and the endpoint has no access_token to ask for it"
            raise UnmappableError("missing_field", "amount", message)
        if not _ID.fullmatch(resource_id):
            raise UnmappableError("invalid_value", "links", f"{resource_id!r} is no id of GoCardless")
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=SECONDS_MAX))
        headers = {"Authorization": f"Bearer {self._endpoint.access_token}", "GoCardless-Version": _VERSION}
        try:
            async with self._session.get(
                f"{self._endpoint.api_url}/{resource}/{resource_id}", headers=headers, allow_redirects=False
            ) as response:
                if response.status == 404:
                    raise UnmappableError("unknown_document", "links", f"GoCardless has no {resource} {resource_id}")
                if response.status != 200:
                    raise _not_now(f"GoCardless answered {response.status}")
                found = (await response.json()).get(resource)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise _not_now(f"GoCardless could not be asked: {type(error).__name__} {error}") from error
        if not isinstance(found, Mapping):
            raise _not_now(f"GoCardless answered something else than {resource}")
        return found


def _not_now(why: str) -> HttpProblem:
    return HttpProblem(503, "provider_unavailable", f"{why}; send it again", retry_after_seconds=_RETRY_SECONDS)
