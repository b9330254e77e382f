"""Migration 21: which positions retention has removed, and which states it is removing (docs/retention.md)."""

from sinks.migrations.ddl import Migration, Table
from sinks.migrations.text import columns

_REMOVED = Table(
    name="removed_positions",
    comment="Positions in Kafka of rows that retention has removed while Kafka may still hold their records; arrears "
    "reconcile does not miss them.",
    columns=columns("""
table      : LowCardinality(String)             | Table of which the rows were removed.
topic      : LowCardinality(String)             | Kafka topic of the records.
partition  : UInt16                             | Its partition.
run_id     : String                             | The call of arrears retention apply.
offsets    : AggregateFunction(groupBitmap, UInt64)
                                                | Their offsets.
removed_at : DateTime64(6, 'UTC')               | When.
"""),
    order_by="(table, topic, partition, removed_at)",
)

_RETIRED = Table(
    name="retired_states",
    comment="Documents, receipts, promises and cases whose states retention is deleting just now; empty when it is done.",
    columns=columns("""
table      : LowCardinality(String) | Table of the states.
company    : LowCardinality(String) | Code of the legal entity.
account_id : String                 | Customer account.
entity     : String                 | What the state is of, by its key in that table.
"""),
    order_by="(table, company, account_id, entity)",
    partition_by="table",  # dropped when the states are gone: a mutation waits for its turn, up to a second
)

MIGRATION = Migration(21, "positions that retention removed", (_REMOVED, _RETIRED))
