"""`POST /v1/events` and `POST /v1/activities`: one event or many, answered when the broker has them.

These are plain ASGI applications: at thousands of requests a second, what a framework does for each counts.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from sources.http.acknowledge import Acknowledged
from sources.http.authorization import authorized, other_company
from sources.http.bodies import BadLine, Body, Items
from sources.http.counting import count_request
from sources.http.intake import Taken
from sources.http.keys import ApiKey, KeyRing, Scope
from sources.http.limits import Memory, Rates
from sources.http.options import ApiOptions
from sources.http.problems import PROBLEM_TYPE, HttpProblem, Receive, Send, answer_failure, respond
from sources.http.problems import Scope as HttpScope
from sources.intake import Intake, RefusedError, SourceOptions, now_utc

_ROOM_EVERY = 250  # documents, after which other requests get their turn
_WRONG_COMPANY = "wrong_company"


class Shared:
    """What all requests of a process share."""

    def __init__(self, options: ApiOptions, ring: KeyRing, acknowledged: Acknowledged) -> None:
        self.options = options
        self.ring = ring
        self.acknowledged = acknowledged
        self.memory = Memory(options.in_flight_bytes_max)
        self.rates = Rates(
            options.rate_events_per_second, options.rate_burst_seconds, options.processes, time.monotonic
        )


class EventsEndpoint:
    """Takes documents, each of which `written` turns into a written event. `source` names where they came from."""

    def __init__(
        self,
        shared: Shared,
        path: str,
        scope: Scope,
        source: str,
        written: Callable[[Mapping[str, Any]], dict[str, Any]] = dict,
    ) -> None:
        self._shared = shared
        self._path = path
        self._scope = scope
        self._source = source
        self._written = written
        self._intakes: dict[str | None, Intake] = {}

    async def __call__(self, scope: HttpScope, receive: Receive, send: Send) -> None:
        """One request."""
        started = time.perf_counter()
        body = Body(self._shared.memory)
        try:
            status = await self._take(dict(scope["headers"]), receive, send, body)
        except Exception as error:  # noqa: BLE001  every request is answered
            status = await answer_failure(error, send)
        finally:
            body.close()
        count_request(self._path, status, time.perf_counter() - started)

    async def _take(self, headers: Mapping[bytes, bytes], receive: Receive, send: Send, body: Body) -> int:
        shared = self._shared
        key = authorized(headers, shared.ring, self._scope, now_utc())
        bucket = shared.rates.of(key.id, key.events_per_second)
        if bucket is not None and (wait := bucket.wait_seconds()):
            detail = f"the key {key.name} has sent more than its share of events; wait for Retry-After"
            raise HttpProblem(429, "rate_limited", detail, retry_after_seconds=wait, closes=True)
        shared.acknowledged.admit()
        await body.read(headers, receive, shared.options)
        items = Items(body.data, headers.get(b"content-type", b""), shared.options.events_per_request_max)
        if bucket is not None:
            bucket.take(len(items.documents))
        taken = await self._read(items, key)
        await shared.acknowledged.deliver(taken.records)
        taken.count()
        return await _answer(send, taken)

    async def _read(self, items: Items, key: ApiKey) -> Taken:
        company = key.only_company
        intake = self._intakes.get(company)
        if intake is None:
            intake = self._intakes[company] = Intake(
                SourceOptions(company=company, redactor=self._shared.options.redactor), self._source
            )
        taken = Taken(self._path, now_utc, self._shared.acknowledged, self._shared.options.redactor)
        for index, document in enumerate(items.documents):
            if index % _ROOM_EVERY == _ROOM_EVERY - 1:
                await asyncio.sleep(0)
            try:
                prepared = taken.prepare(self._event(document, key), intake, index)
            except RefusedError as refused:
                if refused.reason == _WRONG_COMPANY:
                    raise other_company(str(document.get("company")), key) from refused
                event_id = document.get("event_id") if isinstance(document, dict) else None
                taken.reject(index, refused, items.original(index), _company_of(document, key), event_id)
                continue
            if not key.allows_all and prepared.company not in key.companies:
                raise other_company(prepared.company, key)
            taken.add(prepared)
        return taken

    def _event(self, document: Any, key: ApiKey) -> dict[str, Any]:  # noqa: ANN401  any JSON value
        if not isinstance(document, dict):
            message = 'the item is not an object; an event is written as {"event": ..., ...}'
            raise RefusedError("malformed_json", None, document.message if isinstance(document, BadLine) else message)
        event = self._written(document)
        if event.get("actor_id") is None:
            event["actor_id"] = key.name
        return event


def _company_of(document: Any, key: ApiKey) -> str | None:  # noqa: ANN401  any JSON value
    """The company of a bad item, where it names one that the key is for."""
    company = document.get("company") if isinstance(document, dict) else None
    if isinstance(company, str) and (key.allows_all or company in key.companies) and "|" not in company:
        return company
    return key.only_company


async def _answer(send: Send, taken: Taken) -> int:
    rejected = len(taken.results) - taken.accepted
    if not taken.accepted:
        detail = "no event of the request could be taken; results says why, by index"
        extra = {"accepted": 0, "rejected": rejected, "results": taken.results}
        problem = HttpProblem(422, "all_rejected", detail, extra=extra)
        await respond(send, 422, msgspec.json.encode(problem.document()), PROBLEM_TYPE)
        return 422
    status = 207 if rejected else 202
    body = {"accepted": taken.accepted, "rejected": rejected, "results": taken.results}
    await respond(send, status, msgspec.json.encode(body))
    return status
