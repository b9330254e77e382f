"""The exactly-once writer: DESIGN §4, one turn of its loop at a time.

1. On assignment the committed offset and its metadata are read. A pending insert comes first: all its spans, those of
   partitions that others own, too, are read again and inserted with its token. Otherwise reading starts at the offset.
2. Records are collected until rows, bytes or age is reached, and an insert can begin. Small spans of a topic's
   partitions go together (`sinks.joining`).
3. Offset a of every member with the metadata of all, {partition, a, b}, is committed synchronously, in one request that
   the broker accepts or refuses as a whole: the intent, and the fence. No insert without it.
4. The spans are inserted, with a token that names them. Retried for ever, with the intent written again before each
   attempt, while a partition is paused once its buffer is full. Never skipped.
5. The next intent commits the former span; an idle, closed or revoked partition commits b + 1 without metadata.

A member that goes to another owner takes the whole intent along. When it is not known then whether the broker had
accepted it, the metadata of a member that is left decide: all have it, or none.

Everything here runs in one thread; only the attempts of step 4 run elsewhere (`sinks.inserts`).
"""

import logging
import random
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter

from sinks import metrics
from sinks.batch import Batch, Stage
from sinks.errors import FenceExpired, Unavailable
from sinks.inserts import Inserts, Outcome
from sinks.intent import TRANSFORM, Intent, read_intent
from sinks.joining import close_due
from sinks.lane import Lane, Limits
from sinks.log import Commit, Committed, Log, Polled
from sinks.observations import count_insert, report_failure, words
from sinks.positions import Member, Partition
from sinks.routes import Route

logger = logging.getLogger(__name__)

RECORDS_AT_ONCE = 5000
# The broker takes a batch of records of at most a megabyte (message.max.bytes); half of it leaves room for its own.
REQUEST_BYTES_MAX = 512 * 1024
COMMIT_BYTES = 300  # of a commit besides its metadata, names of group and topic included

