"""The whole system on one machine: local stack, prepared topics and tables, and the services as child processes.

``arrears up`` and ``arrears demo`` are made of it::

    with Installation(settings, context.obj, tell) as installation:
        installation.start_stack()
        installation.prepare()
        installation.start_services()
        installation.wait_until_ready()
        ...
"""

import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pipeline.cli.preparation import prepare
from pipeline.errors import Problem
from pipeline.local import Stack
from pipeline.local.addresses import remove_addresses, write_addresses
from pipeline.local.kafka_files import Progress
from pipeline.local.ports import LOOPBACK, free_port
from pipeline.local.process import ChildProcess
from pipeline.settings import Settings, variable_name

SERVICES = ("worker", "sink")
READY_SECONDS_MAX = 60.0
# The sink finishes its insert, the worker its batch.
GRACE_SECONDS = 20.0
RESTART_SECONDS = (1.0, 2.0, 5.0, 10.0, 30.0)


@dataclass(frozen=True)
class Status:
    """One line about one part: what it is, how it is, where it listens."""

    name: str
    state: str
    address: str
    pid: int | None
    restarts: int = 0


class Service:
    """One ``arrears`` service as a child process, started again when it ends by itself."""

    def __init__(self, name: str, log: Path, environment: Mapping[str, str]) -> None:
        self.name = name
        self.restarts = 0
        self._log = log
        self._port = free_port()
        self._environment = {
            **environment,
            variable_name("service", "host"): LOOPBACK,
            variable_name("service", "port"): str(self._port),
        }
        self._process: ChildProcess | None = None
        self._ended_at: float | None = None

    @property
    def address(self) -> str:
        """Where its health and metrics are."""
        return f"http://{LOOPBACK}:{self._port}"

    def start(self) -> None:
        """Start the process."""
        self._ended_at = None
        self._process = ChildProcess(
            f"arrears {self.name}",
            [sys.executable, "-m", "pipeline.cli", self.name],
            self._log,
            environment=self._environment,
            grace_seconds=GRACE_SECONDS,
        )

    def stop(self) -> None:
        """End the process in order."""
        if self._process is not None:
            self._process.stop()
            self._process = None

    def look_after(self) -> None:
        """Start it again when it has ended by itself, after a while that grows with every time."""
        if self._process is None or self._process.poll() is None:
            return
        now = time.monotonic()
        if self._ended_at is None:
            self._ended_at = now
        if now - self._ended_at >= RESTART_SECONDS[min(self.restarts, len(RESTART_SECONDS) - 1)]:
            self.restarts += 1
            self._process.stop()
            self.start()

    def status(self) -> Status:
        """How it is now."""
        if self._process is None:
            return Status(self.name, "stopped", "", None, self.restarts)
        if (code := self._process.poll()) is not None:
            return Status(self.name, f"ended with code {code}", "", None, self.restarts)
        state = "ready" if self.is_ready() else "starting"
        return Status(self.name, state, self.address, self._process.pid, self.restarts)

    def is_ready(self) -> bool:
        """Whether it says so itself."""
        try:
            with urllib.request.urlopen(f"{self.address}/readyz", timeout=2.0) as answer:  # noqa: S310  our own
                return bool(answer.status == 200)
        except (OSError, urllib.error.URLError):
            return False

    def check(self) -> None:
        """Raise ``Problem`` with its last words when it has ended by itself."""
        if self._process is not None and self._process.poll() is not None:
            words = self._process.last_words().removeprefix("arrears: ")
            raise Problem(f"arrears {self.name} has ended: {words.rstrip('.')}", f"See {self._log}")


class Installation:
    """Stack and services of one machine. Leaving the block ends all that was started, services first."""

    def __init__(
        self,
        settings: Settings,
        config: Path | None,
        progress: Progress | None = None,
        *,
        services: Sequence[str] = SERVICES,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.settings = settings
        self._config = config
        self._service_names = services
        self._environment = dict(environment or {})
        self._folder = settings.stack.folder.absolute()
        self.stack = make_stack(settings, progress)
        self.services: list[Service] = []

    def start_stack(self) -> None:
        """Start broker and ClickHouse; from then on ``settings`` have their addresses."""
        self.stack.start()
        self.settings = self.settings.with_addresses(self.stack.kafka_bootstrap_servers, self.stack.clickhouse_url)
        if self.stack.kafka or self.stack.clickhouse:
            write_addresses(self._folder, self.stack.kafka_bootstrap_servers, self.stack.clickhouse_url)

    def prepare(self, tell: Callable[[str], None] = lambda _: None) -> None:
        """Bring topics, tables and companies to what this release and the settings say."""
        prepare(self.settings, tell)

    def start_services(self) -> None:
        """Start the services, side by side."""
        logs = self._folder / "logs"
        self.services = [
            Service(name, logs / f"{name}.log", self._service_environment()) for name in self._service_names
        ]
        for service in self.services:
            service.start()

    def wait_until_ready(self, seconds_max: float = READY_SECONDS_MAX) -> None:
        """Block until all services do their work. Raises ``Problem`` when one ends, or takes too long."""
        deadline = time.monotonic() + seconds_max
        waiting = list(self.services)
        while waiting:
            for service in waiting:
                service.check()
            waiting = [service for service in waiting if not service.is_ready()]
            if waiting and time.monotonic() > deadline:
                names = ", ".join(service.name for service in waiting)
                raise Problem(f"{names} not ready after {seconds_max:.0f} s", f"See {self._folder / 'logs'}")
            time.sleep(0.1)

    def look_after(self) -> None:
        """Start again what has ended by itself; call it about every second."""
        for part in (self.stack.kafka, self.stack.clickhouse):
            if part and not part.is_running():
                part.start()
        for service in self.services:
            service.look_after()

    def status(self) -> list[Status]:
        """How all parts are now."""
        lines = []
        kafka, clickhouse = self.settings.kafka.bootstrap_servers, self.settings.clickhouse.url
        for name, part, address in (
            ("kafka", self.stack.kafka, kafka),
            ("clickhouse", self.stack.clickhouse, clickhouse),
        ):
            state = "given" if part is None else "ready" if part.is_running() else "ended"
            lines.append(Status(name, state, address, part.pid if part else None))
        return lines + [service.status() for service in self.services]

    def stop(self) -> None:
        """End the services, then the stack."""
        for service in reversed(self.services):
            service.stop()
        self.stack.stop()
        if self.stack.kafka or self.stack.clickhouse:
            remove_addresses(self._folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _service_environment(self) -> dict[str, str]:
        return {
            **({"ARREARS_CONFIG": str(self._config.absolute())} if self._config else {}),
            variable_name("kafka", "bootstrap_servers"): self.settings.kafka.bootstrap_servers,
            variable_name("clickhouse", "url"): self.settings.clickhouse.url,
            "PYTHONUNBUFFERED": os.environ.get("PYTHONUNBUFFERED", "1"),
            **self._environment,
        }


def make_stack(settings: Settings, progress: Progress | None = None) -> Stack:
    """The local stack of the settings; without the parts whose address they give."""
    return Stack(
        settings.stack.folder,
        kafka_port=settings.stack.kafka_port,
        clickhouse_port=settings.stack.clickhouse_port,
        kafka_heap_mib=settings.stack.kafka_heap_mib,
        cache_folder=settings.stack.cache_folder,
        clickhouse_user=settings.clickhouse.user,
        clickhouse_password=settings.clickhouse.password.get_secret_value(),
        with_kafka=not settings.kafka.is_set("bootstrap_servers"),
        with_clickhouse=not settings.clickhouse.is_set("url"),
        progress=progress,
    )
