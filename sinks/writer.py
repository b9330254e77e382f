"""The exactly-once writer: DESIGN §4, one turn of its loop at a time.

1. On assignment the committed offset and its metadata are read. A pending span [a, b] is read again and inserted with
   its token; otherwise reading starts at the offset.
2. Records are collected until rows, bytes or age is reached, and an insert can begin.
3. Offset a with metadata {a, b} is committed synchronously: the intent, and the fence. No insert without it.
4. The span is inserted, one Kafka partition an insert, with a token that names the span. Retried for ever, with the
   intent written again before each attempt, while the partition is paused once its buffer is full. Never skipped.
5. The next intent commits the former span; an idle, closed or revoked partition commits b + 1 without metadata.

Everything here runs in one thread; only the attempts of step 4 run elsewhere (`sinks.inserts`).
"""

import logging
import random
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter

from sinks import metrics
from sinks.errors import FenceExpired, RowsRefused, Unavailable
from sinks.inserts import Inserts, Outcome
from sinks.intent import TRANSFORM, read_intent
from sinks.lane import Lane, Limits, Stage
from sinks.log import Commit, Committed, Log, Polled
from sinks.positions import Partition
from sinks.routes import Route

logger = logging.getLogger(__name__)

RECORDS_AT_ONCE = 5000


@dataclass(frozen=True)
class Patience:
    """Waiting times in seconds.

    `retry_first` doubles with each attempt up to `retry_last`, both with jitter; `idle` passes without a new span
    before step 5 commits on its own; `drain` is how long a revoked partition may wait for its insert to end.
    """

    retry_first: float = 0.2
    retry_last: float = 15.0
    idle: float = 2.0
    drain: float = 10.0


