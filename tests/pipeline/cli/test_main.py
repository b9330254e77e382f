"""The command line as a user meets it: help, errors of one line, exit codes."""

import subprocess
import sys
from pathlib import Path

import pytest
import typer

from pipeline.cli import COMMANDS, _line, app
from pipeline.errors import Problem
from sinks.errors import SinkProblem


def arrears(*words: str, folder: Path | None = None, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run the program as a user does."""
    return subprocess.run(
        [sys.executable, "-m", "pipeline.cli", *words],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "COLUMNS": "120", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_help_names_every_command_with_a_sentence() -> None:
    done = arrears("--help")
    assert done.returncode == 0
    lines = {line.strip("│ ").split(" ")[0]: line for line in done.stdout.splitlines() if line.startswith("│")}
    for name in COMMANDS:
        assert len(lines[name].split()) > 4, name


@pytest.mark.parametrize("name", COMMANDS)
def test_every_registered_command_can_be_loaded_and_explains_itself(name: str) -> None:
    group = typer.main.get_command(app)
    command = group.get_command(typer.Context(group), name)  # type: ignore[attr-defined]
    assert command is not None
    assert command.name == name
    assert command.help


def test_the_version_is_printed() -> None:
    done = arrears("--version")
    assert (done.returncode, done.stdout) == (0, "arrears 0.1.0\n")


def test_a_misspelt_command_is_answered_with_the_nearest() -> None:
    done = arrears("docter")
    assert done.returncode == 2
    assert "Did you mean 'doctor'" in done.stderr


@pytest.mark.parametrize("order", [["--config", "x.toml", "doctor"], ["doctor", "--config", "x.toml"]])
def test_options_of_the_program_may_stand_before_or_after_the_command(tmp_path: Path, order: list[str]) -> None:
    (tmp_path / "x.toml").write_text("[kafka\n")
    done = arrears(*order, folder=tmp_path)
    assert done.returncode == 1
    assert "x.toml is not valid TOML" in done.stdout


def test_a_problem_is_one_line_and_exit_code_1(tmp_path: Path) -> None:
    done = arrears("up", folder=tmp_path, ARREARS_KAFKA__BOOTSTRAP="x:1")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith(
        "arrears: the environment variable ARREARS_KAFKA__BOOTSTRAP is not a setting. Keys of"
    )
    assert done.stderr.count("\n") == 1


def test_debug_shows_where_it_came_from(tmp_path: Path) -> None:
    done = arrears("up", "--debug", folder=tmp_path, ARREARS_KAFKA__BOOTSTRAP="x:1")
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "pipeline.errors.Problem" in done.stderr


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = arrears("up", folder=tmp_path, ARREARS_STACK__FOLDER=str(tmp_path / "file"), HOME=str(Path.home()))
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"arrears: the folder {tmp_path}/file/")
    assert last.endswith("cannot be written: Not a directory. Give another folder by stack.folder.")


def test_problems_of_the_rooms_below_are_shown_alike_and_defects_say_what_they_are() -> None:
    assert _line(Problem("it rains", "take a coat")) == "it rains. take a coat."
    assert _line(SinkProblem("it rains", "take a coat")) == "it rains. take a coat."
    assert _line(ValueError("a\nb")) == "ValueError: a b. This is a defect: --debug shows where"


def test_a_reader_that_goes_away_is_no_error() -> None:
    command = f"{sys.executable} -m pipeline.cli --help | head -c 1"
    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""
