"""One assigned partition, from its fencing to its revocation: the seven steps of DESIGN §3 in order.

1. Batches come from Faust, one partition each (``pipeline.app``).
2. The partition is fenced and restored; until then nothing is fetched from it.
3. What is applied already is skipped, 4. the rest is folded, 5. committed as one transaction (``pipeline.commit``).
6. Only then is the batch acknowledged.
7. On revocation a running batch may end, for a bounded time; then store and producer go.

A partition runs by itself: while one waits for its commit, another one folds.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Protocol

from pipeline import metrics
from pipeline.app import Acknowledge
from pipeline.batches import Batch, merge
from pipeline.clock import TickSchedule, now_micros
from pipeline.codec import Poison
from pipeline.commit import Committer, EffectUnwritable
from pipeline.observations import count_transaction, forget_partition, observe_partition
from pipeline.ports import Fenced, FoldFactory, Headers, PartitionLog, TransactionFailed, Unavailable
from pipeline.progress import Progress
from pipeline.store import PartitionStore, open_store

logger = logging.getLogger(__name__)

RETRY_SECONDS_MIN = 0.2
RETRY_SECONDS_MAX = 10.0
# Batches that wait for their turn; they are merged into one transaction when it comes.
WAITING_BATCHES_MAX = 4


class Feed(Protocol):
    """The reader of the event log, as a partition sees it (``pipeline.transport.GroupConsumer``)."""

    def open_partition(self, partition: int, position: int) -> None:
        """Deliver the partition from a position on."""

    def shut_partition(self, partition: int) -> None:
        """Deliver nothing more of it."""

    def rewind(self, partition: int, position: int) -> None:
        """Deliver from a position again."""

    def end_offset(self, partition: int) -> int | None:
        """One past the partition's last record."""

    def settled_position(self, partition: int, position: int) -> int:
        """``position``, or the end behind it when only control records follow."""


@dataclass(slots=True)
class Workshop:
    """What all partitions of a worker share.

    ``fold_thread`` has one thread: folds would only take the interpreter from one another. ``wait_threads`` are for
    what waits for the broker. ``is_owner`` asks the group, and may block.
    """

    feed: Feed
    make_log: Callable[[int], PartitionLog]
    fold_factory: FoldFactory
    committer: Committer
    is_owner: Callable[[int], bool]
    fold_thread: Executor
    wait_threads: Executor
    batch_records_max: int
    tick_interval_seconds: float | None  # None: the clock is external
    tick: Callable[[int], tuple[str, bytes, Headers]]  # instant → topic, value, headers
    failed: Callable[[BaseException], None]
    folding_since: float | None = field(default=None, init=False)  # monotonic; None when no fold runs


