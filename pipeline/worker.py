"""The worker: Faust's app, the partitions it was assigned, and what they share (DESIGN §3)."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import msgspec

from avro import Contracts
from pipeline import metrics
from pipeline.app import Acknowledge, WorkerApp, make_app
from pipeline.batches import Batch
from pipeline.breaker import Breaker, BreakerOptions
from pipeline.clock import TICK_HEADERS, tick_record
from pipeline.codec import EventCodec, KeyRing
from pipeline.commit import Committer
from pipeline.kafka_log import KafkaLog
from pipeline.outputs import Outputs
from pipeline.partitions import PartitionRunner, Workshop
from pipeline.poller import PollerOptions
from pipeline.ports import FoldFactory, Headers
from pipeline.positions import GroupPositions, Note
from pipeline.startup import ANSWER_SECONDS_MAX, admin_client, check_topics
from pipeline.state_topic import LogRange
from topics import EVENTS, Topic

logger = logging.getLogger(__name__)

STATE = "ar.state"
# A batch that runs when its partition is revoked, or the worker stops, may take so long to end.
STOP_SECONDS_MAX = 10.0
# Faust and the group get so long to stop.
LEAVE_SECONDS_MAX = 15.0
SUPERVISE_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerOptions:
    """All that can be set. ``client_config`` are librdkafka's options that every client shares.

    ``group_id`` names the consumer group and, with a partition number, the transactional ids: workers of one group
    share the work, two groups do it twice. ``tick_interval_seconds`` None means that somebody else ticks.
    """

    client_config: Mapping[str, Any]
    group_id: str
    catalogue: Mapping[str, Topic]
    batch_records_max: int = 10_000
    fetch_bytes_max: int = 4_194_304
    outputs_max: int = 50_000
    forward_events: bool = True
    commit_timeout_seconds: float = 30.0
    transaction_timeout_seconds: float = 120.0
    session_timeout_seconds: float = 10.0
    heartbeat_interval_seconds: float = 2.0
    restore_timeout_seconds: float = 600.0
    stall_seconds_max: float = 60.0
    tick_interval_seconds: float | None = 60.0
    breaker: BreakerOptions = field(default_factory=BreakerOptions)


@dataclass(frozen=True, slots=True)
class Jobs:
    """What is folded: a factory of empty folds, the events they take and the effects they give."""

    fold_factory: FoldFactory
    event_types: Mapping[str, type[msgspec.Struct]]
    effect_types: Sequence[type[msgspec.Struct]]


class Worker:
    """One process's share of the group. ``run`` returns after ``stop``, or raises why it cannot go on.

    ``heartbeat`` is called about every second while nothing is stuck; ``ready`` with whether all partitions that are
    assigned are restored.
    """

    def __init__(
        self,
        options: WorkerOptions,
        jobs: Jobs,
        contracts: Contracts,
        heartbeat: Callable[[], None] = lambda: None,
        ready: Callable[[bool], None] = lambda _: None,
    ) -> None:
        self._options = options
        self._jobs = jobs
        self._contracts = contracts
        self._heartbeat = heartbeat
        self._ready = ready
        self._runners: dict[int, PartitionRunner] = {}
        self._joined = False
        self._stop = asyncio.Event()
        self._failure: BaseException | None = None

    def stop(self) -> None:
        """End in order; call it in the event loop."""
        self._stop.set()

    async def run(self) -> None:
        """Check, join the group, work until ``stop``. Raises ``Problem``, or the defect that ended it."""
        options = self._options
        admin = admin_client(options.client_config)
        check_topics(admin, options.client_config, options.catalogue.values())
        app = make_app(self._poller_options(), self._deliver, self._assigned, self._revoked)
        consumer = app.group_consumer
        consumer.position_of = self._position_of
        consumer.on_failure = self._fail
        consumer.on_out_of_range = self._out_of_range
        partitions = options.catalogue[EVENTS].partitions
        fold_thread = ThreadPoolExecutor(1, "arrears-fold")
        wait_threads = ThreadPoolExecutor(partitions + 4, "arrears-wait")
        self._app = app
        self._shop = self._workshop(app, fold_thread, wait_threads)
        starting = asyncio.create_task(self._start(app))
        try:
            await self._supervise(app)
        finally:
            self._ready(False)
            starting.cancel()
            await self._shut_down(app)
            for pool in (fold_thread, wait_threads):
                pool.shutdown(wait=False, cancel_futures=True)
        if self._failure is not None:
            raise self._failure

    async def _start(self, app: WorkerApp) -> None:
        try:
            await app.start()
        except Exception as error:  # noqa: BLE001  whatever Faust cannot do, the worker cannot do without
            self._fail(error)

    async def _supervise(self, app: WorkerApp) -> None:
        """Until somebody stops the worker or something fails: tell that it is alive, and how it is."""
        while not self._stop.is_set():
            since = self._shop.folding_since
            if since is None or time.monotonic() - since < self._options.stall_seconds_max:
                self._heartbeat()
            self._ready(self._joined and all(runner.running for runner in self._runners.values()))
            self._tell_group(app, self._runners)
            self._observe()
            if app.crashed:
                self._fail(app.crash_reason or RuntimeError("the stream processor ended by itself"))
            try:
                await asyncio.wait_for(self._stop.wait(), SUPERVISE_SECONDS)
            except TimeoutError:
                continue

    async def _shut_down(self, app: WorkerApp) -> None:
        """Let running batches end, commit positions to the group, leave it. Bounded at each step."""
        runners = dict(self._runners)
        await asyncio.gather(*(runner.stop(STOP_SECONDS_MAX) for runner in runners.values()))
        self._tell_group(app, runners)
        self._runners.clear()
        try:
            await asyncio.wait_for(app.stop(), LEAVE_SECONDS_MAX)
        except TimeoutError:
            logger.warning("the group was left without its consent")

    # What Faust calls

    async def _deliver(self, batch: Batch, acknowledge: Acknowledge) -> None:
        runner = self._runners.get(batch.partition)
        if runner is not None:
            await runner.offer(batch, acknowledge)

    async def _assigned(self, partitions: AbstractSet[int]) -> None:
        self._joined = True
        for partition in sorted(partitions - self._runners.keys()):
            if not self._stop.is_set():
                self._runners[partition] = PartitionRunner(partition, self._shop)

    async def _revoked(self, partitions: AbstractSet[int]) -> None:
        """Step 7, side by side."""
        runners = {partition: self._runners.pop(partition) for partition in partitions & self._runners.keys()}
        await asyncio.gather(*(runner.stop(STOP_SECONDS_MAX) for runner in runners.values()))
        self._tell_group(self._app, runners)
        if runners:
            metrics.DROPPED.labels("revoked").inc(len(runners))

    def _out_of_range(self, partition: int) -> None:
        runner = self._runners.get(partition)
        if runner is not None:
            runner.out_of_range()

    # What is told to others

    def _fail(self, error: BaseException) -> None:
        if self._failure is None and not self._stop.is_set():
            self._failure = error
        self._stop.set()

    def _position_of(self, partition: int) -> int | None:
        runner = self._runners.get(partition)
        return runner.store.progress.position if runner is not None and runner.store is not None else None

    def _tell_group(self, app: WorkerApp, runners: Mapping[int, PartitionRunner]) -> None:
        """Step 6: a hint for tools that look at the group; what counts is each store's own progress."""
        notes = {partition: _note(app, partition, runner) for partition, runner in runners.items()}
        app.group_consumer.poller.group.commit(
            {partition: note for partition, note in notes.items() if note is not None}
        )

    def _observe(self) -> None:
        totals: dict[str, int] = {}
        for runner in self._runners.values():
            if runner.store is not None:
                for kind, count in runner.store.fold.statistics().items():
                    totals[kind] = totals.get(kind, 0) + count
        for kind, count in totals.items():
            metrics.STATE_ENTITIES.labels(kind).set(count)

    # What is made once

    def _poller_options(self) -> PollerOptions:
        options = self._options
        return PollerOptions(
            client_config=options.client_config,
            group_id=options.group_id,
            topic=options.catalogue[EVENTS].name,
            batch_records_max=options.batch_records_max,
            fetch_bytes_max=options.fetch_bytes_max,
            session_timeout_seconds=options.session_timeout_seconds,
            heartbeat_interval_seconds=options.heartbeat_interval_seconds,
        )

    def _workshop(self, app: WorkerApp, fold_thread: Executor, wait_threads: Executor) -> Workshop:
        options = self._options
        events = options.catalogue[EVENTS]
        log_range = LogRange(options.client_config)
        encode_tick = self._contracts.encoder("ClockTicked")

        def make_log(partition: int) -> KafkaLog:
            return KafkaLog(
                options.client_config,
                log_range,
                f"{options.group_id}-{partition}",
                options.catalogue[STATE].name,
                events.name,
                partition,
                transaction_timeout_seconds=options.transaction_timeout_seconds,
                commit_timeout_seconds=options.commit_timeout_seconds,
                restore_timeout_seconds=options.restore_timeout_seconds,
            )

        def tick(at_micros: int) -> tuple[str, bytes, Headers]:
            return events.name, encode_tick(tick_record(at_micros)), TICK_HEADERS

        return Workshop(
            feed=app.group_consumer,
            make_log=make_log,
            fold_factory=self._jobs.fold_factory,
            committer=Committer(
                EventCodec(self._contracts, self._jobs.event_types),
                KeyRing(events.partitions),
                Outputs(self._contracts, options.catalogue, self._jobs.effect_types),
                Breaker(options.breaker),
                options.outputs_max,
                options.forward_events,
            ),
            is_owner=partial(_is_owner, app.group_consumer.poller.group),
            fold_thread=fold_thread,
            wait_threads=wait_threads,
            batch_records_max=options.batch_records_max,
            tick_interval_seconds=options.tick_interval_seconds,
            tick=tick,
            failed=self._fail,
        )


def _is_owner(group: GroupPositions, partition: int) -> bool:
    """Whether the group takes this worker for the partition's owner; False, too, when it does not answer."""
    try:
        return group.ask_membership(partition).result(ANSWER_SECONDS_MAX)
    except TimeoutError:
        logger.info("the group does not answer", extra={"partition": partition})
        return False


def _note(app: WorkerApp, partition: int, runner: PartitionRunner) -> Note | None:
    """What the group is told: the applied position, with the progress beside it for `arrears lag`."""
    progress = runner.committed
    if progress is None:
        return None
    return app.group_consumer.settled_position(partition, progress.position), progress.encode().decode()
