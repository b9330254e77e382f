"""Openings: sums of old postings, from which the as-of views start (docs/adr/0060).

An opening never makes an answer other than the sum of all postings: the views use it only while the ledger has as many
postings there as it was made of. This writes those that are wanted, anew where one does not hold any more, and removes
what is of no use.
"""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from clickhouse_connect.driver.client import Client

from sinks.migrations.balances import LINE
from sinks.migrations.ddl import literal

# An opening is worth its space when it saves reading so many postings: some hundredths of a second.
POSTINGS_MIN = 50_000
# What an answer that is being computed may still read is left alone for so long.
_LEFT_SECONDS = 3600
# Postings of the last minutes of a month may still be on their way.
_SETTLED_SECONDS = 3600
_MUTATION = "mutations_sync = 2"

# Months are numbered from year 0, as `toRelativeMonthNum` does: (effective month, recorded month) → postings.
Counts = Mapping[tuple[int, int], int]


class Bounds(NamedTuple):
    """Which postings are in an opening: those of effective months before the one, recorded before the other."""

    effective_month: int
    recorded_month: int


class Opening(NamedTuple):
    """One that is stored. `postings` = how many it was made of; `is_whole` = all of its lines are there."""

    opening_id: str
    bounds: Bounds
    postings: int
    is_whole: bool


class Written(NamedTuple):
    """What one run did: openings written, and how many hold altogether."""

    written: int
    held: int


def below(counts: Counts, bounds: Bounds) -> int:
    """How many postings belong into an opening."""
    return sum(many for (effective, recorded), many in counts.items() if _is_in(effective, recorded, bounds))


def _is_in(effective: int, recorded: int, bounds: Bounds) -> bool:
    return effective < bounds.effective_month and recorded < bounds.recorded_month


def wanted(counts: Counts, through: int, postings_min: int = POSTINGS_MIN) -> list[Bounds]:
    """The openings that should be there, in the order in which one can be made of those before it.

    A first of a month is worth one when `postings_min` were effective since the last that was; and another one for each
    later month up to `through` by which as many more were recorded: usually none, after a backfill one for all.
    """
    found: list[Bounds] = []
    former = 0
    for effective in range(min((month for month, _ in counts), default=through) + 1, through + 1):
        postings = below(counts, Bounds(effective, through))
        if postings - former < postings_min:
            continue
        former, made = postings, 0
        for recorded in range(effective, through + 1):
            bounds = Bounds(effective, recorded)
            if below(counts, bounds) - made >= postings_min:
                found.append(bounds)
                made = below(counts, bounds)
    return found


def write_openings(client: Client, through: int | None = None, postings_min: int = POSTINGS_MIN) -> Written:
    """Bring the openings up to date. `through` = the last month that may bound one; None = the present one, once it is
    an hour old. Raises the client's errors; a run that was cut off is finished by the next one."""
    last = _present_month(client) if through is None else through
    counts = read_counts(client)
    bounds = wanted(counts, last, postings_min)
    found = read_openings(client)
    holding = {one.bounds: one for one in found if one.is_whole and one.postings == below(counts, one.bounds)}
    useless = [one for one in found if holding.get(one.bounds) is not one or one.bounds not in bounds]
    holding = {one.bounds: one for one in holding.values() if one not in useless}
    _forget(client, [one.opening_id for one in useless])
    written = 0
    for one in bounds:
        if one not in holding:
            holding[one] = _write(client, one, _base(one, holding.values()))
            written += 1
    _sweep(client)
    return Written(written, len(holding))


def forget_openings(client: Client) -> bool:
    """No answer starts from an opening any more; gives whether one did. For whoever is about to take postings away."""
    any_ = bool(client.query("SELECT count() FROM openings").result_rows[0][0])
    client.command("TRUNCATE TABLE openings")
    return any_


def read_counts(client: Client) -> Counts:
    """How many postings there are of each pair of months."""
    rows = client.query(
        "SELECT effective_month, recorded_month, count() FROM ledger_entries_log "
        "GROUP BY effective_month, recorded_month SETTINGS optimize_aggregation_in_order = 1"
    ).result_rows
    return {(int(effective), int(recorded)): int(many) for effective, recorded, many in rows}


def read_openings(client: Client) -> list[Opening]:
    """What is stored, the latest first where there are two of the same bounds."""
    rows = client.query(
        """
SELECT opening_id, effective_month, recorded_month, postings, is_whole
FROM openings
LEFT JOIN
(
    SELECT opening_id, sum(entries) AS postings, sum(items) = countIf(entries = 0) AS is_whole
    FROM opening_items
    GROUP BY opening_id
) AS made USING (opening_id)
ORDER BY written_at DESC, opening_id"""
    ).result_rows
    return [Opening(str(id_), Bounds(int(e), int(r)), int(many), bool(whole)) for id_, e, r, many, whole in rows]


