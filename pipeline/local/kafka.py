"""The local broker: Apache Kafka itself, one KRaft node on the loopback interface."""

import contextlib
import re
import shutil
import subprocess
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Self

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from pipeline.errors import Problem
from pipeline.local.folder import Folder, folder_problem
from pipeline.local.java import Java, find_java
from pipeline.local.kafka_classes import ClassArchive
from pipeline.local.kafka_config import CLUSTER_ID, write_logging_properties, write_server_properties
from pipeline.local.kafka_fencing import crashed, fence_former_life
from pipeline.local.kafka_files import KafkaFiles, Progress
from pipeline.local.ports import LOOPBACK, answers, free_port, is_free
from pipeline.local.process import GRACE_SECONDS, ChildProcess

_EXCEPTION = re.compile(r"^(?:Caused by: )?[\w.$]+(?:Exception|Error): (.+)$", re.MULTILINE)
START_SECONDS_MAX = 60.0
HEAP_MIB = 512
DEFAULT_PORT = 9092
# A broker that makes the archive of its classes does so when it has ended, which takes seconds.
ARCHIVE_SECONDS_MAX = 60.0


class KafkaBroker:
    """One broker with its data in ``folder``; the same data, and the same port, at every start.

    ``port`` is taken when it is free at the first start, else another one. Starting twice does nothing; so does
    stopping twice.
    """

    def __init__(
        self,
        folder: Path,
        port: int = DEFAULT_PORT,
        heap_mib: int = HEAP_MIB,
        cache_folder: Path | None = None,
        progress: Progress | None = None,
    ) -> None:
        self._folder = Folder(folder)
        self._data = self._folder.path / "data"
        self._preferred_port = port
        self._port: int | None = None
        self._heap_mib = heap_mib
        self._files = KafkaFiles(cache_folder)
        self._progress = progress or (lambda *_: None)
        self._process: ChildProcess | None = None
        self._log_bytes_before = 0
        self._archiving: list[str] = []  # options of Java for the broker that makes the archive of classes

    @property
    def bootstrap_servers(self) -> str:
        """Address for clients; known from the first start on."""
        return f"{LOOPBACK}:{self._port or self._preferred_port}"

    @property
    def folder(self) -> Path:
        """Where the data are."""
        return self._folder.path

    @property
    def pid(self) -> int | None:
        """Process id of the broker, None when it does not run."""
        return self._process.pid if self._process else None

    @property
    def log(self) -> Path:
        """Warnings and errors of the broker."""
        return self._folder.path / "kafka.log"

    def is_running(self) -> bool:
        """Whether the broker's process is there."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Fetch the program when needed, format the data folder once, start, and wait until it answers.

        Raises ``Problem`` when the folder cannot be used, the program cannot be fetched or does not start.
        """
        if self.is_running():
            return
        self.stop()
        java = find_java()
        self._files.fetch(self._progress)
        lock = self._folder.acquire()
        try:
            self._prepare_data(java)
            if not self._archiving:
                ClassArchive(self._files.folder, java).make_once(self._start_and_end)
            if crashed(self._data):
                fence_former_life(self._folder.path, self._data, lock, partial(self._program, java))
            self._launch(java, lock)
        except OSError as error:
            self.stop()
            raise folder_problem(self._folder.path, error) from error
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the broker in order and give the folder back."""
        if self._process is not None:
            self._process.stop()
            self._process = None
        self._folder.release()

    def kill(self) -> None:
        """End the broker by ``kill -9``, as a crash would, and give the folder back."""
        if self._process is not None:
            self._process.kill()
            self._process = None
        self._folder.release()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _launch(self, java: Java, lock: int) -> None:
        if self._port is None:
            self._port = free_port(self._preferred_port)
        elif not is_free(self._port):
            raise Problem(f"port {self._port} of the broker is taken by another program", "End that program")
        properties = write_server_properties(
            self._folder.path / "server.properties", self._data, self._port, free_port()
        )
        logging = write_logging_properties(self._folder.path / "log4j2.properties", self.log)
        self._log_bytes_before = self.log.stat().st_size if self.log.exists() else 0
        self._process = ChildProcess(
            "the local Kafka broker",
            self._program(java, logging, properties),
            self._folder.path / "kafka.out",
            held=(lock,),
            grace_seconds=ARCHIVE_SECONDS_MAX if self._archiving else GRACE_SECONDS,
        )
        self._wait_until_ready(self._process, self._port)

    def _program(self, java: Java, logging: Path, properties: Path) -> list[str | Path]:
        """The command of a node."""
        return [
            *self._java_command(java, self._heap_mib),
            f"-Dlog4j2.configurationFile={logging}",
            "kafka.Kafka",
            properties,
        ]

    def _java_command(self, java: Java, heap_mib: int) -> list[str | Path]:
        return [
            java.path,
            f"-Xmx{heap_mib}m",
            "-XX:+UseSerialGC",
            # The quick compiler alone: half the CPU at the start, and half of it for the first million records.
            "-XX:TieredStopAtLevel=1",
            "-XX:+ExitOnOutOfMemoryError",
            "-Djava.awt.headless=true",
            *(self._archiving or ClassArchive(self._files.folder, java).options),
            "-cp",
            self._files.class_path,
        ]

    def _prepare_data(self, java: Java) -> None:
        """Give the data folder its KRaft metadata, once.

        Formatting takes a Java program two seconds, so it is done once for all stacks, and copied. A folder that
        is not whole never gets its name, here and there.
        """
        if self._data.exists():
            return
        template = self._files.folder / "formatted"
        if not template.exists():
            self._format(java, template)
        fresh = self._folder.path / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.copytree(template, fresh)
        fresh.rename(self._data)

    def _start_and_end(self, folder: Path, java_options: list[str]) -> None:
        """A broker of nobody, with more options for its Java."""
        self._progress("Preparing Kafka's start, once", 0, 1)
        scratch = KafkaBroker(folder, port=0, heap_mib=self._heap_mib, cache_folder=self._files.folder.parent)
        scratch._archiving = java_options
        with scratch:
            pass
        self._progress("Preparing Kafka's start, once", 1, 1)

    def _format(self, java: Java, template: Path) -> None:
        self._progress("Preparing Kafka, once", 0, 1)
        with tempfile.TemporaryDirectory(dir=self._files.folder) as work:
            data = Path(work) / "data"
            properties = write_server_properties(Path(work) / "server.properties", data, 9092, 9093)
            done = subprocess.run(  # noqa: S603  our own command
                [
                    *self._java_command(java, 128),
                    "kafka.tools.StorageTool",
                    *("format", "--cluster-id", CLUSTER_ID, "--config", properties),
                ],
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode != 0:
                words = " ".join((done.stderr or done.stdout).split())[-300:]
                raise Problem(f"the local Kafka broker cannot be prepared: {words}")
            with contextlib.suppress(OSError):  # another stack was faster
                data.rename(template)
        self._progress("Preparing Kafka, once", 1, 1)

    def _wait_until_ready(self, process: ChildProcess, port: int) -> None:
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise Problem(f"the local Kafka broker does not start: {self._last_error(process)}")
            if answers(port) and _has_broker(self.bootstrap_servers):
                return
            time.sleep(0.02)
        raise Problem(f"the local Kafka broker did not answer in {START_SECONDS_MAX:.0f} s", f"See {self.log}")

    def _last_error(self, process: ChildProcess) -> str:
        """The message of the last exception in what this start has logged."""
        try:
            with self.log.open(encoding="utf-8", errors="replace") as log:
                log.seek(self._log_bytes_before)
                exceptions: list[str] = _EXCEPTION.findall(log.read())
        except OSError:
            exceptions = []
        return (exceptions or [process.last_words()])[-1] + f"; see {self.log}"


def _has_broker(bootstrap_servers: str) -> bool:
    client = AdminClient({"bootstrap.servers": bootstrap_servers, "log_level": 0})
    try:
        return bool(client.list_topics(timeout=1.0).brokers)
    except KafkaException:
        return False
