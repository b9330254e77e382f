"""The audit's tables in ClickHouse: what is to be sealed, what was sealed, and both side by side."""

import secrets
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple

from clickhouse_connect.driver.client import Client

from sinks.audit.canon import EVENT_LABELS, FORM, LABELS, PERSONAL, PUBLIC_HASH, SALT_BYTES, content
from sinks.audit.chain import Link, Place, Stored, genesis

_AT = "topic = {topic:String} AND partition = {partition:UInt16}"
_EVENTS_AT = "_topic = {topic:String} AND _partition = {partition:UInt16}"
# Positions begin at -1, before the first offset.
_BETWEEN = f"{_AT} AND toInt64(offset) > {{after:Int64}} AND toInt64(offset) <= {{to:Int64}}"
_EVENTS_BETWEEN = f"{_EVENTS_AT} AND toInt64(_offset) > {{after:Int64}} AND toInt64(_offset) <= {{to:Int64}}"
_COLUMNS = (
    "topic",
    "partition",
    "offset",
    "number",
    "form",
    "company",
    "event_type",
    "recorded_at",
    "appended_at",
    "content_hash",
    "chain_hash",
    "salt",
)


class Tail(NamedTuple):
    """Where a chain ends. `offset` -1, `number` 0: it has no row yet."""

    offset: int
    number: int
    chain: bytes
    appended_at: datetime | None


class Anchor(NamedTuple):
    """A mark of how far a chain had come; `sealed_at` is the only part that two runs may write differently."""

    topic: str
    partition: int
    offset: int
    rows: int
    chain: bytes
    appended_at: datetime
    sealed_at: datetime


class Unsealed(NamedTuple):
    """A row of events that is not in the chain yet, as it is to be written there."""

    offset: int
    company: str
    event_type: str
    recorded_at: datetime
    appended_at: datetime
    labels: bytes
    content: bytes
    salt: bytes


class Pair(NamedTuple):
    """All that stands at one offset, on both sides. `gone` = retention may have deleted what is missing."""

    offset: int
    links: Sequence[Link]
    rows: Sequence[Stored]
    gone: bool


class AuditBook:
    """Questions and inserts of one client. Errors are those of clickhouse_connect."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def tail(self, place: Place) -> Tail:
        """Where the chain of a partition ends."""
        rows = self._rows(
            f"SELECT offset, number, chain_hash, appended_at FROM event_chain WHERE {_AT} ORDER BY offset DESC LIMIT 1",
            place,
        )
        return Tail(*rows[0]) if rows else Tail(-1, 0, genesis(place), None)

    def tails(self, places: Iterable[Place]) -> dict[Place, Tail]:
        """Where each of these chains ends."""
        found = self.client.query(
            "SELECT toString(topic), partition, max(offset), argMax(number, offset), argMax(chain_hash, offset), "
            "argMax(appended_at, offset) FROM event_chain GROUP BY topic, partition"
        ).result_rows
        known = {Place(str(row[0]), int(row[1])): Tail(*row[2:]) for row in found}
        return {place: known.get(place) or Tail(-1, 0, genesis(place), None) for place in places}

    def unsealed(self, place: Place, after: int, end: int, limit: int) -> list[Unsealed]:
        """The next rows of events to be sealed, in order, before an offset; each with a fresh salt.

        Salts are made of a secret that lives as long as the query, which no log of queries keeps.
        """
        found = self._rows(
            f"""
SELECT _offset, toString(company), toString(event_type), recorded_at, _appended_at, labels,
    {content("public", "SHA256(concat(salt, personal))")}, salt
