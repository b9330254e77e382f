"""A data folder belongs to one stack at a time, and every trouble with it is one clear line."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.errors import Problem
from pipeline.local.folder import Folder

HOLDER = """
import pathlib, sys, time
from pipeline.local.folder import Folder
Folder(pathlib.Path(sys.argv[1])).acquire()
print("held", flush=True)
time.sleep(600)
"""


def test_a_folder_is_made_and_locked_and_given_back(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "a" / "b")
    folder.acquire()
    with pytest.raises(Problem, match=rf"the folder .*a/b is in use by process {os.getpid()}. Stop that stack first"):
        Folder(tmp_path / "a" / "b").acquire()
    folder.release()
    Folder(tmp_path / "a" / "b").acquire()


def test_another_process_is_refused_by_its_number_and_a_killed_one_leaves_nothing(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLDER, tmp_path], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(Problem, match=f"in use by process {holder.pid}"):
            Folder(tmp_path).acquire()
        holder.kill()
    Folder(tmp_path).acquire()


def test_a_folder_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Problem) as raised:
        Folder(tmp_path / "file" / "data").acquire()
    assert str(raised.value) == (
        f"the folder {tmp_path}/file/data cannot be written: Not a directory. Give another folder by stack.folder."
    )


def test_a_full_disk_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.local.folder.SPACE_BYTES_MIN", 2**62)
    with pytest.raises(Problem, match=r"the disk of .* is full\. Free at least"):
        Folder(tmp_path).acquire()
    monkeypatch.undo()
    Folder(tmp_path).acquire()  # the refusal did not keep the lock
