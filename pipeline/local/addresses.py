"""Where the local stack of a folder listens, for the other commands of the same machine."""

import contextlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from pipeline.local.folder import is_alive

FILE = "addresses.json"


@dataclass(frozen=True)
class Addresses:
    """The parts of a running stack; a part that it does not run is empty."""

    pid: int
    kafka_bootstrap_servers: str
    clickhouse_url: str


def write_addresses(folder: Path, kafka_bootstrap_servers: str, clickhouse_url: str) -> None:
    """Tell where the stack of this process listens."""
    addresses = Addresses(os.getpid(), kafka_bootstrap_servers, clickhouse_url)
    fresh = folder / f"{FILE}.new"
    fresh.write_text(json.dumps(asdict(addresses)), encoding="utf-8")
    fresh.replace(folder / FILE)


def remove_addresses(folder: Path) -> None:
    """The stack of this process listens no more."""
    with contextlib.suppress(OSError):
        (folder / FILE).unlink()


def read_addresses(folder: Path) -> Addresses | None:
    """Where the stack of this folder listens; None when none runs, also after a crash that left the file behind."""
    try:
        addresses = Addresses(**json.loads((folder / FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return addresses if is_alive(str(addresses.pid)) else None