# The commits of a batch, or of no batch: step 5.
Wanted = tuple[Batch | None, Sequence[Commit]]


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
        self._insert_seconds: dict[str, float] = {}
        self.lanes: dict[Partition, Lane] = {}
        self.was_assigned = False
        log.subscribe(self)

    # The owner's side of the log.

    def assigned(self, committed: Mapping[Partition, Committed]) -> None:
        """Step 1. Raises SinkProblem for metadata that are not the sink's."""
        pending: dict[tuple[Member, ...], Batch] = {}
        for partition, (offset, metadata) in committed.items():
            lane = Lane(partition, self._routes[partition.topic], read_to=offset or 0)
            intent = read_intent(partition, offset, metadata) if offset is not None else None
            if intent is not None:
                if intent.members not in pending:
                    pending[intent.members] = self._pending(lane, intent)
                lane.replay(pending[intent.members])
            self.lanes[partition] = lane
        self.was_assigned = True
        metrics.PARTITIONS.set(len(self.lanes))

    def _pending(self, lane: Lane, intent: Intent) -> Batch:
        """What a former owner wrote down, of which nobody has said that it is inserted."""
        metrics.REPLAYS.labels(lane.route.table).inc()
        logger.info(
            "a pending insert is read again",
            extra={
                "topic": lane.route.topic,
                "members": words(intent.members),
                "same_transform": intent.transform == TRANSFORM,
            },
        )
        return Batch(lane.route, intent.members, None, 0, self._clock(), is_written=True, is_replay=True)

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
        self._commit([(None, [commit]) for lane in leaving if (commit := lane.clearing())])
        self.lost(partitions)

    def lost(self, partitions: Collection[Partition]) -> None:
        """Forget these partitions. An insert under way may still end: its token makes it harmless."""
        for partition in partitions:
            lane = self.lanes.pop(partition, None)
            if lane is not None and lane.batch is not None and not lane.batch.is_written:
                lane.batch.is_doubtful = True
        metrics.PARTITIONS.set(len(self.lanes))

    # The loop.

    def turn(self, wait_seconds: float) -> None:
        """Receive, settle what is inserted, and begin what is due. Blocks at most `wait_seconds` for records."""
        self._collect(self._log.poll(RECORDS_AT_ONCE, wait_seconds))
        self._settle(self._inserts.outcomes())
        self._resolve_doubts()
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

    def _resolve_doubts(self) -> None:
        """A member has left before we knew whether the intent was accepted. What is committed of the others tells.

        Its commit was of a former generation of the group: what is not there now will not come any more. Then the new
        owner of the member begins with other spans, and this batch may not be inserted.
        """
        doubtful = [lane for lane in self.lanes.values() if lane.batch is not None and lane.batch.is_doubtful]
        if not doubtful:
            return
        try:
            committed = self._log.committed([lane.partition for lane in doubtful])
        except Unavailable as error:
            logger.warning("whether an intent was accepted is asked again", extra={"error": str(error)})
            return
        for lane in doubtful:
            batch = lane.batch
            if batch is None:
                continue
            offset, metadata = committed[lane.partition]
            intent = read_intent(lane.partition, offset, metadata) if offset is not None else None
            if intent is not None and intent.members == batch.members:
                batch.is_written = True
                batch.is_doubtful = False
                lane.is_clear = False
                metrics.DOUBTS.labels("written").inc()
            elif not batch.is_written:
                lane.take_back()
                metrics.DOUBTS.labels("not_written").inc()

    def _advance(self) -> None:
        """Steps 3 and 5 of all partitions in one request to Kafka, then step 4 of those whose intent was accepted."""
        now = self._clock()
        close_due(self.lanes.values(), now, self._limits, self._insert_seconds)
        wanted: list[Wanted] = [
            (None, [clearing])
            for lane in self.lanes.values()
            if now - lane.settled_at >= self._patience.idle and (clearing := lane.clearing())
        ]
        wanted += [(batch, batch.intents(self._owned(batch))) for batch in self._ready(now)]
        self._commit(wanted)

    def _ready(self, now: float) -> list[Batch]:
        """What is to be inserted now, the oldest first. More would wait in a queue until their intents are old."""
        batches = {id(lane.batch): lane.batch for lane in self.lanes.values() if lane.batch is not None}.values()
        under_way = sum(batch.stage is Stage.INSERT for batch in batches)
        ready = [
            batch
            for batch in batches
            if batch.stage is Stage.INTENT and batch.not_before <= now and not batch.is_doubtful
        ]
        return sorted(ready, key=attrgetter("since"))[: max(0, self._limits.inserts_max - under_way)]

    def _owned(self, batch: Batch) -> list[Partition]:
        """The members of which this process is the owner, and has not gone on since."""
        return [
            place for place, _ in batch.members if (lane := self.lanes.get(place)) is not None and lane.batch is batch
        ]

    def _commit(self, wanted: Sequence[Wanted]) -> None:
        """Commits that belong together are accepted together, or count as refused."""
        for request in _requests(wanted):
            # Before the request: ownership is certain as of then, not as of the answer.
            asked_at = self._clock()
            accepted = self._log.commit([commit for _, commits in request for commit in commits])
            for batch, commits in request:
                is_accepted = all(commit.partition in accepted for commit in commits)
                if not is_accepted:
                    metrics.REFUSED_COMMITS.inc()
                for commit in commits:
                    lane = self.lanes.get(commit.partition)
                    # A rebalance may have run inside the request.
                    if lane is not None and lane.batch is batch:
                        if is_accepted:
                            lane.is_clear = batch is None
                        else:
                            lane.settled_at = asked_at
                if batch is not None and self._owned(batch):
                    self._answered(batch, asked_at, is_accepted=is_accepted)

    def _answered(self, batch: Batch, asked_at: float, *, is_accepted: bool) -> None:
        if is_accepted:
            batch.is_written = True
            batch.fenced_at = asked_at
            batch.stage = Stage.INSERT
            self._inserts.submit(batch)
        else:
            batch.attempts += 1
            batch.not_before = asked_at + self._delay(batch.attempts)

    def _settle(self, outcomes: Sequence[Outcome]) -> None:
        now = self._clock()
        for outcome in outcomes:
            batch = outcome.batch
            owned = self._owned(batch)
            if not owned:
                continue  # of partitions that left, perhaps to come back
            if outcome.error is None:
                for partition in owned:
                    self.lanes[partition].settle(now)
                self._insert_seconds[batch.route.topic] = outcome.seconds
                count_insert(outcome, now)
                continue
            batch.attempts += 1
            batch.stage = Stage.INTENT
            batch.not_before = now + (0.0 if isinstance(outcome.error, FenceExpired) else self._delay(batch.attempts))
            report_failure(outcome)

    def _delay(self, attempts: int) -> float:
        """Seconds until the next attempt: doubled each time, with jitter so that partitions do not come together."""
        longest = min(self._patience.retry_last, self._patience.retry_first * 2 ** min(attempts, 16))
        delay: float = longest * self._jitter.uniform(0.5, 1.0)
        return delay

    def _throttle(self) -> None:
        """Keep memory bounded: pause a partition whose next span is full, and all when the total is too much."""
        lanes = self.lanes.values()
        under_way = {id(lane.batch): lane.batch.size_bytes for lane in lanes if lane.batch is not None}
        total = sum(lane.size_bytes for lane in lanes) + sum(under_way.values())
        metrics.BUFFERED_BYTES.set(total)
        budget = self._limits.buffered_bytes_max
        self._is_over_budget = total >= budget or (self._is_over_budget and total >= budget // 2)
        pause: list[Partition] = []
        resume: list[Partition] = []
        for lane in lanes:
            must_wait = lane.is_full(self._limits) or self._is_over_budget
            if must_wait != lane.is_paused:
                (pause if must_wait else resume).append(lane.partition)
                lane.is_paused = must_wait
        if pause:
            self._log.pause(pause)
        if resume:
            self._log.resume(resume)
        metrics.PAUSED.set(sum(lane.is_paused for lane in lanes))


def _requests(wanted: Sequence[Wanted]) -> Iterator[list[Wanted]]:
    """As few requests as the broker takes: it writes the offsets of one request as one batch of records."""
    request: list[Wanted] = []
    size_bytes = 0
    for batch, commits in wanted:
        more = sum(COMMIT_BYTES + len(commit.metadata) for commit in commits)
        if request and size_bytes + more > REQUEST_BYTES_MAX:
            yield request
            request, size_bytes = [], 0
        request.append((batch, commits))
        size_bytes += more
    if request:
        yield request
