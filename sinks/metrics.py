"""Every metric of the sink, declared once."""

from collections.abc import Iterable

from prometheus_client import Counter, Gauge, Histogram

ROWS = Counter("arrears_sink_rows", "Rows inserted into a ClickHouse table.", ["table"])
BYTES = Counter("arrears_sink_bytes", "Bytes sent to ClickHouse for rows that were inserted.", ["table"])
SKIPPED = Counter(
    "arrears_sink_skipped_records", "Records that need no row: ticks of the clock and tombstones.", ["table"]
)
FAILED = Counter("arrears_sink_failed_records", "Records that cannot become rows; they are in ar.failed.", ["table"])
INSERT_SECONDS = Histogram(
    "arrears_sink_insert_seconds",
    "Time to wrap and insert what goes into one insert, until ClickHouse confirmed it.",
    ["table"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
INSERT_PARTITIONS = Histogram(
    "arrears_sink_insert_partitions",
    "Partitions of which spans went into one insert.",
    ["table"],
    buckets=(1, 2, 3, 6, 9, 12, 18, 24, 32),
)
SPAN_AGE_SECONDS = Histogram(
    "arrears_sink_span_age_seconds",
    "Age of the oldest record of an insert, since it was received, when ClickHouse confirmed the insert.",
    ["table"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 1.5, 2, 3, 5, 10, 30, 60),
)
RETRIES = Counter(
    "arrears_sink_retries", "Attempts at an insert that will be repeated with the same token.", ["table", "cause"]
)
REFUSED_COMMITS = Counter(
    "arrears_sink_refused_commits", "Intents that Kafka refused or did not confirm; nothing was inserted on them."
)
REPLAYS = Counter(
    "arrears_sink_replayed_spans", "Pending inserts of a former owner that were read and inserted again.", ["table"]
)
OUTCOMES = ("written", "not_written")
DOUBTS = Counter(
    "arrears_sink_doubtful_intents",
    "Members that stayed when another left before its intent was confirmed, by what their metadata then told.",
    ["outcome"],
)
PARTITIONS = Gauge("arrears_sink_partitions", "Partitions that this process owns.")
PAUSED = Gauge("arrears_sink_paused_partitions", "Partitions that wait until ClickHouse has taken what is buffered.")
BUFFERED_BYTES = Gauge("arrears_sink_buffered_bytes", "Bytes of records that are collected or being inserted.")
LAG_RECORDS = Gauge(
    "arrears_sink_lag_records", "Records of a topic that are in Kafka and not yet in ClickHouse.", ["topic"]
)
LAG_SECONDS = Gauge(
    "arrears_sink_lag_seconds", "Age of the oldest record received and not yet in ClickHouse; 0 = none.", ["topic"]
)
EXPIRED = Counter(
    "arrears_sink_expired_records",
    "Offsets that Kafka's retention had deleted before the sink could read them. Above 0, rows are missing for good.",
    ["topic"],
)


CAUSES = ("unavailable", "rows_refused", "fence_expired", "defect")


def begin(topics: Iterable[str], tables: Iterable[str]) -> None:
    """Give out every series of these topics and tables from the start, at 0.

    Prometheus sees an increase between two values only: a series that is born with its first failure would not alert.
    """
    for topic in topics:
        EXPIRED.labels(topic)
    for table in tables:
        FAILED.labels(table)
        for cause in CAUSES:
            RETRIES.labels(table, cause)
