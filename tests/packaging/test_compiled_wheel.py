"""A wheel whose jobs are compiled does what the source does, byte by byte (`make test-compiled`; some minutes)."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = [pytest.mark.compiled, pytest.mark.timeout(0)]

ROOT = Path(__file__).parents[2]
BUILD_SECONDS_MAX = 1_800.0
TEST_SECONDS_MAX = 3_600.0
# What the jobs' own tests stand on.
BESIDE = ("tests", "docs", "examples", "pyproject.toml")


def run(folder: Path, *arguments: str, seconds_max: float = 600.0) -> str:
    """What Python prints in a folder, whose modules it takes before those that are installed."""
    command = [sys.executable, "-m", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=seconds_max, check=False)
    assert done.returncode == 0, done.stdout[-8_000:] + done.stderr[-4_000:]
    return done.stdout


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The content of the compiled wheel, with the tests beside it."""
    dist, folder = tmp_path_factory.mktemp("dist"), tmp_path_factory.mktemp("compiled")
    uv = Path(sys.executable).with_name("uv")
    command: list[str | Path] = [uv, "build", "--quiet", "--wheel", "--python", sys.executable, "--out-dir", dist, ROOT]
    environment = {**os.environ, "HATCH_BUILD_HOOK_ENABLE_CUSTOM": "true"}
    subprocess.run(command, env=environment, timeout=BUILD_SECONDS_MAX, check=True)
    (wheel,) = dist.glob("arrears-*.whl")
    assert "none-any" not in wheel.name
    zipfile.ZipFile(wheel).extractall(folder)
    for name in BESIDE:
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
    return folder


def test_the_same_log_gives_the_same_bytes(unpacked: Path) -> None:
    compiled, compiled_by = run(unpacked, "tests.packaging.fold_digest").split()
    source, source_by = run(ROOT, "tests.packaging.fold_digest").split()
    assert (Path(compiled_by).parent, Path(source_by).parent) == (unpacked / "jobs", ROOT / "jobs")
    assert not compiled_by.endswith(".py")
    assert source_by.endswith(".py")
    assert compiled == source


def test_every_scenario_holds(unpacked: Path) -> None:
    assert run(unpacked, "pipeline.cli", "check", "tests/scenarios").splitlines()[-1].endswith(" 0 failed")


def test_the_jobs_pass_their_own_tests(unpacked: Path) -> None:
    own = ["tests/jobs", "tests/property", "tests/scenarios"]
    run(unpacked, "pytest", "-q", "-m", "not source", "-p", "no:cacheprovider", *own, seconds_max=TEST_SECONDS_MAX)


def test_a_build_leaves_nothing_beside_the_source(unpacked: Path) -> None:
    assert (unpacked / "jobs").is_dir()
    assert list(ROOT.glob("jobs/**/*.so")) == []