FROM
(
    SELECT _offset, company, event_type, recorded_at, _appended_at, {EVENT_LABELS} AS labels, {PUBLIC_HASH} AS public,
        {PERSONAL} AS personal,
        substring(SHA256(concat(unhex({{secret:String}}), toString(_offset))), 1, {SALT_BYTES}) AS salt
    FROM events
    WHERE {_EVENTS_AT} AND _offset > {{after:Int64}} AND _offset < {{end:Int64}}
    ORDER BY _offset
    LIMIT {{limit:UInt32}}
)
ORDER BY _offset
""",
            place,
            after=after,
            end=end,
            limit=limit,
            secret=secrets.token_hex(32),
        )
        return [Unsealed(*row) for row in found]

    def append(self, place: Place, tail: Tail, rows: Sequence[tuple[Unsealed, bytes]]) -> None:
        """Write links behind a tail, each with its chain hash. What somebody else wrote there meanwhile stays, and
        these are dropped: the token names the tail."""
        data = [
            (
                *place,
                row.offset,
                tail.number + number,
                FORM,
                row.company,
                row.event_type,
                row.recorded_at,
                row.appended_at,
                row.content,
                chain,
                row.salt,
            )
            for number, (row, chain) in enumerate(rows, start=1)
        ]
        token = f"event_chain:{place.topic}:{place.partition}:{tail.offset}"
        self._insert("event_chain", data, _COLUMNS, token)

    def anchor(self, anchors: Sequence[Anchor]) -> None:
        """Write anchors, once for each position."""
        columns = ("topic", "partition", "offset", "rows", "chain_hash", "appended_at", "sealed_at")
        places = sha256(repr([anchor[:3] for anchor in anchors]).encode()).hexdigest()
        self._insert("audit_anchors", [tuple(anchor) for anchor in anchors], columns, f"audit_anchors:{places}")

    def last_anchors(self) -> dict[Place, int]:
        """The furthest anchor of each partition."""
        found = self.client.query(
            "SELECT toString(topic), partition, max(offset) FROM audit_anchors GROUP BY topic, partition"
        ).result_rows
        return {Place(str(topic), int(partition)): int(offset) for topic, partition, offset in found}

    def anchor_before(self, place: Place, instant: datetime) -> Anchor | None:
        """The last anchor before an instant of arrival, at which a verification may begin."""
        return self._anchor(place, "appended_at < {instant:DateTime64(6, 'UTC')}", "offset DESC", instant=instant)

    def anchor_after(self, place: Place, instant: datetime) -> Anchor | None:
        """The first anchor at an instant of arrival or later, at which a verification may end."""
        return self._anchor(place, "appended_at >= {instant:DateTime64(6, 'UTC')}", "offset", instant=instant)

    def anchor_below(self, place: Place, offset: int) -> Anchor | None:
        """The last anchor before an offset."""
        return self._anchor(place, "offset < {at:UInt64}", "offset DESC", at=offset)

    def anchor_from(self, place: Place, offset: int) -> Anchor | None:
        """The first anchor at an offset or behind it."""
        return self._anchor(place, "offset >= {at:UInt64}", "offset", at=offset)

    def _anchor(self, place: Place, where: str, order: str, **parameters: object) -> Anchor | None:
        rows = self._rows(
            f"SELECT topic, partition, offset, rows, chain_hash, appended_at, sealed_at FROM audit_anchors "
            f"WHERE {_AT} AND {where} ORDER BY {order} LIMIT 1",
            place,
            **parameters,
        )
        return Anchor(*rows[0]) if rows else None

    def places(self) -> list[Place]:
        """All partitions of which there are rows, links or anchors."""
        found = self.client.query(
            "SELECT DISTINCT toString(topic), partition "
            "FROM (SELECT _topic AS topic, _partition AS partition FROM events "
            "UNION ALL SELECT topic, partition FROM event_chain UNION ALL SELECT topic, partition FROM audit_anchors) "
            "ORDER BY 1, 2"
        )
        return [Place(str(topic), int(partition)) for topic, partition in found.result_rows]

    def hashes_at(self, place: Place, offsets: Sequence[int]) -> dict[int, tuple[bytes, int]]:
        """Chain hash and number of some rows of the chain."""
        rows = self._rows(
            f"SELECT offset, chain_hash, number FROM event_chain WHERE {_AT} AND offset IN {{offsets:Array(UInt64)}}",
            place,
            offsets=list(offsets),
        )
        return {int(offset): (chain, int(number)) for offset, chain, number in rows}

    def anchors_at(self, place: Place, offsets: Sequence[int]) -> dict[int, tuple[bytes, int]]:
        """Chain hash and rows of some anchors in the table."""
        rows = self._rows(
            f"SELECT offset, chain_hash, rows FROM audit_anchors WHERE {_AT} AND offset IN {{offsets:Array(UInt64)}}",
            place,
            offsets=list(offsets),
        )
        return {int(offset): (chain, int(count)) for offset, chain, count in rows}

    def anchors_between(self, place: Place, after: int, to: int) -> list[tuple[int, bytes, int]]:
        """Anchors of the table behind an offset, up to another."""
        return [
            (int(offset), chain, int(rows))
            for offset, chain, rows in self._rows(
                f"SELECT offset, chain_hash, rows FROM audit_anchors WHERE {_BETWEEN} ORDER BY offset",
                place,
                after=after,
                to=to,
            )
        ]

    def window_end(self, place: Place, after: int, to: int, size: int) -> int:
        """The offset of the last of the next so many links; -1 when there is none."""
        rows = self._rows(
            f"SELECT max(offset), count() FROM (SELECT offset FROM event_chain WHERE {_BETWEEN} "
            "ORDER BY offset LIMIT {size:UInt32})",
            place,
            after=after,
            to=to,
            size=size,
        )
        return int(rows[0][0]) if rows[0][1] else -1

    def pairs(self, place: Place, after: int, to: int) -> Iterator[Pair]:
        """Links and rows behind an offset up to another, side by side, in order."""
        rows = self._rows(_PAIRS, place, after=after, to=to)
        start = 0
        while start < len(rows):
            offset = rows[start][0]
            stop = start
            while stop < len(rows) and rows[stop][0] == offset:
                stop += 1
            yield _pair(int(offset), rows[start:stop])
            start = stop

    def excused(self) -> int:
        """Rows of events that retention says it has deleted."""
        return int(self.client.query("SELECT sum(rows) FROM retention_runs WHERE table = 'events'").result_rows[0][0])

    def unsealed_count(self, place: Place, after: int) -> int:
        """Rows of events behind the end of the chain."""
        rows = self._rows(
            f"SELECT count() FROM events WHERE {_EVENTS_AT} AND toInt64(_offset) > {{after:Int64}}", place, after=after
        )
        return int(rows[0][0])

    def _rows(self, query: str, place: Place, **parameters: object) -> list[tuple[Any, ...]]:
        found = self.client.query(
            query, parameters={**place._asdict(), **parameters}, column_formats=_BYTES, settings=_SETTINGS
        )
        return [tuple(row) for row in found.result_rows]

    def _insert(self, table: str, rows: Sequence[Sequence[object]], columns: Sequence[str], token: str) -> None:
        self.client.insert(
            table,
            rows,
            column_names=list(columns),
            settings={"insert_deduplication_token": token, "insert_deduplicate": 1, "async_insert": 0},
        )


_SETTINGS = {"join_use_nulls": 1, "log_queries": 0}
# Texts that are bytes to us.
_BYTES: dict[str, str | dict[str, str]] = {"labels": "bytes", "event_labels": "bytes", "salt": "bytes"}

# A row counts as deleted by retention when a run of its rule covers it; which runs there were is checked on its own.
_PERSONAL_HASH = "if(erased.offset IS NULL, SHA256(concat(link.salt, event.personal)), erased.personal_hash)"
_PAIRS = f"""
SELECT at.offset AS offset, link.labels AS labels, link.content_hash AS content_hash, link.chain_hash AS chain_hash,
    event.event_id AS event_id, event.labels AS event_labels,
    {content("event.public", _PERSONAL_HASH)} AS found,
    erased.offset IS NULL OR erased.present_hash = SHA256(event.personal) AS is_erased_well,
    link.appended_at < gone.cutoff AS is_gone