class PartitionRunner:
    """The life of one partition in this worker. Used from the event loop only."""

    def __init__(self, partition: int, workshop: Workshop) -> None:
        self.partition = partition
        self.store: PartitionStore | None = None
        self.committed: Progress | None = None  # kept when the store is dropped
        self._log: PartitionLog | None = None
        self._broken: Exception | None = None
        self._shop = workshop
        self._waiting: deque[tuple[Batch, Acknowledge]] = deque()
        self._changed = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._stopping = False
        self._poisoned: dict[int, Poison] = {}
        self._schedule = (
            TickSchedule(workshop.tick_interval_seconds) if workshop.tick_interval_seconds is not None else None
        )
        self._task = asyncio.create_task(self._live(), name=f"partition-{partition}")

    @property
    def running(self) -> bool:
        """Whether the state is restored and batches are taken."""
        return self.store is not None and not self._stopping

    def _revoked(self) -> bool:
        return self._stopping

    async def offer(self, batch: Batch, acknowledge: Acknowledge) -> None:
        """Take a batch, waiting while enough others wait. Batches of a partition that does not run are dropped:
        they are read again when it does."""
        while self.running and not self._room.is_set():
            await self._room.wait()
        if not self.running:
            return
        self._waiting.append((batch, acknowledge))
        if len(self._waiting) >= WAITING_BATCHES_MAX:
            self._room.clear()
        self._changed.set()

    async def stop(self, wait_seconds: float) -> None:
        """Step 7. A running batch has ``wait_seconds`` to end; then nobody waits for it, and it cannot harm: the
        producer is closed under it, or fenced by the next owner."""
        self._stopping = True
        self._shop.feed.shut_partition(self.partition)
        self._waiting.clear()
        self._room.set()
        self._changed.set()
        if self.store is None and self._log is not None:
            self._log.close()  # a restore is of no use any more
        done, _ = await asyncio.wait({self._task}, timeout=wait_seconds)
        if not done:
            logger.warning("the running batch is given up", extra={"partition": self.partition})
            if self._log is not None:
                self._log.close()
            self._task.cancel()
            await asyncio.wait({self._task}, timeout=1.0)

    def out_of_range(self) -> None:
        """The position is gone from the log: restore, which counts what is lost."""
        if self.store is not None:
            self._broken = Unavailable("the position is no longer in the log")
            self._changed.set()

    async def _live(self) -> None:
        delay = RETRY_SECONDS_MIN
        while not self._stopping:
            cause = ""
            try:
                store = await self._open()
                if store is None:
                    cause = "not a member"
                else:
                    delay = RETRY_SECONDS_MIN
                    await self._serve(store)
            except Fenced:
                # Step 7 by the broker's word. Only the group can tell whether the partition is still ours.
                cause = "fenced"
            except TransactionFailed as error:
                cause = "transaction"
                logger.warning("transaction failed", extra={"partition": self.partition, "error": str(error)})
            except Unavailable as error:
                cause = "unavailable"
                logger.warning("the broker is away", extra={"partition": self.partition, "error": str(error)})
            except EffectUnwritable as error:
                cause = "encode"
                self._poisoned[error.offset] = error.poison
                logger.exception("an effect cannot be written", extra={"partition": self.partition})
            except Exception as error:  # noqa: BLE001  whatever it is, the worker must not go on without the partition
                if not self._stopping:
                    self._shop.failed(error)
                return
            finally:
                await self._drop()
            if cause and not self._stopping:
                metrics.DROPPED.labels(cause.replace(" ", "_")).inc()
                logger.info("partition dropped", extra={"partition": self.partition, "cause": cause})
                self._changed.clear()
                await self._wait(delay)
                delay = min(2 * delay, RETRY_SECONDS_MAX)

    async def _open(self) -> PartitionStore | None:
        """Step 2, when the group says that the partition is ours; None when it does not.

        Asked first, so that a worker that slept through its dismissal does not fence its successor.
        """
        loop = asyncio.get_running_loop()
        if not await loop.run_in_executor(self._shop.wait_threads, self._shop.is_owner, self.partition):
            return None
        started = time.monotonic()
        with metrics.PARTITIONS.labels("restoring").track_inprogress():
            self._log = await loop.run_in_executor(self._shop.wait_threads, self._shop.make_log, self.partition)
            if self._revoked():
                return None
            store = await loop.run_in_executor(
                self._shop.wait_threads, open_store, self.partition, self._log, self._shop.fold_factory
            )
        seconds = time.monotonic() - started
        metrics.RESTORE_SECONDS.observe(seconds)
        self.store = store
        self.committed = store.committed
        if self._revoked():
            return None
        logger.info(
            "partition restored",
            extra={
                "partition": self.partition,
                "position": store.progress.position,
                "seconds": round(seconds, 3),
            },
        )
        self._poisoned = {
            offset: poison for offset, poison in self._poisoned.items() if offset >= store.progress.position
        }
        self._broken = None
        self._waiting.clear()
        self._room.set()
        self._shop.feed.open_partition(self.partition, store.progress.position)
        return store

    async def _serve(self, store: PartitionStore) -> None:
        with metrics.PARTITIONS.labels("running").track_inprogress():
            while not self._stopping:
                if self._broken is not None:
                    raise self._broken
                if self._waiting:
                    await self._process(store, *self._take())
                feed = self._shop.feed
                position = feed.settled_position(self.partition, store.committed.position)
                observe_partition(store, position, feed.end_offset(self.partition))
                due_seconds = self._tick_in_seconds(store)
                if due_seconds <= 0:
                    await self._tick(store)
                elif not self._waiting:
                    self._changed.clear()
                    await self._wait(min(due_seconds, 5.0))

    async def _wait(self, seconds: float) -> None:
        """Until something changes, at most so long."""
        try:
            await asyncio.wait_for(self._changed.wait(), seconds)
        except TimeoutError:
            return

    def _take(self) -> tuple[Batch, list[Acknowledge]]:
        """All waiting batches that fit into one and follow one another."""
        batch, acknowledge = self._waiting.popleft()
        batches, acknowledges, records = [batch], [acknowledge], len(batch.records)
        while self._waiting:
            batch, acknowledge = self._waiting[0]
            records += len(batch.records)
            if batch.begin != batches[-1].end or records > self._shop.batch_records_max:
                break
            self._waiting.popleft()
            batches.append(batch)
            acknowledges.append(acknowledge)
        self._room.set()
        return merge(batches), acknowledges

    async def _process(self, store: PartitionStore, batch: Batch, acknowledges: list[Acknowledge]) -> None:
        """Steps 3 to 6 for one batch, in as many transactions as its outputs need."""
        if batch.begin > store.progress.position:
            # Something between was lost on its way here, as by a rebalance that emptied Faust's buffers.
            metrics.DROPPED.labels("hole").inc()
            self._shop.feed.rewind(self.partition, store.progress.position)
            return
        loop = asyncio.get_running_loop()
        index = 0
        while index < len(batch.records):
            before = store.progress.position
            started = time.monotonic()
            index = await loop.run_in_executor(self._shop.fold_thread, self._fold, store, batch, index)
            if store.progress.position == before:
                if self._stopping:
                    return
                break  # all of it was applied before
            folded = time.monotonic()
            written = await loop.run_in_executor(self._shop.wait_threads, store.commit)
            self.committed = store.committed
            count_transaction(self.partition, written, folded - started, time.monotonic() - folded)
        for acknowledge in acknowledges:
            acknowledge()

    def _fold(self, store: PartitionStore, batch: Batch, index: int) -> int:
        if self._stopping:
            return index  # revoked while it waited for its turn
        self._shop.folding_since = time.monotonic()
        try:
            return self._shop.committer.apply(store, batch.records, index, self._poisoned)
        finally:
            self._shop.folding_since = None

    def _tick_in_seconds(self, store: PartitionStore) -> float:
        if self._schedule is None:
            return float("inf")
        due = self._schedule.due_micros(store.fold.clock_micros, store.fold.next_wake_micros())
        return (due - now_micros()) / 1_000_000

    async def _tick(self, store: PartitionStore) -> None:
        """Append the time to the partition's own log, by the right of its owner."""
        if self._schedule is None:
            return
        at = self._schedule.tick(now_micros(), store.fold.clock_micros)
        topic, value, headers = self._shop.tick(at)
        await asyncio.get_running_loop().run_in_executor(
            self._shop.wait_threads, store.append, topic, self.partition, None, value, headers
        )
        metrics.TICKS_PUBLISHED.inc()

    async def _drop(self) -> None:
        """Step 7: nothing of the partition is kept."""
        log, self._log, self.store = self._log, None, None
        self._shop.feed.shut_partition(self.partition)
        self._waiting.clear()
        self._room.set()
        forget_partition(self.partition)
        if log is not None:
            await asyncio.get_running_loop().run_in_executor(self._shop.wait_threads, log.close)
