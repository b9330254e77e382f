"""Migration 15: the hash chain over the raw log, its anchors, and what was erased of persons (docs/audit.md)."""

from sinks.migrations.ddl import Migration, Table
from sinks.migrations.text import columns

_PLACE = """
topic        : LowCardinality(String)  | Kafka topic of the record.
partition    : UInt16                  | Its partition. Each partition has a chain of its own.
offset       : UInt64                  | Its offset."""

_CHAIN = Table(
    name="event_chain",
    comment="The hash chain over events: each row commits to its predecessor. Written by arrears audit seal.",
    columns=columns(f"""{_PLACE}
number       : UInt64                  | Position in the chain, from 1.
form         : UInt8                   | How the row was written down to be hashed; a form never changes.
company      : LowCardinality(String)  | Code of the legal entity, as the row of events has it.
event_type   : LowCardinality(String)  | What happened, as the row of events has it.
recorded_at  : DateTime64(6, 'UTC')    | Knowledge time, as the row of events has it.
appended_at  : DateTime64(3, 'UTC')    | When Kafka took it in, as the row of events has it.
content_hash : FixedString(32)         | SHA-256 of everything that the row of events says.
chain_hash   : FixedString(32)         | SHA-256 of the predecessor's chain_hash, offset, labels and content_hash.
salt         : String                  | Random bytes without which personal fields cannot be guessed from the hash;
                                       | empty after they were erased.
"""),
    order_by="(topic, partition, offset)",
)

_ANCHORS = Table(
    name="audit_anchors",
    comment="How far each chain had come, and its hash then. The same stands in topic ar.audit, which counts.",
    columns=columns(f"""{_PLACE}
rows         : UInt64                  | Rows of the chain up to there.
chain_hash   : FixedString(32)         | Its hash there; it stands for every row before.
appended_at  : DateTime64(3, 'UTC')    | When Kafka took in the last of these rows.
sealed_at    : DateTime64(6, 'UTC')    | When the anchor was set.
"""),
    order_by="(topic, partition, offset)",
)

_ERASURES = Table(
    name="erasures",
    comment="Who had personal data erased, when and why; never whose. The same stands in topic ar.audit.",
    columns=columns("""
erasure_id   : String                  | Id of the erasure; part of the pseudonym that stands in its rows.
company      : LowCardinality(String)  | Code of the legal entity.
subject      : LowCardinality(String)  | actor = what a person did, account = what is known of a customer.
requested_by : String                  | Who asked for it.
reason       : String                  | Why, in words.
erased_rows  : UInt64                  | Sealed rows of events that were changed.
rows_hash    : FixedString(32)         | SHA-256 of their positions and of what stands in them now.
is_finished  : Bool                    | False while it is under way, or after it was cut off.
changed_at   : DateTime64(6, 'UTC')    | When it began, or was finished.
"""),
    kind="ReplacingMergeTree",
    version="changed_at",
    order_by="erasure_id",
)

_ERASED = Table(
    name="erased_rows",
    comment="Sealed rows of events whose personal fields were erased, with what the chain still needs of them.",
    columns=columns(f"""{_PLACE}
erasure_id    : String                 | The erasure.
personal_hash : FixedString(32)        | Salted hash of the personal fields as they were; the salt is gone.
present_hash  : FixedString(32)        | Hash of these fields as they are since, so that no other change hides here.
erased_at     : DateTime64(6, 'UTC')   | When.
"""),
    order_by="(topic, partition, offset, erased_at)",
)

MIGRATION = Migration(15, "audit", (_CHAIN, _ANCHORS, _ERASURES, _ERASED))
