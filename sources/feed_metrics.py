"""What running feeds count: change streams and polled tables."""

from prometheus_client import Counter, Gauge

PASSED_RECORDS = Counter(
    "arrears_feed_passed_records",
    "Records of a source topic that are no events on purpose, by kind: tombstone, heartbeat, schema_change, "
    "transaction, message, other_table, outbox_deleted",
    ["kind"],
)
RECORDS = Counter("arrears_feed_records", "Records of source topics whose position was kept")
LOST_RECORDS = Counter(
    "arrears_feed_lost_records",
    "Offsets of source topics that retention deleted before they were read; anything but 0 is lost input",
)
RETRIES = Counter("arrears_feed_retries", "Batches that were sent again, or read again from a database that failed")
REFUSED_COMMITS = Counter(
    "arrears_feed_refused_commits", "Positions that the broker did not take; the records are read again"
)
ROWS = Counter("arrears_feed_rows", "Rows of polled tables that were read, by what became of them", ["outcome"])
ROWS_WITHOUT_WATERMARK = Gauge(
    "arrears_feed_rows_without_watermark", "Rows of a polled table that are never read: their watermark is empty"
)
POLLED_AT_SECONDS = Gauge(
    "arrears_feed_polled_at_seconds", "Seconds since 1970 at which the last poll of the table came to its end"
)
