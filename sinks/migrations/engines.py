"""The one choice that tells a single server from a cluster: how the engine of a table is written."""

from dataclasses import dataclass

# Inserts whose tokens a table remembers. A pending span is replayed before other spans of its partition are written,
# so this bounds how many inserts of other partitions may come between a lost answer and its repetition, and between a
# joint insert and its repetition by the new owner of one of its members.
DEDUPLICATION_WINDOW = 10_000
DEDUPLICATION_SECONDS = 7 * 24 * 3600

MERGED_PARTS_KEPT_SECONDS = 480


@dataclass(frozen=True)
class Engines:
    """`cluster` empty: MergeTree on one server. Otherwise Replicated…MergeTree, every statement ON CLUSTER; paths and
    replica names come from the servers' own macros."""

    cluster: str = ""

    @property
    def on_cluster(self) -> str:
        """Stands behind the name of whatever is created, altered or dropped."""
        return f" ON CLUSTER '{self.cluster}'" if self.cluster else ""

    def engine(self, kind: str, version: str = "") -> str:
        """The engine clause of a MergeTree table; `version` is the version column of a ReplacingMergeTree."""
        prefix = "Replicated" if self.cluster else ""
        return f"{prefix}{kind}({version})" if version else f"{prefix}{kind}"

    @property
    def settings(self) -> dict[str, int]:
        """Settings of every table, source or target of a view: without the window a token is not looked at.

        Rows are flushed to the disk before an insert is confirmed: what Kafka has committed must survive a power cut.
        Merges are not: the parts that were merged are kept for a while, and loaded when the merged one turns out broken,
        as after a full disk. The embedded engine would remove them at once.
        """
        if self.cluster:
            window = {
                "replicated_deduplication_window": DEDUPLICATION_WINDOW,
                "replicated_deduplication_window_seconds": DEDUPLICATION_SECONDS,
            }
        else:
            window = {"non_replicated_deduplication_window": DEDUPLICATION_WINDOW}
        return {
            **window,
            "fsync_after_insert": 1,
            "fsync_part_directory": 1,
            "old_parts_lifetime": MERGED_PARTS_KEPT_SECONDS,
        }