FROM
(
    SELECT offset FROM event_chain WHERE {_BETWEEN}
    UNION DISTINCT
    SELECT _offset FROM events WHERE {_EVENTS_BETWEEN}
) AS at
LEFT JOIN
(
    SELECT offset, company, event_type, appended_at, {LABELS} AS labels, content_hash, chain_hash, salt
    FROM event_chain
    WHERE {_BETWEEN}
) AS link ON link.offset = at.offset
LEFT JOIN
(
    SELECT _offset, event_id, {EVENT_LABELS} AS labels, {PUBLIC_HASH} AS public, {PERSONAL} AS personal
    FROM events
    WHERE {_EVENTS_BETWEEN}
) AS event ON event._offset = at.offset
LEFT JOIN
(
    SELECT offset, argMax(personal_hash, erased_at) AS personal_hash, argMax(present_hash, erased_at) AS present_hash
    FROM erased_rows
    WHERE {_BETWEEN}
    GROUP BY offset
) AS erased ON erased.offset = at.offset
LEFT JOIN
(
    SELECT company, rule, max(cutoff) AS cutoff FROM retention_runs WHERE table = 'events' GROUP BY company, rule
) AS gone
    ON gone.company = link.company AND gone.rule = if(link.event_type = 'UserActivityLogged', 'activity', 'events')
ORDER BY at.offset
"""


def _pair(offset: int, rows: Sequence[tuple[Any, ...]]) -> Pair:
    """The rows of a join at one offset: what differs on either side is told apart again."""
    links = list(dict.fromkeys(Link(offset, row[1], row[2], row[3]) for row in rows if row[2] is not None))
    stored: list[Stored] = []
    if links:
        first = [row for row in rows if Link(offset, row[1], row[2], row[3]) == links[0]]
        stored = [Stored(row[4], row[5], row[6], bool(row[7])) for row in first if row[4] is not None]
    else:
        stored = [Stored(row[4], row[5], row[6] or b"", True) for row in rows if row[4] is not None]
    return Pair(offset, links, stored, bool(rows[0][8]))
