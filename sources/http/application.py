"""The whole application: routes, health, OpenAPI page, and what is started and ended with it."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Protocol

import msgspec
from fastapi import FastAPI, Request
from fastapi.middleware.cors import CORSMiddleware
from fastapi.openapi.utils import get_openapi
from fastapi.responses import PlainTextResponse, Response

from sources.http import openapi
from sources.http.acknowledge import Acknowledged
from sources.http.activities import activity_event
from sources.http.events import EventsEndpoint, Shared
from sources.http.keys import KeyFile, KeyRing
from sources.http.options import ApiOptions
from sources.http.problems import HttpProblem, Receive, Scope, Send
from sources.http.webhooks.endpoint import WebhookEndpoint
from sources.http.webhooks.registry import PROVIDERS, read_endpoints

EVENTS_PATH = "/v1/events"
ACTIVITIES_PATH = "/v1/activities"
WEBHOOKS_PATH = "/v1/webhooks"
_BEAT_SECONDS = 1.0


class Api:
    """The ASGI application of one process.

    ``heartbeat`` and ``set_ready`` of `health` are told that the loop comes around and whether the broker answers.
    Requests to the endpoints go to them directly; everything else (health, OpenAPI, what is not there) to FastAPI,
    in which the same endpoints stand, so that the page describes what is served.
    """

    def __init__(
        self, options: ApiOptions, acknowledged: Acknowledged, health: "Health | None" = None, version: str = "0"
    ) -> None:
        self._acknowledged = acknowledged
        self._health = health
        shared = Shared(options, KeyRing(KeyFile(options.keys_file), time.monotonic), acknowledged)
        endpoints = read_endpoints(options.webhooks_file) if options.webhooks_file is not None else []
        self._direct: dict[str, Any] = {
            EVENTS_PATH: EventsEndpoint(shared, EVENTS_PATH, "events:write", "api"),
            ACTIVITIES_PATH: EventsEndpoint(shared, ACTIVITIES_PATH, "activities:write", "ui", activity_event),
        }
        for provider in PROVIDERS:
            path = f"{WEBHOOKS_PATH}/{provider}"
            own = [endpoint for endpoint in endpoints if endpoint.provider == provider]
            self._direct[path] = WebhookEndpoint(shared, path, provider, own)
        self.framework = _framework(self._direct, acknowledged, version, self._running)
        self._outer: Any = self.framework
        self._bypasses = not options.cors_origins
        if options.cors_origins:
            self._outer = CORSMiddleware(
                self.framework,
                allow_origins=options.cors_origins,
                allow_methods=["POST"],
                allow_headers=["authorization", "x-api-key", "content-type", "content-encoding"],
                expose_headers=["retry-after"],
            )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, or the start and the end of the process."""
        if self._bypasses and scope["type"] == "http" and scope["method"] == "POST":
            endpoint = self._direct.get(scope["path"])
            if endpoint is not None:
                await endpoint(scope, receive, send)
                return
        await self._outer(scope, receive, send)

    @asynccontextmanager
    async def _running(self, _: FastAPI) -> AsyncIterator[None]:
        self._acknowledged.start()
        beating = asyncio.create_task(self._beat())
        try:
            yield
        finally:
            beating.cancel()
            if self._health is not None:
                self._health.set_ready(False)
            await self._acknowledged.close()

    async def _beat(self) -> None:
        while self._health is not None:
            self._health.heartbeat()
            self._health.set_ready(self._acknowledged.is_reachable)
            await asyncio.sleep(_BEAT_SECONDS)


class Health(Protocol):
    """Who wants to know how the process is."""

    def heartbeat(self) -> None:
        """The loop came around."""

    def set_ready(self, ready: bool = True) -> None:
        """The broker can be reached, or cannot."""


class _Delegated(Response):
    """An answer that an ASGI application gives."""

    def __init__(self, endpoint: Any) -> None:  # noqa: ANN401  an ASGI application
        super().__init__()
        self._endpoint = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._endpoint(scope, receive, send)


def _framework(endpoints: Mapping[str, Any], acknowledged: Acknowledged, version: str, running: Any) -> FastAPI:  # noqa: ANN401
    app = FastAPI(title="arrears", version=version, description=openapi.DESCRIPTION, lifespan=running, redoc_url=None)
    for path, endpoint in endpoints.items():
        app.add_api_route(
            path,
            _delegating(endpoint),
            methods=["POST"],
            openapi_extra=openapi.operation(path),
            responses=openapi.responses(path),
            summary=openapi.summary(path),
            name=path.removeprefix("/v1/").replace("/", "_"),
            status_code=openapi.success(path),
            tags=[openapi.tag(path)],
        )

    @app.get("/healthz", tags=["health"], summary="The process comes around", response_class=PlainTextResponse)
    async def healthz() -> str:
        return "alive\n"

    @app.get("/readyz", tags=["health"], summary="The broker answers", response_class=PlainTextResponse)
    async def readyz() -> PlainTextResponse:
        if acknowledged.is_reachable:
            return PlainTextResponse("ready\n")
        return PlainTextResponse("the broker cannot be reached\n", status_code=503, headers={"retry-after": "2"})

    async def not_found(request: Request, _: Exception) -> Response:
        detail = f"there is nothing at {request.url.path}; see /docs for what there is"
        return _problem_response(HttpProblem(404, "not_found", detail))

    async def not_allowed(request: Request, error: Exception) -> Response:
        headers = dict(getattr(error, "headers", None) or {})
        detail = f"{request.url.path} does not take {request.method}; see /docs for what it takes"
        return _problem_response(HttpProblem(405, "method_not_allowed", detail, headers=headers))

    app.add_exception_handler(404, not_found)
    app.add_exception_handler(405, not_allowed)

    app.openapi = lambda: _described(app)  # type: ignore[method-assign]
    return app


def _described(app: FastAPI) -> dict[str, Any]:
    """FastAPI's own document, and how a caller shows who it is."""
    if app.openapi_schema is None:
        app.openapi_schema = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes
        )
        app.openapi_schema.setdefault("components", {})["securitySchemes"] = openapi.SECURITY_SCHEMES
    return app.openapi_schema


def _problem_response(problem: HttpProblem) -> Response:
    content = msgspec.json.encode(problem.document())
    return Response(content, problem.status, problem.headers, "application/problem+json")


def _delegating(endpoint: Any) -> Any:  # noqa: ANN401  an ASGI application
    async def delegate(request: Request) -> Response:
        return _Delegated(endpoint)

    return delegate
