"""What must happen between a crash of the local broker and its next start.

A single KRaft node that starts again after ``kill -9`` first acts on the metadata of before the crash: for an instant
it leads all its partitions, completes transactions that were being committed, and then learns that it is fenced. A
commit that falls into this instant is written down as complete although its marker never reached a partition, and
nobody who reads committed records ever gets past that point. So the controller first runs alone until it has fenced
the former life; then the node starts without an instant of false leadership.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from pipeline.errors import Problem
from pipeline.local.kafka_config import (
    ACTIVE_WORDS,
    FENCED_WORDS,
    write_controller_properties,
    write_fencing_logging_properties,
)
from pipeline.local.ports import free_port
from pipeline.local.process import ChildProcess

FENCE_SECONDS_MAX = 60.0
# A controller that has been active for so long and fenced nobody found the former life fenced already.
NOTHING_TO_FENCE_SECONDS = 3.0


def crashed(data: Path) -> bool:
    """Whether the node that used this folder last was ended without a clean shutdown."""
    return (data / "__cluster_metadata-0").exists() and not (data / ".kafka_cleanshutdown").exists()


def fence_former_life(
    folder: Path, data: Path, lock: int, command: Callable[[Path, Path], Sequence[str | Path]]
) -> None:
    """Run the controller alone until the broker of before the crash is fenced.

    ``command`` gives the program for a logging file and a properties file. Raises ``Problem`` when the controller
    does not start.
    """
    log = folder / "fencing.log"
    log.unlink(missing_ok=True)
    properties = write_controller_properties(folder / "fencing.properties", data, free_port())
    logging = write_fencing_logging_properties(folder / "fencing-log4j2.properties", log)
    process = ChildProcess(
        "the controller of the local Kafka broker", command(logging, properties), folder / "kafka.out", held=(lock,)
    )
    try:
        _wait_until_fenced(process, log)
    finally:
        process.stop()


def _wait_until_fenced(process: ChildProcess, log: Path) -> None:
    deadline = time.monotonic() + FENCE_SECONDS_MAX
    active_since: float | None = None
    while time.monotonic() < deadline:
        words = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
        if active_since is None and ACTIVE_WORDS in words:
            active_since = time.monotonic()
        nothing_to_fence = active_since is not None and time.monotonic() > active_since + NOTHING_TO_FENCE_SECONDS
        if FENCED_WORDS in words or nothing_to_fence:
            return
        if process.poll() is not None:
            raise Problem(f"the local Kafka broker cannot recover from its crash: {process.last_words()}", f"See {log}")
        time.sleep(0.05)
    raise Problem(f"the local Kafka broker was not fenced in {FENCE_SECONDS_MAX:.0f} s after its crash", f"See {log}")
