"""A record of Debezium's → one change of one row, or the kind of record that it is instead.

With the envelope (`before`, `after`, `source`, `op`) or unwrapped by ExtractNewRecordState; with schemas or without.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Literal, cast

import msgspec

from sources.errors import UnreadableError
from sources.streams.connect import ColumnType, column_types, field_schema, read_message
from sources.streams.record import StreamRecord

Operation = Literal["c", "r", "u", "d", "t", ""]
Passed = Literal["tombstone", "heartbeat", "schema_change", "transaction", "message"]
OPERATIONS: tuple[Operation, ...] = ("c", "r", "u", "d", "t")
HEARTBEAT_PREFIX = "__debezium-heartbeat"
# Where a change stands in the log of its database, by connector: the first group that is there in full is taken.
_COORDINATES = (
    ("commit_lsn", "change_lsn", "event_serial_no"),  # SQL Server
    ("commit_lsn", "change_lsn"),  # Db2
    ("file", "pos", "row"),  # MySQL, MariaDB
    ("commit_scn", "scn", "rs_id", "ssn"),  # Oracle
    ("lsn",),  # PostgreSQL
)
_FROM_THE_ENVELOPE = "__"  # what ExtractNewRecordState puts before the names of its add.fields


class Change(msgspec.Struct, frozen=True):
    """One change. `op` is c, u, d, r (snapshot) or t (truncate), empty where an unwrapped record does not tell.

    `row` is the row after the change, of a deleted one before it. `before` is None where the database did not log it.
    `names` are those of the table, the shortest first. `position` is the same whenever the change is read again:
    the place in the log of the database and the row's key, else the place in the topic. `ts_ms` is the time of the
    change in the database, milliseconds since 1970, None where it is not told.
    """

    op: Operation
    names: tuple[str, ...]
    row: Mapping[str, Any]
    before: Mapping[str, Any] | None
    types: Mapping[str, ColumnType]
    has_schema: bool
    position: str
    ts_ms: int | None

    def changed(self) -> Iterator[str]:
        """The columns of which the value is another one than before, in their order. Needs `before`."""
        before = self.before or {}
        return (name for name, value in self.row.items() if name in before and before[name] != value)


def read_change(record: StreamRecord) -> Change | Passed:
    """The change that a record tells of. Raises ``UnreadableError`` for what is neither that nor known to be none."""
    if record.topic.startswith(HEARTBEAT_PREFIX):
        return "heartbeat"
    if not record.value:
        return "tombstone"
    message = read_message(record.value)
    payload = message.payload
    if payload is None:
        return "tombstone"
    if not isinstance(payload, dict):
        raise UnreadableError("malformed_change", "the record is JSON, but neither a change event nor a row")
    passed = _passed(payload)
    if passed is not None:
        return passed
    if "op" in payload and ("after" in payload or "source" in payload):
        return _enveloped(record, payload, message.schema)
    return _unwrapped(record, payload, message.schema)


def _passed(payload: Mapping[str, Any]) -> Passed | None:
    names = payload.keys()
    if names <= {"ts_ms", "ts_us", "ts_ns"}:
        return "heartbeat"
    if "ddl" in names and ("tableChanges" in names or "databaseName" in names):
        return "schema_change"
    if {"status", "id", "event_count"} <= names and payload["status"] in ("BEGIN", "END"):
        return "transaction"
    return "message" if payload.get("op") == "m" and "message" in names else None


def _enveloped(record: StreamRecord, payload: Mapping[str, Any], schema: Mapping[str, Any] | None) -> Change:
    op = payload["op"]
    if op not in OPERATIONS:
        raise UnreadableError("malformed_change", f"the operation {op!r} is none of {', '.join(OPERATIONS)}")
    before, after = _image(payload, "before"), _image(payload, "after")
    source = payload.get("source")
    source = source if isinstance(source, dict) else {}
    if op == "c" and str(source.get("snapshot", "false")).lower() != "false":
        op = "r"  # what connectors before 1.0 wrote for rows of a snapshot
    row = before if op == "d" else after
    if row is None and op != "t":
        side = "before" if op == "d" else "after"
        raise UnreadableError("malformed_change", f"a change of the kind {op} should hold the row {side} it")
    place = field_schema(schema, "before" if op == "d" else "after")
    ts_ms = source.get("ts_ms")
    return Change(
        op=cast("Operation", op),
        names=_names(record, source),
        row=row or {},
        before=before,
        types=column_types(place),
        has_schema=place is not None,
        position=_position(record, source),
        ts_ms=ts_ms if isinstance(ts_ms, int) else _whole_or_none(payload.get("ts_ms")),
    )


def _image(payload: Mapping[str, Any], side: str) -> Mapping[str, Any] | None:
    image = payload.get(side)
    if image is None or isinstance(image, dict):
        return image
    message = f"{side} is no row of columns but {type(image).__name__}; documents of MongoDB are not read"
    raise UnreadableError("malformed_change", message)


def _unwrapped(record: StreamRecord, payload: Mapping[str, Any], schema: Mapping[str, Any] | None) -> Change:
    """A row alone. Fields and headers that begin with `__` are what the connector was told to add."""
    added = {name: _plain(value) for name, value in record.headers.items() if name.startswith(_FROM_THE_ENVELOPE)}
    added |= {name: value for name, value in payload.items() if name.startswith(_FROM_THE_ENVELOPE)}
    told = {name.removeprefix(_FROM_THE_ENVELOPE).removeprefix("source_"): value for name, value in added.items()}
    op = told.get("op")
    if str(told.get("deleted")).lower() == "true":
        op = "d"
    elif op not in OPERATIONS:
        op = ""
    return Change(
        op=cast("Operation", op),
        names=_names(record, told),
        row={name: value for name, value in payload.items() if not name.startswith(_FROM_THE_ENVELOPE)},
        before=None,
        types=column_types(schema),
        has_schema=schema is not None,
        position=_position(record, told),
        ts_ms=_whole_or_none(told.get("ts_ms")),
    )


def _plain(value: bytes) -> str:
    """A header as text; the JSON converter puts quotes around it."""
    return value.decode("utf-8", "replace").strip('"')


def _whole_or_none(value: object) -> int | None:
    if isinstance(value, str) and value.isdecimal():
        return int(value)
    return value if isinstance(value, int) else None


def _names(record: StreamRecord, source: Mapping[str, Any]) -> tuple[str, ...]:
    """All that the table may be called by; the parts of a topic are server, database or schema, and table."""
    table, schema, database = (source.get(part) for part in ("table", "schema", "db"))
    parts = record.topic.split(".")
    if not isinstance(table, str):
        return tuple(".".join(parts[first:]) for first in reversed(range(len(parts))))
    names = [table]
    names += [f"{outer}.{table}" for outer in (schema, database) if isinstance(outer, str) and outer]
    if isinstance(schema, str) and isinstance(database, str) and schema and database:
        names.append(f"{database}.{schema}.{table}")
    return (*names, record.topic)


def _position(record: StreamRecord, source: Mapping[str, Any]) -> str:
    for names in _COORDINATES:
        parts = [source.get(name) for name in names]
        if all(part is not None and part != "" for part in parts):
            key = _key_text(record.key)
            return ":".join(map(str, parts)) + (f"/{key}" if key else "")
    return f"{record.topic}:{record.partition}:{record.offset}"


def _key_text(key: bytes | None) -> str:
    """The values of the row's key, in the order of its columns."""
    if not key:
        return ""
    try:
        payload = read_message(key).payload
    except UnreadableError:
        return key.decode("utf-8", "replace")
    values = payload.values() if isinstance(payload, dict) else [payload]
    return ",".join(str(value) for value in values)
