"""The broker's classes as Java has parsed and checked them (class-data sharing, JEP 350): a start takes half the CPU.

The archive is made once for each Java, by a broker that starts for nothing else. It is an aid: a Java that cannot make
one, or finds that it does not fit, starts without it.
"""

import contextlib
import hashlib
import tempfile
from collections.abc import Callable
from pathlib import Path

from pipeline.errors import Problem
from pipeline.local.java import Java
from pipeline.local.kafka_files import locked


class ClassArchive:
    """The archive of one Java, in the folder of the broker's jars."""

    def __init__(self, folder: Path, java: Java) -> None:
        digest = hashlib.sha256(_identity(java)).hexdigest()[:12]
        self.path = folder / f"classes-{digest}.jsa"

    @property
    def options(self) -> list[str]:
        """What makes Java use it; nothing when there is none."""
        return [f"-XX:SharedArchiveFile={self.path}"] if self._is_made() else []

    def make_once(self, run: Callable[[Path, list[str]], None]) -> None:
        """Unless it was tried before: ``run`` starts and ends a broker in a folder, with more options for its Java.

        Several processes may call it at once; all but one wait. An empty file tells that this Java makes none.
        """
        if self.path.exists():
            return
        with (
            contextlib.suppress(OSError),
            locked(self.path.with_suffix(".lock")),
            tempfile.TemporaryDirectory(dir=self.path.parent) as work,
        ):
            if self.path.exists():
                return
            made = Path(work) / self.path.name
            with contextlib.suppress(Problem):
                run(Path(work) / "broker", [f"-XX:ArchiveClassesAtExit={made}"])
            if not made.exists():
                made.touch()
            made.rename(self.path)

    def _is_made(self) -> bool:
        try:
            return self.path.stat().st_size > 0
        except OSError:
            return False


def _identity(java: Java) -> bytes:
    """Which Java it is, to the build: an archive fits no other."""
    program = java.path.resolve()
    with contextlib.suppress(OSError):
        return bytes(program) + (program.parent.parent / "release").read_bytes()
    return bytes(program) + str(program.stat().st_mtime_ns).encode()
