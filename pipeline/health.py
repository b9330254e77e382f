"""Whether a service lives: ``/healthz``, ``/readyz`` and ``/metrics`` over HTTP.

The server has a thread of its own, so that it answers while the service's loop is stuck: that is what ``/healthz``
is for. It listens on the loopback interface unless the settings say otherwise.
"""

import asyncio
import contextlib
import threading
import time
from collections.abc import Awaitable, Callable, Iterator

from aiohttp import web
from prometheus_client import REGISTRY, CollectorRegistry, disable_created_metrics
from prometheus_client.exposition import choose_encoder

from pipeline.errors import Problem

START_SECONDS_MAX = 10.0
STALL_SECONDS_MAX = 60.0


class Health:
    """What a service says of itself. Cheap, and safe to call from any thread.

    The loop calls ``heartbeat`` whenever it comes around; it is stalled when it has not for ``stall_seconds_max``.
    The age counts from the start on, so a loop that never comes around is noticed, too. The service says by
    ``set_ready`` whether it can do its work: not while it restores its state, for one.
    """

    def __init__(
        self, stall_seconds_max: float = STALL_SECONDS_MAX, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stall_seconds_max = stall_seconds_max
        self._clock = clock
        self._beat = clock()
        self._ready = False

    def heartbeat(self) -> None:
        """The loop came around."""
        self._beat = self._clock()

    def set_ready(self, ready: bool = True) -> None:
        """The service can do its work, or cannot."""
        self._ready = ready

    @property
    def heartbeat_age_seconds(self) -> float:
        """How long ago the loop came around."""
        return self._clock() - self._beat

    def is_alive(self) -> bool:
        """Whether the loop comes around."""
        return self.heartbeat_age_seconds <= self._stall_seconds_max

    def is_ready(self) -> bool:
        """Whether the service does its work."""
        return self._ready and self.is_alive()


@contextlib.contextmanager
def serve_health(health: Health, host: str, port: int, registry: CollectorRegistry = REGISTRY) -> Iterator[str | None]:
    """Serve while the block runs; gives the address, or None when ``port`` is 0, which means off.

    Raises ``Problem`` when the address cannot be listened on.
    """
    if port == 0:
        yield None
        return
    # When a series was born is of no use to anybody, and would be a third of the page.
    disable_created_metrics()  # type: ignore[no-untyped-call]
    server = _Server(health, host, port, registry)
    server.start()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()


class _Server:
    def __init__(self, health: Health, host: str, port: int, registry: CollectorRegistry) -> None:
        self._health = health
        self._registry = registry
        self._host = host
        self._port = port
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._stopped = asyncio.Event()
        self._failure: OSError | None = None
        self._thread = threading.Thread(target=self._run, name="health", daemon=True)

    def start(self) -> None:
        self._thread.start()
        self._started.wait(START_SECONDS_MAX)
        if self._failure is not None:
            raise Problem(
                f"{self._host}:{self._port} cannot be listened on: {self._failure.strerror or self._failure}",
                "Set service.host and service.port to a free address, or service.port to 0",
            )

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join(START_SECONDS_MAX)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        except OSError as failure:
            self._failure = failure
        finally:
            self._started.set()
            self._loop.close()

    async def _serve(self) -> None:
        application = web.Application()
        application.router.add_get("/healthz", self._answer(self._health.is_alive, "alive", "stalled"))
        application.router.add_get("/readyz", self._answer(self._health.is_ready, "ready", "not ready"))
        application.router.add_get("/metrics", self._metrics)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, self._host, self._port).start()
            self._started.set()
            await self._stopped.wait()
        finally:
            await runner.cleanup()

    def _answer(
        self, question: Callable[[], bool], yes: str, no: str
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def answer(_: web.Request) -> web.Response:
            words = {True: yes, False: no}[question()]
            age = self._health.heartbeat_age_seconds
            text = f"{words}, last heartbeat {age:.1f} s ago\n"
            return web.Response(status=200 if words == yes else 503, text=text)

        return answer

    async def _metrics(self, request: web.Request) -> web.Response:
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(self._registry), headers={"Content-Type": content_type})
