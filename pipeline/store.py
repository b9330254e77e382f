"""One partition's state with the log it is kept in: opened, changed by batches, committed, dropped (DESIGN §3).

A store has one thread at a time. After any exception it is of no more use: close its log and open another; what was not
committed was never visible, and what was is in the state topic.
"""

import copy
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field

from pipeline.metrics import EXPIRED, RESTORED_RECORDS
from pipeline.ports import Fold, FoldFactory, Headers, PartitionLog
from pipeline.progress import PROGRESS_KEY, RESERVED, Progress, decode_progress

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Written:
    """What the open transaction holds so far, for the limits and the metrics."""

    records: int = 0  # of the event log
    counters: dict[str, int] = field(default_factory=dict)  # by field of Progress
    outputs: dict[str, int] = field(default_factory=dict)  # by record name
    failures: dict[tuple[str, str], int] = field(default_factory=dict)  # by stage and reason
    examples: dict[tuple[str, str], str] = field(default_factory=dict)  # position and error of the first of them
    state_records: int = 0
    state_bytes: int = 0


class PartitionStore:
    """The fold of one partition, its progress and its transactional log."""

    def __init__(self, partition: int, fold: Fold, log: PartitionLog, progress: Progress) -> None:
        self.partition = partition
        self.fold = fold
        self.log = log
        self.progress = progress
        self.committed = copy.copy(progress)
        self.written = Written()
        self.timestamp_milliseconds = 0  # of the last record folded
        self._open = False

    def begin(self) -> None:
        """Open a transaction, unless one is open."""
        if not self._open:
            self.log.begin()
            self._open = True
            self.written = Written()

    def seal(self) -> None:
        """Step 5, first half: add the changed state and the progress to the transaction."""
        changes = [(key.encode(), value) for key, value in self.fold.take_changes()]
        self.progress.clock_micros = self.fold.clock_micros
        changes.append((PROGRESS_KEY, self.progress.encode()))
        self.written.state_records = len(changes)
        self.written.state_bytes = sum(len(value) for _, value in changes if value is not None)
        self.log.write_state(changes)

    def commit(self) -> Written:
        """Step 5, second half: outputs, state and progress become visible at once. Returns what was committed."""
        self.log.commit()
        self._open = False
        self.committed = copy.copy(self.progress)
        return self.written

    def append(self, topic: str, partition: int, key: bytes | None, value: bytes, headers: Headers) -> None:
        """Write one record in a transaction of its own, by the partition's right: a zombie's is refused."""
        self.begin()
        self.log.write(topic, partition, key, value, headers)
        self.log.commit()
        self._open = False


def open_store(partition: int, log: PartitionLog, fold_factory: FoldFactory) -> PartitionStore:
    """Step 2: fence former owners, then restore state and progress. Raises what ``PartitionLog`` raises.

    The position may lie before the oldest record that the broker still holds, when a worker was away for longer than
    the log's retention. Those events are lost for the jobs; they are counted in ``expired`` and reported loudly.
    """
    log.fence()
    latest = _latest(log.read_state())
    stored = latest.pop(PROGRESS_KEY, None)
    progress = decode_progress(stored) if stored is not None else Progress()
    fold = fold_factory()
    while latest:
        # Taken out one by one, so that the state is not in memory twice.
        key, value = latest.popitem()
        if not key.startswith(RESERVED):
            fold.restore(key.decode(), value)
    fold.restored()
    first = log.first_offset()
    if progress.position < first:
        if stored is not None:
            lost = first - progress.position
            progress.expired += lost
            EXPIRED.inc(lost)
            logger.error(
                "offsets %s to %s of partition %s were deleted by retention before they were applied",
                progress.position,
                first - 1,
                partition,
            )
        progress.position = first
    return PartitionStore(partition, fold, log, progress)


def _latest(records: Iterator[tuple[bytes, bytes | None]]) -> dict[bytes, bytes]:
    """The last value of each key: compaction runs now and then, so the topic holds older ones and tombstones, too."""
    latest: dict[bytes, bytes] = {}
    count = 0
    for key, value in records:
        if value is None:
            latest.pop(key, None)
        else:
            latest[key] = value
        count += 1
        if count % 10_000 == 0:
            RESTORED_RECORDS.inc(10_000)
    RESTORED_RECORDS.inc(count % 10_000)
    return latest
