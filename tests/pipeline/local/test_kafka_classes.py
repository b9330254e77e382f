"""The archive of the broker's classes: made once for each Java, used when it is there, and missed by nobody."""

from pathlib import Path

import pytest

from pipeline.errors import Problem
from pipeline.local import KafkaBroker
from pipeline.local.java import Java, find_java
from pipeline.local.kafka_classes import ClassArchive
from pipeline.local.kafka_files import KafkaFiles

JAVA = Java(Path("/usr/bin/env"), 17)


@pytest.mark.kafka
@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="the kernel does not tell what a process has mapped")
def test_a_broker_has_it_in_its_memory(kafka: KafkaBroker) -> None:
    kafka.start()
    archive = ClassArchive(KafkaFiles().folder, find_java())
    assert archive.path.exists()
    if not archive.options:
        pytest.skip("this Java makes no archive of classes")
    assert archive.path.name in Path(f"/proc/{kafka.pid}/maps").read_text()


def test_it_is_made_once(tmp_path: Path) -> None:
    made: list[str] = []

    def run(folder: Path, options: list[str]) -> None:
        (option,) = options
        made.append(option)
        Path(option.removeprefix("-XX:ArchiveClassesAtExit=")).write_bytes(b"classes")

    archive = ClassArchive(tmp_path, JAVA)
    assert archive.options == []
    archive.make_once(run)
    archive.make_once(run)
    assert archive.options == ClassArchive(tmp_path, JAVA).options == [f"-XX:SharedArchiveFile={archive.path}"]
    assert archive.path.read_bytes() == b"classes"
    assert len(made) == 1


def test_a_java_that_makes_none_is_not_asked_again(tmp_path: Path) -> None:
    asked: list[Path] = []

    def run(folder: Path, _: list[str]) -> None:
        asked.append(folder)
        raise Problem("the broker does not start")

    archive = ClassArchive(tmp_path, JAVA)
    archive.make_once(run)
    archive.make_once(run)
    assert archive.options == []
    assert len(asked) == 1


def test_a_folder_that_cannot_be_written_is_no_reason_not_to_start(tmp_path: Path) -> None:
    archive = ClassArchive(tmp_path / "nowhere", JAVA)
    archive.make_once(lambda *_: pytest.fail("there is no place for it"))
    assert archive.options == []
