"""The broker's program files: fetched once from Maven Central, checked, and shared by all stacks.

The list in ``kafka.lock.toml`` pins every jar with its SHA-256, as jgo resolved ``org.apache.kafka:kafka_2.13``,
``kafka-clients`` and ``log4j-slf4j-impl``; fetching the list takes seconds, resolving it again took thirty.
"""

import fcntl
import hashlib
import os
import shutil
import sys
import tomllib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import Problem
from pipeline.local.folder import folder_problem

LOCK_FILE = Path(__file__).with_name("kafka.lock.toml")
CONNECTIONS = 6
TIMEOUT_SECONDS = 30

Progress = Callable[[str, int, int], None]  # what is being done, how many steps of how many are done


@dataclass(frozen=True)
class Jar:
    """One file of the broker, by its Maven coordinates."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def name(self) -> str:
        """File name in the repository and on the class path."""
        return f"{self.artifact}-{self.version}.jar"


def pinned_jars() -> tuple[str, list[Jar]]:
    """The broker's version and its jars."""
    lock = tomllib.loads(LOCK_FILE.read_text(encoding="utf-8"))
    return lock["version"], [Jar(*line.split(":")) for line in lock["jars"]]


def default_cache_folder() -> Path:
    """The user's cache folder, as the platform has it."""
    if given := os.environ.get("XDG_CACHE_HOME"):
        return Path(given) / "arrears"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "arrears"
    return Path.home() / ".cache" / "arrears"


class KafkaFiles:
    """The folder of the broker's jars; ``fetch`` fills it when it is not complete."""

    def __init__(self, cache_folder: Path | None = None) -> None:
        self.version, self._jars = pinned_jars()
        digest = hashlib.sha256(LOCK_FILE.read_bytes()).hexdigest()[:12]
        self.folder = (cache_folder or default_cache_folder()).absolute() / f"kafka-{self.version}-{digest}"
        self._complete = self.folder / "complete"

    @property
    def class_path(self) -> str:
        """All jars, as Java takes them; the order is that of the list, the same on every machine."""
        return os.pathsep.join(str(self.folder / jar.name) for jar in self._jars)

    def is_complete(self) -> bool:
        """Whether everything was fetched and checked before."""
        return self._complete.exists()

    def fetch(self, progress: Progress | None = None) -> None:
        """Fetch what is missing; does nothing when all is there. Safe to call from several processes at once.

        Raises ``Problem`` when the repository cannot be reached, a file is not what was pinned, or the folder
        cannot be written.
        """
        if self.is_complete():
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with locked(self.folder / "lock"):
                if not self.is_complete():
                    self._fetch_jars(progress or (lambda *_: None))
                    self._complete.touch()
        except OSError as error:
            raise folder_problem(self.folder, error) from error

    def _fetch_jars(self, progress: Progress) -> None:
        missing = [jar for jar in self._jars if not (self.folder / jar.name).exists()]
        done = len(self._jars) - len(missing)
        title = f"Fetching Kafka {self.version}, once"
        progress(title, done, len(self._jars))
        context = _repository(self.folder / "repository")
        with ThreadPoolExecutor(CONNECTIONS) as connections:
            tasks = [connections.submit(self._fetch_jar, context, jar) for jar in missing]
            try:
                for task in as_completed(tasks):
                    task.result()
                    done += 1
                    progress(title, done, len(self._jars))
            finally:
                connections.shutdown(wait=False, cancel_futures=True)
        shutil.rmtree(self.folder / "repository", ignore_errors=True)

    def _fetch_jar(self, context: Any, jar: Jar) -> None:  # noqa: ANN401  jgo has no types
        artifact = context.project(jar.group, jar.artifact).at_version(jar.version).artifact()
        # What an interrupted fetch left behind may be half a file.
        shutil.rmtree(artifact.cached_path.parent, ignore_errors=True)
        try:
            fetched: Path = artifact.resolve()
        except (OSError, RuntimeError) as error:
            raise Problem(
                f"{jar.name} cannot be fetched: {_reason(error)}",
                "The first start needs the network once; or set ARREARS_KAFKA__BOOTSTRAP_SERVERS to a running broker",
            ) from error
        if hashlib.sha256(fetched.read_bytes()).hexdigest() != jar.sha256:
            raise Problem(
                f"{jar.name} is not the file that was pinned",
                "Something on the way changes downloads; fetch from another network",
            )
        fetched.replace(self.folder / jar.name)


def _repository(cache: Path) -> Any:  # noqa: ANN401  jgo has no types
    """Maven Central and the mirrors of the user's jgo configuration, with a folder for downloads."""
    # Takes 0.7 s, and is needed once in the life of a machine.
    from jgo.config import GlobalSettings  # noqa: PLC0415
    from jgo.constants import MAVEN_CENTRAL_URL  # noqa: PLC0415
    from jgo.maven import MavenContext  # noqa: PLC0415

    mirrors = GlobalSettings.load().repositories
    return MavenContext(
        repo_cache=cache,
        remote_repos={**mirrors, "central": MAVEN_CENTRAL_URL},
        timeout=TIMEOUT_SECONDS,
    )


def _reason(error: Exception) -> str:
    """The innermost cause, which names the host, without the wrapping of the HTTP library."""
    cause: BaseException = error
    while cause.__cause__ or cause.__context__:
        cause = cause.__cause__ or cause.__context__ or cause
    return " ".join(str(cause).split()) or type(cause).__name__


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """One process at a time; waits for the others."""
    with path.open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
