"""`arrears api` as a process, and a caller that sends it whatever bytes it likes."""

import contextlib
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import Any, NamedTuple

from avro import contracts
from tests.integration.topic_reader import read_topics
from topics import catalogue

READY_SECONDS_MAX = 60.0
EVENTS = "/v1/events"
ACTIVITIES = "/v1/activities"


class Answer(NamedTuple):
    """Status, headers in lower case, body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)

    @property
    def problem(self) -> tuple[int, str]:
        """Status and reason of problem details."""
        assert self.headers["content-type"] == "application/problem+json"
        document = self.document
        assert document["status"] == self.status
        assert document["title"]
        assert document["detail"]
        return self.status, document["reason"]


class Door:
    """One running service. `prefix` is that of its topics."""

    def __init__(self, bootstrap_servers: str, prefix: str, folder: Path, **settings: object) -> None:
        self.client_config = {"bootstrap.servers": bootstrap_servers}
        self.topics = catalogue(prefix)
        self.port = free_port()
        self.metrics_port = free_port()
        self.tls: ssl.SSLContext | None = None
        self.log = folder / "api.log"
        self._folder = folder
        given = {f"ARREARS_API__{name.upper()}": str(value) for name, value in settings.items()}
        self._environment = {
            **os.environ,
            "ARREARS_KAFKA__BOOTSTRAP_SERVERS": bootstrap_servers,
            "ARREARS_KAFKA__TOPIC_PREFIX": prefix,
            "ARREARS_SERVICE__PORT": str(self.metrics_port),
            "ARREARS_API__PORT": str(self.port),
            **given,
        }
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start and wait until it is ready."""
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", "pipeline.cli", "api"]
            self.process = subprocess.Popen(command, env=self._environment, cwd=self._folder, stderr=log, stdout=log)
        deadline = time.monotonic() + READY_SECONDS_MAX
        while self._status("/readyz") != 200:
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.05)

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def kill(self) -> None:
        """For the end of a test that went wrong."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(30)

    def connection(self) -> HTTPConnection:
        """A connection of one's own."""
        if self.tls is None:
            return HTTPConnection("127.0.0.1", self.port, timeout=30)
        return HTTPSConnection("127.0.0.1", self.port, timeout=30, context=self.tls)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """One request on a connection of its own. A list or a mapping is sent as JSON, an iterator in chunks."""
        content = json.dumps(body) if isinstance(body, dict | list) else body
        with contextlib.closing(self.connection()) as connection:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            chunked = isinstance(content, Iterator)
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                # A server that has refused closes before everything is sent, and its answer is there all the same.
                connection.request(method, path, content, named, encode_chunked=chunked)
            return answer_of(connection.getresponse())

    def post(self, key: str | None, body: Any, path: str = EVENTS, **headers: str) -> Answer:
        """Send to an endpoint with an API key."""
        authorization = {} if key is None else {"authorization": f"Bearer {key}"}
        return self.ask("POST", path, body, **{"content_type": "application/json", **authorization, **headers})

    def metric(self, series: str) -> float:
        """The value of a series now; 0 where there is none."""
        with contextlib.closing(HTTPConnection("127.0.0.1", self.metrics_port, timeout=10)) as connection:
            connection.request("GET", "/metrics")
            for line in connection.getresponse().read().decode().splitlines():
                if line.startswith(f"{series} "):
                    return float(line.rpartition(" ")[2])
        return 0.0

    def records(self, topic: str = "ar.events") -> list[tuple[str, dict[str, Any]]]:
        """Everything in a topic, decoded."""
        found = read_topics(self.client_config, [self.topics[topic]])
        return [contracts().decode(message.value() or b"") for message in found]

    def by_id(self, ids: Iterable[str]) -> dict[str, list[str]]:
        """For each event id, the names of the records that carry it."""
        names: dict[str, list[str]] = {event_id: [] for event_id in ids}
        for name, record in self.records():
            if record["event_id"] in names:
                names[str(record["event_id"])].append(name)
        return names

    def _status(self, path: str) -> int:
        try:
            return self.ask("GET", path).status
        except OSError:
            return 0


def answer_of(response: HTTPResponse) -> Answer:
    """An answer, read whole."""
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, headers, response.read())


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
