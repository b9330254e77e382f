"""`arrears api`: the HTTP door; `arrears api keys …`: who may use it."""

import contextlib
import gc
import logging
import multiprocessing
import os
import signal
import socket
import threading
import time
from importlib import metadata
from types import FrameType

import typer
import uvicorn

from avro import contracts
from pipeline.cli import load_settings
from pipeline.cli.api_keys import keys
from pipeline.cli.redaction import redactor_of
from pipeline.cli.registry import use_registry
from pipeline.errors import Problem
from pipeline.health import Health, serve_health
from pipeline.settings import Settings
from pipeline.settings_api import ApiSettings
from sources.http import Acknowledged, Api, ApiOptions, SourceError, limited_protocol

BACKLOG = 2_048
GARBAGE_OBJECTS = 20_000
"""New objects after which the collector looks: a batch makes thousands that die with their request."""
_RESTART_SECONDS = 1.0
_END_SECONDS = 5.0

app = typer.Typer(add_completion=False)
app.add_typer(keys, name="keys")
logger = logging.getLogger(__name__)


@app.callback(invoke_without_command=True)
def api(context: typer.Context) -> None:
    """Take events, activities and webhooks over HTTP until SIGTERM, and answer when the broker has them.

    Requests need a key of `arrears api keys create`; webhooks are signed by their provider (api.webhooks_file). The
    page /docs of the running service shows every endpoint. It starts without a broker, too, and answers 503 until one
    can be reached. SIGTERM lets running requests end; a second one ends the process at once.
    """
    if context.invoked_subcommand is not None:
        return
    settings = load_settings(context)
    use_registry(settings)
    contracts()  # before the processes part, so that they share it
    with contextlib.ExitStack() as closing:
        sockets = [closing.enter_context(_listening(settings.api)) for _ in range(settings.api.processes)]
        if len(sockets) == 1:
            _serve(settings, sockets[0], 0)
        else:
            _Processes(settings, sockets).run()


def api_options(settings: Settings) -> ApiOptions:
    """The options of one process out of the settings; a key's rate is shared among the processes."""
    section = settings.api
    return ApiOptions(
        keys_file=section.keys_file,
        webhooks_file=section.webhooks_file,
        cors_origins=tuple(origin.strip() for origin in section.cors_origins.split(",") if origin.strip()),
        request_bytes_max=section.request_bytes_max,
        decompressed_bytes_max=section.decompressed_bytes_max,
        events_per_request_max=section.events_per_request_max,
        request_seconds_max=section.request_seconds_max,
        rate_events_per_second=section.rate_events_per_second,
        rate_burst_seconds=section.rate_burst_seconds,
        processes=section.processes,
        in_flight_records_max=section.in_flight_records_max,
        in_flight_bytes_max=section.in_flight_bytes_max,
        acknowledge_seconds_max=section.acknowledge_seconds_max,
        linger_milliseconds=section.linger_milliseconds,
        redactor=redactor_of(settings.redaction),
    )


def _listening(section: ApiSettings) -> socket.socket:
    """A socket of one process. Several share the port, and the kernel deals connections out to them."""
    family = socket.AF_INET6 if ":" in section.host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if section.processes > 1:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        found.bind((section.host, section.port))
    except OSError as error:
        found.close()
        raise Problem(
            f"{section.host}:{section.port} cannot be listened on: {error.strerror}",
            "Set api.host and api.port to a free address",
        ) from error
    found.listen(BACKLOG)
    return found


def _serve(settings: Settings, listening: socket.socket, number: int) -> None:
    """One process, until it is told to end."""
    section = settings.api
    health = Health()
    port = settings.service.port + number if settings.service.port else 0
    try:
        options = api_options(settings)
        acknowledged = Acknowledged(
            settings.kafka.client_config(), topic_prefix=settings.kafka.topic_prefix, options=options
        )
        served = Api(options, acknowledged, health, metadata.version("arrears"))
    except SourceError as error:
        raise Problem(error.message, error.advice) from error
    for asked in (signal.SIGTERM, signal.SIGINT):
        # Also after uvicorn has ended in order: it then raises the signal again.
        signal.signal(asked, _end)
    config = uvicorn.Config(
        served,
        http=limited_protocol(section.request_seconds_max),
        loop="uvloop",
        ws="none",
        lifespan="on",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=section.connections_max,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=int(section.acknowledge_seconds_max + _END_SECONDS),
        ssl_certfile=section.tls_certificate_file or None,
        ssl_keyfile=section.tls_key_file or None,
    )
    # What is there now stays: the collector need not look at it again and again.
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_OBJECTS, 20, 50)
    scheme = "https" if section.tls_certificate_file else "http"
    with serve_health(health, settings.service.host, port):
        try:
            config.load()
        except OSError as error:
            raise Problem(
                f"the certificate cannot be used: {error.strerror or error}",
                "Look at api.tls_certificate_file and api.tls_key_file",
            ) from error
        logger.info("listening on %s://%s:%d", scheme, *listening.getsockname()[:2])
        _Server(config).run(sockets=[listening])


def _end(*_: object) -> None:
    raise SystemExit(0)


class _Server(uvicorn.Server):
    """uvicorn's, with the ends of our other services: the first signal lets requests end, the second does not."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal arrived."""
        if self.should_exit:
            os._exit(130)
        super().handle_exit(sig, frame)


def _serve_as_child(settings: Settings, listening: socket.socket, number: int) -> None:
    for asked in (signal.SIGTERM, signal.SIGINT):
        signal.signal(asked, _end)  # until then the parent's own, which would end the others
    parent = multiprocessing.parent_process()

    def end_with_parent() -> None:
        if parent is not None:
            parent.join()
            os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=end_with_parent, name="parent", daemon=True).start()
    _serve(settings, listening, number)


class _Processes:
    """Several processes on one port. One that ends by itself is started again; its connections wait meanwhile."""

    def __init__(self, settings: Settings, sockets: list[socket.socket]) -> None:
        self._settings = settings
        self._sockets = sockets
        self._forking = multiprocessing.get_context("fork")
        self._running: dict[int, multiprocessing.process.BaseProcess] = {}
        self._asked = False

    def run(self) -> None:
        """Start them and wait for their end."""
        for number in range(len(self._sockets)):
            self._start(number)
        for asked in (signal.SIGTERM, signal.SIGINT):
            signal.signal(asked, self._stop)
        while self._running:
            for number, process in list(self._running.items()):
                process.join(0.1)
                if process.exitcode is None:
                    continue
                del self._running[number]
                if not self._asked:
                    logger.error("process %d ended with %d and is started again", number, process.exitcode)
                    time.sleep(_RESTART_SECONDS)
                    self._start(number)

    def _start(self, number: int) -> None:
        process = self._forking.Process(target=_serve_as_child, args=(self._settings, self._sockets[number], number))
        process.start()
        self._running[number] = process

    def _stop(self, *_: object) -> None:
        if self._asked:
            for process in self._running.values():
                process.kill()
            os._exit(130)
        self._asked = True
        for process in self._running.values():
            process.terminate()
