"""The port to the table store: rows in, each span once.

`tests/sinks/test_store_contract.py` runs one suite over the memory twin and over ClickHouse.
"""

from collections.abc import Sequence
from typing import Protocol

from sinks.positions import Member


def token_of(table: str, members: Sequence[Member]) -> str:
    """The deduplication token of an insert (DESIGN §4 step 4). It names the spans and nothing of the content: the same
    spans always carry the same records, and a token seen before drops whatever comes with it."""
    topic = members[0].partition.topic
    spans = ",".join(f"{partition.number}:{span.first}-{span.last}" for partition, span in members)
    return f"{table}:{topic}:{spans}"


class TableStore(Protocol):
    """Tables into which whole containers are inserted. Safe to use from one thread; every thread has its own."""

    def insert(self, table: str, token: str, container: bytes) -> None:
        """Store all rows of an Avro container, or none; nothing when `token` was stored in `table` before.

        Blocks until the rows are readable and durable. Raises `Unavailable` when that is not certain: the caller
        repeats with the same token. Raises `RowsRefused` when a row cannot be read; then nothing is stored and the
        token is free.
        """
