"""The broker's program files: fetched once, checked, and clear about what is wrong when they cannot be had."""

import hashlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from jgo.maven import MavenContext

from pipeline.errors import Problem
from pipeline.local import kafka_files
from pipeline.local.kafka_files import Jar, KafkaFiles, pinned_jars

CONTENT = b"a jar"


@pytest.fixture
def jars() -> list[Jar]:
    digest = hashlib.sha256(CONTENT).hexdigest()
    return [Jar("org.example", name, "1.0", digest) for name in ("one", "two", "three")]


@pytest.fixture
def repository_folder(tmp_path: Path, jars: list[Jar]) -> Path:
    """What a Maven repository has on its disk."""
    for jar in jars:
        folder = tmp_path / "remote" / "org" / "example" / jar.artifact / jar.version
        folder.mkdir(parents=True)
        (folder / jar.name).write_bytes(CONTENT)
    return tmp_path / "remote"


@pytest.fixture
def requests(repository_folder: Path, jars: list[Jar], monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A repository on this machine instead of Maven Central; gives the paths that were asked for."""
    asked: list[str] = []

    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments, directory=str(repository_folder))  # type: ignore[arg-type]

        def log_message(self, *_: object) -> None:
            asked.append(self.path)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever).start()
        url = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setattr(
            kafka_files, "_repository", lambda cache: MavenContext(repo_cache=cache, remote_repos={"here": url})
        )
        monkeypatch.setattr(kafka_files, "pinned_jars", lambda: ("1.0", jars))
        yield asked
        server.shutdown()


def test_the_pinned_list_is_complete() -> None:
    version, jars = pinned_jars()
    names = {jar.artifact: jar.version for jar in jars}
    assert names["kafka_2.13"] == names["kafka-clients"] == names["kafka-server"] == version
    assert all(len(jar.sha256) == 64 for jar in jars)
    assert len({jar.name for jar in jars}) == len(jars)


def test_everything_is_fetched_once_and_the_progress_is_told(tmp_path: Path, requests: list[str]) -> None:
    told: list[tuple[str, int, int]] = []
    files = KafkaFiles(tmp_path / "cache")
    files.fetch(lambda *step: told.append(step))
    assert [done for _, done, _ in told] == [0, 1, 2, 3]
    assert {Path(path).read_bytes() for path in files.class_path.split(":")} == {CONTENT}
    fetched = len(requests)
    files.fetch()
    KafkaFiles(tmp_path / "cache").fetch()
    assert len(requests) == fetched


def test_several_stacks_fetch_it_once_between_them(tmp_path: Path, requests: list[str]) -> None:
    with ThreadPoolExecutor(4) as stacks:
        for running in [stacks.submit(KafkaFiles(tmp_path / "cache").fetch) for _ in range(4)]:
            running.result()
    assert sum(path.endswith(".jar") for path in requests) == 3


@pytest.mark.usefixtures("requests")
def test_an_interrupted_fetch_goes_on_where_it_was(tmp_path: Path) -> None:
    files = KafkaFiles(tmp_path / "cache")
    half = files.folder / "repository" / "org" / "example" / "one" / "1.0" / "one-1.0.jar"
    half.parent.mkdir(parents=True)
    half.write_bytes(CONTENT[:2])
    assert not files.is_complete()
    files.fetch()
    assert (files.folder / "one-1.0.jar").read_bytes() == CONTENT


@pytest.mark.usefixtures("requests")
def test_a_file_that_is_not_the_pinned_one_is_refused(tmp_path: Path, repository_folder: Path) -> None:
    next(repository_folder.rglob("two-1.0.jar")).write_bytes(b"something else")
    files = KafkaFiles(tmp_path / "cache")
    with pytest.raises(Problem, match=r"two-1\.0\.jar is not the file that was pinned"):
        files.fetch()
    assert not files.is_complete()


@pytest.mark.usefixtures("requests")
def test_a_machine_without_a_network_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = {"nowhere": "http://127.0.0.1:1"}
    monkeypatch.setattr(kafka_files, "_repository", lambda cache: MavenContext(repo_cache=cache, remote_repos=nowhere))
    with pytest.raises(Problem, match=r"\.jar cannot be fetched: .*refused.*\. The first start needs the network once"):
        KafkaFiles(tmp_path / "cache").fetch()


def test_a_cache_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Problem, match=r"file/kafka-.* cannot be written: Not a directory"):
        KafkaFiles(tmp_path / "file").fetch()
