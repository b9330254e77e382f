"""Step 4 of DESIGN §4: one attempt at inserting a batch, and the threads in which attempts are made.

Waiting between attempts is the writer's business, so that a thread is never asleep with a batch.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from sinks.batch import Batch
from sinks.errors import FenceExpired, RowsRefused, Unavailable
from sinks.failures import FailureLog
from sinks.log import SpanReader
from sinks.store import TableStore, token_of
from sinks.wrap import Wrapped

logger = logging.getLogger(__name__)


class Outcome(NamedTuple):
    """What came of one attempt: counts when the batch is inserted, else the error."""

    batch: Batch
    error: Exception | None
    rows: int = 0
    size_bytes: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0


class Inserts(Protocol):
    """Attempts under way, at most one per batch."""

    def submit(self, batch: Batch) -> None:
        """Begin an attempt; does not block. Its outcome comes from `outcomes`."""

    def outcomes(self, wait_seconds: float = 0.0) -> Sequence[Outcome]:
        """The attempts that ended since the last call; waits for the first one at most so long."""

    def close(self) -> None:
        """Begin no further attempt. One under way goes on: its token makes it harmless."""


@dataclass(frozen=True)
class Attempt:
    """What an attempt needs; one per thread, because a store belongs to one thread.

    `fence_seconds`: how old Kafka's last confirmation of our ownership may be when an insert begins. A process that
    was stopped in between (SIGSTOP, a sleeping machine) must ask again first, or its insert could come so late that
    the store has forgotten the token.
    """

    store: TableStore
    failures: FailureLog
    spans: SpanReader
    clock: Callable[[], float]
    fence_seconds: float

    def run(self, batch: Batch) -> Outcome:
        """Insert the batch's rows, its failures first. Raises Unavailable, FenceExpired or RowsRefused."""
        if batch.records is None:
            records = self.spans.read(batch.members)
            batch.size_bytes = sum(len(record) for found in records for record in found)
            batch.records = records
        started = time.perf_counter()
        try:
            wrapped = self._insert_whatever_it_takes(batch)
        except (Unavailable, RowsRefused):
            batch.forget()
            raise
        return Outcome(
            batch=batch,
            error=None,
            rows=wrapped.rows,
            size_bytes=len(wrapped.container),
            failed=len(wrapped.failures),
            skipped=wrapped.skipped,
            seconds=time.perf_counter() - started,
        )

    def _insert_whatever_it_takes(self, batch: Batch) -> Wrapped:
        try:
            return self._insert(batch, careful=False)
        except RowsRefused as refusal:
            logger.warning(
                "the store refused rows; looking at each record",
                extra={"token": _token(batch), "error": str(refusal)},
            )
            return self._insert(batch, careful=True)

    def _insert(self, batch: Batch, *, careful: bool) -> Wrapped:
        places = [partition for partition, _ in batch.members]
        wrapped = batch.route.wrapper.wrap(zip(places, batch.records or (), strict=True), careful=careful)
        # Before the rows, and so before the span can be committed: a record is in the table or in ar.failed.
        if wrapped.failures:
            self.failures.write(wrapped.failures)
        if wrapped.rows:
            if self.clock() - batch.fenced_at > self.fence_seconds:
                raise FenceExpired(f"the intent of {_token(batch)} is too old to insert on")
            self.store.insert(batch.route.table, _token(batch), wrapped.container)
        return wrapped


class ThreadedInserts:
    """Attempts in a few threads. `make_attempt` is called once in each."""

    def __init__(self, make_attempt: Callable[[], Attempt], threads: int) -> None:
        self._make_attempt = make_attempt
        self._pending: queue.SimpleQueue[Batch | None] = queue.SimpleQueue()
        self._ended: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._work, name=f"insert-{number}", daemon=True) for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, batch: Batch) -> None:
        """Queue the batch for the next free thread."""
        self._pending.put(batch)

    def outcomes(self, wait_seconds: float = 0.0) -> Sequence[Outcome]:
        """What ended, in the order in which it ended."""
        found: list[Outcome] = []
        try:
            found.append(self._ended.get(timeout=wait_seconds) if wait_seconds else self._ended.get_nowait())
            while True:
                found.append(self._ended.get_nowait())
        except queue.Empty:
            return found

    def close(self) -> None:
        """Let the threads end when they are through with what they hold."""
        for _ in self._threads:
            self._pending.put(None)

    def _work(self) -> None:
        attempt: Attempt | None = None
        while (batch := self._pending.get()) is not None:
            try:
                attempt = attempt or self._make_attempt()
                self._ended.put(attempt.run(batch))
            except (Unavailable, FenceExpired, RowsRefused) as error:
                self._ended.put(Outcome(batch, error))
            except Exception as error:
                logger.exception("an insert met a defect", extra={"token": _token(batch)})
                self._ended.put(Outcome(batch, error))


def _token(batch: Batch) -> str:
    return token_of(batch.route.table, batch.members)
