"""The local ClickHouse: its engine, embedded (chdb), in a process of its own behind ClickHouse's HTTP protocol."""

import http.client
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pipeline.errors import Problem
from pipeline.local.folder import Folder, folder_problem
from pipeline.local.ports import LOOPBACK, free_port, is_free
from pipeline.local.process import ChildProcess

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

START_SECONDS_MAX = 60.0
DEFAULT_PORT = 8123


class ClickHouseServer:
    """One server with its data in ``folder``; the same data, and the same port, at every start.

    ``port`` is taken when it is free at the first start, else another one. Starting twice does nothing; so does
    stopping twice. With a password, every request must carry it.
    """

    def __init__(self, folder: Path, port: int = DEFAULT_PORT, user: str = "default", password: str = "") -> None:
        self._folder = Folder(folder)
        self._preferred_port = port
        self._port: int | None = None
        self._user = user
        self._password = password
        self._process: ChildProcess | None = None

    @property
    def url(self) -> str:
        """Address for clients; known from the first start on."""
        return f"http://{LOOPBACK}:{self._port or self._preferred_port}"

    @property
    def folder(self) -> Path:
        """Where the data are."""
        return self._folder.path

    @property
    def pid(self) -> int | None:
        """Process id of the server, None when it does not run."""
        return self._process.pid if self._process else None

    def is_running(self) -> bool:
        """Whether the server's process is there."""
        return self._process is not None and self._process.poll() is None

    def client(self, database: str | None = None) -> "Client":
        """A clickhouse-connect client of this server, without a session, so that threads may share it."""
        from clickhouse_connect import get_client  # noqa: PLC0415  the stack itself does without it

        return get_client(
            host=LOOPBACK,
            port=self._port or self._preferred_port,
            username=self._user,
            password=self._password,
            database=database or "__default__",
            autogenerate_session_id=False,
        )

    def start(self) -> None:
        """Start the server and wait until it answers.

        Raises ``Problem`` when the folder cannot be used or the server does not start.
        """
        if self.is_running():
            return
        self.stop()
        lock = self._folder.acquire()
        try:
            self._launch(lock)
        except OSError as error:
            self.stop()
            raise folder_problem(self._folder.path, error) from error
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the server in order and give the folder back."""
        if self._process is not None:
            self._process.stop()
            self._process = None
        self._folder.release()

    def kill(self) -> None:
        """End the server by ``kill -9``, as a crash would, and give the folder back."""
        if self._process is not None:
            self._process.kill()
            self._process = None
        self._folder.release()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _launch(self, lock: int) -> None:
        if self._port is None:
            self._port = free_port(self._preferred_port)
        elif not is_free(self._port):
            raise Problem(f"port {self._port} of ClickHouse is taken by another program", "End that program")
        module = "pipeline.local.clickhouse_http"
        self._process = ChildProcess(
            "the local ClickHouse",
            [sys.executable, "-m", module, self._folder.path, str(self._port)],
            self._folder.path / "clickhouse.log",
            environment={"CLICKHOUSE_USER": self._user, "CLICKHOUSE_PASSWORD": self._password},
            held=(lock,),
        )
        self._wait_until_ready(self._process, self._port)

    def _wait_until_ready(self, process: ChildProcess, port: int) -> None:
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise Problem(f"the local ClickHouse does not start: {process.last_words()}", f"See {process.log}")
            if _pings(port):
                return
            time.sleep(0.02)
        raise Problem(f"the local ClickHouse did not answer in {START_SECONDS_MAX:.0f} s", f"See {process.log}")


def _pings(port: int) -> bool:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=2.0)
    try:
        connection.request("GET", "/ping")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
