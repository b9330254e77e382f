"""What the writer tells of inserts, in metrics and in the log."""

import logging
from collections.abc import Sequence

from sinks import metrics
from sinks.errors import FenceExpired, RowsRefused, Unavailable
from sinks.inserts import Outcome
from sinks.positions import Member

logger = logging.getLogger(__name__)


def words(members: Sequence[Member]) -> str:
    """The members of an insert, for a line of the log."""
    return ", ".join(f"{partition.number}: {span.first}-{span.last}" for partition, span in members)


def count_insert(outcome: Outcome, now: float) -> None:
    """An insert has been confirmed."""
    table = outcome.batch.route.table
    metrics.ROWS.labels(table).inc(outcome.rows)
    metrics.BYTES.labels(table).inc(outcome.size_bytes)
    metrics.SKIPPED.labels(table).inc(outcome.skipped)
    metrics.FAILED.labels(table).inc(outcome.failed)
    metrics.INSERT_SECONDS.labels(table).observe(outcome.seconds)
    metrics.INSERT_PARTITIONS.labels(table).observe(len(outcome.batch.members))
    metrics.SPAN_AGE_SECONDS.labels(table).observe(max(0.0, now - outcome.batch.since))


def report_failure(outcome: Outcome) -> None:
    """An attempt has failed, and will be repeated."""
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
            "topic": batch.route.topic,
            "members": words(batch.members),
            "attempt": batch.attempts,
            "cause": cause,
            "error": str(outcome.error)[:500],
        },
    )
