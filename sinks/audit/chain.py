"""The chain itself, pure: how a row is linked to its predecessor, and what is wrong with rows that do not fit.

chain(0) = SHA-256("arrears audit 1 <topic> <partition>")
chain(n) = SHA-256(chain(n-1) + offset in 8 bytes, big-endian + labels + content)
"""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Literal, NamedTuple

Kind = Literal[
    "changed",
    "removed",
    "inserted",
    "not_in_chain",
    "chain_changed",
    "chain_truncated",
    "anchor_changed",
    "anchor_missing",
    "erasure_changed",
]


class Place(NamedTuple):
    """A partition of a topic. Each has a chain of its own."""

    topic: str
    partition: int


class Finding(NamedTuple):
    """One thing that is not as it was sealed. `offset` is -1 where there is none."""

    kind: Kind
    topic: str
    partition: int
    offset: int
    event_id: str
    message: str


class Link(NamedTuple):
    """A row of event_chain."""

    offset: int
    labels: bytes
    content: bytes
    chain: bytes


class Stored(NamedTuple):
    """A row of events as it is now; `content` is computed with the salt of the link at its offset, or with what the
    record of an erasure says. `is_erased_well` is False when an erased row is not as the erasure left it."""

    event_id: str
    labels: bytes
    content: bytes
    is_erased_well: bool = True


def genesis(place: Place) -> bytes:
    """What the first row of a chain has as its predecessor."""
    return sha256(f"arrears audit 1 {place.topic} {place.partition}".encode()).digest()


def link(previous: bytes, offset: int, labels: bytes, content: bytes) -> bytes:
    """The chain's hash at a row."""
    return sha256(previous + offset.to_bytes(8, "big") + labels + content).digest()


class Verification:
    """Walks one chain in the order of offsets. Memory does not grow with its length.

    After a row that does not fit, the next may follow what stands there or what should: so a changed row is named
    once, and those behind it are not.
    """

    def __init__(self, place: Place, start: bytes | None = None) -> None:
        self.place = place
        self.rows = 0
        self.last_offset = -1
        self._previous: tuple[bytes, ...] = (start or genesis(place),)
        self._unlinked: list[tuple[int, str]] = []

    def take(
        self, offset: int, links: Sequence[Link], rows: Sequence[Stored], *, may_be_gone: bool
    ) -> Iterator[Finding]:
        """All that stands at one offset. `may_be_gone`: retention has deleted rows like this one."""
        if not links:
            self._unlinked += [(offset, row.event_id) for row in rows]
            return
        if len(links) > 1:
            yield self._finding("chain_changed", offset, "", f"the chain has {len(links)} rows for one event")
        link_ = links[0]
        yield from self._join(link_)
        yield from self._compare(link_, rows, may_be_gone=may_be_gone)
        self.rows += 1
        self.last_offset = offset

    def end(self, *, is_whole: bool) -> Iterator[Finding]:
        """Rows behind the last link wait to be sealed, unless the end is that of a period inside of the chain."""
        if is_whole:
            self._unlinked.clear()
        yield from self._unlinked_findings(is_joined=True)

    @property
    def waiting(self) -> int:
        """Rows seen since the last link."""
        return len(self._unlinked)

    def _join(self, found: Link) -> Iterator[Finding]:
        wanted = [link(previous, found.offset, found.labels, found.content) for previous in self._previous]
        is_joined = found.chain in wanted
        yield from self._unlinked_findings(is_joined=is_joined)
        if is_joined:
            self._previous = (found.chain,)
            return
        yield self._finding(
            "chain_changed",
            found.offset,
            "",
            "this row of the chain was changed, or rows of the chain before it are gone",
        )
        self._previous = (found.chain, *wanted[:1])

    def _unlinked_findings(self, *, is_joined: bool) -> Iterator[Finding]:
        for offset, event_id in self._unlinked:
            if is_joined:
                yield self._finding(
                    "inserted", offset, event_id, "this row was inserted after its neighbours were sealed"
                )
            else:
                yield self._finding("not_in_chain", offset, event_id, "the chain has lost the row for this event")
        self._unlinked.clear()

    def _compare(self, found: Link, rows: Sequence[Stored], *, may_be_gone: bool) -> Iterator[Finding]:
        if not rows:
            if not may_be_gone:
                yield self._finding("removed", found.offset, "", "the row that was sealed here is gone")
            return
        same = [row for row in rows if row.labels == found.labels and row.content == found.content]
        others = [row for row in rows if row not in same]
        if not same:
            yield self._finding("changed", found.offset, others[0].event_id, "this row is not what was sealed here")
            others = others[1:]
        for extra in (*same[1:], *others):
            yield self._finding("inserted", found.offset, extra.event_id, "a second row at a position that has one")
        if same and not same[0].is_erased_well:
            yield self._finding(
                "changed", found.offset, same[0].event_id, "personal fields are not as their erasure left them"
            )

    def _finding(self, kind: Kind, offset: int, event_id: str, message: str) -> Finding:
        return Finding(kind, self.place.topic, self.place.partition, offset, event_id, message)