def _present_month(client: Client) -> int:
    """By ClickHouse's clock: this is about what is likely to stay as it is, not about any answer."""
    query = f"SELECT toRelativeMonthNum(toDateTime(now() - {_SETTLED_SECONDS}, 'UTC'))"
    return int(client.query(query).result_rows[0][0])


def _base(bounds: Bounds, holding: Iterable[Opening]) -> Opening | None:
    """The largest opening that is wholly inside the one to be made."""
    inside = [
        one
        for one in holding
        if one.bounds.effective_month <= bounds.effective_month and one.bounds.recorded_month <= bounds.recorded_month
    ]
    return max(inside, key=lambda one: one.postings, default=None)


def _write(client: Client, bounds: Bounds, base: Opening | None) -> Opening:
    """Write an opening, and say from how many postings it came to be made."""
    opening_id = secrets.token_hex(8)
    for statement in statements(opening_id, bounds, base):
        client.command(statement, settings={"async_insert": 0, "insert_deduplicate": 0})
    postings = client.query(f"SELECT sum(entries) FROM opening_items WHERE opening_id = {literal(opening_id)}")
    return Opening(opening_id, bounds, int(postings.result_rows[0][0]), True)


def statements(opening_id: str, bounds: Bounds, base: Opening | None = None) -> tuple[str, str]:
    """What writes an opening: its lines and counts in one statement over one state of the ledger, then its head.

    The counts are those of the postings that were added up, so a posting that arrives meanwhile is in both or in none.
    `base` = an opening inside this one to which the other postings are added.
    """
    base_id, base_bounds = (base.opening_id, base.bounds) if base else ("", Bounds(0, 0))
    lines = f"""
INSERT INTO opening_items (opening_id, {LINE}, region, minor, entries, items)
SELECT {literal(opening_id)}, company, account_id, currency, part.1 AS type, part.2 AS id, part.3 AS part_number,
    balance_class, part.4 AS due, max(part.8), sum(part.5), sum(part.6), sum(part.7)
FROM
(
    SELECT company, account_id, currency, balance_class,
        [(toString(item_type), item_id, instalment, due_date, line_minor, toUInt64(0), toUInt64(0), line_region),
            ('', '', toInt32(0), toDate32(0), toInt64(0), line_entries, toUInt64(line_minor != 0), '')] AS parts
    FROM
    (
        SELECT {LINE}, max(toString(added_region)) AS line_region, sum(added_minor) AS line_minor,
            sum(added_entries) AS line_entries
        FROM
        (
            SELECT {LINE}, region AS added_region, minor AS added_minor, entries AS added_entries
            FROM opening_items WHERE opening_id = {literal(base_id)}
            UNION ALL
            SELECT {LINE}, region, delta_minor, 1
            FROM ledger_entries_log
            WHERE effective_month < {bounds.effective_month} AND recorded_month < {bounds.recorded_month}
                AND (effective_month >= {base_bounds.effective_month} OR recorded_month >= {base_bounds.recorded_month})
        )
        GROUP BY {LINE}
    )
)
ARRAY JOIN parts AS part
WHERE part.5 != 0 OR part.6 != 0 OR part.7 != 0
GROUP BY company, account_id, currency, type, id, part_number, balance_class, due"""
    months = f"{bounds.effective_month}, {bounds.recorded_month}"
    head = f"INSERT INTO openings SELECT {literal(opening_id)}, {months}, now64(6)"
    return lines, head


def _forget(client: Client, ids: Sequence[str]) -> None:
    if ids:
        names = ", ".join(map(literal, ids))
        client.command(f"ALTER TABLE openings DELETE WHERE opening_id IN ({names}) SETTINGS {_MUTATION}")


def _sweep(client: Client) -> None:
    """Remove lines without a head, unless they are so fresh that somebody may be reading or writing them."""
    rows = client.query(
        "SELECT partition_id FROM system.parts "
        "WHERE database = currentDatabase() AND table = 'opening_items' AND active "
        "GROUP BY partition_id, partition "
        f"HAVING max(modification_time) < now() - {_LEFT_SECONDS} "
        "AND partition NOT IN (SELECT opening_id FROM openings)"
    ).result_rows
    for (partition,) in rows:
        client.command(f"ALTER TABLE opening_items DROP PARTITION ID {literal(str(partition))}")
