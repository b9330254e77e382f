"""The worker's metrics, each declared once with a sentence."""

from prometheus_client import Counter, Gauge, Histogram

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

RECORDS = Counter("arrears_worker_records", "Records of the event log that were taken in and committed.", ["partition"])
EVENTS = Counter(
    "arrears_worker_events",
    "Committed events by what became of them: applied, rejected, duplicates, ticks, configured, logged, failed.",
    ["outcome"],
)
# From the start, at 0: Prometheus sees an increase between two values only, and the first failure must alert.
for _outcome in ("applied", "rejected", "duplicates", "ticks", "configured", "logged", "failed"):
    EVENTS.labels(_outcome)
FAILED = Counter(
    "arrears_worker_failed_events",
    "Events written to ar.failed, by the stage and the reason of the failure.",
    ["stage", "reason"],
)
OUTPUTS = Counter("arrears_worker_outputs", "Committed output records, by record name.", ["record"])
STATE_RECORDS = Counter("arrears_worker_state_records", "Committed records of the state topic.")
STATE_BYTES = Counter("arrears_worker_state_written_bytes", "Committed bytes of the state topic, keys not counted.")
TICKS_PUBLISHED = Counter("arrears_worker_ticks_published", "Clock ticks that this worker appended to its partitions.")
EXPIRED = Counter(
    "arrears_worker_expired_offsets",
    "Offsets that retention deleted before they were applied; anything but 0 is lost input.",
)
LAG_RECORDS = Gauge(
    "arrears_worker_lag_records",
    "Records of the partition that are not applied yet, control records included.",
    ["partition"],
)
LAG_SECONDS = Gauge(
    "arrears_worker_lag_seconds",
    "Age of the last applied record of the partition while records wait behind it; 0 when none do.",
    ["partition"],
)
CLOCK = Gauge(
    "arrears_worker_clock_seconds", "The partition's clock: the last tick folded, seconds since 1970.", ["partition"]
)
PARTITIONS = Gauge("arrears_worker_partitions", "Partitions of this worker by state: restoring, running.", ["state"])
BATCH_RECORDS = Histogram(
    "arrears_worker_batch_records",
    "Records in one transaction.",
    buckets=(1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000),
)
FOLD_SECONDS = Histogram(
    "arrears_worker_fold_seconds", "Decoding, folding and writing the outputs of one transaction.", buckets=_SECONDS
)
COMMIT_SECONDS = Histogram("arrears_worker_commit_seconds", "Committing one transaction.", buckets=_SECONDS)
RESTORE_SECONDS = Histogram(
    "arrears_worker_restore_seconds",
    "Fencing former owners of a partition and reading its state back.",
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 600),
)
RESTORED_RECORDS = Counter("arrears_worker_restored_records", "State records read back, while restoring and after it.")
STATE_ENTITIES = Gauge(
    "arrears_worker_state_entities", "Size of the state by kind, over the worker's partitions.", ["kind"]
)
DROPPED = Counter(
    "arrears_worker_partitions_dropped",
    "Partitions whose state was dropped, by cause: revoked, lost, fenced, transaction, unavailable, encode, hole.",
    ["cause"],
)
