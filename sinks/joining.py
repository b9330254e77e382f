"""Which spans are closed now, and which of them go into one insert (the end of step 2 of DESIGN §4).

An insert costs ClickHouse much and a row little (docs/adr/0064-spans-of-a-topic-are-inserted-together.md), so the small
spans of a topic go together. A partition that has enough for an insert of its own goes alone.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from operator import attrgetter
from types import MappingProxyType

from sinks.batch import Batch, Stage
from sinks.intent import MEMBERS_MAX
from sinks.lane import Lane, Limits
from sinks.positions import Member, Record

_by_age: Callable[[Lane], float] = attrgetter("since")


def close_due(
    lanes: Collection[Lane], now: float, limits: Limits, insert_seconds: Mapping[str, float] = MappingProxyType({})
) -> list[Batch]:
    """Close what is due, and can be inserted now: topics whose oldest record has waited longest first.

    `insert_seconds` is how long the last insert of a topic took.

    The others go on collecting: a span that waits for its turn would only leave the next rows another turn to wait. For
    the same reason the small spans of a topic wait while others of it are being inserted.
    """
    under_way = {id(lane.batch): lane.batch for lane in lanes if lane.batch and lane.batch.stage is Stage.INSERT}
    free = limits.inserts_max - len(under_way)
    busy = {batch.route.topic for batch in under_way.values() if not batch.fills}
    groups: list[list[Lane]] = []
    by_topic: dict[str, list[Lane]] = {}
    for lane in lanes:
        if lane.is_waiting:
            if lane.is_full(limits):
                groups.append([lane])
            elif lane.route.topic not in busy:
                by_topic.setdefault(lane.route.topic, []).append(lane)
    for topic, small in by_topic.items():
        groups += _due(small, now - limits.age_seconds(insert_seconds.get(topic, 0.0)), limits)
    groups.sort(key=lambda group: min(map(_by_age, group)))
    return [_close(group, limits) for group in groups[: max(0, free)]]


def _due(small: list[Lane], before: float, limits: Limits) -> Iterator[list[Lane]]:
    """The small spans of one topic, as few inserts, when the oldest is of then, or together they are enough."""
    small.sort(key=_by_age)
    enough = (
        small[0].since <= before
        or sum(len(lane.records) for lane in small) >= limits.rows_max
        or sum(lane.size_bytes for lane in small) >= limits.bytes_max
    )
    if enough:
        yield from _packed(small, limits)


def _packed(lanes: Iterable[Lane], limits: Limits) -> Iterator[list[Lane]]:
    """As many in one as fit, in their order."""
    group: list[Lane] = []
    rows = size_bytes = 0
    for lane in lanes:
        rows += len(lane.records)
        size_bytes += lane.size_bytes
        if group and (rows > limits.rows_max or size_bytes > limits.bytes_max or len(group) == MEMBERS_MAX):
            yield group
            group, rows, size_bytes = [], len(lane.records), lane.size_bytes
        group.append(lane)
    if group:
        yield group


def _close(group: list[Lane], limits: Limits) -> Batch:
    """The batch of these lanes, in the order of the partitions: its rows may not depend on who waited longest."""
    fills = group[0].is_full(limits)
    since = min(map(_by_age, group))
    size_bytes = sum(lane.size_bytes for lane in group)
    members: list[Member] = []
    records: list[list[Record]] = []
    ordered = sorted(group, key=attrgetter("partition"))
    for lane in ordered:
        span, found = lane.close_span()
        members.append(Member(lane.partition, span))
        records.append(found)
    batch = Batch(group[0].route, tuple(members), records, size_bytes, since, fills=fills)
    for lane in ordered:
        lane.batch = batch
    return batch
