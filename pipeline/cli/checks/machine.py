"""Checks of this machine: Python, companies, and what the local stack needs."""

import platform
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from avro import contracts
from pipeline.cli.checks.finding import Check, Finding
from pipeline.cli.preparation import has_companies
from pipeline.cli.registry import registry_contracts
from pipeline.companies import read_companies
from pipeline.errors import Problem
from pipeline.local.folder import SPACE_BYTES_MIN
from pipeline.local.java import find_java
from pipeline.settings import Settings

PYTHON_MIN = (3, 11)
# Below it the disk is likely to be full before anybody looks again.
SPACE_BYTES_COMFORTABLE = 2 * 1024**3


def look_at_python(_: Settings) -> Iterator[Finding]:
    """The version of Python."""
    wanted = ".".join(map(str, PYTHON_MIN))
    if sys.version_info < PYTHON_MIN:
        raise Problem(f"this is Python {platform.python_version()}", f"Install Python {wanted} or newer")
    yield Finding("python", "ok", platform.python_version())


def look_at_companies(settings: Settings) -> Iterator[Finding]:
    """Every company file can be read and makes sense."""
    folder = settings.companies.folder
    if not has_companies(folder):
        yield Finding(
            "companies",
            "warning",
            f"there is no company file in {folder}: all rules have their defaults",
            "Put one TOML file per company there, or set companies.folder",
        )
        return
    yield Finding("companies", "ok", ", ".join(read_companies(folder)))


def look_at_contracts(settings: Settings) -> Iterator[Finding]:
    """Every record has its own schema id: pinned, or where the settings name a registry, registered there."""
    known = registry_contracts(settings) or contracts()
    ids = [known.schema_id(name) for name in known.names]
    if len(set(ids)) != len(ids):
        raise Problem("two records share a schema id", "Correct avro/ids.json, or the registry")
    origin = f"the ids of {settings.schema_registry.url}" if settings.schema_registry.url else "pinned schema ids"
    yield Finding("contracts", "ok", f"{len(ids)} records with {origin}")


def look_at_stack(settings: Settings) -> Iterator[Finding]:
    """The folder of the local stack can be written and has room; there is a Java for the broker."""
    if settings.kafka.is_set("bootstrap_servers") and settings.clickhouse.is_set("url"):
        yield Finding("local stack", "skipped", "both addresses are given: it is not used")
        return
    yield _look_at_space(settings.stack.folder)
    if not settings.kafka.is_set("bootstrap_servers"):
        java = find_java()
        yield Finding("local stack", "ok", f"Java {java.version} at {java.path}")


def _look_at_space(folder: Path) -> Finding:
    present = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(present).free
    words = f"{free / 1024**3:.1f} GiB free for {folder}"
    if free < SPACE_BYTES_MIN:
        raise Problem(words, f"Free at least {SPACE_BYTES_MIN // 1024**2} MiB, or give another stack.folder")
    if free < SPACE_BYTES_COMFORTABLE:
        return Finding("local stack", "warning", words, "Free some space before long")
    return Finding("local stack", "ok", words)


CHECKS = (
    Check("python", look_at_python),
    Check("companies", look_at_companies),
    Check("contracts", look_at_contracts),
    Check("local stack", look_at_stack),
)
