"""Verification: events against the chain, the chain against itself, both against the anchors, in bounded memory."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby, islice
from typing import NamedTuple, TypeVar

from sinks.audit.book import Anchor, AuditBook
from sinks.audit.chain import Finding, Place, Verification

ROWS_AT_ONCE = 50_000
_ANCHORS_AT_ONCE = 5_000


class Range(NamedTuple):
    """Part of a chain: behind one anchor (None = from its beginning), up to another (None = to its end)."""

    start: Anchor | None
    stop: Anchor | None


class Period(NamedTuple):
    """Instants of arrival between which rows are verified; None = no bound."""

    since: datetime | None = None
    until: datetime | None = None


EVER = Period()


@dataclass
class Totals:
    """What a verification has looked at: links, anchors in Kafka, rows that wait to be sealed, rows that retention has
    deleted, findings by kind."""

    rows: int = 0
    anchors: int = 0
    waiting: int = 0
    expired: int = 0
    findings: Counter[str] = field(default_factory=Counter)


def verify(
    book: AuditBook,
    anchors: Iterable[Anchor] | None,
    totals: Totals,
    period: Period = EVER,
    rows_at_once: int = ROWS_AT_ONCE,
) -> Iterator[Finding]:
    """All findings, as they are found. `anchors` are those of Kafka in any order, None = not looked at.

    Of a period whole stretches between anchors are verified, beginning with the hash that the anchor says.
    """
    since, until = period
    for place in book.places():
        span = Range(
            book.anchor_before(place, since) if since is not None else None,
            book.anchor_after(place, until) if until is not None else None,
        )
        yield from _counted(_walk(book, place, span, totals, rows_at_once), totals)
    if period == EVER and totals.expired > (excused := book.excused()):
        message = f"{totals.expired:,} rows are gone, but retention has deleted only {excused:,} of events"
        yield from _counted(iter([Finding("removed", "", -1, -1, "", message)]), totals)
    if anchors is not None:
        yield from _counted(_against_anchors(book, anchors, totals), totals)


def _counted(findings: Iterator[Finding], totals: Totals) -> Iterator[Finding]:
    for finding in findings:
        totals.findings[finding.kind] += 1
        yield finding


def _walk(book: AuditBook, place: Place, span: Range, totals: Totals, rows_at_once: int) -> Iterator[Finding]:
    start, stop = span
    tail = book.tail(place).offset
    after = start.offset if start is not None else -1
    last = stop.offset if stop is not None else tail
    state = Verification(place, start.chain if start is not None else None)
    while after < last:
        end = book.window_end(place, after, last, rows_at_once)
        if end < 0:
            break
        for pair in book.pairs(place, after, end):
            totals.expired += bool(pair.links) and not pair.rows and pair.gone
            yield from state.take(pair.offset, pair.links, pair.rows, may_be_gone=pair.gone)
        yield from _tabled_anchors(book, place, after, end)
        after = end
    yield from state.end(is_whole=stop is None)
    totals.rows += state.rows
    yield from _tabled_anchors(
        book, place, max(after, tail if stop is None else after), 2**62 if stop is None else last
    )
    if stop is None:
        totals.waiting += book.unsealed_count(place, tail)


def _tabled_anchors(book: AuditBook, place: Place, after: int, to: int) -> Iterator[Finding]:
    """The table's own anchors of a stretch, against the chain."""
    found = book.anchors_between(place, after, to)
    for some in _batches(found):
        chain = book.hashes_at(place, [offset for offset, _, _ in some])
        for offset, hash_, rows in some:
            yield from _judge(place, offset, (hash_, rows), chain.get(offset), "table audit_anchors")


def _against_anchors(book: AuditBook, anchors: Iterable[Anchor], totals: Totals) -> Iterator[Finding]:
    """Every anchor in Kafka against the chain and against its copy in the table."""
    for some in _batches(anchors):
        ordered = sorted(some, key=lambda anchor: anchor[:3])
        for place, group in groupby(ordered, key=lambda anchor: Place(anchor.topic, anchor.partition)):
            here = list(group)
            offsets = [anchor.offset for anchor in here]
            chain, tabled = book.hashes_at(place, offsets), book.anchors_at(place, offsets)
            for anchor in here:
                totals.anchors += 1
                said = (anchor.chain, anchor.rows)
                yield from _judge(place, anchor.offset, said, chain.get(anchor.offset), "Kafka")
                if anchor.offset not in tabled:
                    yield Finding(
                        "anchor_missing",
                        *place,
                        anchor.offset,
                        "",
                        "Kafka has an anchor here, table audit_anchors has none",
                    )
                elif tabled[anchor.offset] != said:
                    yield Finding(
                        "anchor_changed", *place, anchor.offset, "", "the anchor in table audit_anchors is not Kafka's"
                    )


T = TypeVar("T")


def _batches(items: Iterable[T]) -> Iterator[list[T]]:
    left = iter(items)
    while some := list(islice(left, _ANCHORS_AT_ONCE)):
        yield some


def _judge(
    place: Place, offset: int, said: tuple[bytes, int], found: tuple[bytes, int] | None, where: str
) -> Iterator[Finding]:
    if found is None:
        yield Finding(
            "chain_truncated", *place, offset, "", f"an anchor in {where} stands here, and the chain has no row for it"
        )
    elif found != said:
        yield Finding(
            "anchor_changed", *place, offset, "", f"the chain says something else here than the anchor in {where}"
        )
