"""What is counted when a transaction is committed, and what is looked at while a partition runs."""

import logging
import time

from pipeline import metrics
from pipeline.store import PartitionStore, Written

logger = logging.getLogger(__name__)


def count_transaction(partition: int, written: Written, fold_seconds: float, commit_seconds: float) -> None:
    """Metrics of one committed transaction; what failed in it is logged, too, with one example each."""
    metrics.RECORDS.labels(str(partition)).inc(written.records)
    metrics.BATCH_RECORDS.observe(written.records)
    metrics.FOLD_SECONDS.observe(fold_seconds)
    metrics.COMMIT_SECONDS.observe(commit_seconds)
    metrics.STATE_RECORDS.inc(written.state_records)
    metrics.STATE_BYTES.inc(written.state_bytes)
    for name, count in written.outputs.items():
        metrics.OUTPUTS.labels(name).inc(count)
    for outcome, count in written.counters.items():
        metrics.EVENTS.labels(outcome).inc(count)
    for (stage, reason), count in written.failures.items():
        metrics.FAILED.labels(stage, reason).inc(count)
        logger.warning(
            "records failed",
            extra={
                "partition": partition,
                "stage": stage,
                "reason": reason,
                "count": count,
                "first": written.examples[stage, reason],
            },
        )


def observe_partition(store: PartitionStore, position: int, end: int | None) -> None:
    """Lag and clock. ``position`` and ``end`` both count control records, or neither does."""
    label = str(store.partition)
    lag = max(0, (end or 0) - position)
    metrics.LAG_RECORDS.labels(label).set(lag)
    age = max(0.0, time.time() - store.timestamp_milliseconds / 1000)
    metrics.LAG_SECONDS.labels(label).set(age if lag else 0)
    if store.committed.clock_micros is not None:
        metrics.CLOCK.labels(label).set(store.committed.clock_micros / 1_000_000)


def forget_partition(partition: int) -> None:
    """Lag and clock of a partition that is gone: its next owner tells them."""
    for gauge in (metrics.LAG_RECORDS, metrics.LAG_SECONDS, metrics.CLOCK):
        gauge.remove(str(partition))
