"""A real PostgreSQL server for the tests: Debian's own, on a free port, in a folder of its own."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.local.ports import free_port

SECONDS_MAX = 60
PASSWORD = "p4ss%word"  # noqa: S105  of a server that lives for one test session
_UNPRIVILEGED = ("postgres", "nobody")  # it refuses to run as root


def _programs() -> Path | None:
    """The folder of initdb and pg_ctl, the newest version first."""
    found = shutil.which("pg_ctl")
    if found and shutil.which("initdb"):
        return Path(found).parent
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    return next((folder for folder in folders if (folder / "pg_ctl").exists()), None)


def _user() -> str | None:
    """Whom the server runs as; None = whoever runs the tests."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    user = next((name for name in _UNPRIVILEGED if name in known), None)
    if user is None:
        pytest.skip("the tests run as root, and there is no user to run PostgreSQL as")
    return user


@contextmanager
def postgres_server() -> Iterator[str]:
    """The SQLAlchemy URL of a server that lives as long as the block. Skips the test where there is none."""
    programs = _programs()
    if programs is None:
        pytest.skip("no PostgreSQL server is installed (initdb and pg_ctl are neither on PATH nor Debian's)")
    user = _user()
    # Not in pytest's folder: that may be entered by its owner alone.
    with tempfile.TemporaryDirectory(prefix="postgres-") as name:
        folder, port = Path(name), free_port()
        (folder / "password").write_text(PASSWORD, encoding="utf-8")
        if user is not None:
            for path in (folder, folder / "password"):
                shutil.chown(path, user)

        def run(program: str, *arguments: str) -> None:
            done = subprocess.run(
                [str(programs / program), "-D", str(folder / "data"), *arguments], capture_output=True, text=True,
                user=user, cwd=folder, check=False, timeout=SECONDS_MAX, env={**os.environ, "LC_ALL": "C.UTF-8"},
            )  # fmt: skip
            assert done.returncode == 0, f"{program}: {done.stdout}{done.stderr}"

        run("initdb", "-U", "erp", "-A", "scram-sha-256", f"--pwfile={folder / 'password'}", "--no-sync", "-E", "UTF8")
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off"
        run("pg_ctl", "-w", "-t", str(SECONDS_MAX), "-l", str(folder / "log"), "-o", options, "start")
        try:
            quoted = PASSWORD.replace("%", "%25")
            yield f"postgresql+psycopg://erp:{quoted}@127.0.0.1:{port}/postgres"
        finally:
            run("pg_ctl", "-w", "-m", "immediate", "stop")
