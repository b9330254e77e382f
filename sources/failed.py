"""A reject → the record that keeps it in `ar.failed` with its original bytes and its position."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sources.values import SourceReject

# A file has no partitions. Records of `ar.failed` that came out of Kafka never have this number.
NO_PARTITION = -1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def failed_event(reject: SourceReject, at: datetime) -> dict[str, Any]:
    """The ``FailedEvent`` record of a reject.

    `topic` is the file, `partition` -1 and `offset` the line; the headers say the same beside column and field.
    `failed_at` is `at`: a line of a file has no time of its own.
    """
    position = reject.position
    headers = {
        "source_file": position.file,
        "source_line": str(position.line),
        "source_column": position.column,
        "source_field": position.field,
    }
    return {
        "topic": position.file,
        "partition": NO_PARTITION,
        "offset": position.line,
        "stage": "source",
        "reason": reject.reason,
        "error": f"{position}: {reject.message}",
        "company": reject.company,
        "event_type": reject.event_type,
        "original_key": None,
        "original_value": reject.original,
        "headers": [
            {"name": name, "value": value.encode("utf-8", "replace")} for name, value in headers.items() if value
        ],
        "failed_at": (at - _EPOCH) // timedelta(microseconds=1),
    }