class Writer:
    """Moves records from a log into tables, each once. Drive it with `turn`; end with `close`."""

    def __init__(
        self,
        log: Log,
        inserts: Inserts,
        routes: Mapping[str, Route],
        limits: Limits,
        patience: Patience,
        clock: Callable[[], float],
        jitter: random.Random,
    ) -> None:
        self._log = log
        self._inserts = inserts
        self._routes = routes
        self._limits = limits
        self._patience = patience
        self._clock = clock
        self._jitter = jitter
        self._is_over_budget = False
        self.lanes: dict[Partition, Lane] = {}
        self.was_assigned = False
        log.subscribe(self)

    # The owner's side of the log.

    def assigned(self, committed: Mapping[Partition, Committed]) -> None:
        """Step 1. Raises SinkProblem for metadata that are not the sink's."""
        for partition, (offset, metadata) in committed.items():
            route = self._routes[partition.topic]
            lane = Lane(partition, route, read_to=offset or 0)
            intent = read_intent(offset, metadata) if offset is not None else None
            if intent is not None:
                lane.replay = intent.span
                lane.is_clear = False
                metrics.REPLAYS.labels(route.table).inc()
                logger.info(
                    "a pending span is read again",
                    extra={
                        "partition": partition,
                        "span": intent.span,
                        "same_transform": intent.transform == TRANSFORM,
                    },
                )
            self.lanes[partition] = lane
        self.was_assigned = True
        metrics.PARTITIONS.set(len(self.lanes))

    def revoked(self, partitions: Collection[Partition]) -> None:
        """Step 5, while commits are still ours: wait a little for inserts under way, then commit what is inserted.

        What is collected and not inserted is forgotten; its offsets are not committed.
        """
        leaving = [self.lanes[partition] for partition in partitions if partition in self.lanes]
        deadline = self._clock() + self._patience.drain
        while any(lane.batch is not None and lane.batch.stage is Stage.INSERT for lane in leaving):
            left = deadline - self._clock()
            if left <= 0:
                logger.warning("partitions leave with an insert under way; the next owner inserts it again")
                break
            self._settle(self._inserts.outcomes(min(left, 0.5)))
        self._commit([commit for lane in leaving if (commit := lane.clearing())])
        self.lost(partitions)

    def lost(self, partitions: Collection[Partition]) -> None:
        """Forget these partitions. An insert under way may still end: its token makes it harmless."""
        for partition in partitions:
            self.lanes.pop(partition, None)
        metrics.PARTITIONS.set(len(self.lanes))

    # The loop.

    def turn(self, wait_seconds: float) -> None:
        """Receive, settle what is inserted, and begin what is due. Blocks at most `wait_seconds` for records."""
        self._collect(self._log.poll(RECORDS_AT_ONCE, wait_seconds))
        self._settle(self._inserts.outcomes())
        self._advance()
        self._throttle()

    def close(self) -> None:
        """Leave the group in order; every insert under way gets its chance to be committed."""
        self._log.close()
        self._inserts.close()

    def _collect(self, polled: Polled) -> None:
        """Step 2."""
        now = self._clock()
        lanes = self.lanes
        for record in polled.records:
            lane = lanes.get((record.topic(), record.partition()))  # type: ignore[call-overload] # a plain tuple is faster
            if lane is not None:
                lane.take(record, now)
        for partition, offset in polled.ends.items():
            if partition in lanes:
                lanes[partition].end(offset)

    def _advance(self) -> None:
        """Steps 3 and 5 of all partitions in one request to Kafka, then step 4 of those whose intent was accepted."""
        now = self._clock()
        commits: list[Commit] = []
        self._close_spans(now)
        for lane in self.lanes.values():
            if lane.batch is not None:
                if lane.batch.stage is Stage.INTENT and lane.batch.not_before <= now:
                    commits.append(lane.batch.intent())
            elif now - lane.settled_at >= self._patience.idle and (clearing := lane.clearing()):
                commits.append(clearing)
        self._commit(commits)

    def _close_spans(self, now: float) -> None:
        """The end of step 2, for those that have waited longest, as many as can be inserted now.

        The others go on collecting: a span that waits for its turn would only leave the next rows another turn to wait.
        """
        lanes = self.lanes.values()
        under_way = sum(lane.batch is not None and lane.batch.stage is Stage.INSERT for lane in lanes)
        due = sorted((lane for lane in lanes if lane.is_due(now, self._limits)), key=attrgetter("since"))
        for lane in due[: max(0, self._limits.inserts_max - under_way)]:
            lane.close_span(now)

    def _commit(self, commits: Sequence[Commit]) -> None:
        if not commits:
            return
        # Before the request: ownership is certain as of then, not as of the answer.
        asked_at = self._clock()
        accepted = self._log.commit(commits)
        for commit in commits:
            # A rebalance may have run inside the request.
            lane = self.lanes.get(commit.partition)
            if lane is None:
                continue
            batch = lane.batch
            if commit.partition not in accepted:
                metrics.REFUSED_COMMITS.inc()
                lane.settled_at = asked_at
                if batch is not None:
                    batch.attempts += 1
                    batch.not_before = asked_at + self._delay(batch.attempts)
            elif batch is None:
                lane.is_clear = True
            else:
                lane.is_clear = False
                batch.fenced_at = asked_at
                batch.stage = Stage.INSERT
                self._inserts.submit(batch)

    def _settle(self, outcomes: Sequence[Outcome]) -> None:
        now = self._clock()
        for outcome in outcomes:
            batch = outcome.batch
            lane = self.lanes.get(batch.partition)
            if lane is None or lane.batch is not batch:
                continue  # of a partition that left, perhaps to come back
            if outcome.error is None:
                lane.settle(now)
                _count(outcome, now)
                continue
            batch.attempts += 1
            batch.stage = Stage.INTENT
            batch.not_before = now + (0.0 if isinstance(outcome.error, FenceExpired) else self._delay(batch.attempts))
            _report(outcome)

    def _delay(self, attempts: int) -> float:
        """Seconds until the next attempt: doubled each time, with jitter so that partitions do not come together."""
        longest = min(self._patience.retry_last, self._patience.retry_first * 2 ** min(attempts, 16))
        delay: float = longest * self._jitter.uniform(0.5, 1.0)
        return delay

    def _throttle(self) -> None:
        """Keep memory bounded: pause a partition whose next span is full, and all but one when the total is too much.

        One partition that is replaying may always go on: its span is bounded, and nothing of it can be let go before
        its end is read.
        """
        lanes = self.lanes.values()
        total = sum(lane.size_bytes + (lane.batch.size_bytes if lane.batch else 0) for lane in lanes)
        metrics.BUFFERED_BYTES.set(total)
        budget = self._limits.buffered_bytes_max
        self._is_over_budget = total >= budget or (self._is_over_budget and total >= budget // 2)
        exempt = min((lane.partition for lane in lanes if lane.is_replaying), default=None)
        pause: list[Partition] = []
        resume: list[Partition] = []
        for lane in lanes:
            must_wait = lane.is_full(self._limits) or (self._is_over_budget and lane.partition != exempt)
            if must_wait != lane.is_paused:
                (pause if must_wait else resume).append(lane.partition)
                lane.is_paused = must_wait
        if pause:
            self._log.pause(pause)
        if resume:
            self._log.resume(resume)
        metrics.PAUSED.set(sum(lane.is_paused for lane in lanes))


def _count(outcome: Outcome, now: float) -> None:
    table = outcome.batch.route.table
    metrics.ROWS.labels(table).inc(outcome.rows)
    metrics.BYTES.labels(table).inc(outcome.size_bytes)
    metrics.SKIPPED.labels(table).inc(outcome.skipped)
    metrics.FAILED.labels(table).inc(outcome.failed)
    metrics.INSERT_SECONDS.labels(table).observe(outcome.seconds)
    metrics.SPAN_AGE_SECONDS.labels(table).observe(max(0.0, now - outcome.batch.since))


def _report(outcome: Outcome) -> None:
    batch = outcome.batch
    causes = {Unavailable: "unavailable", RowsRefused: "rows_refused", FenceExpired: "fence_expired"}
    cause = causes.get(type(outcome.error), "defect")  # type: ignore[arg-type]
    metrics.RETRIES.labels(batch.route.table, cause).inc()
    # Rows that are refused although every record can be read will be refused again: a person must look.
    level = logging.ERROR if cause in {"rows_refused", "defect"} else logging.WARNING
    logger.log(
        level,
        "an insert is repeated",
        extra={
            "table": batch.route.table,
            "partition": batch.partition,
            "span": batch.span,
            "attempt": batch.attempts,
            "cause": cause,
            "error": str(outcome.error)[:500],
        },
    )
