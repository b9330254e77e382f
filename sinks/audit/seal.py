"""Sealing: rows of events that are surely all there are taken into the chain, in order, and its end is anchored.

1. The end of a partition is given: before it everything is stored (the sink's committed offset), nothing comes later.
2. From the last link on, the next rows are read, with their content hashes and fresh salts.
3. They are linked and inserted under a token that names the link they follow. Of two sealers at once only one succeeds;
   either goes on from what the table says, never from what it wrote.
4. When the end is reached and has moved, an anchor is published in Kafka, acknowledged, and then written to the table.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from sinks.audit.book import Anchor, AuditBook, Tail
from sinks.audit.chain import Place, link
from sinks.errors import SinkProblem

ROWS_AT_ONCE = 50_000


class AnchorLog(Protocol):
    """Where anchors are published, outside of the database that they vouch for."""

    def publish(self, anchors: Sequence[Anchor]) -> None:
        """Return when they are safe there. Raises SinkProblem when they are not."""


class Sealed(NamedTuple):
    """What one run did to one partition: rows that were added to its chain, and where it ends now."""

    place: Place
    rows: int
    total: int
    offset: int


def seal(
    book: AuditBook,
    log: AnchorLog,
    ends: Mapping[Place, int],
    now: Callable[[], datetime],
    rows_at_once: int = ROWS_AT_ONCE,
) -> list[Sealed]:
    """Seal partitions up to their ends (exclusive). Repeating it does nothing. Raises SinkProblem."""
    tails, marks = book.tails(ends), book.last_anchors()
    found: list[Sealed] = []
    anchors: list[Anchor] = []
    for place, end in sorted(ends.items()):
        before, marked = tails[place], marks.get(place, -1)
        if marked > before.offset:
            raise SinkProblem(
                f"the chain of {place.topic} {place.partition} ends at {before.offset} and was anchored at {marked}",
                "Rows of event_chain are gone, and nothing is sealed over that. `arrears audit verify` shows them",
            )
        tail = _extend(book, place, before, end, rows_at_once)
        found.append(Sealed(place, tail.number - before.number, tail.number, tail.offset))
        if tail.appended_at is not None and marked < tail.offset:
            anchors.append(Anchor(*place, tail.offset, tail.number, tail.chain, tail.appended_at, now()))
    if anchors:
        log.publish(anchors)
        book.anchor(anchors)
    return found


def _extend(book: AuditBook, place: Place, tail: Tail, end: int, rows_at_once: int) -> Tail:
    """Steps 2 and 3."""
    is_more = True
    while is_more and (rows := book.unsealed(place, tail.offset, end, rows_at_once)):
        linked = []
        chain = tail.chain
        for row in rows:
            chain = link(chain, row.offset, row.labels, row.content)
            linked.append((row, chain))
        book.append(place, tail, linked)
        reached = book.tail(place)
        if reached.offset <= tail.offset:
            raise SinkProblem(
                f"links of {place.topic} {place.partition} behind {tail.offset} were refused as repeated",
                "They were written before and have been removed since: `arrears audit verify` shows it",
            )
        is_more = len(rows) == rows_at_once or reached.offset != rows[-1].offset
        tail = reached
    return tail
