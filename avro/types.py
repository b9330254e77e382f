"""The part of Avro's type system that the contracts use, and how a schema says it."""

from avro.errors import ContractError
from avro.schemas import AvroType

REPEATED = frozenset(
    {
        "action", "actor_id", "actor_role", "balance_class", "base_currency", "buckets", "channel", "collector_id",
        "company", "currency", "decision", "deduction_reason", "direction", "document_type", "entity_type",
        "entry_type", "event_type", "exception_type", "from_bucket", "item_type", "kind", "method", "outcome",
        "payment_terms", "queue", "quote_currency", "reason", "reason_code", "region", "risk_class", "segment",
        "severity", "source", "stage", "status", "subject_type", "to_bucket", "topic",
    }
)  # fmt: skip
"""Fields of text, or of several texts, that hold few different values: the codecs remember their encodings."""

PLAIN = frozenset({"boolean", "int", "long", "double", "string", "bytes"})


def optional(type_: AvroType) -> tuple[bool, AvroType]:
    """Whether a type may be null, and the type otherwise. Unions are `[null, T]` here, nothing else."""
    if not isinstance(type_, list):
        return False, type_
    if len(type_) == 2 and type_[0] == "null" and type_[1] != "null":
        return True, type_[1]
    raise ContractError(f"the union {type_} is not one of null and another type; the codec has no other")


def base(type_: AvroType) -> str:
    """What a type is in the bytes, without its logical type: a plain type, `array`, `map` or `record`."""
    found = type_["type"] if isinstance(type_, dict) else type_
    if found in PLAIN or (isinstance(type_, dict) and found in {"array", "map", "record"}):
        return str(found)
    raise ContractError(f"the type {type_} is not one that the codec has; see avro/types.py")


def is_instant(type_: AvroType) -> bool:
    """Whether a long is an instant, which is mostly eight bytes."""
    return isinstance(type_, dict) and type_.get("logicalType") == "timestamp-micros"


def is_day(type_: AvroType) -> bool:
    """Whether an int is a day, which is mostly three bytes."""
    return isinstance(type_, dict) and type_.get("logicalType") == "date"


def without_logical_types(schema: AvroType) -> AvroType:
    """The schema of the same bytes whose days and instants are plain integers."""
    if isinstance(schema, list):
        return [without_logical_types(item) for item in schema]
    if isinstance(schema, dict):
        return {key: without_logical_types(value) for key, value in schema.items() if key != "logicalType"}
    return schema
