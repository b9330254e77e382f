"""Micro-batches: the unit that Faust carries instead of single records (DESIGN §3 step 1).

Faust costs tens of microseconds per item of a stream, whatever the item is; so an item is all that one poll found of
one partition.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import faust
from faust.transport.utils import DefaultSchedulingStrategy
from faust.types import TP

from pipeline.ports import Payload, Record


class Batch(NamedTuple):
    """Consecutive records of one partition.

    ``begin`` is where the reader stood before the first record, not the first record's offset: commit markers and
    aborted records leave gaps, and only the reader knows that nothing was between. A batch may be folded only when
    ``begin`` is not behind the applied position; so a batch that was lost on the way is noticed and read again.
    """

    partition: int
    begin: int
    end: int  # one past the last record
    records: Sequence[Record]


class BatchScheduler(DefaultSchedulingStrategy):
    """Hands out what was fetched one batch per partition, instead of record by record in turn."""

    def iterate(self, records: Mapping[TP, Any]) -> Iterator[tuple[TP, Any]]:
        """One item per partition."""
        yield from records.items()


class BatchSchema(faust.Schema[None, Batch]):
    """Leaves the batch as it is.

    Decoding happens in the thread that folds: one record that cannot be decoded must cost that record only, and the
    event loop stays free for the group's protocol.
    """

    def loads_key(self, app: Payload, message: Payload, **options: Payload) -> None:
        """A batch has no key."""

    def loads_value(self, app: Payload, message: Payload, **options: Payload) -> Batch:
        """The batch itself."""
        batch: Batch = message.value
        return batch


def merge(batches: Sequence[Batch]) -> Batch:
    """Join batches that follow one another; the reader may have been faster than the fold."""
    if len(batches) == 1:
        return batches[0]
    records = [record for batch in batches for record in batch.records]
    return Batch(batches[0].partition, batches[0].begin, batches[-1].end, records)
