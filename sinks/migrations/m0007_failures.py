"""Migration 7: what was not applied: events that a rule refused, and records that could not be processed."""

from sinks.migrations.ddl import POSITION, Migration, Table
from sinks.migrations.money import money_view
from sinks.migrations.text import columns

_REJECTED = Table(
    name="rejected_events",
    comment="Events that a business rule refused. They changed nothing; reason says which rule.",
    columns=(
        *POSITION,
        *columns("""
company        : LowCardinality(String) | Code of the legal entity.
account_id     : String                 | Customer account; empty when the event names none.
event_id       : String                 | Id of the event that was refused.
event_type     : LowCardinality(String) | Record name of the event.
reason         : LowCardinality(String) | Code of the rule: over_application, currency_mismatch, wrong_sign,
                                        | document_cancelled, conflicting_duplicate, unknown_payment,
                                        | unknown_document, unknown_company, invalid_amount, invalid_date and the
                                        | like.
message        : String                 | One sentence that says what does not fit and what to do.
recorded_at    : DateTime64(6, 'UTC')   | When the pipeline accepted what caused this: knowledge time.
topic          : LowCardinality(String) | Topic it was read from.
partition      : Int32                  | Partition it was read from.
offset         : Int64                  | Offset at which it stands.
original_key   : Nullable(String)       | Key of the record as it was read; null when it had none.
original_value : String                 | Value of the record as it was read, for a replay.
late           : Bool                   | Whether the event had been taken before it, or a line of it, was refused: its
                                        | id is used up. Else the same event may have been accepted when it came again.
"""),
    ),
    order_by="(company, recorded_at, event_id)",
)

_FAILED = Table(
    name="failed_events_versions",
    comment="Records that could not be processed, more than once where a service was restarted. Analysts read failed_events.",
    columns=(
        *POSITION,
        *columns("""
topic          : LowCardinality(String)         | Topic or source it was read from.
partition      : Int32                          | Partition it was read from.
offset         : Int64                          | Offset at which it stands.
stage          : LowCardinality(String)         | Where it failed: decode = bytes, route = key or partition, fold =
                                                | a job, encode = its output, source = an adapter.
reason         : LowCardinality(String)         | Code of the failure, such as malformed_record, unknown_schema or
                                                | wrong_partition.
error          : String                         | The error in words, on one line.
company        : LowCardinality(Nullable(String))
                                                | Code of the legal entity, when it could be read.
event_type     : LowCardinality(Nullable(String))
                                                | Record name of the event, when it could be read.
original_key   : Nullable(String)               | Key of the record as it was read; null when it had none.
original_value : Nullable(String)               | Value of the record as it was read; null for a tombstone.
headers        : Array(Tuple(name String, value String))
                                                | Headers of the record as it was read.
failed_at      : DateTime64(6, 'UTC')           | Time of the record itself as Kafka has it, so that a replay gives
                                                | the same bytes.
"""),
    ),
    order_by="(topic, partition, offset, stage)",
    kind="ReplacingMergeTree",
    version="_offset",
)

MIGRATION = Migration(
    7,
    "failures",
    (
        _REJECTED,
        _FAILED,
        money_view(
            _FAILED,
            "failed_events",
            "Records that could not be processed, one row per position and stage, with their original bytes.",
            final=True,
        ),
    ),
)
