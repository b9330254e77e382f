"""One process that moves all topics into their tables: builds the parts, turns the loop, ends in order."""

import logging
import random
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from avro import Contracts
from sinks import metrics
from sinks.checks import check_migrations, check_tables, check_topics
from sinks.clickhouse import Address, ClickHouseStore
from sinks.errors import Unavailable
from sinks.failures import KafkaFailureLog
from sinks.inserts import Attempt, ThreadedInserts
from sinks.kafka_log import KafkaLog
from sinks.lane import Limits
from sinks.routes import routes
from sinks.span_reader import KafkaSpanReader
from sinks.writer import Patience, Writer
from topics import Topic

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.05
LAG_SECONDS = 5.0
WAIT_SECONDS = 0.5
TOLD_ATTEMPTS = 60  # of those that failed one in so many is told, which is one in half a minute
FAILED = "ar.failed"


@dataclass(frozen=True)
class SinkOptions:
    """Plain values for one process; the command line makes them from the settings.

    `client_config` and `producer_config` are options of librdkafka. `insert_threads` inserts run side by side:
    most of the time of a small one is waiting for the disk.
    `session_timeout_seconds` is how long a silent sink keeps its partitions, and how old a confirmed intent may be
    when its insert begins.
    """

    client_config: Mapping[str, Any]
    producer_config: Mapping[str, Any]
    group_id: str
    catalogue: Mapping[str, Topic]
    address: Address
    limits: Limits = field(default_factory=Limits)
    patience: Patience = field(default_factory=Patience)
    insert_threads: int = 8
    session_timeout_seconds: float = 15.0


class Sink:
    """`run` returns after `stop`, or raises why it cannot go on.

    `heartbeat` is called at every turn of the loop, `ready` with whether the process has its share of the partitions.
    """

    def __init__(
        self,
        options: SinkOptions,
        contracts: Contracts,
        heartbeat: Callable[[], None] = lambda: None,
        ready: Callable[[bool], None] = lambda _: None,
    ) -> None:
        self._options = options
        self._contracts = contracts
        self._heartbeat = heartbeat
        self._ready = ready
        self._is_stopping = False

    def stop(self) -> None:
        """End in order at the next turn. Safe in a signal handler."""
        self._is_stopping = True

    def run(self) -> None:
        """Check, join the group, write until `stop`. Raises SinkProblem."""
        options = self._options
        found = routes(self._contracts, options.catalogue)
        check_topics(options.client_config, [*found, options.catalogue[FAILED].name])
        tables = {route.table for route in found.values()}
        metrics.begin(found, tables)
        if not self._wait_for(tables):
            return
        inserts = ThreadedInserts(self._attempt, options.insert_threads)
        log = KafkaLog(options.client_config, options.group_id, list(found), options.session_timeout_seconds)
        writer = Writer(log, inserts, found, options.limits, options.patience, time.monotonic, random.Random())  # noqa: S311
        logger.info("the sink runs", extra={"group": options.group_id, "topics": len(found)})
        try:
            self._loop(writer, log, found)
        finally:
            self._ready(False)
            writer.close()
        logger.info("the sink has ended")

    def _wait_for(self, tables: Collection[str]) -> bool:
        """Whether the tables are found to be as they must be; False when it was stopped first. Raises SinkProblem.

        A ClickHouse that is down at our start is waited for, as later, but nothing is read before it has answered: a
        table that forgets the tokens of its inserts must never see one.
        """
        attempts = 0
        while not self._is_stopping:
            try:
                check_migrations(self._options.address)
                check_tables(self._options.address, tables)
            except Unavailable as error:
                if attempts % TOLD_ATTEMPTS == 0:
                    logger.warning("ClickHouse does not answer yet", extra={"error": str(error)})
                attempts += 1
                self._heartbeat()
                time.sleep(WAIT_SECONDS)
            else:
                return True
        return False

    def _attempt(self) -> Attempt:
        """What one insert thread works with."""
        options = self._options
        failures = KafkaFailureLog(options.producer_config, self._contracts, options.catalogue[FAILED])
        spans = KafkaSpanReader(options.client_config, options.group_id)
        store = ClickHouseStore(options.address)
        return Attempt(store, failures, spans, time.monotonic, options.session_timeout_seconds)

    def _loop(self, writer: Writer, log: KafkaLog, topics: Collection[str]) -> None:
        looked_at_lag = 0.0
        while not self._is_stopping:
            writer.turn(POLL_SECONDS)
            self._heartbeat()
            self._ready(writer.was_assigned)
            now = time.monotonic()
            if now - looked_at_lag >= LAG_SECONDS:
                looked_at_lag = now
                observe_lag(writer, log, topics)


def observe_lag(writer: Writer, log: KafkaLog, topics: Iterable[str]) -> None:
    """Set the lag of every topic: records behind its end, and the age of the oldest record in hand.

    A topic of which this process owns no partition any more has none: another process tells it.
    """
    records: dict[str, int] = dict.fromkeys(topics, 0)
    oldest: dict[str, float] = dict.fromkeys(topics, 0.0)
    now = time.time()
    for lane in writer.lanes.values():
        topic = lane.partition.topic
        first = lane.oldest
        oldest[topic] = max(oldest.get(topic, 0.0), now - first.timestamp()[1] / 1000 if first is not None else 0.0)
        lag = log.lag(lane.partition, lane.done_to)
        records[topic] = records.get(topic, 0) + (lag or 0)
    for topic, count in records.items():
        metrics.LAG_RECORDS.labels(topic).set(count)
        metrics.LAG_SECONDS.labels(topic).set(oldest[topic])
